"""GitHub's JSON for what happened to an issue: events, timeline."""

from __future__ import annotations

from typing import Any

from . import render, render_accounts
from .ids import node_id
from .model import Event, Issue, Repository
from .state import State

PREFIXES = {
    "labeled": "LE",
    "unlabeled": "UNLE",
    "renamed": "RTE",
    "closed": "CE",
    "reopened": "REE",
    "locked": "LOE",
    "unlocked": "UNLOE",
    "transferred": "TRE",
}


def event(state: State, repo: Repository, value: Event) -> dict[str, Any]:
    """An event as the events of one issue show it."""
    shown: dict[str, Any] = {
        "id": value.id,
        "node_id": event_node_id(repo, value),
        "url": f"{render.api_url(state, repo)}/issues/events/{value.id}",
        "actor": render_accounts.maybe_user(state, value.actor_id),
        "event": value.kind,
        "commit_id": None,
        "commit_url": None,
        "created_at": value.created_at,
    }
    if value.label is not None:
        shown["label"] = {"name": value.label.name, "color": value.label.color}
    if value.rename is not None:
        shown["rename"] = dict(zip(("from", "to"), value.rename, strict=True))
    if value.kind == "locked":
        shown["lock_reason"] = value.lock_reason
    return shown | {"performed_via_github_app": render_accounts.maybe_app(state, value.app_id)}


def event_node_id(repo: Repository, value: Event) -> str:
    """The event's global id."""
    return node_id(PREFIXES.get(value.kind, "E"), repo.id, value.id)


def repository_event(state: State, repo: Repository, issue: Issue, value: Event) -> dict[str, Any]:
    """An event as the events of a repository show it: with its issue."""
    return {**event(state, repo, value), "issue": render.issue(state, repo, issue)}


def timeline(state: State, repo: Repository, issue: Issue) -> list[dict[str, Any]]:
    """Events and comments of one issue, oldest first."""
    shown = [event(state, repo, value) for value in issue.events]
    for comment in issue.comments:
        rendered = render.comment(state, repo, issue, comment)
        shown.append({**rendered, "event": "commented", "actor": rendered["user"]})
    return sorted(shown, key=lambda item: (item["created_at"], item["id"]))
