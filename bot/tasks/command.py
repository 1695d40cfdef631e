"""Obey what a person with the right to label told us in a comment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot import commands, own_comment, policy, proposals
from bot.github.errors import Gone, Moved, NotFound
from bot.issue_now import read_live
from bot.reach import served
from bot.repo_config import RepoConfig
from bot.store.rows import LabelEvent
from bot.strays import remove_strays
from bot.tasks import enqueue_label, enqueue_review, enqueue_talk, task
from bot.tasks.explain import tell

if TYPE_CHECKING:
    from bot.commands import Command
    from bot.context import Context
    from bot.github.talk import RemoteComment
    from bot.issue_now import Live
    from bot.proposals import Proposal
    from bot.store.rows import Job

Obey = Callable[["Context", "Live", "RemoteComment"], str]


@task("command", lane="fast")
def obey(context: Context, job: Job) -> str:
    """Do what a comment says, as it stands now, if whoever wrote it may label here."""
    repository = served(context, job)
    if isinstance(repository, str):
        return repository
    if repository.archived:
        return "left alone: the repository is archived"
    config = RepoConfig.from_dict(repository.config)
    if policy.effective_mode(config, repository.mode) == "off":
        return "left alone: labelling is turned off for this repository"
    try:
        live = read_live(context, repository, job.number or 0, with_events=True)
        comment = live.client.comment(live.repository.full_name, int(job.payload["comment"]))
    except (Gone, NotFound, Moved) as error:
        return f"left alone: the comment or its issue cannot be reached ({error.status})"
    wanted = commands.read(comment.body)
    refusal = _why_not(context, live, comment, wanted)
    if refusal:
        return refusal
    return "; ".join(f"{word}: {_OBEY[word](context, live, comment)}" for word in wanted)


def _why_not(
    context: Context, live: Live, comment: RemoteComment, wanted: tuple[Command, ...]
) -> str | None:
    """Why a comment is not obeyed. Nobody is told: a comment anybody can write makes no noise."""
    config = RepoConfig.from_dict(live.repository.config)
    if not wanted:
        return "ignored: the comment has no command any more"
    if comment.number not in (0, live.issue.number):
        return "ignored: the comment is on another issue"
    if not commands.is_by_a_person(comment, config, context.bot):
        return "ignored: a bot wrote it"
    try:
        role = live.client.permission(live.repository.full_name, comment.author_login)
    except NotFound:
        role = "none"
    if role not in commands.MAY:
        return f"ignored: {comment.author_login} may not label here ({role})"
    return None


def _why(context: Context, live: Live, comment: RemoteComment) -> str:
    return tell(lambda: own_comment.write(context, live, asked=True))


def _off(context: Context, live: Live, comment: RemoteComment) -> str:
    """No more labels on this issue. What is on it stays: a person can take it off."""
    new = context.store.commands.switch_off(live.repository.id, live.issue.number)
    enqueue_talk(context.store, live.repository, live.issue.number)
    return "no more labels on this issue" if new else "it was off already"


def _apply(context: Context, live: Live, comment: RemoteComment) -> str:
    """Put on what is suggested. The word is the person's, so it is theirs that is kept: before the
    write, since it holds whatever becomes of that."""
    store, number = context.store, live.issue.number
    wanted = proposals.suggested(store, live)
    if wanted:
        said = [_event(live, comment, each) for each in wanted]
        with store.transaction():
            store.events.add(said)
            enqueue_review(store, live.repository, said)
        _put_on(context, live, [each.label.name for each in wanted])
    # After a crash the labels are on already: what follows from that is asked for all the same.
    if RepoConfig.from_dict(live.repository.config).fallback:
        enqueue_label(store, live.repository, number, trigger="triaged")
    enqueue_talk(store, live.repository, number)
    if not wanted:
        return "nothing is suggested that is not on the issue"
    return f"put on {', '.join(each.label.name for each in wanted)}"


def _put_on(context: Context, live: Live, names: list[str]) -> None:
    """Add labels; one that GitHub makes because it was deleted a second ago goes again."""
    answer = live.client.add_labels(live.repository.full_name, live.issue.number, names)
    known = {label.id for label in answer} & set(live.labels)
    context.store.issues.set_labels(live.repository.id, live.issue.number, known)
    remove_strays(context, live, [label for label in answer if label.id not in live.labels])


def _event(live: Live, comment: RemoteComment, each: Proposal) -> LabelEvent:
    return LabelEvent(
        repository_id=live.repository.id,
        number=live.issue.number,
        label_id=each.label.id,
        label_name=each.label.name,
        action="labeled",
        actor_id=comment.author_id,
        actor_login=comment.author_login,
        actor_kind="person",
        at=comment.created_at,
        source="command",
    )


_OBEY: Mapping[Command, Obey] = MappingProxyType({"why": _why, "apply": _apply, "off": _off})
