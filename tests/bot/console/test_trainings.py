"""Trainings as they go: who sees which, the losses so far, the log, an end to one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.launchers import Command
from bot.launchers.identity import handle_of
from bot.launchers.local import Local
from bot.recording import Record
from bot.store.rows import Gated
from bot.store.trainings import Kind, Training
from tests.bot.console.versions import add_version
from tests.bot.console.world import PRIVATE, PUBLIC, Browser, Console

PHASE = "evaluation fit: train"


def gone() -> str:
    """The name of a process of this machine that has ended."""
    ours = handle_of(os.getpid())
    assert ours is not None
    return f"{ours.rpartition(':')[0]}:1"


def begin(console: Console, name: str | None = PUBLIC, kind: Kind = "head") -> Training:
    """A training of a job, which has a folder; followed by nobody."""
    number = None if name is None else console.repository(name).id
    job = console.store.jobs.enqueue("train", lane="slow", repository_id=number)
    assert job is not None and console.store.jobs.claim("test", lane="slow") is not None
    row = console.store.trainings.begin(kind, gone(), repository_id=number, job_id=job.id)
    folder = console.settings.runs / f"train.{row.id}"
    folder.mkdir(parents=True)
    console.store.trainings.change(row.id, folder=str(folder))
    return get(console, row.id)


def get(console: Console, number: int) -> Training:
    row = console.store.trainings.get(number)
    assert row is not None
    return row


def follow(console: Console, row: Training, *losses: float, phase: str = PHASE) -> None:
    """Whoever follows the training reads its status file, ten steps and a second later each."""
    record = Record(console.store, row)
    console.store.trainings.change(row.id, state="running")
    for i, loss in enumerate(losses, 1):
        console.clock[0] += 1
        record.follow({"phase": phase, "step": 10 * i, "total": 100, "loss": loss, "eta": 9.0})


def test_a_running_training_tells_how_far_it_is(console: Console, operator: Browser) -> None:
    row = begin(console)
    follow(console, row, 0.9, 0.7)
    page = operator.page(f"/trainings/{row.id}")
    assert PHASE in page and "20 of 100" in page and 'max="100" value="20"' in page
    assert 'hx-trigger="every 2s"' in page and "loss 0.700" in page


def test_the_losses_so_far_grow_while_it_goes_on(console: Console, operator: Browser) -> None:
    row = begin(console)
    follow(console, row, 0.9, 0.7)
    found = operator.get(f"/trainings/{row.id}/curve").get_json()
    assert found["live"] is True
    assert found["curves"] == [{"name": "training", "x": [10, 20], "y": [0.9, 0.7]}]
    follow(console, get(console, row.id), 0.6, phase="deployed fit: train")
    found = operator.get(f"/trainings/{row.id}/curve").get_json()
    assert found["curves"][0]["x"] == [10, 20, 30]


def test_the_losses_are_lines_and_a_table_without_javascript(
    console: Console, operator: Browser
) -> None:
    row = begin(console)
    follow(console, row, 0.9, 0.5)
    page = operator.page(f"/trainings/{row.id}")
    assert '<polyline class="training" points="300.0,4.0 600.0,176.0" />' in page
    assert "Loss from 0.900 at the top to 0.500" in page and "First loss" in page


def test_after_its_end_it_leads_to_the_version_and_asks_no_more(
    console: Console, operator: Browser
) -> None:
    row, version = begin(console), add_version(console)
    follow(console, row, 0.9, 0.5)
    gated = Gated(console.repository().id, version, console.clock[0], passed=True, reason="good")
    console.store.gates.record(gated)
    console.store.trainings.end(row.id, "published", "good")
    page = operator.page(f"/trainings/{row.id}")
    assert f'href="/r/{PUBLIC}/models/{version}"' in page and "hx-get" not in page
    assert operator.get(f"/trainings/{row.id}/curve").get_json()["live"] is False


def test_a_log_is_shown_without_what_moves_a_cursor(console: Console, operator: Browser) -> None:
    row = begin(console)
    Path(str(row.folder), "training.log").write_text("\x1b[2Jread\n<script>\u202e\nfitted\n")
    for path in ("", "/log"):
        page = operator.page(f"/trainings/{row.id}{path}")
        assert "&lt;script&gt;\nfitted" in page and not {"\x1b", "\u202e"} & set(page)


def test_one_without_a_log_says_so(console: Console, operator: Browser) -> None:
    assert "has no log" in operator.page(f"/trainings/{begin(console).id}/log", 404)


@pytest.mark.parametrize("number", ["77", str(2**70)])
def test_an_unknown_training_is_not_here(operator: Browser, number: str) -> None:
    for path in ("", "/curve", "/log"):
        assert operator.get(f"/trainings/{number}{path}").status_code == 404
    assert operator.post(f"/trainings/{number}/cancel").status_code == 404


def test_trainings_are_listed_as_one_may_see_their_repositories(
    console: Console, operator: Browser
) -> None:
    public, private = begin(console), begin(console, PRIVATE)
    shared = begin(console, None, "adapt")
    console.role("insider", "read", PRIVATE)
    seen = {
        who: {x.id for x in (public, private, shared) if f'"/trainings/{x.id}"' in page}
        for who, page in (
            ("operator", operator.page("/trainings")),
            ("insider", console.browser("insider").page("/trainings")),
            ("stranger", console.browser("stranger").page("/trainings")),
        )
    }
    assert seen["operator"] == {public.id, private.id, shared.id}
    assert seen["insider"] == {public.id, private.id}
    assert seen["stranger"] == {public.id}


def test_what_one_may_not_see_is_as_if_it_were_not_there(console: Console) -> None:
    hidden = [begin(console, PRIVATE), begin(console, None, "adapt")]
    stranger = console.browser("stranger")
    for row in hidden:
        answer = stranger.get(f"/trainings/{row.id}")
        assert answer.status_code == 404 and PRIVATE not in answer.text
        assert stranger.get(f"/trainings/{row.id}/curve").status_code == 404
        assert stranger.post(f"/trainings/{row.id}/cancel").status_code == 404


def test_readers_of_a_public_repository_see_no_log(console: Console) -> None:
    row = begin(console)
    Path(str(row.folder), "training.log").write_text("in /srv/labelwright\n")
    reader = console.browser("reader")
    assert "/srv/labelwright" not in reader.page(f"/trainings/{row.id}")
    assert reader.get(f"/trainings/{row.id}/log").status_code == 403


def test_a_maintainer_cancels_a_training_and_its_process_ends(console: Console) -> None:
    row = begin(console)
    folder = Path(str(row.folder))
    command = Command(("sleep", "60"), {}, out=folder / "out", log=folder / "l.log", stays=True)
    work = Local(console.settings.home / "training.lock").start(command)
    Record(console.store, row).launched("local", folder / "out", work.handle)
    console.role("may", "maintain")
    browser = console.browser("may")
    answer = browser.post(f"/trainings/{row.id}/cancel", {"reason": "not at noon"})
    assert answer.status_code == 303
    assert (get(console, row.id).state, get(console, row.id).reason) == ("cancelled", "not at noon")
    assert work.look(0) is not None
    assert browser.post(f"/trainings/{row.id}/cancel").status_code == 409


def test_others_and_forged_forms_cancel_nothing(console: Console) -> None:
    row, shared = begin(console), begin(console, None, "adapt")
    console.role("writer", "write")
    console.role("may", "maintain")
    assert console.browser("writer").post(f"/trainings/{row.id}/cancel").status_code == 403
    assert console.browser("may").post(f"/trainings/{shared.id}/cancel").status_code == 404
    assert console.browser("may").client.post(f"/trainings/{row.id}/cancel").status_code == 400
    assert get(console, row.id).is_live and get(console, shared.id).is_live


def test_what_is_at_the_gate_is_not_cancelled(console: Console, operator: Browser) -> None:
    row = begin(console)
    console.store.trainings.change(row.id, state="gating")
    assert "Cancel this training" not in operator.page(f"/trainings/{row.id}")
    answer = operator.post(f"/trainings/{row.id}/cancel")
    assert answer.status_code == 409 and "at the gate" in answer.text
