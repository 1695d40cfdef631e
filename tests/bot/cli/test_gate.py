"""The gate by the command line: real trainings of the sample issues, one by flipped labels."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.repo_config import RepoConfig
from bot.shadow import compare
from bot.store import Store
from bot.store.rows import LabelEvent
from bot.times import from_epoch
from tests.bot.cli.conftest import REPO, Command, Trained
from tests.bot.test_shadow import LABELS, RIGHT, WRONG

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

    assert [x["trial"] and x["trial"]["state"] for x in listed] == [None, None, "running"]
    assert "0 of 100 issues" in labelwright("models", REPO).out
    assert "0 new issues scored, 0 judged; 100 are needed" in shown

    assert labelwright("models", REPO, "publish", refused, "--json").json() == {"current": refused}


def test_a_trial_is_shown_with_its_figures(with_model: Trained, labelwright: Command, home: Path):
    version, champion = with_model.figures["version"], "0000-aaaaaaaa"
    report = compare([RIGHT] * 60 + [WRONG] * 60, LABELS, RepoConfig())
    with closing(Store.open(home / "labelwright.db")) as store:
        (row,) = store.repositories.named(REPO)
        store.trials.begin(row.id, version, champion, 1_800_000_000.0)
        trial = store.trials.running(row.id)
        assert trial is not None
        store.trials.note(trial, 99, {})
        assert "99 of 100 issues" in labelwright("models", REPO).out
        store.trials.note(trial, 120, report)
        assert "on 120 issues" in labelwright("models", REPO).out
        running = labelwright("models", REPO, "show", version).out
        found = labelwright("models", REPO, "show", version, "--json").json()["trial"]
        store.trials.end(trial, "ended", "it is surely worse", 1_800_086_400.0)
    assert "trial: running since 2027-01-15T08:00:00Z" in running
    assert "0 new issues scored, 120 judged; 100 are needed" in running
    assert f"of {champion} on 120 issues that both scored" in running
    assert f"beside {champion}: as both are deployed" in running
    assert (found["state"], found["compared_with"], found["judged"]) == ("running", champion, 120)
    assert found["report"]["challenger_labels"]["bug"]["recall"] == 0.5
    ended = labelwright("models", REPO, "show", version).out
    assert (
        "trial: ended on 2027-01-16T08:00:00Z" in ended
        and "120 issues judged: it is surely worse" in ended
    )
    (listed,) = labelwright("models", REPO, "--json").json()
    assert listed["trial"]["ended_at"] == "2027-01-16T08:00:00Z"
