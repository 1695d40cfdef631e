from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store import Store
from bot.store.rows import AppliedLabel, Decision, Label
from tests.bot.store.conftest import Clock

BUG, UI = Label(5, 1, "bug"), Label(5, 2, "ui")
DECISION = Decision(
    repository_id=5,
    number=3,
    version="v1",
    mode="apply",
    verdicts=({"label_id": 1, "label": "bug", "probability": 0.9, "verdict": "apply"},),
    neighbours=({"number": 1, "labels": ["bug"]},),
    trigger="opened",
)

pytestmark = pytest.mark.usefixtures("repository_id")


def outcomes(labels: list[AppliedLabel]) -> list[tuple[str, str]]:
    return [(label.label, label.outcome) for label in labels]


def test_a_decision_is_recorded_with_what_it_intends(store: Store, clock: Clock) -> None:
    decision, intended = store.decisions.record(DECISION, [BUG, UI])
    assert store.decisions.latest(5, 3) == store.decisions.get(decision.id) == decision
    assert (decision.at, decision.verdicts) == (clock(), DECISION.verdicts)
    assert outcomes(intended) == [("bug", "intended"), ("ui", "intended")]
    assert intended == store.decisions.unfinished(5, 3)
    assert {label.decision_id for label in intended} == {decision.id}


def test_the_title_of_a_neighbour_is_not_kept(store: Store) -> None:
    near = {"number": 1, "title": "secret", "labels": ["bug"], "similarity": 0.9}
    store.decisions.record(replace(DECISION, neighbours=(near,)))
    kept = store.decisions.latest(5, 3)
    assert kept is not None
    assert kept.neighbours == ({"number": 1, "labels": ["bug"], "similarity": 0.9},)


def test_a_decision_and_its_intents_commit_together(store: Store) -> None:
    def labels() -> list[Label]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.decisions.record(DECISION, labels())
    with pytest.raises(AttributeError):
        store.decisions.record(DECISION, [BUG, None])  # type: ignore[list-item]
    assert store.decisions.latest(5, 3) is None
    assert store.decisions.unfinished(5, 3) == []


def test_what_became_of_a_label_is_kept(store: Store, clock: Clock) -> None:
    _, (bug, ui) = store.decisions.record(DECISION, [BUG, UI])
    store.decisions.mark_applied([bug.id], clock() + 1)
    store.decisions.abandon([ui.id], "a person removed it before")
    assert store.decisions.unfinished(5, 3) == []
    (applied,) = store.decisions.applied(5)
    assert (applied.label, applied.applied_at) == ("bug", clock() + 1)
    (abandoned,) = store.decisions.applied(5, outcomes=["abandoned"])
    assert abandoned.note == "a person removed it before"


def test_an_undone_label_is_not_applied_any_more(store: Store) -> None:
    _, (bug,) = store.decisions.record(DECISION, [BUG])
    store.decisions.mark_applied([bug.id])
    store.decisions.mark_undone([bug.id], "undo of v1")
    assert store.decisions.applied(5) == []
    assert outcomes(store.decisions.applied(5, outcomes=["undone"])) == [("bug", "undone")]


def test_applied_labels_are_found_by_issue_version_and_time(store: Store, clock: Clock) -> None:
    for number, version in ((3, "v1"), (3, "v2"), (4, "v2")):
        decision = Decision(5, number, version, "apply", ())
        store.decisions.mark_applied([store.decisions.record(decision, [BUG])[1][0].id])
        clock.advance(10)

    def found(**narrowed: object) -> list[tuple[int, str]]:
        labels = store.decisions.applied(5, **narrowed)  # type: ignore[arg-type]
        return [(label.number, label.version) for label in labels]

    assert found() == [(3, "v1"), (3, "v2"), (4, "v2")]
    assert found(number=3, version="v2") == [(3, "v2")]
    assert found(since=clock() - 10) == [(4, "v2")]


def test_the_newest_decisions_come_first(store: Store) -> None:
    kept = [store.decisions.record(DECISION)[0] for _ in range(3)]
    assert store.decisions.recent(5, 2) == [kept[2], kept[1]]
    assert store.decisions.latest(5, 3) == kept[2]
    assert store.decisions.latest(5, 4) is None


def test_marking_nothing_is_nothing(store: Store) -> None:
    store.decisions.mark_applied([])
    store.decisions.abandon([], "")
