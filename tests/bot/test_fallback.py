"""The fallback label: on where nothing reaches its target, off once triaged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.fallback import fallback_to_remove
from bot.repo_config import LabelRules, RepoConfig
from bot.store.rows import ActorKind, LabelEvent
from tests.bot.policy_world import DOCS, FACTS, FALLBACK, LABELS, applied, run, score

WITH_FALLBACK = RepoConfig(fallback="Needs-Triage")


def test_the_fallback_label_goes_on_when_nothing_reaches_its_target():
    decision = run(score("bug", 0.7), config=WITH_FALLBACK)
    assert applied(decision) == ["needs-triage"]
    assert [v.label for v in decision.suggest] == ["bug"]


@pytest.mark.parametrize(
    "changes",
    [
        {"present": {DOCS}},
        {"removed": {FALLBACK}},
        {"mode": "suggest"},
        {"issue": replace(FACTS, state="closed")},
        {"config": replace(WITH_FALLBACK, labels=LabelRules(deny=("needs-triage",)))},
        {"config": replace(WITH_FALLBACK, fallback="no such label")},
    ],
)
def test_the_fallback_label_stays_away(changes: dict[str, object]):
    assert applied(run(score("bug", 0.7), **{"config": WITH_FALLBACK, **changes})) == []


def test_the_fallback_label_is_never_predicted():
    decision = run(score("bug", 0.9), score("needs-triage", 0.99), config=WITH_FALLBACK)
    assert applied(decision) == ["bug"]


def event(name: str, kind: ActorKind, action: str = "labeled") -> LabelEvent:
    return LabelEvent(1, 5, None, name, action, 1, "ada", kind, "2026-01-31T12:00:00Z", "history")


PUT_ON = event("needs-triage", "us")


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([PUT_ON], None),
        ([PUT_ON, event("bug", "person")], "triaged: ada added bug"),
        ([PUT_ON, event("bug", "us")], "triaged: bug reached its target"),
        ([PUT_ON, event("stale", "bot")], None),
        ([event("bug", "person"), PUT_ON], None),
        ([PUT_ON, event("bug", "person"), event("needs-triage", "person")], None),
        ([event("bug", "person")], None),
    ],
)
def test_the_fallback_label_comes_off_once_triaged(events: list[LabelEvent], reason: str | None):
    label = LABELS[FALLBACK]
    assert fallback_to_remove(WITH_FALLBACK, label, ours=True, events=events) == reason
    assert fallback_to_remove(WITH_FALLBACK, label, ours=False, events=events) is None
