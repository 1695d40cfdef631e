"""Replay a repository's history: what the bot would have done, had it been there from the start.

    python -m training.simulate --snapshot var/snapshots/S --out var/simulations/S

Issues come in the order of their opening. Each is answered by the version that was in force then;
people's final labels arrive a week later, corrections bring a new version, live precision demotes
labels and lets them back. Beside it: the same history with a model that is frozen early on.

Writes figures.json, curve.svg, curve.png, the vectors, and card.json last. What was worked out
lies in OUT.unfinished until then: after an interruption the same command goes on from there.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from models import manifest, snapshot
from models.encoder import DEFAULT_ENCODER, Encoder
from models.errors import ModelError
from models.snapshot import VECTORS, Snapshot, save_vectors
from models.text import TEXT_VERSION, IssueText
from training import history, simulation_figures, simulation_plot
from training.answers import Limits, PastVersions
from training.history import Array, History
from training.journal import Journal, encode
from training.loop import Compared, Rules, freezing, play
from training.progress import Report, beside, progress

KIND = "labelwright-simulation/1"


class NothingToSimulate(ModelError):
    """A snapshot without an issue, or without a label."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, read, replay, draw, save; the exit status."""
    args = _arguments(argv)
    try:
        found = simulate(args)
    except (ModelError, FileExistsError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk: not "training: ", which tells to try no more
        print(f"the simulation could not be written: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("training: interrupted; the same command goes on from here", file=sys.stderr)
        return 1
    print(
        f"replayed {found['issues']} issues in {found['seconds']:.0f} s:"
        f" precision {_shown(found['precision'])}, coverage {_shown(found['coverage'])};"
        f" without the loop {_shown(found['frozen']['precision'])} and"
        f" {_shown(found['frozen']['coverage'])}",
        file=sys.stderr,
    )
    return 0


def simulate(args: argparse.Namespace) -> dict[str, Any]:
    """The whole of it; returns the figures. Raises ModelError, FileExistsError, OSError."""
    began = time.monotonic()
    if args.out.exists():
        raise FileExistsError(f"{args.out} exists; a simulation is never overwritten")
    source = snapshot.read(args.snapshot)
    _require_issues(source)
    encoder = Encoder.load(args.encoder, max_tokens=args.max_tokens, threads=args.threads)
    about = _about(source, encoder, args)
    folder = args.out.with_name(f"{args.out.name}.unfinished")
    journal = Journal(folder, about, len(source.repository.labels))
    known = dict(source.vectors if source.encoder == encoder.version else {}) | journal.vectors()

    with progress(args.status or beside(args.out)) as report:

        def vectors(texts: Sequence[IssueText]) -> Array:
            return encode(texts, encoder, known, journal, lambda *at: report("encode", *at))

        past = history.read(source, vectors)
        limits = Limits.by_name(past.everything.names, args.suggest_only, args.off)
        versions = PastVersions(past, limits, encoder.origin, journal)
        played = _replay(past, versions, args, report)
    figures = simulation_figures.figures(past, played, time.monotonic() - began)
    _write(args.out, source, figures, about, known)
    journal.remove()
    return figures


def _replay(
    past: History, versions: PastVersions, args: argparse.Namespace, report: Report
) -> Compared:
    """The history with the loop, and with a model that is frozen early on."""
    rules = Rules(args.retrain_after)
    still = freezing(rules, past, args.freeze_after)
    # One BLAS thread: sums come out the same on any number of cores, as in `training.run`.
    with threadpool_limits(1, user_api="blas"):
        return Compared(
            play(past, versions, rules, told=lambda *at: report("with the loop", *at)),
            play(past, versions, still, told=lambda *at: report("without the loop", *at)),
            play(past, versions, replace(still, watch_frozen=False)),
        )


def _require_issues(source: Snapshot) -> None:
    name = source.repository.full_name
    if not source.repository.labels:
        raise NothingToSimulate(f"{name} has no labels: there is nothing to replay")
    if all(issue.is_pull_request for issue in source.issues):
        raise NothingToSimulate(f"{name} has no issues: there is nothing to replay")


def _about(source: Snapshot, encoder: Encoder, args: argparse.Namespace) -> dict[str, Any]:
    """What decides every answer of a past version: another one of these, other answers."""
    repository = json.loads(json.dumps(asdict(source.repository)))
    return {
        "snapshot": source.id,
        "repository": repository,
        "encoder": {"name": encoder.name, "version": encoder.version},
        "text_version": TEXT_VERSION,
        "suggest_only": sorted(args.suggest_only),
        "off": sorted(args.off),
        "software": {
            name: importlib.metadata.version(name)
            for name in ("labelwright", "numpy", "scikit-learn", "scipy")
        },
    }


def _write(
    out: Path,
    source: Snapshot,
    figures: dict[str, Any],
    about: dict[str, Any],
    vectors: dict[str, Array],
) -> None:
    """The folder, whole or not at all. Raises FileExistsError, OSError."""
    with manifest.writing(out) as aside:
        text = json.dumps(figures, indent=2, ensure_ascii=False)
        (aside / "figures.json").write_text(text + "\n", encoding="utf-8")
        simulation_plot.draw(figures, source.repository.full_name, aside / "curve")
        save_vectors(aside / VECTORS, vectors)
        manifest.seal(aside, "card.json", {"kind": KIND, **about})


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.simulate",
        description="Replay a repository's history: a snapshot in, figures and a curve out.",
        epilog="example: python -m training.simulate --snapshot var/snapshots/S --out var/past/S",
    )
    parser.add_argument("--snapshot", type=Path, required=True, help="folder of the snapshot")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, must not exist")
    parser.add_argument(
        "--retrain-after", type=_count, default=25, help="corrections that bring a new version"
    )
    parser.add_argument(
        "--freeze-after",
        type=_count,
        default=400,
        help="labeled issues after which the model to compare with learns no more;"
        " half of them all where there are not twice as many",
    )
    parser.add_argument(
        "--suggest-only", metavar="LABEL", action="append", default=[], help="never applied"
    )
    parser.add_argument("--off", metavar="LABEL", action="append", default=[], help="never shown")
    parser.add_argument("--encoder", default=DEFAULT_ENCODER, help="name, folder or cached hub id")
    parser.add_argument("--max-tokens", type=int, default=256, help="tokens read of an issue")
    parser.add_argument("--threads", type=int, help="torch threads (default: all cores)")
    parser.add_argument(
        "--status", type=Path, help="file for where it is (default: OUT.status.json)"
    )
    return parser.parse_args(argv)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
