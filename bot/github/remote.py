"""What GitHub says, as values, in an answer or in a webhook.

Parsing is lenient: a field that is missing, null or of another type is normal. Only what says
which thing it is must be there: its lack raises KeyError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeVar

from bot.payload import Json, flag, number, section, sections, storable, text
from bot.times import as_github

if TYPE_CHECKING:
    from bot.store.rows import Action

T = TypeVar("T")


@dataclass(frozen=True)
class RemoteApp:
    """The App itself, as registered."""

    id: int
    slug: str
    name: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]
    organization: str | None = None
    """The login of the organization that owns it, None for a person's."""


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
    """What the conversion of an App manifest gives, once: keep it, and keep it secret.

    `owner` is the login of whose App it is, "" where GitHub does not say.
    """

    id: int
    slug: str
    name: str
    html_url: str
    client_id: str
    pem: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    client_secret: str = field(repr=False)
    owner: str = ""
    is_organization: bool = False


def app(data: Json) -> RemoteApp:
    """`GET /app`."""
    owner = section(data, "owner")
    return RemoteApp(
        id=int(data["id"]),
        slug=storable(data.get("slug")),
        name=storable(data.get("name")),
        permissions=dict(data.get("permissions") or {}),
        events=tuple(data.get("events") or ()),
        organization=text(owner, "login") if text(owner, "type") == "Organization" else None,
    )


def installation(data: Json, owner: Json = MappingProxyType({})) -> RemoteInstallation:
    """An element of `GET /app/installations`, or the `installation` of a webhook.

    Most webhooks give only its id: `owner` names the account then.
    """
    account = section(data, "account") or owner
    return RemoteInstallation(
        id=_id(data),
        account_id=number(account, "id") or 0,
        account_login=text(account, "login") or text(account, "slug"),
        account_type=text(account, "type") or text(data, "target_type"),
        suspended=data.get("suspended_at") is not None,
        permissions={
            storable(key): storable(value) for key, value in section(data, "permissions").items()
        },
        single_files=_single_files(data),
    )


def _single_files(data: Json) -> tuple[str, ...] | None:
    """Older Enterprise Servers give only `single_file_name`."""
    paths, name = data.get("single_file_paths"), text(data, "single_file_name")
    if paths is None and "single_file_name" not in data:
        return None
    given = paths if isinstance(paths, list) else []
    return tuple(map(storable, [*given, *([name] if name else ())]))


def repository(data: Json) -> RemoteRepository:
    """An element of `GET /installation/repositories`, or the `repository` of a webhook.

    Its name is "" where nothing names it.
    """
    owner, name = text(section(data, "owner"), "login"), text(data, "name")
    return RemoteRepository(
        id=_id(data),
        full_name=text(data, "full_name") or (f"{owner}/{name}" if owner and name else ""),
        private=flag(data, "private"),
        archived=flag(data, "archived"),
    )


def label(data: Json) -> RemoteLabel:
    """An element of `GET /repos/{owner}/{repo}/labels`, or a `label` of a webhook."""
    name = text(data, "name")
    if not name:
        raise KeyError("name")
    return RemoteLabel(_id(data), name, text(data, "description"), text(data, "color"))


def issue(data: Json) -> RemoteIssue:
    """An element of `GET /repos/{owner}/{repo}/issues`, or the `issue` of a webhook.

    It is the text as it is now. An id that is missing is 0.
    """
    author, found = section(data, "user"), number(data, "number")
    if found is None:
        raise KeyError("number")
    created_at = as_github(data.get("created_at"))
    return RemoteIssue(
        id=number(data, "id") or 0,
        number=found,
        title=text(data, "title"),
        body=text(data, "body"),
        state=text(data, "state") or "open",
        locked=flag(data, "locked"),
        is_pull_request=data.get("pull_request") is not None,
        author_login=text(author, "login") or None,
        author_id=number(author, "id"),
        author_type=text(author, "type") or None,
        author_association=text(data, "author_association") or "NONE",
        created_at=created_at,
        updated_at=as_github(data.get("updated_at")) or created_at,
        closed_at=as_github(data.get("closed_at")) or None,
        labels=known(label, sections(data, "labels")),
    )


def known(read: Callable[[Json], T], entries: Iterable[Json]) -> tuple[T, ...]:
    """What can be read of a list; what does not say which thing it is is passed over."""
    found = []
    for entry in entries:
        try:
            found.append(read(entry))
        except KeyError:
            continue
    return tuple(found)


def _id(data: Json) -> int:
    found = number(data, "id")
    if found is None:
        raise KeyError("id")
    return found


def label_event(number: int, data: Json) -> RemoteLabelEvent | None:
    """An element of `GET .../issues/{number}/events`; None for the other kinds of event."""
    action = data.get("event")
    if action not in ("labeled", "unlabeled"):
        return None
    actor = data.get("actor") or {}
    via = data.get("performed_via_github_app") or {}
    return RemoteLabelEvent(
        number=number,
        label_name=storable((data.get("label") or {}).get("name")),
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
        guid=storable(data.get("guid")),
        delivered_at=as_github(data.get("delivered_at")),
        redelivery=bool(data.get("redelivery")),
        status_code=int(data.get("status_code") or 0),
        event=storable(data.get("event")),
        action=data.get("action"),
        installation_id=data.get("installation_id"),
        repository_id=data.get("repository_id"),
    )


def credentials(data: Json) -> AppCredentials:
    """`POST /app-manifests/{code}/conversions`."""
    return AppCredentials(
        id=int(data["id"]),
        slug=storable(data.get("slug")),
        name=storable(data.get("name")),
        html_url=storable(data.get("html_url")),
        client_id=storable(data.get("client_id")),
        pem=storable(data.get("pem")),
        webhook_secret=storable(data.get("webhook_secret")),
        client_secret=storable(data.get("client_secret")),
        owner=text(section(data, "owner"), "login"),
        is_organization=text(section(data, "owner"), "type") == "Organization",
    )
