"""Somebody comments: a command to us becomes a job, everything else is none of our business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import commands
from bot.handlers import Declined, adopt, on
from bot.handlers.incoming import receive
from bot.tasks import enqueue_command, is_recent

if TYPE_CHECKING:
    from bot.context import Context
    from bot.events import CommentEvent


@on("issue_comment", "created")
def commented(context: Context, event: CommentEvent) -> str:
    """Have the commands of a comment obeyed, once. Whether its author may is asked by the job."""
    found = commands.read(event.comment.body)
    if not found:
        raise Declined("the comment has no command")
    repository = receive(context, event)
    if repository.installation_id is None:
        raise Declined("the App is not installed on this repository")
    if not commands.is_by_a_person(event.comment, adopt.config(repository), context.known_bot):
        raise Declined("a bot wrote the comment")
    if event.comment.created_at and not is_recent(event.comment.created_at, event.received_at):
        raise Declined("the comment is old")
    job = enqueue_command(context.store, repository, event.issue.number, event.comment.id)
    return f"{', '.join(found)}: by job {job.id}" if job else "this comment was obeyed before"
