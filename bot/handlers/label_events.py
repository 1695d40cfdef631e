"""One label on one issue, with who did it: the evidence from which corrections are derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actors import Opening, actor_kind
from bot.handlers import adopt
from bot.store.rows import LabelEvent

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.remote import RemoteLabelEvent
    from bot.store.rows import Repository


def label_event(
    context: Context,
    repository: Repository,
    change: RemoteLabelEvent,
    *,
    label_id: int | None,
    opened: Opening,
) -> LabelEvent:
    """The row of one label put on an issue that came about as `opened` says, or taken off it.

    What a template did is dated when the issue was opened: that is the same event, however
    GitHub tells of it.
    """
    config = adopt.config(repository)
    kind = actor_kind(
        change, us=context.known_bot, people=config.people, bots=config.bots, opened=opened
    )
    return LabelEvent(
        repository_id=repository.id,
        number=change.number,
        label_id=label_id,
        label_name=change.label_name,
        action=change.action,
        actor_id=change.actor_id,
        actor_login=change.actor_login,
        actor_kind=kind,
        at=opened.at if kind == "template" else change.at,
        source="webhook",
    )
