"""Snapshots of the real issues, for `training.compare` and `training.adapt`.

    python -m benchmarks.snapshots --out var/compare/snapshots

One folder for huggingface/datasets and one for each repository of NLBSE'24, training half. A
folder that is there already is kept. The vectors are left to whoever needs them.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import common, nlbse
from models import snapshot
from models.snapshot import SnapshotIssue, SnapshotLabel, SnapshotRepository

DATASETS = "huggingface-datasets"
MIN_ISSUES = 20
"""A label on fewer issues is left out, as in the figures that this data is known by."""


def main(argv: Sequence[str] | None = None) -> int:
    """Write what is not there yet and print NAME=FOLDER of each; the exit status."""
    options = common.parser(__spec__.name, __doc__)
    options.set_defaults(out=common.RESULTS.parent / "compare" / "snapshots")
    args = options.parse_args(argv)
    issues = common.file_or_skip(args.data, common.ISSUES)
    competition = common.file_or_skip(args.data, nlbse.FILE)
    if not (args.out / DATASETS).exists():
        write_datasets(issues, args.out / DATASETS)
    print(f"{DATASETS}={args.out / DATASETS}")
    for name, found in sorted(nlbse.read(competition).items()):
        short = f"nlbse24/{name.partition('/')[2]}"
        if not (args.out / short).exists():
            snapshot.write(args.out / short, nlbse.repository(name), found)
        print(f"{short}={args.out / short}")
    return 0


def write_datasets(path: Path, folder: Path) -> None:
    """huggingface/datasets: pull requests too, whose text is unlabeled text."""
    rows = common.read_rows(path)
    issues = [issue(row) for row in rows]
    snapshot.write(folder, SnapshotRepository(1, common.REPOSITORY, labels(rows)), issues)


def issue(row: dict[str, Any]) -> SnapshotIssue:
    """An issue as the REST API gives it. Who put its labels on is not in there."""
    return SnapshotIssue(
        number=row["number"],
        title=row["title"],
        body=row["body"] or "",
        created_at=row["created_at"],
        labels={label["name"]: "unknown" for label in row["labels"]},
        is_pull_request="pull_request" in row,
    )


def labels(rows: Iterable[dict[str, Any]]) -> tuple[SnapshotLabel, ...]:
    """The labels of MIN_ISSUES issues or more, pull requests not counted."""
    plain = [row for row in rows if "pull_request" not in row]
    known = {label["name"]: label for row in plain for label in row["labels"]}
    uses = Counter(label["name"] for row in plain for label in row["labels"])
    return tuple(
        SnapshotLabel(name, known[name].get("id"), known[name].get("description") or "")
        for name, count in uses.most_common()
        if count >= MIN_ISSUES
    )


if __name__ == "__main__":
    sys.exit(main())
