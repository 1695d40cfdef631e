"""NLBSE'24 training half, 5-fold: what tuning one shared encoder gains, step by step.

    python -m benchmarks.tuning --adapted var/encoders/0001-…

Five repositories, one encoder, one head each, tuned together on four folds and judged on the fifth;
the folds are those of `benchmarks.nlbse`. A finished fold is kept and not tuned again. Every step
is a row: the frozen encoder with the product's head, the tuned encoder's own heads, and their mean
with the words' model (no second encoder) and with the frozen head (a second encoder).
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from benchmarks import common, machine
from benchmarks.nlbse import FILE, FOLDS, LABELS, read, snapshot, standard_error
from models.encoder import DEFAULT_ENCODER, Encoder
from models.head import squash
from training import data
from training.checkpoint import Checkpoint
from training.data import Examples
from training.finetune import Lesson, Tuning, finetune
from training.fit import fit
from training.progress import Report, progress
from training.trainer import Schedule

Array = np.ndarray[Any, Any]

STEPS = {
    "frozen": "frozen encoder, head",
    "tuned": "tuned encoder, its heads",
    "with words": "tuned encoder + words",
    "with frozen": "tuned encoder + frozen encoder's head",
}


@dataclass(frozen=True)
class Bench:
    """What all folds share: the repositories with one encoder's vectors, and where results lie."""

    name: str
    encoder: Encoder
    repositories: tuple[Examples, ...]
    cells: Path
    report: Report


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; the exit status."""
    options = common.parser(__spec__.name, __doc__)
    options.add_argument("--adapted", type=Path, help="an adapted encoder's folder")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the folds")
    options.add_argument("--vanilla-seeds", type=int, nargs="+", default=[0])
    options.add_argument("--cells", type=Path, default=common.RESULTS / "tuning")
    options.add_argument("--epochs", type=int, default=3)
    args = options.parse_args(argv)
    path = common.file_or_skip(args.data, FILE)
    facts = machine.describe()
    runs = [("vanilla", DEFAULT_ENCODER, args.vanilla_seeds)]
    if args.adapted:
        runs = [*runs, ("adapted", str(args.adapted), args.seeds)]
    figures: dict[str, Any] = {}
    with progress() as report:
        for name, encoder, seeds in runs:
            bench = _bench(name, encoder, path, args.cells, report)
            schedule = Schedule(epochs=args.epochs)
            figures[name] = {s: [_fold(bench, s, k, schedule) for k in range(FOLDS)] for s in seeds}
    summary = {name: summarised(found) for name, found in figures.items()}
    show(summary)
    common.finish(args.out, {"steps": summary}, facts)
    return 0


def _bench(name: str, encoder: str, path: Path, cells: Path, report: Report) -> Bench:
    loaded = Encoder.load(encoder)
    found = []
    for repository, issues in sorted(read(path).items()):
        examples, _ = data.load(snapshot(repository, issues, loaded), loaded)
        found.append(examples)
        report(f"encode ({name})", len(found), FOLDS)
    return Bench(name, loaded, tuple(found), cells, report)


def _fold(bench: Bench, seed: int, k: int, schedule: Schedule) -> dict[str, Any]:
    """Probabilities of every step on one fold, with the truth; from the disk if they are there."""
    kept = bench.cells / f"{bench.encoder.version}.{schedule.epochs}.{seed}.{k}.json"
    if not kept.exists():
        began = time.perf_counter()
        found = _measured(bench, seed, k, replace(schedule, seed=100 * seed + k))
        found["seconds"] = round(time.perf_counter() - began, 1)
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_suffix(".part")
        aside.write_text(json.dumps(found), "utf-8")
        aside.replace(kept)
    bench.report(f"{bench.name}, seed {seed}", k + 1, FOLDS)
    loaded: dict[str, Any] = json.loads(kept.read_text("utf-8"))
    return loaded


def _measured(bench: Bench, seed: int, k: int, schedule: Schedule) -> dict[str, Any]:
    splits = [_split(examples, seed, k) for examples in bench.repositories]
    lessons = [
        Lesson.of(examples.take(learned))
        for examples, (learned, _) in zip(bench.repositories, splits, strict=True)
    ]
    checkpoint = Checkpoint.find(str(bench.encoder.folder))
    model, _ = finetune(checkpoint, lessons, Tuning(schedule), report=bench.report)
    found = []
    for i, (examples, (learned, judged)) in enumerate(zip(bench.repositories, splits, strict=True)):
        test = examples.take(judged)
        head = fit(examples.take(learned)).head
        frozen = head.probabilities(test.texts, test.vectors)
        words = squash(
            head.lexical.logits(head.lexicon.transform(test.texts)), head.labels, head.groups
        )
        tuned = model.predict(test.texts, lessons[i], i)
        steps = {
            "frozen": frozen,
            "tuned": tuned,
            "with words": (tuned + words) / 2,
            "with frozen": (tuned + frozen) / 2,
        }
        truth = test.truth.argmax(axis=1).tolist()
        found.append({"truth": truth} | {n: p.argmax(axis=1).tolist() for n, p in steps.items()})
    return {"repositories": found}


def _split(examples: Examples, seed: int, k: int) -> tuple[Array, Array]:
    truth = examples.truth.argmax(axis=1)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return list(folds.split(truth, truth))[k]


def summarised(found: dict[int, list[dict[str, Any]]]) -> dict[str, Any]:
    """Macro F1 averaged over the repositories, for each step: mean over seeds and each seed's."""
    summary: dict[str, Any] = {}
    for step in STEPS:
        by_seed = [_macro_f1(folds, step) for folds in found.values()]
        summary[step] = {
            "macro_f1": statistics.fmean(by_seed),
            "standard_error": standard_error(by_seed),
            "by_seed": by_seed,
        }
    seconds = [fold["seconds"] for folds in found.values() for fold in folds]
    return {**summary, "seconds a fold": statistics.median(seconds)}


def _macro_f1(folds: Sequence[dict[str, Any]], step: str) -> float:
    """Each repository's macro F1 over all its issues, averaged."""
    scores = []
    for parts in zip(*(fold["repositories"] for fold in folds), strict=True):
        truth = [label for part in parts for label in part["truth"]]
        predicted = [label for part in parts for label in part[step]]
        scores.append(f1_score(truth, predicted, average="macro", labels=range(len(LABELS))))
    return float(statistics.fmean(scores))


def show(summary: dict[str, Any]) -> None:
    """Print the table."""
    rows = [
        (f"{name}: {title}", found[step]["macro_f1"], found[step]["standard_error"])
        for name, found in summary.items()
        for step, title in STEPS.items()
    ]
    columns = ("step", "macro F1", "standard error over seeds")
    common.table(f"NLBSE'24, training half, {FOLDS}-fold", columns, rows)


if __name__ == "__main__":
    sys.exit(main())
