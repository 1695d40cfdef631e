"""What to label next, and a person's answers: they teach, and GitHub is not told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.errors import BotError
from bot.provenance import standing
from bot.repo_config import RepoConfig
from bot.snapshots import opened_text
from bot.store.rows import Answer
from bot.times import from_epoch
from models.text import IssueText, prepare

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Issue, Label, Repository
    from models.encoder import Progress
    from models.prediction import Examined

AMONG = 500
"""The newest unlabeled issues, among which is chosen: a choice must not take minutes."""
LIKELY = 0.5
"""A label that the model thinks as likely and a person leaves out is a hard negative."""
_PAGE = 500

Skipped = Literal["skip", "quit"]


class NothingToAsk(BotError):
    """There is no issue without a label, or no label to give."""


class NoAnswer(BotError):
    """What was typed is no answer; the message says what is wrong with it."""


class Examines(Protocol):
    """What a loaded model does for many texts."""

    def examine(self, texts: Sequence[IssueText], *, progress: Progress | None = None) -> Examined:
        """Scores and vectors."""
        ...


@dataclass(frozen=True)
class Question:
    """An issue to label. `choices` are all labels, the likeliest first; a label that the model does
    not know has no probability. `bits` is how much an answer would tell."""

    number: int
    text: IssueText
    created_at: str
    choices: tuple[tuple[Label, float | None], ...]
    bits: float

    def to_json(self) -> dict[str, Any]:
        """What `annotate --json` prints for an issue."""
        known = {label.name: round(p, 4) for label, p in self.choices if p is not None}
        return {
            "number": self.number,
            "title": self.text.title,
            "created_at": self.created_at,
            "bits": round(self.bits, 3),
            "scores": known,
        }


def questions(
    store: Store,
    repository: Repository,
    model: Examines,
    count: int,
    *,
    progress: Progress | None = None,
) -> list[Question]:
    """The issues whose labels would teach most, in order. Raises NothingToAsk."""
    from models.teaching import rank, uncertainty

    issues = unlabeled(store, repository)
    labels = store.labels.all(repository.id)
    if not issues or not labels:
        name = repository.full_name
        if not labels:
            raise NothingToAsk(
                f"{name} has no label here to choose from: make some on GitHub, then"
                f" `labelwright pull {name}`"
            )
        raise NothingToAsk(
            f"every issue of {name} here has a label or an answer: nothing to ask"
            f" (`labelwright audit {name}` lists labels that look wrong)"
        )
    texts = [prepare(*opened_text(issue)) for issue in issues]
    seen = model.examine(texts, progress=progress)
    bits = uncertainty(seen.probabilities)
    return [
        Question(
            number=issues[i].number,
            text=texts[i],
            created_at=issues[i].created_at,
            choices=_choices(labels, dict(zip(seen.names, seen.probabilities[i], strict=True))),
            bits=float(bits[i]),
        )
        for i in rank(seen.probabilities, seen.vectors, count)
    ]


def unlabeled(store: Store, repository: Repository, limit: int = AMONG) -> list[Issue]:
    """The newest issues of whose labels nobody has said anything, on GitHub or here."""
    config = RepoConfig.from_dict(repository.config)
    labels = {label.id: label for label in store.labels.all(repository.id)}
    answered = store.answers.all(repository.id)
    found: list[Issue] = []
    after = 0
    while page := store.issues.page(repository.id, after, _PAGE):
        after = page[-1].number
        found += [
            issue
            for issue in page
            if not (issue.is_pull_request or issue.labels or issue.number in answered)
        ]
    silent = (
        issue
        for issue in sorted(found, key=lambda issue: -issue.number)
        if not standing(
            issue, store.events.for_issue(repository.id, issue.number), (), labels, config
        ).removed
    )
    return [issue for issue, _ in zip(silent, range(limit), strict=False)]


def read_answer(typed: str, question: Question) -> tuple[int, ...] | Skipped:
    """The ids of the labels that were typed, by number or name; raises NoAnswer.

    "0" or "none" is none of them, an empty line or "s" skips the issue, "q" ends.
    """
    words = [word.strip() for word in typed.replace(",", "\n").splitlines() if word.strip()]
    if len(words) == 1 and all(part.isdecimal() for part in words[0].split()):
        words = words[0].split()
    match [word.casefold() for word in words]:
        case [] | ["s"] | ["skip"]:
            return "skip"
        case ["q"] | ["quit"]:
            return "quit"
        case ["0"] | ["none"]:
            return ()
    return tuple(dict.fromkeys(_label(word, question).id for word in words))


def answers(
    question: Question, chosen: Sequence[int], repository_id: int, now: float
) -> list[Answer]:
    """What is kept of an answer: a yes for each label that was chosen, and a no for each that the
    model took for likely and that was not; where nothing was chosen, for the likeliest at least."""
    known = [(label.id, p) for label, p in question.choices if p is not None]
    denied = [id for id, p in known if p >= LIKELY and id not in chosen]
    if not chosen and not denied:
        denied = [label.id for label, _ in question.choices[:1]]
    at = from_epoch(now)
    said = [*((id, True) for id in chosen), *((id, False) for id in denied)]
    return [Answer(repository_id, question.number, id, yes, at) for id, yes in said]


def _choices(
    labels: Sequence[Label], scores: dict[str, Any]
) -> tuple[tuple[Label, float | None], ...]:
    found = [(x, float(scores[x.name]) if x.name in scores else None) for x in labels]
    return tuple(sorted(found, key=lambda pair: -1.0 if pair[1] is None else pair[1], reverse=True))


def _label(word: str, question: Question) -> Label:
    labels = [label for label, _ in question.choices]
    if word.isdecimal():
        if 1 <= int(word) <= len(labels):
            return labels[int(word) - 1]
        raise NoAnswer(f"there is no label {word}: 1 to {len(labels)}, or 0 for none of them")
    named = [label for label in labels if label.name.casefold() == word.casefold()]
    if not named:
        raise NoAnswer(f"there is no label {word!r}")
    return named[0]
