"""What happened to an issue, as one list: what others did, what we decided, what was said here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from bot.console.overview import labels_of
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.store.rows import Answer, Decision, LabelEvent

MOST = 200
_WHO = {"us": "Labelwright", "template": "a template", "unknown": "somebody"}
_NOTES = {"bot": "a bot", "unheard": "does not count", "template": "by a template"}


@dataclass(frozen=True)
class Happening:
    """One line, `at` GitHub's time: who did what with which labels."""

    at: str
    who: str
    what: str
    labels: tuple[str, ...] = ()
    note: str = ""


def happened(
    events: Sequence[LabelEvent],
    decisions: Sequence[Decision],
    answers: Sequence[Answer],
    names: Mapping[int, str],
) -> list[Happening]:
    """The newest MOST, the newest first. `names` are those of labels by id."""
    every = chain(
        (_event(each) for each in events[-MOST:]),
        (line for each in decisions for line in _decision(each)),
        (_answer(each, names) for each in answers),
    )
    return sorted(every, key=lambda line: line.at)[::-1][:MOST]


def _event(event: LabelEvent) -> Happening:
    who = event.actor_login or _WHO.get(event.actor_kind, "somebody")
    if event.actor_kind == "us":
        who = _WHO["us"]
    what = "put on" if event.action == "labeled" else "took off"
    note = "by a command" if event.source == "command" else _NOTES.get(event.actor_kind, "")
    return Happening(event.at, who, what, (event.label_name,), note)


def _decision(decision: Decision) -> list[Happening]:
    at, by = from_epoch(decision.at), f"version {decision.version}"
    found = [
        Happening(at, by, what, tuple(names), decision.trigger)
        for what, names in (
            ("suggested", labels_of(decision, "suggest")),
            ("decided to apply", labels_of(decision, "apply")),
        )
        if names
    ]
    return found or [
        Happening(at, by, "decided to apply and suggest nothing", (), decision.trigger)
    ]


def _answer(answer: Answer, names: Mapping[int, str]) -> Happening:
    what = "said here: it belongs" if answer.belongs else "said here: it does not belong"
    return Happening(answer.at, "somebody", what, (names.get(answer.label_id, "a label"),))
