"""What a training came to as the version that is deployed: its card, and its bundle."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models import bundle, manifest
from models.bundle import Bundle
from models.neighbours import PastIssue, far_below
from models.snapshot import Snapshot
from models.text import TEXT_VERSION
from training import data
from training.fits import Outcome
from training.recipe import Recipe


def write(out: Path, versions: Sequence[Bundle]) -> None:
    """Write one version as the bundle `out`, several as `out/<repository id>`: all or none.

    Raises FileExistsError.
    """
    if len(versions) == 1:
        bundle.write(out, versions[0])
        return
    with manifest.writing(out) as aside:
        for version in versions:
            bundle.write(aside / str(version.card["repository"]["id"]), version)


def bundled(source: Snapshot, made: Outcome, recipe: Recipe, started: float) -> Bundle:
    """The version that came of a snapshot; `started` in epoch seconds."""
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
        "known_until": source.taken_at,
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
        **_facts(recipe, made, started),
    }
    rows = final.out_of_fold.rows
    validation: dict[str, np.ndarray[Any, Any]] = {
        "numbers": np.array([examples.issues[i].number for i in rows], dtype=np.int64),
        "probabilities": final.out_of_fold.probabilities.astype(np.float32),
        "truth": final.out_of_fold.truth,
        "known": examples.weights[rows] > 0,
    }
    ordered = {key: vectors[key] for key in newest} | vectors
    return Bundle(final.labels, final.head, past, ordered, card, made.metrics, validation)


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
