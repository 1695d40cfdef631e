"""NLBSE'24 training half, 5-fold: what tuning one shared encoder gains, step by step.

    python -m benchmarks.tuning --adapted var/adapted

Five repositories, one encoder, one head each, tuned together on four folds and judged on the fifth;
the folds are those of `benchmarks.nlbse`. The encoder starts as it is (vanilla), adapted to the
text of huggingface/datasets, and adapted and then tuned on that repository's labels; none of the
three has read an issue of NLBSE'24. A finished fold is kept and not tuned again.

Every row is the mean of the probabilities of some parts, all of equal weight:

    frozen   the product's head over the encoder before it is tuned
    words    the head's part that reads words
    shared   the same on all five repositories' issues: labels of one name lend each other words
    tuned    the tuned encoder's own heads
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

from benchmarks import common, machine, snapshots
from benchmarks.nlbse import FILE, FOLDS, LABELS, read, snapshot, standard_error
from models import snapshot as files
from models.encoder import DEFAULT_ENCODER, Encoder
from models.head import squash
from models.lexicon import Lexicon
from training import data
from training.checkpoint import Checkpoint
from training.data import Examples
from training.finetune import Lesson, Tuning, finetune
from training.fit import fit
from training.linear import fit_linear
from training.progress import Report, progress
from training.saving import save_encoder
from training.trainer import Schedule

Array = np.ndarray[Any, Any]

STEPS = {
    "frozen encoder, head": ("frozen",),
    "frozen encoder, head + shared words": ("frozen", "shared"),
    "tuned encoder": ("tuned",),
    "tuned encoder + words": ("tuned", "words"),
    "tuned encoder + shared words": ("tuned", "shared"),
    "tuned encoder + frozen encoder, head": ("tuned", "frozen"),
    "tuned encoder + frozen encoder, head + shared words": ("tuned", "frozen", "shared"),
}
FIRST = Tuning(Schedule(epochs=2, learning_rate=1e-4), max_tokens=128)
"""On the labels of huggingface/datasets, before the five repositories are tuned on."""
SHARED_C = 3.0
"""Milder than the head's own words, whose say a stack weighs; here the parts weigh the same."""
DIGITS = 4


@dataclass(frozen=True)
class Bench:
    """What all folds share: the repositories with one encoder's vectors, and where results lie."""

    name: str
    encoder: Encoder
    repositories: tuple[Examples, ...]
    cells: Path
    tuning: Tuning
    report: Report


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; the exit status."""
    options = common.parser(__spec__.name, __doc__)
    options.add_argument("--adapted", type=Path, help="an adapted encoder's folder")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the folds")
    options.add_argument(
        "--ablation-seeds", type=int, nargs="+", default=[0], help="of all starts but the last"
    )
    options.add_argument("--cells", type=Path, default=common.RESULTS / "tuning")
    options.add_argument("--epochs", type=int, default=3)
    args = options.parse_args(argv)
    path = common.file_or_skip(args.data, FILE)
    facts = machine.describe()
    figures: dict[str, Any] = {}
    tuning = Tuning(Schedule(epochs=args.epochs))
    with progress() as report:
        starts = _starts(args, report)
        for number, (name, encoder) in enumerate(starts.items(), start=1):
            bench = _bench(name, encoder, path, args.cells, tuning, report)
            seeds = args.seeds if number == len(starts) else args.ablation_seeds
            figures[name] = {s: [_fold(bench, s, k) for k in range(FOLDS)] for s in seeds}
    summary = {name: summarised(found) for name, found in figures.items()}
    show(summary)
    common.finish(args.out, {"starts": summary}, facts)
    return 0


def _starts(args: Any, report: Report) -> dict[str, str]:
    """The encoders that tuning starts from, by name, as names or folders."""
    if not args.adapted:
        return {"vanilla": DEFAULT_ENCODER}
    labeled = args.cells / "tuned-first"
    if not labeled.exists():
        rows = common.file_or_skip(args.data, common.ISSUES)
        tune_first(args.adapted, rows, labeled, report)
    return {
        "vanilla": DEFAULT_ENCODER,
        "adapted": str(args.adapted),
        "adapted, other labels": str(labeled),
    }


def tune_first(adapted: Path, rows: Path, out: Path, report: Report) -> None:
    """Tune an encoder on the labels of huggingface/datasets; written aside and renamed."""
    source, aside = out.with_name(f"{out.name}.snapshot"), out.with_name(f"{out.name}.part")
    aside.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        snapshots.write_datasets(rows, source)
    examples, _ = data.load(files.read(source), Encoder.load(str(adapted)))
    lesson = Lesson.of(examples)
    model, _ = finetune(Checkpoint.find(str(adapted)), [lesson], FIRST, report=report)
    save_encoder(model.encoder, model.checkpoint, aside)
    aside.replace(out)


def _bench(
    name: str, encoder: str, path: Path, cells: Path, tuning: Tuning, report: Report
) -> Bench:
    loaded = Encoder.load(encoder)
    found = []
    for repository, issues in sorted(read(path).items()):
        examples, _ = data.load(snapshot(repository, issues, loaded), loaded)
        found.append(examples)
        report(f"encode ({name})", len(found), FOLDS)
    return Bench(name, loaded, tuple(found), cells, tuning, report)


def _fold(bench: Bench, seed: int, k: int) -> dict[str, Any]:
    """Probabilities of every part on one fold, with the truth; from the disk if they are there."""
    epochs = bench.tuning.schedule.epochs
    kept = bench.cells / f"{bench.encoder.version}.{epochs}.{seed}.{k}.json"
    if not kept.exists():
        began = time.perf_counter()
        splits = [_split(examples, seed, k) for examples in bench.repositories]
        found = measured(bench, splits, 100 * seed + k)
        found["seconds"] = round(time.perf_counter() - began, 1)
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_suffix(".part")
        aside.write_text(json.dumps(found), "utf-8")
        aside.replace(kept)
    bench.report(f"{bench.name}, seed {seed}", k + 1, FOLDS)
    loaded: dict[str, Any] = json.loads(kept.read_text("utf-8"))
    return loaded


def measured(bench: Bench, splits: Sequence[tuple[Array, Array]], seed: int) -> dict[str, Any]:
    """Tune and fit on the first rows of each split, and predict the second."""
    pairs = list(zip(bench.repositories, splits, strict=True))
    learned = [examples.take(rows) for examples, (rows, _) in pairs]
    judged = [examples.take(rows) for examples, (_, rows) in pairs]
    lessons = [Lesson.of(examples) for examples in learned]
    tuning = replace(bench.tuning, schedule=replace(bench.tuning.schedule, seed=seed))
    checkpoint = Checkpoint.find(str(bench.encoder.folder))
    model, _ = finetune(checkpoint, lessons, tuning, report=bench.report)
    shared = shared_words(learned, judged)
    found = []
    for i, test in enumerate(judged):
        head = fit(learned[i]).head
        words = head.lexical.logits(head.lexicon.transform(test.texts))
        parts = {
            "frozen": head.probabilities(test.texts, test.vectors),
            "words": squash(words, head.labels, head.groups),
            "shared": shared[i],
            "tuned": model.predict(test.texts, lessons[i], i),
        }
        truth = test.truth.argmax(axis=1).tolist()
        found.append({"truth": truth} | {n: p.round(DIGITS).tolist() for n, p in parts.items()})
    return {"repositories": found}


def shared_words(learned: Sequence[Examples], judged: Sequence[Examples]) -> list[Array]:
    """Probabilities (issues, labels) of each repository's issues by one words' model of all."""
    texts = [text for examples in learned for text in examples.texts]
    columns = [[each.names.index(label) for label in LABELS] for each in learned]
    together = replace(
        learned[0],
        texts=tuple(texts),
        labels=tuple(learned[0].labels[j] for j in columns[0]),
        truth=np.vstack([x.truth[:, at] for x, at in zip(learned, columns, strict=True)]),
        weights=np.vstack([x.weights[:, at] for x, at in zip(learned, columns, strict=True)]),
    )
    lexicon, features = Lexicon.fit(texts)
    words = fit_linear(features, together, SHARED_C, np.ones(len(texts)))
    found = []
    for test in judged:
        logits = words.logits(lexicon.transform(test.texts))
        order = [LABELS.index(name) for name in test.names]
        found.append(squash(logits[:, order], test.names, test.groups))
    return found


def _split(examples: Examples, seed: int, k: int) -> tuple[Array, Array]:
    truth = examples.truth.argmax(axis=1)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    learned, judged = list(folds.split(truth, truth))[k]
    return learned, judged


def summarised(found: dict[int, list[dict[str, Any]]]) -> dict[str, Any]:
    """Macro F1 averaged over the repositories, for each step: mean over seeds and each seed's."""
    summary: dict[str, Any] = {}
    for step, parts in STEPS.items():
        by_seed = [macro_f1(folds, parts) for folds in found.values()]
        summary[step] = {
            "macro_f1": statistics.fmean(by_seed),
            "standard_error": standard_error(by_seed),
            "by_seed": by_seed,
        }
    seconds = [fold["seconds"] for folds in found.values() for fold in folds]
    return {**summary, "seconds a fold": statistics.median(seconds)}


def macro_f1(folds: Sequence[dict[str, Any]], parts: Sequence[str]) -> float:
    """Of the parts' mean: each repository's over all its issues, averaged."""
    scores = []
    for judged in zip(*(fold["repositories"] for fold in folds), strict=True):
        truth = [label for each in judged for label in each["truth"]]
        mean = np.vstack([np.mean([each[part] for part in parts], axis=0) for each in judged])
        predicted = mean.argmax(axis=1)
        scores.append(f1_score(truth, predicted, average="macro", labels=range(len(LABELS))))
    return float(statistics.fmean(scores))


def show(summary: dict[str, Any]) -> None:
    """Print the table."""
    rows = [
        (f"{name}: {step}", found[step]["macro_f1"], found[step]["standard_error"])
        for name, found in summary.items()
        for step in STEPS
    ]
    columns = ("step", "macro F1", "standard error over seeds")
    common.table(f"NLBSE'24, training half, {FOLDS}-fold", columns, rows)


if __name__ == "__main__":
    sys.exit(main())
