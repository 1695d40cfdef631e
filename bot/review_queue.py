"""The reports `questions` and `doubts`: what a person may look at to teach most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot import annotate
from bot.annotate import NothingToAsk
from bot.audit import NoAudit, audit

if TYPE_CHECKING:
    from bot.annotate import Examines, Question
    from bot.store import Store
    from bot.store.rows import Repository
    from models.bundle import Bundle
    from models.encoder import Progress

MOST_QUESTIONS, MOST_CHOICES, MOST_DOUBTS = 50, 8, 200


def questions(
    store: Store,
    repository: Repository,
    model: Examines,
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The body of `questions`, but for its version; see docs/console-reports.md."""
    try:
        found = annotate.questions(store, repository, model, MOST_QUESTIONS, progress=progress)
    except NothingToAsk as nothing:
        return {"problem": str(nothing), "questions": []}
    return {"problem": None, "questions": [_question(each) for each in found]}


def doubts(store: Store, repository: Repository, bundle: Bundle | None) -> dict[str, Any]:
    """The body of `doubts`, but for its version; without a bundle there is nothing to doubt by."""
    if bundle is None:
        name = repository.full_name
        why = f"{name} has no model yet that could doubt: train it, `labelwright train {name}`"
        return {"problem": why, "total": 0, "doubts": []}
    try:
        found = audit(store, repository, bundle)
    except NoAudit as nothing:
        return {"problem": str(nothing), "total": 0, "doubts": []}
    ids = {label.name: label.id for label in store.labels.all(repository.id)}
    rows = [_without_title(each.to_json()) for each in found[:MOST_DOUBTS]]
    rows = [row | {"id": ids.get(row["label"])} for row in rows]
    return {"problem": None, "total": len(found), "doubts": rows}


def _question(question: Question) -> dict[str, Any]:
    likely = [(label, p) for label, p in question.choices if p is not None]
    return {
        "number": question.number,
        "created_at": question.created_at,
        "bits": round(question.bits, 3),
        "choices": [
            {"label": label.name, "id": label.id, "probability": round(p, 4)}
            for label, p in likely[:MOST_CHOICES]
        ],
    }


def _without_title(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "title"}
