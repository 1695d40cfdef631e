"""What a person says about an issue's labels in the console, and how it is taken back.

Who signed in with GitHub labels on GitHub, in their own name. From others it is kept here, as an
answer: it teaches as well, and GitHub is not told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.console.relabel import Labeler
from bot.store.rows import Answer
from bot.tasks import enqueue_look, enqueue_talk
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.console.desk import Desk
    from bot.console.people import Person
    from bot.store.rows import Issue, Label, Repository

Before = tuple[int, bool | None, str]
"""The answer for a label that stood before: its id, what it said (None: there was none), when."""


@dataclass(frozen=True)
class Said:
    """What was done, so that it can be taken back. `events` are the ids of those it led to."""

    repository_id: int
    number: int
    key: str = ""
    put_on: tuple[int, ...] = ()
    taken_off: tuple[int, ...] = ()
    events: tuple[int, ...] = ()
    answers: tuple[Before, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For the session's cookie."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Said:
        """What `to_json` gave."""
        lists = {each: tuple(value[each]) for each in ("put_on", "taken_off", "events", "answers")}
        lists["answers"] = tuple((id, yes, at) for id, yes, at in lists["answers"])
        return cls(**(dict(value) | lists))


class Teacher:
    """One person and one issue."""

    def __init__(self, at: Desk, who: Person, repository: Repository, issue: Issue) -> None:
        self._at, self._who, self._repository, self._issue = at, who, repository, issue
        self._nothing = Said(repository.id, issue.number)

    def put_on(self, labels: Sequence[Label]) -> Said:
        """These labels belong to the issue. Raises a ConsoleError: then nothing is recorded."""
        missing = [label for label in labels if label.id not in self._issue.labels]
        if self._who.token is None or not missing:
            return self.answer([(label, True) for label in labels])
        events = self._labeler().put_on(missing)
        return replace(self._nothing, put_on=tuple(x.id for x in missing), events=events)

    def take_off(self, label: Label) -> Said:
        """This label does not belong to the issue. Raises as `put_on`."""
        if self._who.token is None or label.id not in self._issue.labels:
            return self.answer([(label, False)])
        events = self._labeler().take_off(label)
        return replace(self._nothing, taken_off=(label.id,), events=events)

    def answer(self, said: Sequence[tuple[Label, bool]]) -> Said:
        """Keep here whether labels belong; GitHub is not told."""
        here = (self._repository.id, self._issue.number)
        store, now = self._at.store, from_epoch(self._at.now())
        with store.transaction():
            known = {each.label_id: each for each in store.answers.for_issue(*here)}
            store.answers.add(Answer(*here, label.id, yes, now) for label, yes in said)
            self._tell()
        before = tuple(_before(label.id, known.get(label.id)) for label, _ in said)
        return replace(self._nothing, answers=before)

    def take_back(self, said: Said) -> None:
        """Undo it, on GitHub as well; what was said counts as if it had never been.

        Raises a ConsoleError: then nothing is changed here.
        """
        store, here = self._at.store, (said.repository_id, said.number)
        events = list(said.events)
        labels = {label.id: label for label in store.labels.all(said.repository_id)}
        for id in said.put_on:
            if id in labels:
                events += self._labeler().take_off(labels[id])
        back = [labels[id] for id in said.taken_off if id in labels]
        if back:
            events += self._labeler().put_on(back)
        with store.transaction():
            store.events.silence(events)
            store.answers.remove(*here, [id for id, _, _ in said.answers])
            old = [Answer(*here, id, yes, at) for id, yes, at in said.answers if yes is not None]
            store.answers.add(old)
            self._tell()

    def _labeler(self) -> Labeler:
        return Labeler(self._at, self._who, self._repository, self._issue)

    def _tell(self) -> None:
        """Have the answers looked at soon, and our comment on the issue brought up to date."""
        store = self._at.store
        enqueue_look(store, self._repository)
        known = store.explanations.get(self._repository.id, self._issue.number)
        if known is not None and not known.deleted:
            enqueue_talk(store, self._repository, self._issue.number)


def together(*several: Said) -> Said:
    """Several things that were done at once, as one. The first says of which issue."""
    first = several[0]
    return replace(
        first,
        put_on=tuple(id for each in several for id in each.put_on),
        taken_off=tuple(id for each in several for id in each.taken_off),
        events=tuple(id for each in several for id in each.events),
        answers=tuple(answer for each in several for answer in each.answers),
    )


def _before(label_id: int, known: Answer | None) -> Before:
    return (label_id, None, "") if known is None else (label_id, known.belongs, known.at)
