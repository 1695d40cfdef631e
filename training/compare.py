"""Every method on the same slices of labeled issues: figures, tables, JSON.

    python -m training.compare --snapshot NAME=DIR [--snapshot NAME=DIR ...] --out DIR

A data set of several repositories is given as NAME/PART=DIR for each; its F1 is their mean. Every
cell of the grid (method, slice, seed) is a file, written when it is finished and not run again
while its inputs are the same: stopped at any moment, the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, get_args

from threadpoolctl import threadpool_limits

from models import snapshot
from models.encoder import DEFAULT_ENCODER, Encoder
from models.errors import ModelError
from training import document, plots, protocol, results
from training.cells import Cell
from training.grid import Field, Grid, Start
from training.methods import table
from training.methods.space import Space
from training.progress import Report, progress
from training.protocol import SLICES, Protocol, Size, Source
from training.results import Comparison

Clock = Callable[[], float]
FAILED, INTERRUPTED = 1, 130


def main(argv: Sequence[str] | None = None, *, clock: Clock = time.monotonic) -> int:
    """Read, split, run what is not finished, write what is there; the exit status."""
    args = _arguments(argv)
    began = clock()
    try:
        # One BLAS thread, as in training.run: the same figures on any number of cores.
        with progress() as report, threadpool_limits(1, user_api="blas"), _starts(args) as starts:
            grid = _grid(starts, args, report)
            if args.corpus:
                return _write_corpus(grid, args)
            cells, status = _run(grid, args, report, lambda: clock() - began)
        _write(results.compare(grid, cells), args, page=not status)
    except (ModelError, OSError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("compare: stopped before the first cell", file=sys.stderr)
        return INTERRUPTED
    return status or _tell(cells, args.out)


def _run(
    grid: Grid, args: argparse.Namespace, report: Report, passed: Clock
) -> tuple[list[Cell], int]:
    """(every cell, those of earlier runs included, whatever their rows; the exit status so far)."""
    jobs = list(grid.jobs())
    finished = [grid.finished(job, args.out) for job in jobs]
    wanted = [not args.methods or job.row.key in args.methods for job in jobs]
    late, status = 0, 0
    try:
        for number, job in enumerate(jobs):
            report("cells", number, len(jobs))
            if finished[number] or not wanted[number]:
                continue
            if job.row.cost != "cheap" and passed() >= args.hours * 3600:
                late += 1
                continue
            finished[number] = cell = grid.run(job)
            cell.write(args.out)
        report("cells", len(jobs), len(jobs))
    except KeyboardInterrupt:
        print("compare: stopped; the same command goes on from here", file=sys.stderr)
        status = INTERRUPTED
    if late:
        print(f"compare: {late} cells left out after {args.hours:g} hours", file=sys.stderr)
    return [cell for cell in finished if cell], status


def _write(comparisons: Sequence[Comparison], args: argparse.Namespace, *, page: bool) -> None:
    """JSON, Markdown and figures of what is there, and the page that shows them."""
    args.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps([each.to_json() for each in comparisons], indent=2, ensure_ascii=False)
    (args.out / "results.json").write_text(text + "\n", encoding="utf-8")
    (args.out / "results.md").write_text(document.markdown(comparisons) + "\n", encoding="utf-8")
    for each in comparisons:
        plots.learning_curves(each, args.out)
        print("\n".join(document.summary(each)))
    if args.document and page:
        document.fill(args.document, comparisons, args.out)


def _tell(cells: Sequence[Cell], out: Path) -> int:
    without = Counter((x.place.row, x.status, x.why) for x in cells if x.status != "ok")
    for (row, status, why), count in without.items():
        said = why if why.startswith(status) else f"{status}: {why}"
        print(f"{row}, {count} cell{'s' if count > 1 else ''}: {said}", file=sys.stderr)
    failed = sum(cell.status == "failed" for cell in cells)
    print(f"{len(cells)} cells, {failed} failed; written to {out}")
    return FAILED if failed else 0


def _grid(starts: tuple[Start, ...], args: argparse.Namespace, report: Report) -> Grid:
    sources: dict[str, list[Source]] = defaultdict(list)
    for name, folder in args.snapshot:
        found = snapshot.read(folder)

        def encoding(done: int, total: int, name: str = name) -> None:
            report(f"encode {name}", done, total)

        source = protocol.read(name, found, starts[0].vanilla, encoding)
        sources[name.partition("/")[0]].append(source)
    return Grid(
        rows=table.ROWS,
        starts=starts,
        fields=tuple(
            Field(kind, name, tuple(protocol.split(source, kind) for source in found))
            for kind in args.protocol
            for name, found in sources.items()
        ),
        sizes={
            "cheap": args.slices,
            "tuned": args.tuned_slices or args.slices,
            "choice": args.slices,
        },
        seeds={"cheap": args.seeds, "tuned": args.tuned_seeds or args.seeds},
        unlabeled=args.unlabeled,
        shared={"nli": args.nli, "max_tokens": args.max_tokens, "effort": 10 if args.trial else 1},
    )


def _write_corpus(grid: Grid, args: argparse.Namespace) -> int:
    """A snapshot of each repository without labels, and without what is judged on."""
    for name, folder in args.snapshot:
        found = snapshot.read(folder)
        parts = [part for field in grid.fields for part in field.parts if part.name == name]
        kept = protocol.corpus(found, parts)
        count = snapshot.write(args.corpus / name, found.repository, kept)
        print(f"{args.corpus / name}: {count} of {len(found.issues)} issues")
    return 0


@contextmanager
def _starts(args: argparse.Namespace) -> Iterator[tuple[Start, ...]]:
    """The encoders, with the vectors of earlier runs; new ones are kept however the block ends."""
    adapted = {name or args.encoder[0]: folder for name, folder in args.adapted}
    for name in adapted.keys() - set(args.encoder):
        raise ModelError(f"--adapted names {name!r}, which no --encoder does")
    kept = args.out / "vectors"
    if args.threads:
        import torch  # in seconds; an encoder whose vectors are all at hand would not set it

        torch.set_num_threads(args.threads)
    with ExitStack() as spaces:

        def space(name: str) -> Space:
            encoder = Encoder.load(name, max_tokens=args.max_tokens, threads=args.threads)
            return spaces.enter_context(_kept(Space(encoder), kept))

        starts = tuple(
            Start(name, space(name), space(str(adapted[name])) if name in adapted else None)
            for name in args.encoder
        )
        for start in starts:
            _require_related(start)
        yield starts


def _require_related(start: Start) -> None:
    """That the adapted encoder began as the other one, as far as its card tells."""
    one, other = start.vanilla.encoder, start.adapted.encoder if start.adapted else None
    if other and other.card and other.origin != one.origin:
        raise ModelError(f"{other.name} was adapted from {other.origin}, not from {start.name}")


@contextmanager
def _kept(space: Space, folder: Path) -> Iterator[Space]:
    path = folder / f"{space.encoder.version}.safetensors"
    space.load(path)
    known = len(space.known)
    try:
        yield space
    finally:
        if len(space.known) > known:
            folder.mkdir(parents=True, exist_ok=True)
            space.save(path.with_suffix(".tmp"))
            path.with_suffix(".tmp").replace(path)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.compare",
        description="Every method on the same slices of labeled issues: figures, tables, JSON.",
        epilog="methods: " + ", ".join(row.key for row in table.ROWS),
    )
    add: Callable[..., Any] = parser.add_argument
    add(
        "--snapshot",
        type=_named,
        action="append",
        required=True,
        metavar="NAME[/PART]=DIR",
        help="a repository; those with one NAME are one data set",
    )
    add("--out", type=Path, required=True, help="folder of cells, vectors, tables and figures")
    add(
        "--protocol",
        nargs="+",
        choices=get_args(Protocol),
        default=["time"],
        help="time: newest fifth as the test set; chapter: random parts, thresholds on validation",
    )
    add(
        "--methods",
        nargs="+",
        choices=[row.key for row in table.ROWS],
        default=[],
        metavar="KEY",
        help="rows to run, of those below (default: all); finished ones are shown as well",
    )
    _add_grid(add)
    add("--encoder", nargs="+", default=[DEFAULT_ENCODER], help="names, folders or cached hub ids")
    add(
        "--adapted",
        type=_perhaps_named,
        action="append",
        default=[],
        metavar="[ENCODER=]DIR",
        help="adapted version of an encoder (default: of the first)",
    )
    add("--nli", help="inference checkpoint for zero-shot, by folder or cached hub id")
    add("--max-tokens", type=int, default=256, help="tokens read of an issue")
    add("--unlabeled", type=int, default=2000, help="most unlabeled texts that a method gets")
    add("--threads", type=int, help="torch threads (default: all cores)")
    add("--trial", action="store_true", help="a tenth of all passes: to see that it runs")
    add(
        "--corpus",
        type=Path,
        help="only write snapshots of what an encoder may be adapted on: no text that is judged on",
    )
    add("--document", type=Path, help="Markdown file to put tables and figures into")
    return parser.parse_args(argv)


def _add_grid(add: Callable[..., Any]) -> None:
    add(
        "--slices",
        nargs="+",
        type=_size,
        default=(*SLICES, "all"),
        metavar="N",
        help="labeled issues of each repository, or all",
    )
    add("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4], help="one nesting of slices each")
    add("--tuned-slices", nargs="+", type=_size, metavar="N", help="for rows that train an encoder")
    add("--tuned-seeds", nargs="+", type=int, help="for rows that train an encoder")
    add(
        "--hours",
        type=float,
        default=float("inf"),
        help="after so long no cell that trains an encoder is begun",
    )


def _size(text: str) -> Size:
    if text != "all" and int(text) < 1:
        raise argparse.ArgumentTypeError("a slice holds at least one issue")
    return "all" if text == "all" else int(text)


def _named(text: str) -> tuple[str, Path]:
    name, is_named, folder = text.partition("=")
    if not (name and is_named and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=DIR")
    return name, Path(folder)


def _perhaps_named(text: str) -> tuple[str, Path]:
    return _named(text) if "=" in text else ("", Path(text))


if __name__ == "__main__":
    raise SystemExit(main())
