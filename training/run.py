"""Train one repository's model: a snapshot in, a bundle out.

    python -m training.run --snapshot var/snapshots/S --out var/bundles/B

Reads the snapshot, writes the bundle, touches nothing else. Two fits: the evaluation fit never sees
the newest fifth of the labeled issues and gives the figures; the deployed fit uses everything.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from models import bundle, snapshot
from models.encoder import DEFAULT_ENCODER, Encoder
from models.errors import ModelError, NotEnoughLabels
from models.neighbours import PastIssue, far_below
from models.snapshot import Snapshot
from models.text import TEXT_VERSION, prepare
from training import data
from training.data import Examples
from training.fits import Job, Outcome, Tuner, two_fits
from training.methods.space import Space
from training.progress import progress
from training.recipe import Recipe


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, read, fit, evaluate, fit again, save; the exit status."""
    args = _arguments(argv)
    started = time.time()
    try:
        recipe = Recipe.find(args.recipe) if args.recipe else Recipe()
        if args.out.exists():
            raise FileExistsError(f"{args.out} exists; a bundle is never overwritten")
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with progress() as report, _aside(args.out) as folder:
            if args.threads and (recipe.adapt or recipe.tune != "none"):
                import torch  # an encoder whose vectors are all at hand would not set it

                torch.set_num_threads(args.threads)
            source = snapshot.read(args.snapshot)
            encoder = Encoder.load(args.encoder, max_tokens=args.max_tokens, threads=args.threads)
            job = Job(recipe, Space(encoder), _current(args.current, encoder), report)
            made = _train(source, job, folder)
            version = _bundle(source, made, _facts(job.recipe, made, started))
            own = made.space.folder if made.space.folder.is_relative_to(folder) else None
            bundle.write(args.out, replace(version, encoder=own))
    except (ModelError, FileExistsError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk: not "training: ", which tells to try no more
        print(f"the bundle could not be written: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("training: interrupted; nothing was written", file=sys.stderr)
        return 1
    print(
        f"trained on {len(made.examples)} issues in {time.time() - started:.1f} s:"
        f" micro F1 {made.metrics['micro_f1']:.3f}, macro F1 {made.metrics['macro_f1']:.3f}"
        f" on the newest {made.metrics['n_holdout']}",
        file=sys.stderr,
    )
    return 0


def _train(source: Snapshot, job: Job, folder: Path) -> Outcome:
    """Adapt, tune and fit, as far as the recipe asks for each."""
    _require_enough(source)
    adapted: dict[str, Any] = {}
    if job.recipe.adapt:
        job, adapted = _adapted(source, job, folder)
    examples, vectors = data.load(
        source,
        job.space.encoder,
        progress=lambda done, total: job.report("encode", done, total),
    )
    job.space.known.update(vectors)
    # One BLAS thread: sums come out the same on any number of cores, and the matrices are too
    # small for more to help.
    with threadpool_limits(1, user_api="blas"):
        made = two_fits(job, examples, _tuner(source, job, examples, folder))
    return replace(made, chosen={**adapted, **made.chosen})


def _require_enough(source: Snapshot) -> None:
    labeled = [issue for issue in source.issues if data.is_labeled(issue)]
    names = [label.name for label in source.repository.labels]
    truth, _ = data.truth_and_weights(labeled, names)
    if len(labeled) < snapshot.MIN_LABELED or not (truth.sum(axis=0) >= 2).any():
        raise NotEnoughLabels(
            f"{len(labeled)} labeled issues, {snapshot.MIN_LABELED} needed;"
            " until then labels are suggested from their names"
        )


def _adapted(source: Snapshot, job: Job, folder: Path) -> tuple[Job, dict[str, Any]]:
    """The job over the encoder adapted to the repository's own text from before the holdout, and
    what the card says of that. Where the encoder was best as it is, the job stays as it is."""
    from training.adapt import AdaptRecipe, adapt  # loads transformers' Trainer, in seconds

    before = job.space.encoder
    out = folder / "adapted"
    recipe = AdaptRecipe.within(job.recipe)
    card = adapt([source], before, recipe, out, report=job.report)
    assert card, "only the first of several processes has a card, and this one is alone"
    if card.share:
        encoder = Encoder.load(str(out), max_tokens=before.max_tokens)
        job = replace(job, space=Space(encoder), current=None)
    return job, {"adapted": {"share": card.share, "why": card.why}}


def _tuner(source: Snapshot, job: Job, examples: Examples, folder: Path) -> Tuner | None:
    if job.recipe.tune == "none":
        return None
    from training.corpus import before_holdout
    from training.tuner import LabelTuner  # loads transformers' Trainer, in seconds

    old = [i for i in before_holdout(source, job.recipe.holdout) if not i.is_pull_request]
    unlabeled = tuple(prepare(i.title, i.body) for i in old if not data.is_labeled(i))
    return LabelTuner(job.recipe, job.space.encoder, examples, unlabeled, folder, job.report)


@contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """A folder beside the bundle for encoders that are made on the way."""
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.encoders.", dir=out.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _current(folder: Path | None, encoder: Encoder) -> bundle.Bundle | None:
    """The version to compare with; another encoder's cannot be asked about these vectors."""
    current = bundle.read(folder) if folder else None
    same = current and current.card["encoder"]["version"] == encoder.version
    return current if same else None


def _bundle(source: Snapshot, made: Outcome, facts: dict[str, Any]) -> bundle.Bundle:
    examples, final = made.examples, made.final
    newest = {text.hash: i for i, text in enumerate(examples.texts)}
    past = tuple(
        PastIssue(
            number=examples.issues[i].number,
            title=examples.texts[i].title,
            labels=tuple(n for n, on in zip(examples.names, examples.truth[i], strict=True) if on),
        )
        for i in newest.values()
    )
    vectors = made.space.known
    repository = source.repository
    card = {
        "repository": {"id": repository.id, "full_name": repository.full_name},
        "snapshot": source.id,
        "far_below": far_below(np.array([vectors[key] for key in newest])),
        "fits": {
            "evaluation": {"issues": made.metrics["n_train"], "figures": "metrics.json"},
            "deployed": {
                "issues": len(examples),
                "newest": examples.issues[-1].created_at,
                "thresholds": "out of fold in time order over these issues",
            },
        },
        "targets": {
            name: examples.label_targets.get(name, examples.target_precision)
            for name in examples.names
        },
        "half_life_days": final.half_life,
        **facts,
    }
    rows = final.out_of_fold.rows
    validation: dict[str, np.ndarray[Any, Any]] = {
        "numbers": np.array([examples.issues[i].number for i in rows], dtype=np.int64),
        "probabilities": final.out_of_fold.probabilities.astype(np.float32),
        "truth": final.out_of_fold.truth,
        "known": examples.weights[rows] > 0,
    }
    ordered = {key: vectors[key] for key in newest} | vectors
    return bundle.Bundle(final.labels, final.head, past, ordered, card, made.metrics, validation)


def _facts(recipe: Recipe, made: Outcome, started: float) -> dict[str, Any]:
    """What the card says of how a version was made, whatever its issues."""
    encoder = made.space.encoder
    weights = {str(by): weight for by, weight in data.PROVENANCE_WEIGHTS.items()}
    return {
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 1),
        "recipe": recipe.to_json(),
        "chosen": made.chosen,
        "encoder": {
            "name": encoder.name,
            "version": encoder.version,
            "max_tokens": encoder.max_tokens,
        },
        "text_version": TEXT_VERSION,
        "provenance_weights": {**weights, "removed": data.REMOVED_WEIGHT},
        "software": {
            name: importlib.metadata.version(name)
            for name in ("torch", "transformers", "scikit-learn", "numpy")
        },
    }


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.run",
        description="Train one repository's model: a snapshot in, a bundle out.",
        epilog="example: python -m training.run --snapshot var/snapshots/S --out var/bundles/B",
    )
    parser.add_argument("--snapshot", type=Path, required=True, help="folder of the snapshot")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist")
    parser.add_argument(
        "--recipe", help="the name of one in recipes/, or a TOML file; see training/recipe.py"
    )
    parser.add_argument("--current", type=Path, help="bundle in force, to compare with")
    parser.add_argument("--encoder", default=DEFAULT_ENCODER, help="name, folder or cached hub id")
    parser.add_argument("--max-tokens", type=int, default=256, help="tokens read of an issue")
    parser.add_argument("--threads", type=int, help="torch threads (default: all cores)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
