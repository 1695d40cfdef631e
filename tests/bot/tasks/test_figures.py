"""The jobs that make the console's reports, by a version whose scores are known by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot import training
from bot.figures import issues_a_month
from bot.tasks import TASKS
from bot.training import Trained
from tests.bot.reports_world import COUNT, LEARNED, WRONG, body, fill, made, opened, owned, run
from tests.bot.world import World


def test_the_curves_are_those_of_the_version_in_force(world: World, tmp_path: Path):
    version = fill(world, tmp_path)
    job = run(world, "figures")
    assert (job.state, job.result) == ("done", f"curves of {version}, from {COUNT} issues")
    found = body(world, "curves")
    assert (found["problem"], found["version"], found["recipe"]) == (None, version, "instant")
    assert (found["from"], found["to"]) == (opened(0), opened(COUNT - 1))
    assert found["time_ordered"]
    assert len(found["targets"]) == 50


def test_a_label_has_its_precision_and_coverage_at_each_target(world: World, tmp_path: Path):
    fill(world, tmp_path)
    run(world, "figures")
    bug, docs, unused = body(world, "curves")["labels"]
    place = body(world, "curves")["targets"].index(0.9)
    belong = COUNT // 2
    assert (bug["name"], bug["belong"], bug["right"][place]) == ("bug", belong, belong)
    assert bug["applied"][place] == belong + len(WRONG)
    assert bug["precision"][place] == round(belong / (belong + len(WRONG)), 4)
    assert (docs["precision"][place], docs["applied"][place]) == (1.0, belong - len(WRONG))
    assert (unused["at"][place], unused["precision"][place]) == (None, None)
    assert bug["holdout"] == {"precision": 0.8, "recall": 0.7, "f1": 0.75, "support": 12}
    assert docs["holdout"] is None


def test_a_label_that_the_configuration_holds_back_does_not_count(world: World, tmp_path: Path):
    fill(world, tmp_path)
    run(world, "figures")
    before = body(world, "curves")["now"]
    world.configure(mode="apply", labels={"deny": ["docs"]})
    run(world, "figures")
    found = body(world, "curves")
    assert found["labels"][1]["held"] == "`labels.deny` leaves it out: docs"
    assert (before["labels"], found["now"]["labels"]) == (3, 2)
    assert before["applied"] == COUNT
    assert found["now"]["applied"] == COUNT // 2 + len(WRONG)


def test_the_months_figures_follow_the_issues_of_the_last_90_days(world: World, tmp_path: Path):
    fill(world, tmp_path)
    imported = replace(world.repository, installation_id=None)
    # The newest is of 8 May at 12:00, and 90 days before that begin on 7 February.
    newer = sum(opened(row) >= "2026-02-07T12:00:00Z" for row in range(COUNT))
    assert issues_a_month(world.store, imported) == round(newer / 3, 1)


def test_confusion_names_labels_and_the_learning_curve_issues(world: World, tmp_path: Path):
    version = fill(world, tmp_path)
    run(world, "figures")
    found = body(world, "curves")
    (pair,) = found["confusion"]["pairs"]
    assert (pair["true"], pair["predicted"], pair["count"]) == ("docs", "bug", len(WRONG))
    first, *_, last = found["learning"]["blocks"]
    assert (first["issues"], last["issues"] + last["n"]) == (LEARNED - COUNT, LEARNED)
    (only,) = found["learning"]["versions"]
    assert (only["version"], only["issues"], only["micro_f1"]) == (version, 250, 0.5)
    assert only["current"]


def test_a_replay_decides_by_older_issues_alone(world: World, tmp_path: Path):
    version = fill(world, tmp_path)
    assert run(world, "replay_report").result == f"replay of {version}, from 160 issues"
    found = body(world, "replay")
    assert (found["past_only"], found["evidence"], found["issues"]) == (True, 80, 160)
    assert "the oldest 80 are needed" in found["fewer"]
    wrong = [row + 1 for row in WRONG if row >= 80]
    assert found["wrong"] == len(wrong)
    bug = found["labels"][0]
    assert (bug["wrong_in"], bug["right"]) == (wrong[::-1], 80)
    row = next(row for row in found["rows"] if row["number"] == wrong[0])
    assert (row["labels"], row["apply"], row["right"]) == (["docs"], ["bug"], [])
    assert sum(month["issues"] for month in found["months"]) == 160


def test_a_replay_says_how_far_it_is(world: World, tmp_path: Path):
    fill(world, tmp_path)
    run(world, "replay_report")
    found = world.store.progress.newest("replay_report", world.repository_id)
    assert found is not None
    assert (found.state, found.done, found.total) == ("done", 160, 160)


def test_a_replay_goes_through_the_policy(world: World, tmp_path: Path):
    fill(world, tmp_path)
    labels = {"deny": ["docs"], "overrides": {"bug": {"mode": "suggest"}}}
    world.configure(mode="apply", labels=labels)
    run(world, "replay_report")
    found = body(world, "replay")
    assert found["applied"] == 0
    assert found["suggested"] == 80 + len([row for row in WRONG if row >= 80])
    assert found["precision"] is None


def test_our_own_guesses_are_in_no_list(world: World, tmp_path: Path):
    known = np.ones((COUNT, 3), bool)
    known[-1] = False
    fill(world, tmp_path, owned(world, made(known=known)))
    run(world, "replay_report")
    newest = body(world, "replay")["rows"][0]
    assert (newest["number"], newest["labels"], newest["apply"]) == (COUNT, [], [])


def test_folds_that_see_the_future_are_told(world: World, tmp_path: Path):
    fill(world, tmp_path, owned(world, made(learned=COUNT)))
    run(world, "replay_report")
    run(world, "figures")
    found = body(world, "replay")
    assert not found["past_only"] and "Figures are too good" in found["method"]
    assert not body(world, "curves")["time_ordered"]
    assert body(world, "curves")["learning"]["blocks"] == []


def test_what_is_deleted_is_in_no_report(world: World, tmp_path: Path):
    fill(world, tmp_path)
    world.store.issues.delete(world.repository_id, COUNT)
    run(world, "replay_report")
    assert body(world, "replay")["rows"][0]["number"] == COUNT - 1


@pytest.mark.parametrize("kind", ["figures", "replay_report"])
def test_without_a_version_the_report_says_what_to_do(world: World, tmp_path: Path, kind: str):
    fill(world, tmp_path)
    (world.context.registry.root / str(world.repository_id)).rename(tmp_path / "away")
    assert str(run(world, kind).result).startswith("nothing to report: acme/rocket has no model")
    name = {"figures": "curves", "replay_report": "replay"}[kind]
    assert "labelwright train acme/rocket" in body(world, name)["problem"]  # type: ignore[arg-type]


def test_no_report_holds_a_title(world: World, tmp_path: Path):
    fill(world, tmp_path)
    for kind in ("figures", "replay_report"):
        run(world, kind)
    text = json.dumps([body(world, "curves"), body(world, "replay")])
    assert "planted title" not in text and "Crash on start" not in text


def test_a_repository_that_left_is_left_alone(world: World, tmp_path: Path):
    fill(world, tmp_path)
    world.store.repositories.remove(world.repository_id)
    job = world.store.jobs.enqueue("figures", repository_id=world.repository_id)
    assert job is not None
    assert TASKS["figures"].run(world.context, job).startswith("left alone")


def test_what_was_published_gets_its_reports(world: World, monkeypatch: pytest.MonkeyPatch):
    done = Trained("0001-abcdef01", {"micro_f1": 0.5, "n_holdout": 7}, 3.0)
    monkeypatch.setattr(training.Trainer, "train", lambda *given: done)
    job = world.store.jobs.enqueue("train", lane="slow", repository_id=world.repository_id)
    assert job is not None
    TASKS["train"].run(world.context, job)
    asked = {each.kind for each in world.store.jobs.list("waiting")}
    assert {"figures", "review_queue"} <= asked
