"""Pruning with the real store and registry: what goes of the rows, and what must never go."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot import prune
from bot.prune import DAY
from bot.review import MOST_DECISIONS
from bot.store.rows import Answer, Decision, Issue, Label, LabelEvent
from bot.tasks import Stopped
from models.encoders import Encoders
from tests.bot.pruning_world import World, make_encoders, make_pruning, run_folder

BUG = Label(5, 50, "bug")
VERDICT = {"label": "bug", "verdict": "apply"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoders(tmp_path_factory.mktemp("made"))


@pytest.fixture
def world(tmp_path: Path, made: Path) -> Iterator[World]:
    with make_pruning(tmp_path, made) as home:
        yield home


def test_on_a_young_server_nothing_goes(world: World):
    world.job()
    world.deliver("g1")
    world.head("plain")
    done = world.prune()
    assert (str(done), set(done.counts.values())) == ("nothing to remove", {0})


def test_done_jobs_and_their_deliveries_go_with_their_days(world: World):
    for n in range(3):
        world.deliver(f"g{n}")
    kept = [world.job(state=state).id for state in ("waiting", "dead")]
    world.clock.seconds += 7 * DAY + 1
    young = world.job("poll").id
    world.deliver("young")
    done = world.prune()
    assert (done.counts["deliveries"], done.counts["jobs"]) == (3, 3)
    assert str(done) == "removed 3 deliveries, 3 jobs"
    left = {job.id for job in world.store.jobs.list()}
    assert left >= {*kept, young} and len(left) == 4
    assert world.store.deliveries.get("g0") is None
    assert world.store.deliveries.get("young") is not None


@pytest.mark.parametrize("state", ["waiting", "running", "dead"])
def test_a_delivery_that_is_not_done_keeps_its_payload(world: World, state: str):
    world.deliver("g1", state)
    world.clock.seconds += 300 * DAY
    world.prune()
    found = world.store.deliveries.get("g1")
    assert found is not None and found.payload == b'{"text": "secret"}'


def test_a_delivery_whose_job_went_before_it_goes_too(world: World):
    world.deliver("g1")
    world.store.pruning.remove_jobs([world.store.jobs.list()[0].id])
    world.clock.seconds += 8 * DAY
    assert world.prune().counts["deliveries"] == 1


def decide(world: World, count: int) -> list[int]:
    rows = [Decision(5, n, "v1", "apply", (VERDICT,), ({"number": 1},)) for n in range(count)]
    return [world.store.decisions.record(row, [BUG])[0].id for row in rows]


def test_old_decisions_lose_their_reasons_but_are_remembered(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(prune, "MOST_DECISIONS", 2)
    ids = decide(world, 5)
    applied = world.store.decisions.applied(5, outcomes=("intended",))
    world.clock.seconds += 181 * DAY
    assert world.prune().counts["reasons"] == 3
    found = [world.store.decisions.get(id) for id in ids]
    assert [len(each.verdicts) for each in found if each] == [0, 0, 0, 1, 1]
    assert [each.version for each in found if each] == ["v1"] * 5
    assert world.store.decisions.applied(5, outcomes=("intended",)) == applied
    assert world.prune().counts["reasons"] == 0


def test_the_decisions_that_the_review_reads_keep_their_reasons(world: World):
    assert prune.MOST_DECISIONS == MOST_DECISIONS
    decide(world, 3)
    world.clock.seconds += 900 * DAY
    assert world.prune().counts["reasons"] == 0


def test_what_undo_feedback_and_training_need_stays_for_ever(world: World):
    store = world.store
    store.labels.upsert(BUG)
    store.issues.upsert(Issue(5, 3, 30, "It breaks", "badly", labels=(50,)))
    event = LabelEvent(5, 3, 50, "bug", "unlabeled", 1, "ann", "person", "2026-01-01", "webhook")
    store.events.add([event])
    store.answers.add([Answer(5, 3, 50, True, "2026-01-01")])
    _, applied = store.decisions.record(Decision(5, 3, "v1", "apply", ()), [BUG])
    store.decisions.mark_applied([each.id for each in applied])

    def kept() -> tuple[object, ...]:
        issue, events, answers = store.issues.get(5, 3), store.events, store.answers
        return issue, events.for_issue(5, 3), answers.all(5), store.decisions.applied(5)

    before = kept()
    world.clock.seconds += 9999 * DAY
    world.prune()
    assert kept() == before


def test_many_rows_go_in_many_short_transactions(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prune, "BATCH", 2)
    world.vectors("e0", 5)
    for _ in range(5):
        world.job()
    world.clock.seconds += 8 * DAY
    statements: list[str] = []
    with world.store.transaction() as db:
        raw = db.conn
    raw.set_trace_callback(statements.append)
    done = world.prune()
    raw.set_trace_callback(None)
    assert (done.counts["jobs"], done.counts["vectors"]) == (5, 5)
    deletes = [sql for sql in statements if sql.startswith("DELETE FROM jobs")]
    assert len(deletes) == 3
    assert statements.count("COMMIT") >= 3


def test_a_webhook_is_taken_in_between_two_batches(world: World):
    for _ in range(3):
        world.job()
    world.clock.seconds += 8 * DAY
    store, taken = world.store, threading.Event()
    with closing(sqlite3.connect(store.path, timeout=0.1, isolation_level=None)) as other:

        class Watched(prune.Pruner):
            def _pause(self) -> None:
                other.execute("BEGIN IMMEDIATE")
                other.execute("COMMIT")
                taken.set()

        Watched(world.settings, store, world.registry, now=world.clock()).run()
    assert taken.is_set()


def test_it_stops_between_two_batches_with_the_process(world: World):
    world.job()
    world.clock.seconds += 8 * DAY
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        world.prune(stop=stop)
    assert len(world.store.jobs.list()) == 1


def test_old_trainings_go_and_never_one_under_way(world: World):
    old, live, young = (world.store.trainings.begin("head", "1 x") for _ in range(3))
    world.store.trainings.end(old.id, "failed", "")
    world.clock.seconds += 13 * DAY
    world.store.trainings.end(young.id, "done", "")
    assert world.prune().counts["trainings"] == 0  # its log is still there
    world.clock.seconds += 1.1 * DAY
    assert world.prune(dry_run=True).counts["trainings"] == 1
    assert world.prune().counts["trainings"] == 1
    assert [row.id for row in world.store.trainings.newest()] == [young.id, live.id]


def test_a_dry_run_counts_the_same_and_removes_nothing(world: World):
    world.deliver("g1")
    shared = Encoders(world.settings.encoders)
    for n in range(4):
        shared.publish(world.made / f"e{n}")
        world.head(f"e{n}")
        world.vectors(f"e{n}", 2)
    run_folder(world, "train.20200101T000000Z.abc", 15)
    world.clock.seconds += 8 * DAY
    before = sorted(world.settings.home.rglob("*"))
    planned = world.prune(dry_run=True)
    assert sorted(world.settings.home.rglob("*")) == before
    assert world.store.deliveries.get("g1") is not None
    done = world.prune()
    assert planned == done
    went = ("deliveries", "jobs", "models", "encoders", "vectors", "runs")
    assert [done.counts[kind] for kind in went] == [1, 1, 2, 2, 4, 1]
