"""The history query and its answer, pure: text in, values out.

GraphQL gives what REST has not: the text as it was opened, and a hundred issues with their label
events in one request. What it lacks is the numeric id of a label, so labels are matched by name.
Source: docs.github.com, GraphQL reference: Issue, UserContentEdit, LabeledEvent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from bot.github import remote
from bot.payload import Json, storable
from bot.times import as_github, to_epoch

if TYPE_CHECKING:
    from bot.store.rows import Action

SAME_MOMENT = 60.0
"""Seconds between an issue's opening and the first entry of its edit history, at most."""


@dataclass(frozen=True)
class ParsedPage:
    """A history page, and the issues whose label events did not fit into it."""

    page: remote.HistoryPage
    incomplete: tuple[int, ...]


def query() -> str:
    """The text of the history query."""
    return resources.files("bot.github").joinpath("history.graphql").read_text(encoding="utf-8")


def parse(issues: Json, labels: Iterable[remote.RemoteLabel]) -> ParsedPage:
    """The `repository.issues` connection of an answer, with the repository's labels at hand."""
    known = {label.name.lower(): label for label in labels}
    nodes = [node for node in issues.get("nodes") or () if node]
    info = issues.get("pageInfo") or {}
    page = remote.HistoryPage(
        issues=tuple(_issue(node, known) for node in nodes),
        events=tuple(event for node in nodes for event in _events(node)),
        cursor=info.get("endCursor") if info.get("hasNextPage") else None,
        total=issues.get("totalCount"),
        source="graphql",
    )
    cut = [
        n
        for n in nodes
        if ((n.get("timelineItems") or {}).get("pageInfo") or {}).get("hasNextPage")
    ]
    return ParsedPage(page, tuple(int(node["number"]) for node in cut))


def with_events(
    page: remote.HistoryPage, number: int, events: Iterable[remote.RemoteLabelEvent]
) -> remote.HistoryPage:
    """The page with one issue's events replaced by a complete list."""
    others = [event for event in page.events if event.number != number]
    return replace(page, events=(*others, *events))


def _issue(node: Json, known: Mapping[str, remote.RemoteLabel]) -> remote.RemoteIssue:
    login, number, kind = _actor(node.get("author"))
    names = [storable(label.get("name")).lower() for label in _nodes(node, "labels")]
    return remote.RemoteIssue(
        id=int(node.get("fullDatabaseId") or node.get("databaseId") or 0),
        number=int(node["number"]),
        title=storable(node.get("title")),
        body=storable(node.get("body")),
        state=storable(node.get("state")).lower() or "open",
        locked=bool(node.get("locked")),
        is_pull_request=False,
        author_login=login,
        author_id=number,
        author_type=kind,
        author_association=storable(node.get("authorAssociation")) or "NONE",
        created_at=as_github(node.get("createdAt")),
        updated_at=as_github(node.get("updatedAt")),
        closed_at=as_github(node.get("closedAt")) or None,
        labels=tuple(known[name] for name in names if name in known),
        opened_title=_opened_title(node),
        opened_body=_opened_body(node),
        arrived_by_transfer=any(
            item.get("__typename") == "TransferredEvent" for item in _nodes(node, "timelineItems")
        ),
    )


def _events(node: Json) -> Iterable[remote.RemoteLabelEvent]:
    actions: Mapping[str, Action] = {
        "LabeledEvent": "labeled",
        "UnlabeledEvent": "unlabeled",
    }
    for item in _nodes(node, "timelineItems"):
        action = actions.get(item.get("__typename", ""))
        if action is None:
            continue
        login, number, kind = _actor(item.get("actor"))
        yield remote.RemoteLabelEvent(
            number=int(node["number"]),
            label_name=storable((item.get("label") or {}).get("name")),
            action=action,
            actor_login=login,
            actor_id=number,
            actor_type=kind,
            at=as_github(item.get("createdAt")),
        )


def _actor(actor: Json | None) -> tuple[str | None, int | None, str | None]:
    """Login, id and type as REST gives them: GraphQL leaves the `[bot]` of a login out."""
    if not actor:
        return None, None, None
    login, kind = actor.get("login"), actor.get("__typename")
    if login and kind == "Bot" and not login.endswith("[bot]"):
        login = f"{login}[bot]"
    return login, actor.get("databaseId"), kind


def _opened_title(node: Json) -> str:
    renames = [
        n for n in _nodes(node, "timelineItems") if n.get("__typename") == "RenamedTitleEvent"
    ]
    first = min(renames, key=lambda item: storable(item.get("createdAt")), default=None)
    return storable((first or node).get("previousTitle" if first else "title"))


def _opened_body(node: Json) -> str | None:
    """The oldest entry of the edit history, if it dates from the opening; None: not known."""
    if not node.get("lastEditedAt"):
        return storable(node.get("body"))
    edits = [edit for edit in _nodes(node, "userContentEdits") if not edit.get("deletedAt")]
    if not edits or edits[0].get("diff") is None:
        return None
    opened, edited = (_seconds(t) for t in (node.get("createdAt"), edits[0].get("editedAt")))
    if opened is None or edited is None or abs(edited - opened) > SAME_MOMENT:
        return None
    return storable(edits[0]["diff"])


def _seconds(time: Any) -> float | None:
    try:
        return to_epoch(storable(time))
    except ValueError:
        return None


def _nodes(node: Json, field: str) -> list[Json]:
    return [entry for entry in (node.get(field) or {}).get("nodes") or () if entry]
