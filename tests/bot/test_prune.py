"""Pruning with the real store and registry: what goes, and what must never go."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bot import prune
from bot.prune import DAY, Pruned, Pruner
from bot.review import MOST_DECISIONS
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Answer, Decision, Issue, Job, Label, LabelEvent
from bot.tasks import Stopped
from models import bundle
from models.encoder import Encoder
from models.encoders import Encoders
from models.registry import Registry
from tests.bot.world import Clock
from tests.models.builders import make_bundle
from tests.models.encoders import own_encoder, write_encoder

NOW = 1_800_000_000.0
BUG = Label(5, 50, "bug")
VERDICT = {"label": "bug", "verdict": "apply"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoder of the settings, and four that were adapted."""
    folder = tmp_path_factory.mktemp("made")
    write_encoder(folder / "plain")
    for n in range(4):
        own_encoder(folder / f"e{n}", name=f"adapted-{n}", seed=n + 1)
    return folder


@dataclass
class World:
    """A home whose clock a test moves."""

    settings: Settings
    store: Store
    registry: Registry
    clock: Clock
    made: Path

    def prune(self, **how: object) -> Pruned:
        given = (self.settings, self.store, self.registry)
        return Pruner(*given, now=self.clock(), **how).run()  # type: ignore[arg-type]

    def job(self, kind: str = "label", state: str = "done") -> Job:
        """A job that has this state now."""
        asked = self.store.jobs.enqueue(kind)
        assert asked is not None
        if state != "waiting":
            job = self.store.jobs.claim("test", lane="fast", kinds=[kind])
            assert job is not None
            self.end(job, state)
        return asked

    def end(self, job: Job, state: str) -> None:
        if state == "done":
            self.store.jobs.finish(job, "done")
        elif state == "dead":
            self.store.jobs.bury(job, "no permission")

    def deliver(self, guid: str, state: str = "done") -> None:
        """A delivery whose job has this state now."""
        self.store.deliveries.accept(guid, "issues", "opened", 7, 5, b'{"text": "secret"}')
        if state != "waiting":
            job = self.store.jobs.claim("test", lane="fast", kinds=["deliver"])
            assert job is not None
            self.end(job, state)

    def head(self, encoder: str, *, repository: int = 1, own: Path | None = None) -> str:
        """Publish a head that was trained on an encoder of `made`."""
        found = Encoder.load(str(self.made / encoder))
        facts = {"name": found.name, "version": found.version, "max_tokens": found.max_tokens}
        plain = make_bundle(repository=repository, dimension=16)
        number = len(list(self.settings.home.glob("head-*")))
        card = {**plain.card, "encoder": facts, "number": number}
        target = self.settings.home / f"head-{number}"
        bundle.write(target, replace(plain, card=card, encoder=own))
        return self.registry.publish(repository, target)

    def vectors(self, encoder: str, count: int) -> str:
        """Keep vectors of an encoder of `made`; returns its version."""
        version = Encoder.load(str(self.made / encoder)).version
        rows = {f"{n}": np.zeros(2) for n in range(count)}
        self.store.vectors.put_many(version, rows)
        return version


@pytest.fixture
def world(tmp_path: Path, made: Path) -> Iterator[World]:
    clock = Clock(NOW)
    with closing(Store.open(tmp_path / "labelwright.db", now=clock)) as store:
        store.repositories.upsert(5, "octo/app", False, 7)
        settings = Settings(
            home=tmp_path, encoder=str(made / "plain"), keep_models=2, keep_encoders=2
        )
        yield World(settings, store, Registry(settings.models), clock, made)


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


def test_old_heads_go_and_their_encoders_and_their_vectors(world: World):
    shared = Encoders(world.settings.encoders)
    heads = []
    for n in range(4):
        shared.publish(world.made / f"e{n}")
        heads.append(world.head(f"e{n}"))
        world.vectors(f"e{n}", n + 1)
    world.vectors("plain", 7)
    done = world.prune()
    assert (done.counts["models"], done.counts["encoders"], done.counts["vectors"]) == (2, 2, 3)
    assert [each.name for each in world.registry.list(1)] == heads[2:]
    assert [each.card["name"] for each in shared.list()] == ["adapted-2", "adapted-3"]
    assert sorted(world.store.pruning.encoders().values()) == [3, 4, 7]


def test_an_encoder_that_a_kept_head_needs_stays_with_its_vectors(world: World):
    shared = Encoders(world.settings.encoders)
    for n in range(4):
        shared.publish(world.made / f"e{n}")
    version = world.head("e0", repository=9)
    kept = world.vectors("e0", 2)
    world.vectors("e1", 2)
    done = world.prune()
    assert (done.counts["models"], done.counts["encoders"], done.counts["vectors"]) == (0, 1, 2)
    assert shared.find(kept, 256) is not None
    assert (world.registry.current(9), list(world.store.pruning.encoders())) == (version, [kept])


def test_the_head_to_which_an_encoder_can_be_taken_back_stays(world: World):
    back = world.head("e0")
    for _ in range(5):
        world.head("e1")
    assert world.prune().counts["models"] == 3
    assert world.registry.list(1)[0].name == back


def test_the_vectors_of_a_head_with_an_encoder_of_its_own_are_not_shared(world: World):
    world.head("e0", own=world.made / "e0")
    Encoders(world.settings.encoders).publish(world.made / "e1")
    Encoders(world.settings.encoders).publish(world.made / "e2")
    Encoders(world.settings.encoders).publish(world.made / "e0")
    Encoders(world.settings.encoders).publish(world.made / "e3")
    assert world.prune().counts["encoders"] == 2


def test_where_it_is_not_known_what_is_in_force_it_is_left_alone_and_said(world: World):
    shared = Encoders(world.settings.encoders)
    for n in range(4):
        shared.publish(world.made / f"e{n}")
    for _ in range(4):
        world.head("plain", repository=8)
        world.head("plain", repository=9)
    world.vectors("e1", 2)
    (world.registry.root / "9" / "current.json").write_text("{")
    done = world.prune()
    assert done.counts["models"] == 2, "those of the other repository"
    assert (done.counts["encoders"], done.counts["vectors"]) == (0, 0)
    assert len(done.problems) == 1 and "current.json is refused" in str(done)


def test_without_the_encoder_of_the_settings_no_vectors_go(world: World, tmp_path: Path):
    world.vectors("e1", 2)
    world.settings = world.settings.model_copy(update={"encoder": str(tmp_path / "nothing")})
    done = world.prune()
    assert done.counts["vectors"] == 0 and "left alone: " in str(done)


def run_folder(world: World, name: str, days_ago: float) -> Path:
    folder = world.settings.runs / name
    folder.mkdir(parents=True)
    at = world.clock() - days_ago * DAY
    for path in (folder / "training.log", folder):
        path.touch()
        os.utime(path, (at, at))
    return folder


def test_runs_and_logs_go_with_their_days(world: World):
    old = run_folder(world, "train.20260101T000000Z.abc", 15)
    young = run_folder(world, "adapt.20260101T000000Z.def", 13)
    going = run_folder(world, "train.20260101T000001Z.ghi", 15)
    os.utime(going / "training.log", (NOW, NOW))
    of_one = run_folder(world, "train.5.20260101T000000Z.abc", 15)
    of_many = run_folder(world, "train.several.20260101T000000Z.abc", 15)
    mine = run_folder(world, "my-notes", 999)
    assert world.prune().counts["runs"] == 3
    assert [path.exists() for path in (old, of_one, of_many)] == [False] * 3
    assert [path.exists() for path in (young, going, mine)] == [True] * 3


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


def test_copies_of_the_database_go_after_a_month_and_backups_over_their_number(world: World):
    home, settings = world.settings.home, world.settings
    old = "20261201T000000Z"
    for name in (f"m004.{old}", f"restore.{old}", f"restore.{old}-wal", "restore.20270110T000000Z"):
        (home / f"labelwright.db.before-{name}").touch()
    settings.backups.mkdir()
    for day in range(10, 19):
        name = f"labelwright-{world.store.identity[:8]}-202701{day}T000000Z.db"
        (settings.backups / name).touch()
    done = world.prune()
    assert (done.counts["copies"], done.counts["backups"]) == (3, 2)
    left = [path.name for path in home.glob("labelwright.db.before-*")]
    assert left == ["labelwright.db.before-restore.20270110T000000Z"]
    assert len(list(settings.backups.iterdir())) == 7


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
