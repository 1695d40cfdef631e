"""What GitHub says, as values. Parsing is lenient: a field that is missing or null is normal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.times import as_github

Action = Literal["labeled", "unlabeled"]
Json = Mapping[str, Any]

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class RemoteApp:
    """The App itself, as registered."""

    id: int
    slug: str
    name: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]


@dataclass(frozen=True)
class RemoteInstallation:
    """The App on one account. `single_files` is None where the source does not say."""

    id: int
    account_id: int
    account_login: str
    account_type: str
    suspended: bool
    permissions: Mapping[str, str]
    single_files: tuple[str, ...] | None = None


@dataclass(frozen=True)
class RemoteRepository:
    """A repository that the installation may see."""

    id: int
    full_name: str
    private: bool
    archived: bool


@dataclass(frozen=True)
class RemoteLabel:
    """A label of a repository; `id` stays when the name changes."""

    id: int
    name: str
    description: str
    color: str


@dataclass(frozen=True)
class RemoteIssue:
    """An issue or pull request. Times are GitHub's text, UTC.

    `opened_title` and `opened_body` are the text as it was opened: None where that is not known.
    """

    id: int
    number: int
    title: str
    body: str
    state: str
    locked: bool
    is_pull_request: bool
    author_login: str | None
    author_id: int | None
    author_type: str | None
    author_association: str
    created_at: str
    updated_at: str
    closed_at: str | None
    labels: tuple[RemoteLabel, ...]
    opened_title: str | None = None
    opened_body: str | None = None
    arrived_by_transfer: bool = False


@dataclass(frozen=True)
class RemoteLabelEvent:
    """One label put on an issue or taken off it.

    `actor_*` are None where GitHub no longer knows (a deleted account). `via_app` is the slug of
    the App through which it was done, where the answer says so.
    """

    number: int
    label_name: str
    action: Action
    actor_login: str | None
    actor_id: int | None
    actor_type: str | None
    at: str
    via_app: str | None = None


@dataclass(frozen=True)
class RemoteFile:
    """A text file of a repository and the ETag to ask again with."""

    text: str
    etag: str


@dataclass(frozen=True)
class NotModified:
    """The answer to a conditional request: nothing changed, and it cost nothing."""


NOT_MODIFIED = NotModified()


@dataclass(frozen=True)
class ChangedIssues:
    """Issues that changed, oldest change first, and the ETag to ask again with."""

    issues: tuple[RemoteIssue, ...]
    etag: str | None


@dataclass(frozen=True)
class HistoryPage:
    """One page of a repository's past. `cursor` continues after it; None: this was the last.

    `total` is the number of issues there are in all, None where the source does not say.
    """

    issues: tuple[RemoteIssue, ...]
    events: tuple[RemoteLabelEvent, ...]
    cursor: str | None
    total: int | None
    source: Literal["graphql", "rest"]


@dataclass(frozen=True)
class HookDelivery:
    """One attempt of GitHub to deliver a webhook. A redelivery carries the same `guid`."""

    id: int
    guid: str
    delivered_at: str
    redelivery: bool
    status_code: int
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None


@dataclass(frozen=True)
class AppCredentials:
    """What the conversion of an App manifest gives, once: keep it, and keep it secret."""

    id: int
    slug: str
    name: str
    html_url: str
    client_id: str
    pem: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    client_secret: str = field(repr=False)


def text(value: Any) -> str:
    """A string, "" for null: GitHub sends null for an empty body or description.

    NUL bytes and lone surrogates, which SQLite cannot keep, are left out.
    """
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else ""


def app(data: Json) -> RemoteApp:
    """`GET /app`."""
    return RemoteApp(
        id=int(data["id"]),
        slug=text(data.get("slug")),
        name=text(data.get("name")),
        permissions=dict(data.get("permissions") or {}),
        events=tuple(data.get("events") or ()),
    )


def installation(data: Json) -> RemoteInstallation:
    """An element of `GET /app/installations`, or the `installation` of a webhook."""
    account = data.get("account") or {}
    return RemoteInstallation(
        id=int(data["id"]),
        account_id=int(account.get("id") or 0),
        account_login=text(account.get("login") or account.get("slug")),
        account_type=text(account.get("type")) or text(data.get("target_type")),
        suspended=data.get("suspended_at") is not None,
        permissions=dict(data.get("permissions") or {}),
        single_files=_single_files(data),
    )


def _single_files(data: Json) -> tuple[str, ...] | None:
    """Older Enterprise Servers give only `single_file_name`."""
    paths, name = data.get("single_file_paths"), data.get("single_file_name")
    if paths is None and "single_file_name" not in data:
        return None
    return tuple(map(text, [*(paths or ()), *([name] if name else ())]))


def repository(data: Json) -> RemoteRepository:
    """An element of `GET /installation/repositories`, or `GET /repositories/{id}`."""
    return RemoteRepository(
        id=int(data["id"]),
        full_name=text(data.get("full_name")),
        private=bool(data.get("private")),
        archived=bool(data.get("archived")),
    )


def label(data: Json) -> RemoteLabel:
    """An element of `GET /repos/{owner}/{repo}/labels`."""
    return RemoteLabel(
        id=int(data["id"]),
        name=text(data.get("name")),
        description=text(data.get("description")),
        color=text(data.get("color")),
    )


def issue(data: Json) -> RemoteIssue:
    """An element of `GET /repos/{owner}/{repo}/issues`: the text as it is now."""
    author = data.get("user") or {}
    labels = [entry for entry in data.get("labels") or () if isinstance(entry, dict)]
    return RemoteIssue(
        id=int(data["id"]),
        number=int(data["number"]),
        title=text(data.get("title")),
        body=text(data.get("body")),
        state=text(data.get("state")) or "open",
        locked=bool(data.get("locked")),
        is_pull_request=data.get("pull_request") is not None,
        author_login=author.get("login"),
        author_id=author.get("id"),
        author_type=author.get("type"),
        author_association=text(data.get("author_association")) or "NONE",
        created_at=as_github(data.get("created_at")),
        updated_at=as_github(data.get("updated_at")),
        closed_at=as_github(data.get("closed_at")) or None,
        labels=tuple(label(entry) for entry in labels if entry.get("id") is not None),
    )


def label_event(number: int, data: Json) -> RemoteLabelEvent | None:
    """An element of `GET .../issues/{number}/events`; None for the other kinds of event."""
    action = data.get("event")
    if action not in ("labeled", "unlabeled"):
        return None
    actor = data.get("actor") or {}
    via = data.get("performed_via_github_app") or {}
    return RemoteLabelEvent(
        number=number,
        label_name=text((data.get("label") or {}).get("name")),
        action=action,
        actor_login=actor.get("login"),
        actor_id=actor.get("id"),
        actor_type=actor.get("type"),
        at=as_github(data.get("created_at")),
        via_app=via.get("slug"),
    )


def hook_delivery(data: Json) -> HookDelivery:
    """An element of `GET /app/hook/deliveries`."""
    return HookDelivery(
        id=int(data["id"]),
        guid=text(data.get("guid")),
        delivered_at=as_github(data.get("delivered_at")),
        redelivery=bool(data.get("redelivery")),
        status_code=int(data.get("status_code") or 0),
        event=text(data.get("event")),
        action=data.get("action"),
        installation_id=data.get("installation_id"),
        repository_id=data.get("repository_id"),
    )


def credentials(data: Json) -> AppCredentials:
    """`POST /app-manifests/{code}/conversions`."""
    return AppCredentials(
        id=int(data["id"]),
        slug=text(data.get("slug")),
        name=text(data.get("name")),
        html_url=text(data.get("html_url")),
        client_id=text(data.get("client_id")),
        pem=text(data.get("pem")),
        webhook_secret=text(data.get("webhook_secret")),
        client_secret=text(data.get("client_secret")),
    )
