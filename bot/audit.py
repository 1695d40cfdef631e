"""Which labels of past issues the model doubts most, by scores of fits that had not seen them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import BotError

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Repository
    from models.bundle import Bundle


class NoAudit(BotError):
    """The version in force does not say whose its out-of-fold scores are."""


@dataclass(frozen=True)
class Finding:
    """One label of one issue that looks wrong: `given` although unlikely, or missing."""

    number: int
    title: str
    label: str
    given: bool
    probability: float
    bits: float

    def to_json(self) -> dict[str, Any]:
        """What `audit --json` prints for a label."""
        return {
            "number": self.number,
            "title": self.title,
            "label": self.label,
            "given": self.given,
            "probability": round(self.probability, 4),
            "bits": round(self.bits, 2),
        }


def audit(store: Store, repository: Repository, bundle: Bundle) -> list[Finding]:
    """The labels that look wrong, the most surprising first. Raises NoAudit.

    What has been changed since the training, on GitHub or by an answer here, is left out, and so
    are issues that are gone.
    """
    from models.doubt import doubts

    scores = bundle.validation
    if "numbers" not in scores:
        name = repository.full_name
        raise NoAudit(
            f"the model of {name} keeps no scores to audit by, for it was trained by an older"
            f" version: train it again, `labelwright train {name}`"
        )
    labels = {label.name: label.id for label in store.labels.all(repository.id)}
    answered = store.answers.all(repository.id)
    found = []
    for doubt in doubts(scores["probabilities"], scores["truth"], scores["known"]):
        number = int(scores["numbers"][doubt.row])
        name = bundle.labels.names[doubt.column]
        issue = store.issues.get(repository.id, number)
        if issue is None or issue.deleted or name not in labels:
            continue
        says = {a.label_id: a.belongs for a in answered.get(number, ())}
        if says.get(labels[name], labels[name] in issue.labels) == doubt.given:
            finding = Finding(
                number, issue.title, name, doubt.given, doubt.probability, doubt.surprise
            )
            found.append(finding)
    return found
