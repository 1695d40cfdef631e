"""What two versions said of the same new issues, in the eyes of people who acted on them. Pure.

The one in force decided, the other one was asked beside it. Counted is what was applied or
suggested, as at the gate. What people left or put on an issue is right, what they took off, or did
not put on it, is not. Where nobody spoke, or nobody who is heard, nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.policy import why_left_out
from bot.review import TIME_TO_SPEAK
from models.figures import difference, micro_f1, per_label

if TYPE_CHECKING:
    from bot.feedback import Feedback, Kind
    from bot.repo_config import RepoConfig
    from bot.store.rows import Decision, Label, ShadowScore

HOW = "as both are deployed, on new issues that both scored before anybody had spoken"
_SEED = 0
_MEANS: Mapping[Kind, bool] = {
    "confirmed": True,
    "false negative": True,
    "accepted": True,
    "false positive": False,
    "replaced": False,
    "dismissed": False,
}


@dataclass(frozen=True)
class Seen:
    """One issue: the labels that either version knows with what is true of each, by id, and the
    labels that each version showed."""

    truth: Mapping[int, bool]
    theirs: frozenset[int] = field(default_factory=frozenset)
    ours: frozenset[int] = field(default_factory=frozenset)


def seen(
    decision: Decision,
    scores: Iterable[ShadowScore],
    found: Sequence[Feedback],
    present: Collection[int],
    now: float,
) -> Seen | None:
    """What is to be learned from an issue; None while its people have not had their say.

    `scores` are ours, `decision` is theirs and the first on the issue, `found` what people made of
    that, `present` the ids of the labels that are on the issue now.
    """
    acted = any(each.at is not None for each in found)
    theirs = _shown(decision)
    if not acted or now - decision.at < TIME_TO_SPEAK or not theirs:
        return None  # without any score of theirs the reasons were removed
    said = {each.label_id: each for each in found}
    ours = {each.label_id: each.verdict != "none" for each in scores}
    known = {label: _truth(said.get(label), label in present) for label in {*theirs, *ours}}
    return Seen(
        {label: right for label, right in known.items() if right is not None},
        frozenset(label for label, shown in theirs.items() if shown),
        frozenset(label for label, shown in ours.items() if shown),
    )


def _shown(decision: Decision) -> dict[int, bool]:
    """Whether each label that a version has a score for was applied or suggested, by id."""
    return {
        each["label_id"]: each.get("verdict") != "none"
        for each in decision.verdicts
        if each.get("label_id") is not None and each.get("probability") is not None
    }


def _truth(said: Feedback | None, is_on: bool) -> bool | None:
    """Whether a label belongs to an issue; None where we cannot tell.

    One that is on it without a person's word after we looked came from elsewhere, or was there.
    """
    if said is not None:
        return _MEANS.get(said.kind)
    return None if is_on else False


def compare(issues: Sequence[Seen], labels: Iterable[Label], config: RepoConfig) -> dict[str, Any]:
    """The figures of both on these issues, as plain values, with a table of each.

    Labels that the configuration leaves out now, or that are gone, count for neither.
    """
    known = {label for each in issues for label in each.truth}
    columns = [x for x in labels if x.id in known and why_left_out(config, x.name) is None]
    ids = [label.id for label in columns]
    asked = _table(issues, ids, lambda each: each.truth)
    truth = _table(issues, ids, lambda each: {k for k, right in each.truth.items() if right})
    ours = _table(issues, ids, lambda each: each.ours) & asked
    theirs = _table(issues, ids, lambda each: each.theirs) & asked
    found = difference(truth, ours, theirs, _SEED)
    names = [label.name for label in columns]
    return {
        "how": HOW,
        "n": len(issues),
        "challenger": micro_f1(truth, ours),
        "rival": micro_f1(truth, theirs),
        "difference": found.value,
        "bound": found.at_worst,
        "at_best": found.at_best,
        "labels": per_label(names, truth, theirs),
        "challenger_labels": per_label(names, truth, ours),
    }


def _table(
    issues: Sequence[Seen], ids: Sequence[int], of: Callable[[Seen], Collection[int]]
) -> np.ndarray[Any, Any]:
    """Booleans (issues, labels): whether a label is among those of an issue."""
    rows = [[label in of(each) for label in ids] for each in issues]
    return np.array(rows, dtype=bool).reshape(len(issues), len(ids))
