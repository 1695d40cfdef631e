"""What live precision says of a repository's labels: kept at each review, read at each decision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bot.store.rows import LiveChange, LiveState
from models.demotion import LiveLabel

if TYPE_CHECKING:
    from bot.review import Review
    from bot.store import Store


def remember(
    store: Store,
    repository_id: int,
    found: Review,
    *,
    retired: Mapping[int, str],
    version: str | None,
    now: float,
) -> list[LiveChange]:
    """Keep what a review found; returns the labels whose state changed.

    `retired` says of labels that nobody uses any more why that is thought, by label id.
    """
    before = store.live.states(repository_id)
    after = {label: _state(label, record, now) for label, record in found.live.items()}
    after |= {label: _retired(label, after, why, now) for label, why in retired.items()}
    changes, states = [], []
    for label, state in after.items():
        known = before.get(label)
        if known is not None and known.state == state.state:
            state = _since(state, known.since)
        elif known is not None or state.state != "as trained":
            changes.append(
                LiveChange(repository_id, label, now, state.state, state.reason, version)
            )
        states.append(state)
    changes += [
        LiveChange(repository_id, label, now, "as trained", "nothing speaks against it", version)
        for label, state in before.items()
        if label not in after and state.state != "as trained"
    ]
    store.live.keep(repository_id, states, changes)
    return changes


def held_labels(store: Store, repository_id: int) -> dict[int, LiveLabel]:
    """The labels that are not applied wherever the model would, by id, with the reason."""
    return {
        label: LiveLabel((), state.bar, state.reason)
        for label, state in store.live.states(repository_id).items()
        if state.bar != 0
    }


def withheld(
    repository_id: int, number: int, labels: Iterable[int], share: float
) -> frozenset[int]:
    """The labels that are not applied to this issue, to see whether people add them.

    Each with a chance of `share`, and the same ones however often the issue is decided on.
    """
    if not share:
        return frozenset()
    return frozenset(
        label for label in labels if _draw(f"{repository_id} {number} {label}") < share
    )


def _draw(name: str) -> float:
    """A number from 0 to 1 that is as good as random, and always the same for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def _state(label: int, record: LiveLabel, now: float) -> LiveState:
    judged, right = len(record.decisions), sum(right for _, right in record.decisions)
    return LiveState(label, record.state, record.bar, record.reason, judged, right, now)


def _retired(label: int, live: Mapping[int, LiveState], why: str, now: float) -> LiveState:
    known = live.get(label)
    judged, right = (known.judged, known.right) if known else (0, 0)
    return LiveState(label, "retired", None, why, judged, right, now)


def _since(state: LiveState, since: float) -> LiveState:
    return LiveState(**{**vars(state), "since": since})
