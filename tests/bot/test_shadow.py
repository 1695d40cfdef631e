"""What people's acts say of two versions' decisions, where the answer is known beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from bot.feedback import Feedback, Kind
from bot.repo_config import RepoConfig
from bot.review import TIME_TO_SPEAK
from bot.shadow import Seen, compare, seen
from bot.store.rows import Decision, Label, ShadowScore

BUG, DOCS, UI = 1, 2, 3
LABELS = [Label(5, BUG, "bug"), Label(5, DOCS, "docs"), Label(5, UI, "area/ui")]
LATER = 1000.0 + TIME_TO_SPEAK


def decision(**verdicts: str) -> Decision:
    """What the one in force decided, at 1000: a verdict for each label by name."""
    ids = {label.name: label.id for label in LABELS}
    rows = tuple(
        {"label_id": ids[name], "label": name, "probability": 0.5, "verdict": verdict}
        for name, verdict in verdicts.items()
    )
    return Decision(5, 3, "v1", "apply", rows, at=1000.0)


def said(label: int, kind: Kind, at: str | None = "2026-01-01T00:00:00Z") -> Feedback:
    return Feedback(3, label, str(label), kind, "v1", at)


def scores(**verdicts: Any) -> list[ShadowScore]:
    ids = {label.name: label.id for label in LABELS}
    return [ShadowScore(ids[name], 0.5, verdict) for name, verdict in verdicts.items()]


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        ("confirmed", True),
        ("false negative", True),
        ("accepted", True),
        ("dismissed", False),
        ("false positive", False),
        ("replaced", False),
        ("untouched", None),
        ("withdrawn", None),
    ],
)
def test_what_people_left_or_put_is_right_and_what_they_took_off_is_not(
    kind: Kind, right: bool | None
):
    found = [said(BUG, kind), said(DOCS, "confirmed")]
    issue = seen(decision(bug="apply", docs="apply"), [], found, [], LATER)
    assert issue is not None
    assert issue.truth.get(BUG) == right


def test_what_nobody_put_on_was_wrong_and_what_came_from_elsewhere_is_not_known():
    found = [said(BUG, "confirmed")]
    ours = scores(**{"area/ui": "suggest"})
    issue = seen(decision(bug="apply", docs="none"), ours, found, [UI], LATER)
    assert issue == Seen({BUG: True, DOCS: False}, frozenset({BUG}), frozenset({UI}))


def test_an_issue_that_nobody_acted_on_says_nothing():
    untouched = [said(BUG, "untouched", at=None)]
    assert seen(decision(bug="apply"), [], untouched, [BUG], LATER) is None


def test_people_have_a_week_to_speak():
    found = [said(BUG, "confirmed")]
    assert seen(decision(bug="apply"), [], found, [], LATER - 1) is None
    assert seen(decision(bug="apply"), [], found, [], LATER) is not None


def test_a_decision_whose_reasons_were_removed_is_passed_over():
    assert seen(decision(), scores(bug="apply"), [said(BUG, "confirmed")], [], LATER) is None


def test_applied_and_suggested_count_alike():
    found = [said(BUG, "false negative")]
    issue = seen(decision(bug="none"), scores(bug="suggest", docs="apply"), found, [], LATER)
    assert issue == Seen({BUG: True, DOCS: False}, frozenset(), frozenset({BUG, DOCS}))


RIGHT = Seen({BUG: True, DOCS: False}, frozenset(), frozenset({BUG}))
WRONG = Seen({BUG: True, DOCS: False}, frozenset({BUG}), frozenset({DOCS}))


def test_the_figures_are_micro_f1_of_both_on_the_same_issues():
    found = compare([RIGHT] * 3 + [WRONG], LABELS, RepoConfig())
    assert (found["n"], found["challenger"], found["rival"]) == (4, 0.75, 0.4)
    assert found["difference"] == 0.35 and found["bound"] < 0.35 < found["at_best"]
    assert found["challenger_labels"]["bug"] == {
        "support": 4,
        "precision": 1.0,
        "recall": 0.75,
        "f1": pytest.approx(6 / 7),
    }
    assert found["labels"]["bug"]["recall"] == 0.25 and "area/ui" not in found["labels"]


def test_the_same_decisions_do_not_differ():
    same = Seen({BUG: True}, frozenset({BUG}), frozenset({BUG}))
    found = compare([same] * 4, LABELS, RepoConfig())
    assert (found["difference"], found["bound"], found["at_best"]) == (0.0, 0.0, 0.0)


def test_what_is_not_known_counts_for_neither():
    unknown = Seen({BUG: True}, frozenset({BUG, DOCS}), frozenset({BUG}))
    found = compare([unknown] * 3 + [WRONG], LABELS, RepoConfig())
    assert found["labels"]["docs"]["precision"] == 0.0 and found["rival"] == 1.0


@pytest.mark.parametrize(
    "config",
    [
        {"labels": {"deny": ["docs"]}},
        {"labels": {"allow": ["bug"]}},
        {"labels": {"overrides": {"docs": {"mode": "off"}}}},
        {"fallback": "docs"},
    ],
)
def test_what_the_configuration_leaves_out_counts_for_neither(config: dict[str, Any]):
    found = compare([RIGHT, WRONG], LABELS, RepoConfig.from_dict(config))
    assert list(found["labels"]) == ["bug"]


def test_a_label_that_is_gone_counts_for_neither():
    found = compare([RIGHT, WRONG], LABELS[:1], RepoConfig())
    assert list(found["challenger_labels"]) == ["bug"]
