"""A version on trial in words: how far it is, how it compares. Reads nothing of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.store.rows import Trial

NEEDED = 100
"""Issues that both versions have scored and people have acted on since."""


def why(trial: Trial) -> str:
    """The figures of a comparison in one line."""
    found = trial.report
    return (
        f"micro F1 {found['challenger']:.3f} against {found['rival']:.3f} of {trial.champion} on"
        f" {found['n']} issues that both scored, {found['difference']:+.4f}"
        f" ({found['bound']:+.4f} to {found['at_best']:+.4f})"
    )


def progress(trial: Trial) -> str:
    """How far a trial is, or how it ended, in a word or two."""
    if trial.state != "running":
        return trial.state
    if not trial.report:
        return f"{trial.judged} of {NEEDED} issues"
    return f"{trial.report['difference']:+.3f} on {trial.report['n']} issues"


def as_json(trial: Trial, scored: int) -> dict[str, Any]:
    """A trial as commands print it; `scored` is how many issues the version has scored."""
    return {
        "state": trial.state,
        "compared_with": trial.champion,
        "began_at": from_epoch(trial.began_at),
        "ended_at": None if trial.ended_at is None else from_epoch(trial.ended_at),
        "reason": trial.reason or None,
        "scored": scored,
        "judged": trial.judged,
        "needed": NEEDED,
        "report": trial.report or None,
    }
