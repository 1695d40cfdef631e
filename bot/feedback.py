"""What people's label changes say about ours: derived from the label events, never stored. Pure.

Only a person's word counts: what a template, another bot or we ourselves did is no evidence. A
login in `people` of the repository's configuration is a person, one in `bots` is not. What is
`unheard` (see `bot.trust`) is passed over: what others said before it still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from bot.repo_config import RepoConfig, matches
from bot.times import to_epoch

if TYPE_CHECKING:
    from bot.store.rows import ActorKind, Answer, AppliedLabel, LabelEvent

Kind = Literal[
    "confirmed",
    "false positive",
    "false negative",
    "replaced",
    "accepted",
    "dismissed",
    "untouched",
    "withdrawn",
]
CORRECTIONS: frozenset[Kind] = frozenset(
    {"false positive", "false negative", "replaced", "accepted", "dismissed"}
)
"""The kinds that a retraining learns something from."""

NOTHING: Mapping[int, str] = MappingProxyType({})
SAME_MOMENT = 600.0
"""Seconds between taking one label off and putting another on that make it one correction."""
CLOCK_SKEW = 60.0
"""Seconds that our clock and GitHub's may differ."""


@dataclass(frozen=True)
class Feedback:
    """What became of one label on one issue.

    confirmed: we added it, and a person put it on as well, or changed other labels and left it.
    false positive: a person took it off. replaced: and put `replaced_by` on instead.
    false negative: a person added what we, having looked at the issue, had not. accepted: the same
    of what we had suggested. dismissed: a person said here that what we had suggested is wrong.
    untouched: we added it and nobody has said anything. withdrawn: taken off, but not by a person.
    `at` is GitHub's time of the person's act, None where there was none; `version` is the model
    that added the label, or that had not.
    """

    number: int
    label_id: int | None
    label: str
    kind: Kind
    version: str
    at: str | None = None
    actor: str | None = None
    replaced_by: str | None = None
    applied_id: int | None = None

    @property
    def is_correction(self) -> bool:
        """Whether there is something to learn from it."""
        return self.kind in CORRECTIONS


def kind_today(event: LabelEvent, config: RepoConfig) -> ActorKind:
    """The kind of actor under the configuration of today: it may have changed since the event."""
    login = (event.actor_login or "").casefold().removesuffix("[bot]")
    if not login or event.actor_kind in ("us", "unheard"):
        return event.actor_kind
    if login in {name.casefold().removesuffix("[bot]") for name in config.people}:
        return "person"
    if login in {name.casefold().removesuffix("[bot]") for name in config.bots}:
        return "bot"
    return event.actor_kind


def derive(
    events: Iterable[LabelEvent],
    applied: Iterable[AppliedLabel],
    config: RepoConfig,
    *,
    decided_at: float | None = None,
    version: str = "",
    suggested: Mapping[int, str] = NOTHING,
    answers: Iterable[Answer] = (),
) -> list[Feedback]:
    """The feedback on one issue, from its label events (in order) and what we applied to it.

    `decided_at` (epoch seconds), `version` and `suggested` (labels by id) are of our first decision
    on the issue: what a person added before is no correction of ours. None: we never looked, and
    missed nothing. `answers` are what people said here, unless they did something on GitHub since.
    """
    ordered = [replace(event, actor_kind=kind_today(event, config)) for event in events]
    ours = [label for label in applied if label.outcome in ("applied", "undone")]
    found = [_on_ours(label, ordered, config) for label in ours]
    found = [_with_replacement(feedback, ordered, config) for feedback in found]
    missed = [
        replace(each, kind="accepted") if each.label_id in suggested else each
        for each in _missed(ordered, ours, config, decided_at, version)
    ]
    said = {each.label_id for each in (*found, *missed)}
    told = [
        _told(answer, suggested[answer.label_id], version)
        for answer in answers
        if answer.label_id in suggested.keys() - said and not _is_old(answer, ordered)
    ]
    return [*found, *missed, *told]


def unconfirmed(feedback: Feedback) -> bool:
    """Whether we may take the label back: we added it, it stands, and no person spoke for it."""
    return feedback.kind == "untouched"


def _on_ours(label: AppliedLabel, events: Sequence[LabelEvent], config: RepoConfig) -> Feedback:
    """What became of one label that we applied: the last act on it decides."""
    said = Feedback(
        number=label.number,
        label_id=label.label_id,
        label=label.label,
        kind="withdrawn" if label.outcome == "undone" else "untouched",
        version=label.version,
        applied_id=label.id,
    )
    after = events_after(label, events)
    own = [event for event in after if is_about(event, label)]
    if own:
        heard = [event for event in own if event.actor_kind != "unheard"]
        return _by_last_act(said, (heard or own)[-1])
    others = [event for event in after if event.actor_kind == "person"]
    if others and said.kind == "untouched" and not _is_fallback(label.label, config):
        return replace(said, kind="confirmed", at=others[0].at, actor=others[0].actor_login)
    return said


def _by_last_act(said: Feedback, last: LabelEvent) -> Feedback:
    if last.actor_kind == "person":
        kind: Kind = "confirmed" if last.action == "labeled" else "false positive"
        return replace(said, kind=kind, at=last.at, actor=last.actor_login)
    return replace(said, kind="withdrawn") if last.action == "unlabeled" else said


def events_after(label: AppliedLabel, events: Sequence[LabelEvent]) -> list[LabelEvent]:
    """The events after the one by which we put a label on; by the clock where that is unknown."""
    ours = [
        i
        for i, event in enumerate(events)
        if event.actor_kind == "us" and event.action == "labeled" and is_about(event, label)
    ]
    if ours:
        return list(events[ours[-1] + 1 :])
    since = (label.applied_at or label.intended_at) - CLOCK_SKEW
    return [event for event in events if to_epoch(event.at) >= since]


def is_about(event: LabelEvent, label: AppliedLabel) -> bool:
    """Whether an event is about a label: by id where both are known, since names change."""
    if event.label_id is not None:
        return event.label_id == label.label_id
    return event.label_name.casefold() == label.label.casefold()


def _with_replacement(said: Feedback, events: Sequence[LabelEvent], config: RepoConfig) -> Feedback:
    """A label taken off while another of its group, or any within ten minutes, was put on."""
    if said.kind != "false positive" or said.at is None:
        return said
    removed_at = to_epoch(said.at)
    for event in events:
        if event.actor_kind != "person" or event.action != "labeled":
            continue
        if event.label_name.casefold() == said.label.casefold():
            continue
        near = abs(to_epoch(event.at) - removed_at) <= SAME_MOMENT
        if near or _same_group(said.label, event.label_name, config):
            return replace(said, kind="replaced", replaced_by=event.label_name)
    return said


def _same_group(one: str, other: str, config: RepoConfig) -> bool:
    return any(matches(g.match, one) and matches(g.match, other) for g in config.groups)


def _missed(
    events: Sequence[LabelEvent],
    ours: Sequence[AppliedLabel],
    config: RepoConfig,
    decided_at: float | None,
    version: str,
) -> list[Feedback]:
    """Labels that a person added after we had looked, and that are still on."""
    if decided_at is None:
        return []
    standing: dict[str, LabelEvent] = {}
    for event in events:
        name = event.label_name.casefold()
        if event.actor_kind == "unheard":
            continue
        if event.action == "unlabeled":
            standing.pop(name, None)
        elif event.actor_kind == "person" and to_epoch(event.at) >= decided_at - 1:
            standing.setdefault(name, event)
    return [
        Feedback(
            number=event.number,
            label_id=event.label_id,
            label=event.label_name,
            kind="false negative",
            version=version,
            at=event.at,
            actor=event.actor_login,
        )
        for event in standing.values()
        if not any(is_about(event, label) for label in ours)
        and not _is_fallback(event.label_name, config)
    ]


def _told(answer: Answer, label: str, version: str) -> Feedback:
    """What a person said here about a label that we had suggested."""
    return Feedback(
        number=answer.number,
        label_id=answer.label_id,
        label=label,
        kind="accepted" if answer.belongs else "dismissed",
        version=version,
        at=answer.at,
    )


def _is_old(answer: Answer, events: Iterable[LabelEvent]) -> bool:
    """Whether something happened to the label on GitHub since it was answered for."""
    return any(e.label_id == answer.label_id and e.at > answer.at for e in events)


def _is_fallback(name: str, config: RepoConfig) -> bool:
    return config.fallback is not None and config.fallback.casefold() == name.casefold()
