"""The figures of a simulation: precision, recall and coverage, over time and in the end.

precision  of the labels that were applied, the share that people's final labels hold
coverage   of people's labels, the share that was applied
recall     of people's labels, the share that was applied or suggested

Only issues count of which people said something; what was applied to the others is counted apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.history import History
from training.loop import Compared, Replayed

Array = np.ndarray[Any, Any]
Plain = dict[str, Any]

POINTS = 120
"""Of the curve, about."""
RECENT = 200
"""Judged issues over which the curve's recent figures are taken."""
NEWEST = 0.2
"""The share of the issues that is the end of a history."""


@dataclass(frozen=True)
class Tally:
    """What counts, bool (issues, labels) each; see the module's first lines."""

    applied: Array
    right: Array
    shown_right: Array
    there: Array

    @classmethod
    def of(cls, history: History, played: Replayed) -> Tally:
        """Of the labels that were open when an issue came, where a person said something."""
        counts = history.asked & history.judged[:, None]
        truth = history.everything.truth & counts
        applied = played.applied & counts
        return cls(applied, applied & truth, played.shown & truth, truth)

    def figures(self, rows: Any = slice(None), columns: Any = slice(None)) -> Plain:
        """Precision, coverage and recall over some issues and labels; None where nothing counts."""
        applied, right, shown_right, there = (
            int(each[rows][:, columns].sum())
            for each in (self.applied, self.right, self.shown_right, self.there)
        )
        return {
            "precision": _share(right, applied),
            "coverage": _share(right, there),
            "recall": _share(shown_right, there),
            "applied": applied,
            "right": right,
            "labels": there,
        }

    def by_label(self, names: Sequence[str]) -> dict[str, Plain]:
        """The figures of each label, the most used first."""
        found = {name: self.figures(columns=[j]) for j, name in enumerate(names)}
        return dict(sorted(found.items(), key=lambda each: -int(each[1]["labels"])))


def figures(history: History, played: Compared, seconds: float) -> Plain:
    """Everything that is reported of a simulation; the keys of the contract come first."""
    loop, frozen = played.loop, played.frozen
    tally, other = Tally.of(history, loop), Tally.of(history, frozen)
    whole = tally.figures()
    newest = slice(int(len(history) * (1 - NEWEST)), None)
    last = frozen.versions[-1] if frozen.versions else None
    return {
        "issues": len(history),
        "precision": whole["precision"],
        "coverage": whole["coverage"],
        "frozen": other.figures()
        | {
            "labeled": last.labeled if last else 0,
            "newest": other.figures(newest),
            "without_demotion": Tally.of(history, played.unwatched).figures(),
        },
        "retrainings": len(loop.versions),
        "seconds": round(seconds, 1),
        "curve": list(_curve(history, tally, other)),
        "recall": whole["recall"],
        "applied": whole["applied"],
        "right": whole["right"],
        "labeled": int(history.judged.sum()),
        "newest": tally.figures(newest),
        "unlabeled": _unlabeled(history, loop),
        "labels": tally.by_label(history.everything.names),
        "versions": [_at(history, each.row) | {"labeled": each.labeled} for each in loop.versions],
        "changes": [
            _at(history, each.row)
            | {
                "label": history.everything.names[each.column],
                "state": each.live.state,
                "reason": each.live.reason,
            }
            for each in loop.changes
        ],
        "target_precision": history.everything.target_precision,
    }


def _curve(history: History, tally: Tally, frozen: Tally) -> Iterator[Plain]:
    """A point every so many issues: figures from the first issue on, and over the newest ones."""
    judged = np.flatnonzero(history.judged)
    for end in _ends(len(history)):
        seen = judged[judged < end]
        recent = seen[-RECENT:]
        yield {
            "issues": end,
            "at": history.everything.issues[end - 1].created_at,
            **tally.figures(seen),
            "recent": tally.figures(recent),
            "frozen": frozen.figures(seen) | {"recent": frozen.figures(recent)},
        }


def _ends(count: int) -> list[int]:
    step = max(1, -(-count // POINTS))
    return sorted({*range(step, count + 1, step), count}) if count else []


def _unlabeled(history: History, loop: Replayed) -> Plain:
    """What happened on issues of whose labels nobody ever said anything: right or wrong, no one
    knows."""
    rows = ~history.judged
    return {
        "issues": int(rows.sum()),
        "with_applied": int(loop.applied[rows].any(axis=1).sum()),
        "with_shown": int(loop.shown[rows].any(axis=1).sum()),
        "applied": int(loop.applied[rows].sum()),
    }


def _at(history: History, row: int) -> Plain:
    """Where in the history something happened: before which issue."""
    issue = history.everything.issues[row]
    return {"issues": row, "before": issue.number, "at": issue.created_at}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
