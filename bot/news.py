"""Tell the operator what live precision did by itself: no alarm, but nobody should have to ask.

As with alarms, no name and no text of a repository is in it: chats are strangers as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.times import from_epoch
from bot.watch import host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.context import Context
    from bot.store.rows import LiveChange

_STATES = {
    "as trained": "applied as trained again",
    "raised": "applied only from a higher probability on",
    "suggested only": "only suggested",
    "retired": "retired, because nobody uses it any more",
}


def tell(context: Context, key: str, message: str, *, server: str | None = None) -> None:
    """Keep a line for the operator's webhook; the clock delivers it. Nothing where there is none.

    In a transaction it is kept together with what it tells of. `server` is our name, the host's
    when None.
    """
    if context.settings.alarm_url is None:
        return
    name = server or host()
    context.store.announcements.add(
        {
            "server": name,
            "at": from_epoch(context.now()),
            "text": f"Labelwright on {name}\nNEWS {key}: {message}",
            "news": [{"key": key, "message": message}],
        }
    )


def of_changes(repository_id: int, changes: Sequence[LiveChange]) -> str:
    """What became of labels, counted by state. Pure."""
    counts = {state: sum(each.state == state for each in changes) for state in _STATES}
    said = [f"{n} {_labels(n)} now {_STATES[state]}" for state, n in counts.items() if n]
    return f"repository {repository_id}: {', '.join(said)}; `labelwright live` says which, and why"


def _labels(count: int) -> str:
    return "label is" if count == 1 else "labels are"
