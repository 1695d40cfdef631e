"""`labelwright trainings`: what is under way, how far it is, its log, and an end to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.cli import watching
from bot.cli.common import Desk
from bot.settings import Settings
from bot.store import Store
from bot.store.trainings import Training
from tests.bot.cli.conftest import Command

HALFWAY = {"phase": "fit", "step": 50, "total": 100, "loss": 0.25, "eta": 300.0}
GONE = "1 another-boot:pid:[1]:5"


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    home.mkdir()
    with closing(Store.open(home / "labelwright.db")) as opened:
        for number, name in ((5, "octo/app"), (6, "octo/web")):
            opened.repositories.upsert(number, name)
        yield opened


@pytest.fixture
def here(home: Path, store: Store) -> Desk:
    return Desk(Settings(home=home), store)


def begin(store: Store, home: Path, repository: int | None = 5, **more: Any) -> Training:
    """A training of a job that is half done, with its log; nobody follows it."""
    job = store.jobs.enqueue("train", lane="slow", repository_id=repository)
    assert job is not None
    row = store.trainings.begin("head", GONE, repository_id=repository, job_id=job.id)
    folder = home / "runs" / f"train.{row.id}"
    folder.mkdir(parents=True)
    (folder / "training.log").write_text("".join(f"line {n}\n" for n in range(12)))
    store.trainings.change(row.id, state="running", folder=str(folder), attempt=1)
    store.trainings.progress(row.id, {**HALFWAY, **more})
    return row


def test_without_any_it_says_so(store: Store, labelwright: Command):
    assert labelwright("trainings").out == "no trainings\n"
    assert labelwright("trainings", "octo/app").out == "no training of octo/app\n"
    assert labelwright("trainings", "--watch").out == "no training is under way\n"
    assert labelwright("trainings", "--json").json() == {"trainings": []}


def test_those_under_way_come_first_with_how_far_they_are(
    store: Store, home: Path, labelwright: Command
):
    live = begin(store, home)
    for number in range(30):
        over = store.trainings.begin("adapt", GONE)
        store.trainings.end(over.id, "failed", f"disk {number} is full")
    shown = labelwright("trainings").out.splitlines()
    assert shown[0].split() == [
        *("id", "kind", "repository", "state", "progress", "loss", "ETA", "since", "reason")
    ]
    assert shown[1].split()[:8] == [
        *(str(live.id), "head", "octo/app", "running", "fit", "50/100", "0.250", "5")
    ]
    assert "disk 29 is full" in shown[2]
    found = labelwright("trainings", "--json").json()["trainings"]
    assert [row["id"] for row in found][:2] == [live.id, live.id + 30]
    assert (found[0]["eta"], found[0]["loss"], found[0]["ended_at"]) == (300.0, 0.25, None)


def test_those_of_one_repository_can_be_asked_for(store: Store, home: Path, labelwright: Command):
    mine, _ = begin(store, home, 5), begin(store, home, 6)
    found = labelwright("trainings", "octo/app", "--json").json()["trainings"]
    assert [(row["id"], row["repository"]) for row in found] == [(mine.id, "octo/app")]
    assert "no repository octo/none" in labelwright("trainings", "octo/none").err


def test_one_whose_turn_has_not_come_is_waiting(store: Store, labelwright: Command):
    job = store.jobs.enqueue("train", lane="slow", repository_id=5)
    assert job is not None
    store.trainings.begin("head", GONE, repository_id=5, job_id=job.id)
    [row] = labelwright("trainings", "--json").json()["trainings"]
    assert row["state"] == "waiting"


def test_one_is_shown_whole_with_the_end_of_its_log(store: Store, home: Path, labelwright: Command):
    row = begin(store, home)
    log = home / "runs" / f"train.{row.id}" / "training.log"
    known = labelwright("trainings", "show", row.id, "--json").json()
    assert (known["log"], known["attempt"]) == (str(log), 1)
    assert known["last_lines"] == [f"line {n}" for n in range(2, 12)]
    shown = labelwright("trainings", "show", row.id).out
    assert str(log) in shown and shown.endswith("line 10\nline 11\n") and "line 1\n" not in shown


def test_its_log_is_printed(store: Store, home: Path, labelwright: Command):
    row = begin(store, home)
    lines = [f"line {n}" for n in range(12)]
    assert labelwright("trainings", "log", row.id).out.splitlines() == lines
    assert labelwright("trainings", "log", row.id, "--json").json()["lines"] == lines
    store.trainings.end(row.id, "failed", "")
    assert labelwright("trainings", "log", row.id, "--follow").out.splitlines() == lines


def test_a_log_that_is_not_there_is_said_so(store: Store, labelwright: Command):
    row = store.trainings.begin("adapt", GONE)
    store.trainings.end(row.id, "failed", "")
    for more in ((), ("--follow",), ("--json",)):
        said = labelwright("trainings", "log", row.id, *more)
        assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
        assert "has no log" in said.err


def test_a_log_is_followed_until_the_training_ends(
    store: Store, home: Path, here: Desk, capsys: pytest.CaptureFixture[str]
):
    row = begin(store, home)
    log = home / "runs" / f"train.{row.id}" / "training.log"
    log.write_text("first\nnot yet wh")

    def pause(seconds: float) -> None:
        assert capsys.readouterr().out == "first\n"
        with log.open("a") as file:
            file.write("ole\nlast")
        store.trainings.end(row.id, "done", "")

    watching.follow_log(here, row.id, as_json=False, pause=pause)
    assert capsys.readouterr().out == "not yet whole\nlast\n"


def test_those_under_way_are_watched_until_they_end(
    store: Store, home: Path, here: Desk, capsys: pytest.CaptureFixture[str]
):
    old = begin(store, home)
    store.trainings.end(old.id, "failed", "long ago")
    row, steps = begin(store, home), iter((55, 61, None))

    def pause(seconds: float) -> None:
        step = next(steps)
        if step is None:
            store.trainings.end(row.id, "published", "it is better")
        else:
            store.trainings.progress(row.id, {**HALFWAY, "step": step})

    watching.watch(here, None, as_json=False, pause=pause)
    name = f"{row.id} head octo/app"
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: fit 50/100, loss 0.250, 5 minutes left",
        f"{name}: fit 61/100, loss 0.250, 5 minutes left",
        f"{name}: published: it is better",
    ]


def test_what_is_watched_can_be_lines_of_json(
    store: Store, home: Path, here: Desk, capsys: pytest.CaptureFixture[str]
):
    row = begin(store, home)
    watching.watch(
        here, "octo/app", True, pause=lambda seconds: store.trainings.end(row.id, "done", "")
    )
    seen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["id"], each["state"]) for each in seen] == [(row.id, "running"), (row.id, "done")]


def test_on_a_terminal_there_are_bars(
    store: Store,
    home: Path,
    here: Desk,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    row = begin(store, home)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    watching.watch(
        here, None, False, pause=lambda seconds: store.trainings.end(row.id, "done", "as it is")
    )
    said = capsys.readouterr().out
    assert "head octo/app" in said and "━" in said and "done: as it is" in said


def test_ctrl_c_ends_the_watch_and_no_training(store: Store, home: Path, here: Desk):
    row = begin(store, home)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    watching.watch(here, None, False, pause=interrupted)
    watching.follow_log(here, row.id, False, pause=interrupted)
    found = store.trainings.get(row.id)
    assert found is not None and found.is_live


def test_one_is_cancelled_with_a_reason(store: Store, home: Path, labelwright: Command):
    first, second = begin(store, home), begin(store, home, 6)
    said = labelwright("trainings", "cancel", first.id)
    assert said.out == f"training {first.id} is cancelled: by the operator\n"
    done = labelwright("trainings", "cancel", second.id, "--reason", "not at noon", "--json")
    assert done.json() == {"cancelled": second.id, "reason": "not at noon"}
    assert [row.reason for row in store.trainings.newest()] == ["not at noon", "by the operator"]


def test_what_cannot_be_cancelled_is_said_in_one_line(
    store: Store, home: Path, labelwright: Command
):
    row = begin(store, home)
    store.trainings.change(row.id, state="gating")
    for number, why in ((row.id, "too late"), (99, "no training 99")):
        said = labelwright("trainings", "cancel", number)
        assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
        assert why in said.err
    assert "no training 99" in labelwright("trainings", "show", 99).err
    assert "no training 99" in labelwright("trainings", "log", 99).err


@pytest.mark.parametrize(
    "wrong",
    [
        ("show",),
        ("octo/app", 3),
        ("nonsense",),
        ("show", 1, "--watch"),
        ("show", 1, "--follow"),
        ("log", 1, "--reason", "x"),
    ],
)
def test_what_does_not_belong_together_is_wrong_usage(
    store: Store, labelwright: Command, wrong: tuple[object, ...]
):
    assert labelwright("trainings", *wrong).status == 2


def test_one_whose_command_was_killed_is_not_under_way(
    store: Store, labelwright: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.recording.is_of_here", lambda handle: True)
    store.trainings.begin("simulate", GONE, repository_id=5)
    [row] = labelwright("trainings", "--json").json()["trainings"]
    assert (row["state"], row["reason"]) == ("failed", "the command that began it was killed")
