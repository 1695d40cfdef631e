"""A pasted text is answered by the version in force, and kept nowhere."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from bot.clock import enqueue_due, timetable
from bot.settings import Settings
from bot.store import Store
from bot.store.tries import SECONDS
from bot.tasks import load
from models.errors import ModelError
from tests.bot.reports_world import fill
from tests.bot.world import Clock, World

ADA = 7


def answer(world: World, title: str, body: str = "") -> Any:
    """Ask as a person does, and let the worker answer."""
    load()
    asked = world.store.tries.ask(world.repository, ADA, title, body)
    assert world.worker("try").work_once(world.context, "fast")
    return world.store.tries.answer(asked, ADA)


def test_a_text_gets_every_label_with_its_verdict_and_reason(world: World, tmp_path: Path):
    version = fill(world, tmp_path)
    found = answer(world, "crash error")
    assert (found.state, found.result["version"]) == ("done", version)
    first, *others = found.result["labels"]
    assert (first["label"], first["verdict"]) == ("bug", "apply")
    assert first["reason"].endswith("from where it is applied")
    assert {each["verdict"] for each in others} == {"none"}
    assert not found.result["zero_shot"]


def test_the_policy_has_its_say(world: World, tmp_path: Path):
    fill(world, tmp_path)
    world.configure(mode="off", labels={"deny": ["bug"]})
    found = answer(world, "crash error")
    bug = next(each for each in found.result["labels"] if each["label"] == "bug")
    assert (bug["verdict"], bug["reason"]) == ("none", "`labels.deny` leaves it out: bug")


def test_neither_the_log_nor_the_job_tells_the_text(world: World, tmp_path: Path):
    fill(world, tmp_path)
    answer(world, "the planted sentence about a crash")
    assert "planted" not in world.log.getvalue()
    assert world.store.jobs.list(kind="try") == []


def test_a_model_that_cannot_answer_says_why(world: World, tmp_path: Path, monkeypatch: Any):
    fill(world, tmp_path)

    def refuse(*given: Any) -> None:
        raise ModelError("the encoder is not there")

    monkeypatch.setattr(world.context.predictors, "predict", refuse)
    found = answer(world, "crash")
    assert (found.state, found.result) == ("failed", {"problem": "the encoder is not there"})


def test_of_a_repository_that_left_nothing_is_said(world: World, tmp_path: Path):
    fill(world, tmp_path)
    row = world.repository
    asked = world.store.tries.ask(row, ADA, "crash", "")
    load()
    with world.store.transaction() as db:
        db.execute("UPDATE repositories SET removed = 1 WHERE id = ?", [row.id])
    assert world.worker("try").work_once(world.context, "fast")
    assert "not installed" in world.store.tries.answer(asked, ADA).result["problem"]


def test_the_clock_removes_texts_that_nobody_waits_for(tmp_path: Path):
    clock = Clock(1_700_000_000.0)
    with closing(Store.open(tmp_path / "labelwright.db", now=clock)) as store:
        asked = store.tries.ask(store.repositories.upsert(5, "octo/app"), ADA, "crash", "")
        (entry,) = [x for x in timetable(Settings(home=tmp_path)) if x.name == "tries"]
        clock.seconds += SECONDS + 1
        assert enqueue_due(store, entry, clock()) == 0
        assert store.jobs.get(asked) is None
