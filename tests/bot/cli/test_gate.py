"""The gate by the command line: real trainings of the sample issues, one by flipped labels."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.store import Store
from bot.store.rows import LabelEvent
from bot.times import from_epoch
from tests.bot.cli.conftest import REPO, Command, Trained

FLIPPED = 120
"""Of the oldest labeled issues, none of which is judged."""


def flip_labels(home: Path) -> None:
    """Somebody puts every label on the oldest issues that they lack, and takes off the others."""
    at = from_epoch(time.time() + 60)
    with closing(Store.open(home / "labelwright.db")) as store:
        (row,) = store.repositories.named(REPO)
        labels = store.labels.all(row.id)
        issues = [x for x in store.issues.page(row.id, 0, 1000) if x.labels and not x.deleted]
        for issue in [x for x in issues if not x.is_pull_request][:FLIPPED]:
            others = [x for x in labels if x.id not in issue.labels]
            events = [
                LabelEvent(
                    row.id,
                    issue.number,
                    x.id,
                    x.name,
                    action,
                    9,
                    "mallory",
                    "person",
                    at,
                    "webhook",
                )  # type: ignore[arg-type]
                for action, each in (("labeled", others), ("unlabeled", labels))
                for x in each
                if (action == "labeled") == (x in others)
            ]
            store.events.add(events)
            changed = replace(issue, labels=tuple(x.id for x in others), updated_at=at)
            store.issues.upsert(changed)


def test_an_equal_version_is_published_and_one_of_flipped_labels_is_not(
    with_model: Trained, labelwright: Command, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABELWRIGHT_ACTOR_CAP", "0")
    first = with_model.figures["version"]
    assert with_model.figures["gate"]["reason"].startswith("no version was in force")

    again = labelwright("train", REPO, "--json").json()
    assert again["published"] and again["gate"]["champion"]["difference"] == 0.0
    assert (again["gate"]["compared_with"], again["gate"]["best_so_far"]) == (first, first)
    assert again["gate"]["champion"]["how"].endswith("nothing new was said of the older issues")

    flip_labels(home)
    said = labelwright("train", REPO)
    assert said.status == 0, said.err
    assert "not published: micro F1" in said.out
    listed = labelwright("models", REPO, "--json").json()
    refused = listed[-1]["version"]
    assert [(x["current"], x["gate"]) for x in listed] == [
        (False, "passed"),
        (True, "passed"),
        (False, "refused"),
    ]
    assert f"`labelwright models {REPO} publish {refused}`" in said.out

    shown = labelwright("models", REPO, "show", refused).out
    assert "gate: refused: micro F1" in shown
    assert f"beside {again['version']}: " in shown and f"beside {first}: " in shown
    gate = labelwright("models", REPO, "show", refused, "--json").json()["gate"]
    assert gate["champion"]["difference"] < -0.01

    assert labelwright("models", REPO, "publish", refused, "--json").json() == {"current": refused}
