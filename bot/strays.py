"""A label that GitHub made because we added it by a name that did not exist any more.

It happens when a label is deleted or renamed between our last look and the write. It comes off
the issue again, and out of the repository if we made it and nothing else uses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.github.errors import NotFound
from bot.handlers import adopt

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.remote import RemoteLabel
    from bot.issue_now import Live
    from bot.store.rows import AppliedLabel

MADE_BY_ADDING = "ededed"
"""The colour that GitHub gives to a label that it makes on being added to an issue."""


def find_strays(
    live: Live, lost: Iterable[AppliedLabel], answer: Iterable[RemoteLabel] | None = None
) -> list[RemoteLabel]:
    """Labels on the issue that bear the name of a label that we meant, but another id.

    `answer` is GitHub's to our write: an id in it that we did not know is our doing. Without one
    (after a crash) the issue's events have to say that we put the label on.
    """
    meant = {label.label.casefold(): label for label in lost}
    found = live.issue.labels if answer is None else answer
    strays = []
    for label in found:
        wanted = meant.get(label.name.casefold())
        if wanted is None or wanted.label_id == label.id:
            continue
        ours = _put_by_us(live, label) if answer is None else label.id not in live.present
        if ours:
            strays.append(label)
    return strays


def _put_by_us(live: Live, label: RemoteLabel) -> bool:
    name = label.name.casefold()
    events = [e for e in live.events if e.action == "labeled" and e.label_name.casefold() == name]
    return bool(events) and events[-1].actor_kind == "us"


def remove_strays(context: Context, live: Live, strays: Iterable[RemoteLabel]) -> None:
    """Take stray labels off the issue, and delete those that are ours alone."""
    for stray in strays:
        repo, number = live.repository.full_name, live.issue.number
        context.log.warning("label made by adding it", repo=repo, issue=number, label=stray.name)
        try:
            live.client.remove_label(repo, number, stray.name)
        except NotFound:
            context.log.info("the label was off already", repo=repo, label=stray.name)
        row = replace(adopt.label_row(live.repository, stray), made_by_us=_looks_made(stray))
        if _looks_made(stray) and not _used_elsewhere(live, stray):
            _delete(live, stray)
            row = replace(row, deleted=True)
        context.store.labels.upsert(row)


def _looks_made(label: RemoteLabel) -> bool:
    """A label that a person made has a colour of its own or a description, as good as always."""
    return label.color.lower() == MADE_BY_ADDING and not label.description


def _used_elsewhere(live: Live, label: RemoteLabel) -> bool:
    params = {"labels": label.name, "state": "all", "per_page": 2}
    path = f"/repos/{quote(live.repository.full_name)}/issues"
    return bool(live.client.get(path, params=params).data)


def _delete(live: Live, label: RemoteLabel) -> None:
    try:
        live.client.delete_label(live.repository.full_name, label.name)
    except NotFound:
        return
