"""A repository's live quality over the last weeks, as the figures of one night."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from bot.feedback import Feedback
from bot.hearing import hearing_of
from bot.live_precision import held_labels
from bot.repo_config import RepoConfig
from bot.review import decided_since, feedback_of
from bot.store.live_days import LiveDay
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Decision, Repository
    from bot.trust import Cap

WINDOW = 28 * 86_400.0
"""Seconds of the past that a night's figures are about: in a day too little is judged."""
RIGHT = ("confirmed",)
WRONG = ("false positive", "replaced")
MISSED = ("false negative", "accepted")


def of_night(
    store: Store, repository: Repository, version: str | None, now: float, cap: Cap
) -> LiveDay | None:
    """The figures of the decisions of the last weeks; None where nothing was decided in them.

    What nobody has said anything about is not judged: silence is no approval.
    """
    decided = decided_since(store, repository, now - WINDOW)
    if not decided:
        return None
    found = _feedback(store, repository, decided, cap)
    day, held = from_epoch(now)[:10], len(held_labels(store, repository.id))
    return LiveDay(repository.id, day, version, **count(found), held=held)


def count(found: Iterable[Feedback]) -> dict[str, int]:
    """How many labels we applied, of those how many were judged and right, and how many we missed.
    Pure."""
    rows = [*found]
    ours = [each.kind for each in rows if each.applied_id is not None]
    right = sum(kind in RIGHT for kind in ours)
    return {
        "applied": len(ours),
        "judged": right + sum(kind in WRONG for kind in ours),
        "right": right,
        "missed": sum(each.kind in MISSED for each in rows if each.applied_id is None),
    }


def _feedback(
    store: Store, repository: Repository, decided: Mapping[int, Sequence[Decision]], cap: Cap
) -> list[Feedback]:
    config = RepoConfig.from_dict(repository.config)
    hearing = hearing_of(store, repository, cap)
    return [
        each
        for number, decisions in decided.items()
        for each in feedback_of(store, repository, number, decisions[0], config, hearing)
    ]
