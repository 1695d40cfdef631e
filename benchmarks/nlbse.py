"""NLBSE'24 training half: 5-fold cross-validation of one exclusive group of three labels.

    python -m benchmarks.nlbse

Each of the five repositories has a model of its own, from `training.data.load` and
`training.fit.fit` as in any training. The folds are stratified and exchangeable, so every issue
has the same creation time: no issue is newer than another. Source of the data: the NLBSE'24 tool
competition (Kallis et al.), whose test half is not touched.
"""

from __future__ import annotations

import csv
import gzip
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from benchmarks import common, machine
from models.encoder import Encoder
from models.snapshot import Snapshot, SnapshotIssue, SnapshotLabel, SnapshotRepository
from training import data
from training.data import Examples
from training.fit import fit

FILE = "nlbse24-issues-train.csv.gz"
LABELS = ("bug", "feature", "question")
FOLDS = 5
WHEN = "2024-01-01T00:00:00Z"
LONGEST_FIELD = 2**24


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; the exit status."""
    options = common.parser(__spec__.name, __doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the folds")
    args = options.parse_args(argv)
    path = common.file_or_skip(args.data, FILE)
    facts = machine.describe()
    figures = measure(path, args.seeds)
    show(figures)
    common.finish(args.out, figures, facts)
    return 0


def measure(path: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """Macro F1 of each repository and seed, and the seconds of encoding and of fitting."""
    encoder = Encoder.load()
    repositories: dict[str, dict[str, Any]] = {}
    for name, issues in sorted(read(path).items()):
        began = time.perf_counter()
        examples, _ = data.load(snapshot(name, issues, encoder), encoder)
        encoded = time.perf_counter()
        f1 = [macro_f1(examples, seed) for seed in seeds]
        repositories[name] = {
            "issues": len(examples),
            "macro_f1": f1,
            "encode_seconds": round(encoded - began, 1),
            "fit_seconds": round(time.perf_counter() - encoded, 1),
        }
        print(f"{name}: {statistics.fmean(f1):.3f}", file=sys.stderr, flush=True)
    by_seed = [
        statistics.fmean(r["macro_f1"][i] for r in repositories.values()) for i in range(len(seeds))
    ]
    return {
        "repositories": repositories,
        "seeds": list(seeds),
        "macro_f1": statistics.fmean(by_seed),
        "standard_error": standard_error(by_seed),
        "by_seed": by_seed,
    }


def read(path: Path) -> dict[str, list[SnapshotIssue]]:
    """The issues of each repository, in the file's order; `label` counts as a person's."""
    csv.field_size_limit(LONGEST_FIELD)
    found: dict[str, list[SnapshotIssue]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            labels = {row["label"]: "person"}
            issue = SnapshotIssue(number, row["title"], row["body"], WHEN, labels)  # type: ignore[arg-type]
            found[row["repo"]].append(issue)
    return found


def snapshot(name: str, issues: Sequence[SnapshotIssue], encoder: Encoder) -> Snapshot:
    """One repository's issues, none of them encoded yet."""
    return Snapshot(name, repository(name), tuple(issues), encoder.version, {})


def repository(name: str) -> SnapshotRepository:
    """A repository with its three labels as an exclusive group."""
    group = {"name": "kind", "members": LABELS, "max": 1}
    return SnapshotRepository(1, name, tuple(SnapshotLabel(x) for x in LABELS), (group,))


def macro_f1(examples: Examples, seed: int) -> float:
    """Macro F1 over all issues, each predicted by the fit that did not see it."""
    truth = examples.truth.argmax(axis=1)
    predicted = np.zeros_like(truth)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for learned, judged in folds.split(truth, truth):
        head = fit(examples.take(learned)).head
        texts = [examples.texts[i] for i in judged]
        predicted[judged] = head.probabilities(texts, examples.vectors[judged]).argmax(axis=1)
    return float(f1_score(truth, predicted, average="macro"))


def standard_error(values: Sequence[float]) -> float | None:
    """Of the mean over seeds; None of one."""
    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None


def show(figures: dict[str, Any]) -> None:
    """Print the table."""
    rows = [
        (name, r["issues"], statistics.fmean(r["macro_f1"]), r["encode_seconds"], r["fit_seconds"])
        for name, r in figures["repositories"].items()
    ]
    columns = ("repository", "issues", "macro F1", "encode, s", "fit, s")
    folds = f"{FOLDS}-fold, {len(figures['seeds'])} seeds"
    common.table(f"NLBSE'24, training half, {folds}", columns, rows)
    error = figures["standard_error"]
    spread = "" if error is None else f", standard error over seeds {error:.4f}"
    print(f"mean over repositories {figures['macro_f1']:.4f}{spread}")


if __name__ == "__main__":
    sys.exit(main())
