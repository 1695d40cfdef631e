"""Train one repository's model: a snapshot in, a bundle out.

    python -m training.run --snapshot var/snapshots/S --out var/bundles/B

Reads the snapshot, writes the bundle, touches nothing else. Two fits: the evaluation fit never sees
the newest fifth of the labeled issues and gives the figures; the deployed fit uses everything.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from models import bundle, snapshot
from models.encoder import DEFAULT_ENCODER, Encoder
from models.errors import ModelError, NotEnoughLabels
from models.neighbours import PastIssue, far_below
from models.text import TEXT_VERSION
from training import data
from training.data import Examples
from training.evaluate import beside, evaluate, reported_columns
from training.fit import Fit, fit
from training.progress import Report, progress
from training.recipe import Recipe

Array = np.ndarray[Any, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, read, fit, evaluate, fit again, save; the exit status."""
    args = _arguments(argv)
    started = time.time()
    try:
        recipe = Recipe.read(args.recipe) if args.recipe else Recipe()
        if args.out.exists():
            raise FileExistsError(f"{args.out} exists; a bundle is never overwritten")
        with progress() as report:
            source = snapshot.read(args.snapshot)
            encoder = Encoder.load(args.encoder, max_tokens=args.max_tokens, threads=args.threads)
            examples, vectors = data.load(
                source, encoder, progress=lambda done, total: report("encode", done, total)
            )
            current = _current(args.current, encoder)
            # One BLAS thread: sums come out the same on any number of cores, and the matrices are
            # too small for more to help.
            with threadpool_limits(1, user_api="blas"):
                metrics, final = _train(examples, recipe, current, report)
            facts = _facts(recipe, encoder, started)
            made = _bundle(source, examples, vectors, final, metrics, facts)
            bundle.write(args.out, made)
    except (ModelError, FileExistsError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    print(
        f"trained on {len(examples)} issues in {time.time() - started:.1f} s:"
        f" micro F1 {metrics['micro_f1']:.3f}, macro F1 {metrics['macro_f1']:.3f}"
        f" on the newest {metrics['n_holdout']}",
        file=sys.stderr,
    )
    return 0


def _train(
    examples: Examples, recipe: Recipe, current: bundle.Bundle | None, report: Report
) -> tuple[dict[str, Any], Fit]:
    """The figures of the evaluation fit, and the deployed fit."""
    if len(examples) < snapshot.MIN_LABELED or not (examples.truth.sum(axis=0) >= 2).any():
        raise NotEnoughLabels(
            f"{len(examples)} labeled issues, {snapshot.MIN_LABELED} needed;"
            " until then labels are suggested from their names"
        )
    cut = int(len(examples) * (1 - recipe.holdout))
    train, holdout = examples.take(np.arange(cut)), examples.take(np.arange(cut, len(examples)))

    def evaluation(phase: str, done: int, total: int) -> None:
        report(f"evaluation fit: {phase}", done, total)

    def deployed(phase: str, done: int, total: int) -> None:
        report(f"deployed fit: {phase}", done, total)

    first = fit(train, half_life=recipe.half_life, report=evaluation)
    probabilities = first.head.probabilities(holdout.texts, holdout.vectors)
    report("evaluate", 0, 1)
    metrics = evaluate(first.labels, probabilities, train, holdout, seed=recipe.seed)
    if current:
        columns = reported_columns(train, holdout)
        metrics["beside_current"] = beside(current, first.labels, probabilities, holdout, columns)
    report("evaluate", 1, 1)
    metrics = {"recipe": recipe.name, **metrics, "half_life": first.half_life}
    metrics["half_life_scores"] = first.half_life_scores
    return metrics, fit(examples, earlier=first, report=deployed)


def _current(folder: Path | None, encoder: Encoder) -> bundle.Bundle | None:
    """The version to compare with; another encoder's cannot be asked about these vectors."""
    current = bundle.read(folder) if folder else None
    same = current and current.card["encoder"]["version"] == encoder.version
    return current if same else None


def _bundle(
    source: snapshot.Snapshot,
    examples: Examples,
    vectors: dict[str, Array],
    final: Fit,
    metrics: dict[str, Any],
    facts: dict[str, Any],
) -> bundle.Bundle:
    newest = {text.hash: i for i, text in enumerate(examples.texts)}
    past = tuple(
        PastIssue(
            number=examples.issues[i].number,
            title=examples.texts[i].title,
            labels=tuple(n for n, on in zip(examples.names, examples.truth[i], strict=True) if on),
        )
        for i in newest.values()
    )
    repository = source.repository
    card = {
        "repository": {"id": repository.id, "full_name": repository.full_name},
        "snapshot": source.id,
        "far_below": far_below(np.array([vectors[key] for key in newest])),
        "fits": {
            "evaluation": {"issues": metrics["n_train"], "figures": "metrics.json"},
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
    validation = {
        "probabilities": final.out_of_fold.probabilities.astype(np.float32),
        "truth": final.out_of_fold.truth,
    }
    ordered = {key: vectors[key] for key in newest} | vectors
    return bundle.Bundle(final.labels, final.head, past, ordered, card, metrics, validation)


def _facts(recipe: Recipe, encoder: Encoder, started: float) -> dict[str, Any]:
    """What the card says of how a version was made, whatever its issues."""
    weights = {str(by): weight for by, weight in data.PROVENANCE_WEIGHTS.items()}
    return {
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 1),
        "recipe": recipe.to_json(),
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
        "--recipe", type=Path, help="a TOML file of settings; see training/recipe.py"
    )
    parser.add_argument("--current", type=Path, help="bundle in force, to compare with")
    parser.add_argument("--encoder", default=DEFAULT_ENCODER, help="name, folder or cached hub id")
    parser.add_argument("--max-tokens", type=int, default=256, help="tokens read of an issue")
    parser.add_argument("--threads", type=int, help="torch threads (default: all cores)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
