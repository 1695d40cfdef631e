"""The rules of the loop, with versions that say what the test tells them to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.snapshot import MIN_LABELED
from tests.training.past import a_history, always
from training import history
from training.loop import Replayed, Rules, freezing, play
from training.prequential import live_decisions

ONES = np.ones((60, 1), dtype=bool)
NEVER = Rules(retrain_after=10_000)


def silent(labels: int = 1):  # type: ignore[no-untyped-def]
    return lambda heard, row: always([False] * labels)


def test_what_people_had_to_add_brings_a_version() -> None:
    played = play(a_history(ONES), silent(), Rules(retrain_after=25))
    first, second = played.versions
    assert (first.heard, first.labeled, first.row) == (25, 25, 31)
    assert second.heard == 50


def test_what_people_had_to_take_off_brings_a_version_too() -> None:
    truth = np.tile([True, False], (60, 1))
    played = play(a_history(truth), lambda heard, row: always([True, True]), Rules(10))
    # Demoted when five of them were heard of, it is right about nothing, and is not applied.
    assert np.flatnonzero(played.applied[:, 1]).tolist() == list(range(11))
    assert [(each.row, each.column) for each in played.changes] == [(11, 1)]
    assert [each.heard for each in played.versions] == [MIN_LABELED]


def test_a_label_that_was_applied_right_is_no_correction() -> None:
    assert not play(a_history(ONES), lambda heard, row: always([True]), Rules(1)).versions


def test_no_version_is_made_of_fewer_labeled_issues_than_a_training_needs() -> None:
    played = play(a_history(ONES), silent(), Rules(retrain_after=1))
    assert played.versions[0].labeled == MIN_LABELED


def test_labels_that_occur_once_are_nothing_to_learn_from() -> None:
    past = a_history(np.eye(60, 6, dtype=bool))
    assert not play(replace(past, labeled=np.ones(60, dtype=bool)), silent(6), Rules(1)).versions


def test_silence_is_no_approval_and_no_correction() -> None:
    nobody = a_history(~ONES)
    played = play(nobody, lambda heard, row: always([True]), Rules(1))
    assert played.applied.all()
    assert not (played.versions or played.changes)


def test_a_template_label_is_there_already() -> None:
    past = a_history(ONES, by="template")
    played = play(past, lambda heard, row: always([True]), Rules(1))
    assert not played.applied.any() and not played.shown.any() and not played.versions


def test_each_issue_is_answered_by_the_version_in_force() -> None:
    asked: dict[int, int] = {}

    def answers(heard: int, row: int):  # type: ignore[no-untyped-def]
        asked[row] = heard
        return always([False])

    played = play(a_history(ONES), answers, Rules(25))
    before = {v.row: v.heard for v in played.versions}
    version = 0
    for row in range(60):
        version = before.get(row, version)
        assert asked[row] == version <= max(0, row - 6)


def test_a_frozen_model_is_the_last_one_and_is_watched_unless_told_otherwise() -> None:
    truth = ONES.copy()
    truth[30:] = False
    past = a_history(np.column_stack([truth, ~truth]))
    rules = Rules(5, freeze_after=24)
    watched, alone = (
        play(past, lambda heard, row: always([heard > 0, False]), each)
        for each in (rules, replace(rules, watch_frozen=False))
    )
    assert watched.versions == alone.versions and watched.versions[-1].labeled == 24
    row = watched.versions[-1].row
    assert alone.applied[row:, 0].all() and not alone.changes
    assert not watched.applied[-10:, 0].any() and watched.changes[-1].live.bar is None


def test_a_short_history_freezes_half_way() -> None:
    past = a_history(ONES)
    assert freezing(Rules(7), past, 400) == Rules(7, freeze_after=30)
    assert freezing(Rules(7), past, 20) == Rules(7, freeze_after=20)


def test_what_was_done_so_far_is_told() -> None:
    told: list[tuple[int, int]] = []
    play(a_history(ONES[:3]), silent(), told=lambda *at: told.append(at))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_history_without_issues_is_played_to_its_end() -> None:
    played = play(a_history(ONES[:0]), silent())
    assert played.applied.shape == (0, 1) and not played.versions


runs = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.floats(0, 5)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=40, deadline=None)
@given(runs)
def test_live_precision_is_that_of_the_holdout_figures(run: list[tuple]) -> None:
    table = np.array([row[:4] for row in run], dtype=bool)
    would, truth = table[:, :2], table[:, 2:]
    days = np.cumsum([row[4] for row in run])
    past = a_history(truth, days=days)
    past = replace(past, judged=np.ones(len(days), dtype=bool))
    played = play(past, lambda heard, row: always(would[row]), NEVER)
    decided = live_decisions(would.astype(float), would, truth, days, past.targets)
    assert (played.applied == decided).all()


@settings(max_examples=60, deadline=None)
@given(runs, st.integers(0, 59), st.integers(1, 8))
def test_nothing_depends_on_labels_that_come_later(run: list[tuple], cut: int, due: int) -> None:
    table = np.array([row[:4] for row in run], dtype=bool)
    would, truth = table[:, :2], table[:, 2:]
    days = np.cumsum([row[4] for row in run])
    cut = min(cut, len(days) - 1)
    other = truth.copy()
    other[days + 7.0 > days[cut]] ^= True

    def played(labels: np.ndarray) -> Replayed:
        past = a_history(labels, days=days)
        past = replace(past, labeled=np.ones(len(days), dtype=bool))
        return play(past, lambda heard, row: always(would[row] ^ (heard % 2 == 1)), Rules(due))

    one, two = played(truth), played(other)
    assert (one.applied[: cut + 1] == two.applied[: cut + 1]).all()
    for kind in ("versions", "changes"):
        first, second = ([x for x in getattr(p, kind) if x.row <= cut] for p in (one, two))
        assert first == second


@pytest.mark.parametrize("by", ["us", "bot"])
def test_a_label_by_a_machine_is_no_answer(by: str) -> None:
    past = a_history(np.column_stack([ONES, ONES]))
    half = [replace(x, labels={"bug": by, "docs": "person"}) for x in past.everything.issues]
    mixed = history.of(replace(past.everything, issues=tuple(half)))
    assert not play(mixed, lambda heard, row: always([False, True]), Rules(1)).versions
