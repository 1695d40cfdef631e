"""Our one comment on an issue: written once, edited afterwards, and never against a person's will.

It is known by its id in the store, and found again on GitHub by our account and a hidden marker:
so a crash between the writing and its record leads to no second one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot import proposals
from bot.explaining import MARKER, Line, explain
from bot.github.errors import Gone, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.context import Context
    from bot.github.talk import RemoteComment
    from bot.issue_now import Live
    from bot.proposals import Proposal


def write(context: Context, live: Live, *, asked: bool = False) -> str:
    """Write or edit the comment on an issue so that it says how things stand; says what it did.

    `asked`: somebody asked for it just now. Only then is one written where a person deleted the
    last, or where there is nothing to say. Raises a GitHubError.
    """
    known = context.store.explanations.get(live.repository.id, live.issue.number)
    if known is not None and known.deleted and not asked:
        return "no comment: a person deleted ours"
    text = compose(context, live, asked=asked)
    if known is not None and not known.deleted:
        return _edit(context, live, known.comment_id, known.digest, text, asked=asked)
    found = _find(context, live)
    if found is not None:
        return _edit(context, live, found.id, _digest(found.body), text, asked=asked)
    return _post(context, live, text)


def refresh(context: Context, live: Live) -> str:
    """Edit the comment where there is one; nothing is written where there is none."""
    known = context.store.explanations.get(live.repository.id, live.issue.number)
    return "no comment to edit" if known is None else write(context, live)


def compose(context: Context, live: Live, *, asked: bool = False) -> str | None:
    """What there is to say about an issue's labels; None where that is nothing."""
    store = context.store
    return explain(
        _lines(proposals.applied(store, live)),
        _lines(proposals.suggested(store, live)),
        off=store.commands.is_off(live.repository.id, live.issue.number),
        asked=_lines(proposals.nearest(store, live)) if asked else None,
    )


def _post(context: Context, live: Live, text: str | None) -> str:
    if text is None:
        return "no comment: there is nothing to say"
    number = live.issue.number
    made = live.client.add_comment(live.repository.full_name, number, text)
    context.store.explanations.written(live.repository.id, number, made.id, _digest(text))
    return "comment written"


def _edit(
    context: Context, live: Live, comment_id: int, digest: str, text: str | None, *, asked: bool
) -> str:
    """Edit a comment that exists, as far as we know; what it says must not stay if it is over."""
    explanations, at = context.store.explanations, (live.repository.id, live.issue.number)
    wanted = text or explain((), (), asked=()) or ""
    if digest == _digest(wanted):
        explanations.written(*at, comment_id, digest)
        return "the comment says so already"
    try:
        live.client.edit_comment(live.repository.full_name, comment_id, wanted)
    except (NotFound, Gone):
        explanations.written(*at, comment_id, digest)
        explanations.mark_deleted(*at)
        return _post(context, live, text) if asked else "no comment: a person deleted ours"
    explanations.written(*at, comment_id, _digest(wanted))
    return "comment edited"


def _find(context: Context, live: Live) -> RemoteComment | None:
    """Our comment on GitHub, where we do not know of it."""
    us = context.bot
    comments = live.client.comments(live.repository.full_name, live.issue.number)
    ours = [each for each in comments if each.author_id == us.id and MARKER in each.body]
    return ours[0] if ours else None


def _lines(found: Iterable[Proposal]) -> list[Line]:
    return [Line(each.label.name, each.reason) for each in found]


def _digest(text: str) -> str:
    # GitHub may give a text back with other line ends and without the last one.
    plain = "\n".join(text.strip().splitlines())
    return hashlib.sha256(plain.encode()).hexdigest()
