"""What stands of our word on an issue: the labels that we put on it, and those that we suggest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.issue_now import Live
    from bot.store import Store
    from bot.store.rows import Label

NOT_KEPT = "its reason is not kept any more"
BY_COMMAND = "suggested, and applied by a command in a comment"
NEAREST = 3
"""Labels that came nearest, where none came near enough."""


@dataclass(frozen=True)
class Proposal:
    """A label of today with its reason; `probability` is None where the model gave none."""

    label: Label
    reason: str
    probability: float | None = None


def suggested(store: Store, live: Live) -> list[Proposal]:
    """What our last decision suggests and nobody has answered: neither put on, nor taken off, nor
    dismissed. The likeliest first."""
    decision = store.decisions.latest(live.repository.id, live.issue.number)
    verdicts = () if decision is None else decision.verdicts
    open_ = [v for v in verdicts if v.get("verdict") == "suggest"]
    denied = _denied(store, live) | live.present | live.removed
    return [each for each in _proposals(live, open_) if each.label.id not in denied]


def nearest(store: Store, live: Live) -> list[Proposal]:
    """The likeliest labels of our last decision that were neither applied nor suggested."""
    decision = store.decisions.latest(live.repository.id, live.issue.number)
    verdicts = () if decision is None else decision.verdicts
    rest = [v for v in verdicts if v.get("verdict") == "none" and v.get("probability") is not None]
    rest.sort(key=lambda verdict: -float(verdict["probability"]))
    return list(_proposals(live, rest[:NEAREST]))


def applied(store: Store, live: Live) -> list[Proposal]:
    """What we put on the issue and is still there, in the order of adding."""
    repository_id, number = live.repository.id, live.issue.number
    found: dict[int, Proposal] = {}
    for row in store.decisions.applied(repository_id, number=number):
        label = live.labels.get(row.label_id)
        if label is not None and row.label_id in live.present:
            found[label.id] = Proposal(label, _reason(store, row.decision_id, row.label_id))
    for event in live.events:
        label = live.labels.get(event.label_id or 0)
        if event.source == "command" and label is not None and label.id in live.present:
            found.setdefault(label.id, Proposal(label, BY_COMMAND))
    return list(found.values())


def _proposals(live: Live, verdicts: Any) -> Iterator[Proposal]:
    for verdict in verdicts:
        label = live.labels.get(verdict.get("label_id") or 0)
        if label is not None:
            reason = str(verdict.get("reason") or NOT_KEPT)
            yield Proposal(label, reason, verdict.get("probability"))


def _reason(store: Store, decision_id: int, label_id: int) -> str:
    decision = store.decisions.get(decision_id)
    verdicts: tuple[Mapping[str, Any], ...] = () if decision is None else tuple(decision.verdicts)
    found = (v["reason"] for v in verdicts if v.get("label_id") == label_id and v.get("reason"))
    return str(next(found, NOT_KEPT))


def _denied(store: Store, live: Live) -> frozenset[int]:
    """The labels of which somebody said, here or on GitHub, that they do not belong."""
    at = live.repository.id, live.issue.number
    here = {answer.label_id for answer in store.answers.for_issue(*at) if not answer.belongs}
    there = {each.label_id for each in store.suggestions.of_issue(*at) if each.state == "dismissed"}
    return frozenset(here | there)
