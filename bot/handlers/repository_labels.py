"""The labels of a repository are made, changed and deleted. A label's id outlives its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.handlers import adopt, on

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import LabelChanged


@on("label", "created", "edited")
def kept(context: Context, event: LabelChanged) -> str:
    """Keep the label under its id: a renamed one stays the same label."""
    repository = adopt.repository(context.store, event)
    context.store.labels.upsert(adopt.label_row(repository, event.label))
    return f"label {event.label.name} {event.action}"


@on("label", "deleted")
def deleted(context: Context, event: LabelChanged) -> str:
    """Mark the label deleted: it is never predicted or added again."""
    repository = adopt.repository(context.store, event)
    if context.store.labels.get(repository.id, event.label.id) is None:
        row = adopt.label_row(repository, event.label)
        context.store.labels.upsert(replace(row, deleted=True))
    context.store.labels.delete(repository.id, event.label.id)
    return f"label {event.label.name} deleted"
