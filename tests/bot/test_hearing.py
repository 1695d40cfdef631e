"""Whose word counts, wherever it matters: reviews, habits, trainings, and after a forgetting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot import forgetting
from bot.forgetting import Forgetter
from bot.habits import learn
from bot.hearing import heard_since, hearing_of, note_first_version
from bot.review import Review, review
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Decision
from bot.times import from_epoch
from bot.training import Trainer
from bot.trust import Cap
from models import bundle, snapshot
from models.registry import Registry
from tests.bot.trust_world import (
    CAME,
    CAP,
    DAY,
    LABELS,
    MALLORY,
    REPO,
    decide,
    make_store,
    poisoned,
    put,
    repository,
    said,
)
from tests.models.builders import make_bundle


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with make_store(tmp_path) as made:
        yield made


# Corrections and live precision


def applied(store: Store, count: int) -> None:
    """We labeled so many issues as bugs."""
    verdict = {"label_id": 1, "label": "bug", "probability": 0.95, "verdict": "apply"}
    for number in range(1, count + 1):
        decision = Decision(REPO, number, "v1", "apply", (verdict,), at=CAME + number)
        _, rows = store.decisions.record(decision, LABELS[:1])
        store.decisions.mark_applied([row.id for row in rows], CAME + number)


def looked_back(store: Store, cap: Cap = CAP) -> Review:
    return review(store, repository(store), ("v1",), CAME + 60 * DAY, cap=cap)


def test_labels_that_one_actor_takes_off_by_the_hundred_are_no_corrections(store: Store):
    applied(store, 120)
    store.events.add([said(n, DAY + n, MALLORY, "unlabeled") for n in range(1, 121)])
    assert (looked_back(store).corrections, looked_back(store).live) == ((), {})
    found = looked_back(store, Cap(0))
    assert len(found.corrections) == 120
    assert 1 in found.held


def test_an_excluded_actors_corrections_do_not_count_and_anothers_do(store: Store):
    applied(store, 12)
    store.events.add([said(n, DAY + n, MALLORY, "unlabeled") for n in range(1, 7)])
    store.events.add([said(n, DAY + n, action="unlabeled") for n in range(7, 13)])
    assert len(looked_back(store).corrections) == 12
    decide(store, MALLORY, "excluded")
    assert len(looked_back(store).corrections) == 6


def test_nobody_makes_a_label_late_alone(store: Store):
    store.events.add([said(n, 60 * DAY + n, MALLORY) for n in range(1, 151)])
    assert learn(store, REPO, cap=CAP) == frozenset()
    assert learn(store, REPO, cap=Cap(0)) == {1}


# Settings


def test_a_training_hears_as_the_settings_say(store: Store, tmp_path: Path):
    put(store, [said(n, n, MALLORY) for n in range(1, 4)])
    settings = Settings(home=tmp_path, actor_cap=2, actor_cap_window=60)
    trainer = Trainer(settings, store, Registry(tmp_path / "models"))
    trainer.snapshot(repository(store), tmp_path / "s", "any")
    issues = snapshot.read(tmp_path / "s").issues
    assert [dict(issue.labels) for issue in issues[:4]] == [{"bug": "unheard"}] * 3 + [{}]


def test_the_settings_default_to_the_default_cap(tmp_path: Path):
    assert Cap.of(Settings(home=tmp_path)) == Cap()


# When we came


def test_we_came_with_the_first_version_or_the_first_decision(store: Store, tmp_path: Path):
    registry = Registry(tmp_path / "models")
    note_first_version(store, REPO, registry)
    assert heard_since(store, REPO) == from_epoch(CAME)
    made = make_bundle(repository=REPO)
    for days in (2, 1):
        card = {**made.card, "created_at": from_epoch(CAME - days * DAY)}
        bundle.write(tmp_path / str(days), replace(made, card=card))
        registry.publish(REPO, tmp_path / str(days))
    note_first_version(store, REPO, registry)
    assert heard_since(store, REPO) == from_epoch(CAME - 2 * DAY)


def test_when_we_came_outlives_the_version_that_we_came_with(store: Store, tmp_path: Path):
    test_we_came_with_the_first_version_or_the_first_decision(store, tmp_path)
    note_first_version(store, REPO, Registry(tmp_path / "pruned"))
    assert heard_since(store, REPO) == from_epoch(CAME - 2 * DAY)


# Forgetting


def test_what_did_not_count_does_not_count_when_its_user_is_forgotten(store: Store, tmp_path: Path):
    poisoned(store)
    put(store, [said(250, 300 * DAY, MALLORY)])
    settings = Settings(home=tmp_path)
    forgetter = Forgetter(settings, store, Registry(settings.models))
    forgetter.carry_out(forgetting.user(store, "mallory"))
    kinds = {n: [e.actor_kind for e in store.events.for_issue(REPO, n)] for n in (50, 150, 250)}
    assert kinds == {50: ["person", "unheard"], 150: ["unheard"], 250: ["person"]}
    assert all(e.actor_login != "mallory" for e in store.events.for_repository(REPO))


def test_nothing_is_kept_of_an_actor_who_is_forgotten(store: Store, tmp_path: Path):
    put(store, [said(1, 10, MALLORY), said(2, 10)])
    decide(store, MALLORY, "excluded")
    settings = Settings(home=tmp_path)
    forgetter = Forgetter(settings, store, Registry(settings.models))
    found = forgetter.carry_out(forgetting.user(store, "mallory"))
    assert (found.rows["actors"], store.actors.all(REPO)) == (1, [])
    assert [e.actor_kind for e in store.events.for_issue(REPO, 1)] == ["unheard"]
    assert (
        hearing_of(store, repository(store), CAP)
        .mark(store.events.for_issue(REPO, 1))[0]
        .actor_kind
        == "unheard"
    )
