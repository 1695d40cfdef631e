"""GraphQL's view of accounts, repositories, issues and events.

A node is a dict; a field with arguments is a function in it, which the executor calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import render, render_accounts, render_events
from .auth import Caller, require
from .errors import ApiError
from .graphql_pages import connection, refused
from .ids import epoch, node_id
from .model import Edit, Event, Issue, Label, Repository
from .state import State, labels_of, visible

Node = dict[str, Any]
TYPES = {
    "closed": "ClosedEvent",
    "labeled": "LabeledEvent",
    "renamed": "RenamedTitleEvent",
    "reopened": "ReopenedEvent",
    "transferred": "TransferredEvent",
    "unlabeled": "UnlabeledEvent",
}
ITEM_TYPES = {kind: f"{kind.upper()}_EVENT" for kind in TYPES} | {"renamed": "RENAMED_TITLE_EVENT"}


def actor(state: State, account_id: int | None) -> Node | None:
    """Whoever did something. A bot's login comes without the `[bot]` that REST adds."""
    if account_id is None:
        return None
    account = state.accounts[account_id]
    login = account.login.removesuffix("[bot]")
    shown = render_accounts.user(state, account)
    return {
        "__typename": account.type,
        "id": shown["node_id"],
        "databaseId": account.id,
        "login": login,
        "name": account.name,
        "avatarUrl": shown["avatar_url"],
        "url": shown["html_url"],
        "resourcePath": shown["html_url"].removeprefix(state.url),
    }


def label(repo: Repository, value: Label) -> Node:
    """A label. GraphQL has no numeric id for it."""
    return {
        "__typename": "Label",
        "id": node_id("LA", repo.id, value.id),
        "name": value.name,
        "color": value.color,
        "description": value.description,
        "isDefault": False,
        "createdAt": value.created_at,
    }


def repository(state: State, repo: Repository, caller: Caller) -> Node:
    """A repository."""
    labels = sorted(repo.labels.values(), key=lambda item: (item.created_at, item.id))
    return {
        "__typename": "Repository",
        "id": node_id("R", repo.id),
        "databaseId": repo.id,
        "name": repo.name,
        "nameWithOwner": state.full_name(repo),
        "description": repo.description,
        "owner": actor(state, repo.owner_id),
        "isPrivate": repo.private,
        "isArchived": repo.archived,
        "hasIssuesEnabled": repo.has_issues,
        "url": render.html_url(state, repo),
        "issue": lambda _, number: _one_issue(state, repo, caller, number),
        "issues": lambda _, **args: _issues(state, repo, caller, args),
        "labels": _labels(repo, labels),
    }


def _labels(repo: Repository, labels: list[Label]) -> Callable[..., Node]:
    def page(_: Any, **args: Any) -> Node:
        return connection(
            "labels", labels, args, key=lambda item: item.id, render=lambda item: label(repo, item)
        )

    return page


def _readable(state: State, repo: Repository, caller: Caller) -> None:
    try:
        require(state, caller, repo, ("issues",), "read")
    except ApiError as error:
        raise refused("FORBIDDEN", str(error)) from error


def _one_issue(state: State, repo: Repository, caller: Caller, number: int) -> Node:
    _readable(state, repo, caller)
    found = [i for i in visible(repo) if i.number == number and not i.is_pull_request]
    if not found:
        message = f"Could not resolve to an Issue with the number of {number}."
        raise refused("NOT_FOUND", message)
    return issue(state, repo, found[0], caller)


def _issues(state: State, repo: Repository, caller: Caller, args: Node) -> Node:
    _readable(state, repo, caller)
    since = (args.get("filterBy") or {}).get("since")
    found = [i for i in visible(repo) if not i.is_pull_request]
    if args.get("states"):
        found = [i for i in found if i.state.upper() in args["states"]]
    if since:
        found = [i for i in found if epoch(i.updated_at) >= epoch(since)]
    if args.get("labels"):
        wanted = {name.lower() for name in args["labels"]}
        found = [i for i in found if wanted & {x.name.lower() for x in labels_of(repo, i)}]
    order = args.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    found.sort(key=_order(order["field"]), reverse=order["direction"] == "DESC")
    return connection(
        "issues",
        found,
        args,
        key=lambda item: item.id,
        render=lambda item: issue(state, repo, item, caller),
    )


def _order(field: str) -> Callable[[Issue], Any]:
    if field == "COMMENTS":
        return lambda issue: (len(issue.comments), issue.number)
    name = "updated_at" if field == "UPDATED_AT" else "created_at"
    return lambda issue: (getattr(issue, name), issue.number)


def issue(state: State, repo: Repository, value: Issue, caller: Caller) -> Node:
    """An issue with its label events and the versions of its body."""
    edits = list(reversed(value.edits))
    reason = value.state_reason.upper() if value.state_reason else None
    return {
        "__typename": "Issue",
        "id": render.issue_node_id(repo, value),
        # GitHub leaves this null for ids that 32 bits cannot hold.
        "databaseId": value.id if value.id < 2**31 else None,
        "fullDatabaseId": str(value.id),
        "number": value.number,
        "title": value.title,
        "body": value.body or "",
        "state": value.state.upper(),
        "stateReason": lambda _, **args: reason,
        "closed": value.state == "closed",
        "locked": value.locked,
        "createdAt": value.created_at,
        "updatedAt": value.updated_at,
        "closedAt": value.closed_at,
        "lastEditedAt": edits[0].edited_at if edits else None,
        "includesCreatedEdit": bool(edits),
        "editor": actor(state, edits[0].editor_id) if edits else None,
        "author": actor(state, value.author_id),
        "authorAssociation": value.association or render.association(state, repo, value.author_id),
        "url": f"{render.html_url(state, repo)}/issues/{value.number}",
        "labels": _labels(repo, labels_of(repo, value)),
        "timelineItems": lambda _, **args: _timeline(state, repo, value, caller, args),
        "userContentEdits": lambda _, **args: connection(
            "userContentEdits",
            edits,
            args,
            key=lambda item: item.id,
            render=lambda item: edit(state, repo, item),
        ),
    }


def edit(state: State, repo: Repository, value: Edit) -> Node:
    """One version of a body. `diff` is the whole text, in spite of its name; null once deleted."""
    return {
        "__typename": "UserContentEdit",
        "id": node_id("UCE", repo.id, value.id),
        "createdAt": value.edited_at,
        "editedAt": value.edited_at,
        "updatedAt": value.deleted_at or value.edited_at,
        "deletedAt": value.deleted_at,
        "diff": None if value.deleted_at else value.body or "",
        "editor": actor(state, value.editor_id),
    }


def _timeline(state: State, repo: Repository, value: Issue, caller: Caller, args: Node) -> Node:
    types = args.get("itemTypes") or list(ITEM_TYPES.values())
    items = [event for event in value.events if ITEM_TYPES.get(event.kind) in types]
    since = args.get("since")
    kept = [e for e in items if not since or epoch(e.created_at) >= epoch(since)]
    page = connection(
        "timelineItems",
        kept[args.get("skip") or 0 :],
        args,
        key=lambda item: item.id,
        render=lambda item: event(state, repo, item, caller),
    )
    counts = {"filteredCount": len(kept), "pageCount": len(page["nodes"])}
    return {**page, **counts, "updatedAt": value.updated_at}


def event(state: State, repo: Repository, value: Event, caller: Caller) -> Node:
    """A timeline item. A label deleted since keeps the name that it had."""
    node: Node = {
        "__typename": TYPES[value.kind],
        "id": render_events.event_node_id(repo, value),
        "createdAt": value.created_at,
        "actor": actor(state, value.actor_id),
        "stateReason": None,
    }
    if value.label is not None:
        node["label"] = label(repo, repo.labels.get(value.label.id, value.label))
    if value.rename is not None:
        node |= {"previousTitle": value.rename[0], "currentTitle": value.rename[1]}
    if value.kind == "transferred":
        came_from = state.repositories.get(value.from_repository_id or 0)
        node["fromRepository"] = repository(state, came_from, caller) if came_from else None
    return node
