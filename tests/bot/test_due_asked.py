"""Trainings are asked for once for each cause, with the cause in the job, and never in a loop."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from typing import Any

import pytest

from bot.context import Context
from bot.due import SETTLED, Due, ask
from bot.log import make_logger
from bot.store.rows import Issue, Job, Label
from bot.tasks.backfill import Progress
from models import bundle
from models.encoders import Encoders
from models.labels import LabelRule, LabelSet
from tests.bot.adapting_world import APP, NEW, SECRET, Server, head
from tests.bot.world import Clock

HALF_HOUR = SETTLED
BUG = 10 * APP


class Looking:
    """A server at which is looked every half an hour."""

    def __init__(self, server: Server) -> None:
        nothing: Any = None
        self.server = server
        self.clock = Clock(1_800_000_000.0)
        self.context = Context(
            server.settings,
            server.store,
            github=None,
            registry=server.registry,
            predictors=nothing,
            log=make_logger("debug", "json", stream=io.StringIO()),
            now=self.clock,
            rng=random.Random(1),
        )

    def look(self, repository: int, *corrections: str) -> str | None:
        """What triggers a training; the job is done by the next look."""
        due: Due | None = ask(self.context, self.server.repository(repository), corrections)
        self.clock.seconds += HALF_HOUR
        for job in self.jobs():
            self.server.store.jobs.discard(job.id, "as if it had trained")
        return None if due is None else due.trigger

    def looks(self, repository: int, times: int) -> list[str | None]:
        return [self.look(repository) for _ in range(times)]

    def jobs(self) -> list[Job]:
        return self.server.store.jobs.list("waiting", "train")

    def knows(self, repository: int, **support: int) -> None:
        """A version of a repository comes into force that learned these labels."""
        labels = {x.name: x.id for x in self.server.store.labels.all(repository)}
        names = [*support, "docs", "area/ui", "perf"][:3]
        rules = tuple(LabelRule(x, labels.get(x, 999), support=support.get(x, 0)) for x in names)
        made = head(repository, self.server.settings.encoder)
        target = (
            self.server.settings.home / f"knows-{len(list(self.server.settings.home.iterdir()))}"
        )
        bundle.write(target, replace(made, labels=LabelSet(rules, 0.9)))
        self.server.registry.publish(repository, target)

    def label(self, repository: int, label: Label, count: int) -> None:
        """People use a label on so many new issues."""
        self.server.store.labels.upsert(label)
        for number in range(1000, 1000 + count):
            issue = Issue(repository, number, number, "t", "b", labels=(label.id,))
            self.server.store.issues.upsert(issue)


@pytest.fixture
def looking(server: Server) -> Looking:
    return Looking(server)


def test_the_cause_is_written_into_the_job(looking: Looking, server: Server):
    assert ask(looking.context, server.repository(NEW), ())
    (job,) = looking.jobs()
    assert job.payload == {"trigger": "first", "why": "24 labeled issues, no model yet"}
    assert (job.repository_id, job.lane) == (NEW, "slow")


def test_a_repository_that_never_had_a_model_is_trained_and_asked_for_once(looking: Looking):
    assert looking.looks(NEW, 4) == ["first", None, None, None]


def test_while_the_history_is_read_nothing_is_asked_for(looking: Looking, server: Server):
    Progress(started="2026-01-01T00:00:00Z").save(server.store, NEW)
    assert looking.look(NEW) is None
    Progress(started="2026-01-01T00:00:00Z", done=True).save(server.store, NEW)
    assert looking.look(NEW) == "first"


def test_while_a_training_is_under_way_it_is_waited_for_its_end(looking: Looking, server: Server):
    server.store.jobs.enqueue_for(server.repository(NEW), "train", lane="slow")
    running = server.store.jobs.claim("w", lane="slow")
    assert running is not None and looking.look(NEW) is None
    server.store.jobs.finish(running, "done")
    assert looking.look(NEW) == "first"


def test_one_that_waits_will_learn_it_and_no_second_one_is_added(looking: Looking, server: Server):
    server.store.jobs.enqueue_for(server.repository(NEW), "train", lane="slow")
    assert ask(looking.context, server.repository(NEW), ())
    assert len(looking.jobs()) == 1


def test_corrections_count_from_the_last_training_that_was_asked_for(
    looking: Looking, server: Server
):
    looking.knows(APP, bug=24)
    server.store.repositories.set_config(APP, {"retrain_after": 2}, None, [])
    said = [f"2026-01-0{day}T00:00:00Z" for day in range(1, 6)]
    assert looking.look(APP, *said[:1]) is None
    assert looking.look(APP, *said[:2]) == "corrections"
    assert looking.look(APP, *said[:3]) is None
    assert looking.look(APP, *said[1:4]) == "corrections"


def test_a_label_that_people_began_to_use_gives_exactly_one_training(looking: Looking):
    looking.knows(APP, bug=24)
    assert looking.look(APP) is None
    looking.label(APP, Label(APP, 77, "regression"), 15)
    assert looking.looks(APP, 4) == [None, "labels", None, None]
    looking.knows(APP, bug=24, regression=15)
    assert looking.looks(APP, 3) == [None, None, None]


def test_a_label_that_was_deleted_gives_exactly_one_training(looking: Looking, server: Server):
    server.store.labels.upsert(Label(APP, 77, "regression"))
    looking.knows(APP, bug=24, regression=15)
    assert looking.look(APP) is None
    server.store.labels.delete(APP, 77)
    assert looking.looks(APP, 4) == [None, "labels", None, None]


def test_a_storm_of_renames_gives_none(looking: Looking, server: Server):
    looking.knows(APP, bug=24)
    for name in ("defect", "type: bug", "kind/bug"):
        server.store.labels.upsert(Label(APP, BUG, name))
        assert looking.look(APP) is None


def test_an_imported_label_that_got_githubs_id_is_the_same_label(looking: Looking, server: Server):
    server.store.labels.upsert(Label(APP, -5, "regression"))
    looking.label(APP, Label(APP, -5, "regression"), 15)
    looking.knows(APP, bug=24, regression=15)
    server.store.labels.upsert(Label(APP, 77, "regression"))
    assert looking.looks(APP, 3) == [None, None, None]


def test_a_head_that_the_new_encoder_left_behind_is_trained_on_it_once(
    looking: Looking, server: Server
):
    looking.knows(APP, bug=24)
    Encoders(server.settings.encoders).publish(server.made / "adapted")
    assert looking.looks(APP, 3) == ["encoder", None, None]


def test_heads_that_moved_to_the_new_encoder_are_left_alone(looking: Looking, server: Server):
    looking.knows(APP, bug=24)
    server.adapt(APP, NEW)
    assert all(trigger != "encoder" for trigger in looking.looks(APP, 3))


def test_what_was_asked_for_outlives_a_restart(looking: Looking, server: Server):
    assert looking.look(NEW) == "first"
    assert Looking(server).look(NEW) is None


def test_what_was_asked_for_is_forgotten_with_the_repository(looking: Looking, server: Server):
    looking.look(NEW)
    server.store.erasure.erase(server.store.erasure.repository(NEW))
    assert server.store.meta.get(f"asked_for:{NEW}") is None


def test_a_version_that_cannot_be_read_is_left_to_the_operator(looking: Looking, server: Server):
    folder = server.registry.path(SECRET, str(server.registry.current(SECRET)))
    (folder / "labels.json").write_text("{}")
    assert looking.looks(SECRET, 3) == [None, None, None]
