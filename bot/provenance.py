"""Which labels an issue has, who put each there, and which a person took off. Pure.

A label that we put on counts as a person's once a person has confirmed it, and as nothing before.
With a moment given, only what had happened by then counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.feedback import derive, kind_today
from bot.repo_config import RepoConfig

if TYPE_CHECKING:
    from bot.store.rows import Answer, AppliedLabel, Issue, Label, LabelEvent
    from models.snapshot import Provenance


@dataclass(frozen=True)
class Standing:
    """The labels of one issue by name with their provenance, and those that a person took off."""

    labels: Mapping[str, Provenance]
    removed: tuple[str, ...]


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
        said.applied_id for said in derive(events, ours, config) if said.kind == "confirmed"
    }
    present: dict[str, Provenance] = {}
    removed: list[str] = []
    for label in labels.values():
        about = _about(label, events)
        before = [e for e in about if as_of is None or e.at < as_of]
        answer = _answer(label, answers, before, as_of)
        if answer is not None:
            if answer.belongs:
                present[label.name] = "person"
            else:
                removed.append(label.name)
            continue
        if not _was_on(label.id in issue.labels, about, before):
            if before and _taken_off_by_person(before[-1], config):
                removed.append(label.name)
            continue
        mine = [one for one in ours if one.label_id == label.id]
        by = _by(before, mine, config)
        spoken_for = any(one.id in confirmed for one in mine)
        present[label.name] = "person" if by == "us" and spoken_for else by
    return Standing(present, tuple(removed))


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


def _was_on(is_on: bool, about: Sequence[LabelEvent], before: Sequence[LabelEvent]) -> bool:
    """Whether the label was on the issue after the events `before`, the first of all `about`."""
    if len(before) == len(about):
        return is_on
    if before:
        return before[-1].action == "labeled"
    return about[0].action == "unlabeled"


def _by(
    before: Sequence[LabelEvent], mine: Sequence[AppliedLabel], config: RepoConfig
) -> Provenance:
    """Who put a label on that is on: the last event says, or our own record."""
    last = before[-1] if before else None
    if last is not None and last.action == "labeled":
        return kind_today(last, config)
    return "us" if mine else "unknown"


def _taken_off_by_person(last: LabelEvent, config: RepoConfig) -> bool:
    return last.action == "unlabeled" and kind_today(last, config) == "person"
