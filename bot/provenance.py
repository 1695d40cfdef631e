"""Which labels an issue has, who put each there, and which a person took off. Pure.

A label that we put on counts as a person's once a person has confirmed it, and as nothing before.
With a moment given, only what had happened by then counts. Whose events are `unheard` (see
`bot.trust`) says nothing: what others said before still stands, and where nobody had, the label is
unheard, on the issue or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bot.feedback import derive, kind_today
from bot.repo_config import RepoConfig

if TYPE_CHECKING:
    from bot.store.rows import Answer, AppliedLabel, Issue, Label, LabelEvent
    from models.snapshot import Provenance

    _By = Provenance | Literal["removed"]


@dataclass(frozen=True)
class Standing:
    """The labels of one issue by name with their provenance, and those that a person took off.

    `said_at` has for names of both when that was last said (GitHub's time), where it is known.
    """

    labels: Mapping[str, Provenance]
    removed: tuple[str, ...]
    said_at: Mapping[str, str] = field(default_factory=dict)


def standing(
    issue: Issue,
    events: Sequence[LabelEvent],
    applied: Iterable[AppliedLabel],
    labels: Mapping[int, Label],
    config: RepoConfig,
    *,
    answers: Sequence[Answer] = (),
    as_of: str | None = None,
) -> Standing:
    """Where an issue's labels stand now, or at `as_of` (GitHub's time).

    `events` are the issue's in their order, `applied` what we put on it, `labels` those that the
    repository has. A label that no event tells of counts as it is now, of unknown provenance.
    `answers` are what a person said here about the issue: as good as doing it on GitHub, until
    something newer happens there.
    """
    ours = list(applied)
    confirmed = {
        said.applied_id: said.at
        for said in derive(events, ours, config)
        if said.kind == "confirmed"
    }
    present: dict[str, Provenance] = {}
    removed: list[str] = []
    said_at: dict[str, str] = {}
    by: _By | None
    for label in labels.values():
        about = _about(label, events)
        before = [e for e in about if as_of is None or e.at < as_of]
        heard = [e for e in before if e.actor_kind != "unheard"]
        answer = _answer(label, answers, heard, as_of)
        if answer is not None:
            by, at = _answered(answer)
        elif _is_anybodys_guess(before, heard):
            by, at = "unheard", None
        elif _was_on(label.id in issue.labels, about, before, heard):
            mine = [one for one in ours if one.label_id == label.id]
            by, at = _put_on(heard, mine, confirmed, config)
        else:
            by, at = _left_off(heard, config)
        if by == "removed":
            removed.append(label.name)
        elif by is not None:
            present[label.name] = by
        if at:
            said_at[label.name] = at
    return Standing(present, tuple(removed), said_at)


def _about(label: Label, events: Iterable[LabelEvent]) -> list[LabelEvent]:
    """The events of one label: by id where the event has one, else by its name of today."""
    name = label.name.casefold()
    return [
        event
        for event in events
        if event.label_id == label.id
        or (event.label_id is None and event.label_name.casefold() == name)
    ]


def _answer(
    label: Label, answers: Iterable[Answer], before: Sequence[LabelEvent], as_of: str | None
) -> Answer | None:
    """What a person said here about the label, after all that happened to it on GitHub."""
    for answer in answers:
        is_past = as_of is None or answer.at < as_of
        if answer.label_id == label.id and is_past:
            return None if before and before[-1].at > answer.at else answer
    return None


def _answered(answer: Answer) -> tuple[_By, str | None]:
    return "person" if answer.belongs else "removed", answer.at


def _is_anybodys_guess(before: Sequence[LabelEvent], heard: Sequence[LabelEvent]) -> bool:
    """Whether a label that was not on was put on, and only by those who are not heard."""
    return bool(before) and not heard and before[0].action == "labeled"


def _was_on(
    is_on: bool,
    about: Sequence[LabelEvent],
    before: Sequence[LabelEvent],
    heard: Sequence[LabelEvent],
) -> bool:
    """Whether the label was on the issue after the events `before`, the first of all `about`.

    Where the last is not one of those `heard`, it is as after the last that is.
    """
    if before and before[-1].actor_kind == "unheard":
        return heard[-1].action == "labeled" if heard else before[0].action == "unlabeled"
    if len(before) == len(about):
        return is_on
    if before:
        return before[-1].action == "labeled"
    return about[0].action == "unlabeled"


def _put_on(
    before: Sequence[LabelEvent],
    mine: Sequence[AppliedLabel],
    confirmed: Mapping[int | None, str | None],
    config: RepoConfig,
) -> tuple[_By, str | None]:
    """Who put a label on that is on, and when: the last event says, or our own record."""
    last = before[-1] if before and before[-1].action == "labeled" else None
    by: _By = kind_today(last, config) if last else "us" if mine else "unknown"
    spoken_for = [confirmed[one.id] for one in mine if one.id in confirmed]
    asked = _asked_for(before) if by == "us" else None
    if asked is not None:
        return "person", asked.at
    if by == "us" and spoken_for:
        return "person", spoken_for[-1]
    return by, last.at if last else None


def _asked_for(before: Sequence[LabelEvent]) -> LabelEvent | None:
    """The command in a comment by which a person had us put on a label that was not taken off."""
    for event in reversed(before):
        if event.action == "unlabeled":
            return None
        if event.source == "command":
            return event
    return None


def _left_off(before: Sequence[LabelEvent], config: RepoConfig) -> tuple[_By | None, str | None]:
    """Whether a person took a label off that is not on, and when."""
    last = before[-1] if before else None
    if last and last.action == "unlabeled" and kind_today(last, config) == "person":
        return "removed", last.at
    return None, None
