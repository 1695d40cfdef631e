from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store import Store
from bot.store.rows import Decision, Gated, ShadowScore, Trial, local_id

CHAMPION, SECOND, THIRD = "0001-aaaaaaaa", "0002-bbbbbbbb", "0003-cccccccc"
SCORES = [ShadowScore(1, 0.91234, "apply"), ShadowScore(2, 0.1, "none")]
pytestmark = pytest.mark.usefixtures("repository_id")


def decide(store: Store, number: int, version: str = CHAMPION) -> Decision:
    return store.decisions.record(Decision(5, number, version, "apply", ()))[0]


def test_a_trial_begins_and_ends_once(store: Store) -> None:
    store.trials.begin(5, SECOND, CHAMPION, 10.0)
    trial = store.trials.running(5)
    assert trial == Trial(5, SECOND, CHAMPION, 10.0)
    assert store.trials.end(trial, "ended", "worse", 20.0)
    assert not store.trials.end(trial, "published", "better", 30.0)
    assert store.trials.running(5) is None
    over = replace(trial, state="ended", reason="worse", ended_at=20.0)
    assert store.trials.get(5, SECOND) == over
    assert (store.trials.get(5, THIRD), store.trials.get(6, SECOND)) == (None, None)


def test_one_version_at_a_time_is_on_trial_and_none_twice(store: Store) -> None:
    store.trials.begin(5, SECOND, CHAMPION, 10.0)
    store.trials.begin(5, THIRD, CHAMPION, 20.0)
    trial = store.trials.running(5)
    assert trial is not None and trial.version == SECOND
    store.trials.end(trial, "ended", "worse", 30.0)
    store.trials.begin(5, SECOND, CHAMPION, 40.0)
    assert store.trials.running(5) is None
    store.trials.begin(5, THIRD, CHAMPION, 50.0)
    assert store.trials.counts() == {"ended": 1, "running": 1}


def test_how_far_it_is_is_kept(store: Store) -> None:
    store.trials.begin(5, SECOND, CHAMPION, 10.0)
    trial = store.trials.get(5, SECOND)
    assert trial is not None
    store.trials.note(trial, 100, {"difference": 0.01})
    found = store.trials.running(5)
    assert found == replace(trial, judged=100, report={"difference": 0.01})


def test_what_was_said_lies_beside_the_decision(store: Store) -> None:
    first, second = decide(store, 3), decide(store, 4)
    store.trials.keep(second, SECOND, SCORES[:1])
    store.trials.keep(first, SECOND, SCORES)
    assert store.trials.scored(5, SECOND) == 2
    pairs = store.trials.pairs(5, SECOND)
    assert [decision for decision, _ in pairs] == [first, second]
    assert pairs[0][1] == [replace(SCORES[0], probability=0.9123), SCORES[1]]
    assert store.trials.pairs(5, THIRD) == []


def test_an_issue_that_was_forgotten_meanwhile_is_not_brought_back(store: Store) -> None:
    decision = decide(store, 3)
    store.erasure.erase(store.erasure.issues(5, [3]))
    store.trials.keep(decision, SECOND, SCORES)
    assert store.trials.scored(5, SECOND) == 0


def test_what_was_said_goes_once_the_trial_is_long_over(store: Store) -> None:
    store.trials.begin(5, SECOND, CHAMPION, 10.0)
    decision = decide(store, 3)
    store.trials.keep(decision, SECOND, SCORES)
    assert store.pruning.shadow_scores(1e9) == []
    trial = store.trials.running(5)
    assert trial is not None
    store.trials.end(trial, "ended", "worse", 20.0)
    assert (store.pruning.shadow_scores(20.0), store.pruning.shadow_scores(21.0)) == (
        [],
        [decision.id],
    )
    assert store.pruning.remove_shadow_scores([decision.id]) == 1
    assert (store.trials.scored(5, SECOND), store.trials.counts()) == (0, {"ended": 1})


def test_the_newest_that_was_refused_beside_a_champion_is_found(store: Store) -> None:
    refused = Gated(5, SECOND, 20.0, False, "worse", CHAMPION, CHAMPION)
    for each in (
        refused,
        replace(refused, version=THIRD, at=30.0),
        replace(refused, version="0004-dddddddd", at=40.0, passed=True),
        replace(refused, version="0005-eeeeeeee", at=50.0, champion="0004-dddddddd"),
    ):
        store.gates.record(each)
    found = store.gates.refused(5, CHAMPION)
    assert found is not None and found.version == THIRD
    assert store.gates.refused(5, SECOND) is None


def test_trials_follow_an_imported_repository_to_that_of_github(store: Store) -> None:
    here = store.repositories.upsert(local_id("octo/new"), "octo/new").id
    store.trials.begin(here, SECOND, CHAMPION, 10.0)
    kept = store.decisions.record(Decision(here, 3, CHAMPION, "apply", ()))[0]
    store.trials.keep(kept, SECOND, SCORES)
    store.repositories.upsert(77, "octo/new")
    assert store.trials.running(77) == Trial(77, SECOND, CHAMPION, 10.0)
    assert store.trials.scored(77, SECOND) == 1
