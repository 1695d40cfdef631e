"""What a delivery says, without any network or clock: (headers, body) -> an event, or a refusal.

Source of the payloads' shapes: docs.github.com, "Webhook events and payloads".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bot import payload
from bot.github import remote, talk
from bot.github.remote import RemoteInstallation, RemoteIssue, RemoteLabel, RemoteRepository
from bot.github.talk import RemoteComment
from bot.payload import Json
from bot.refusals import MissingField, MissingHeader, NotJson, UnknownEvent, WrongContentType

T = TypeVar("T")
_MAX_HEADER_CHARACTERS = 200


@dataclass(frozen=True)
class Sender:
    """Who caused an event; each part is None where the payload does not say."""

    login: str | None
    id: int | None
    type: str | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every delivery says. `account` is whose installation or repository it is about.

    `received_at` is when the delivery reached us, in epoch seconds.
    """

    guid: str
    name: str
    action: str
    received_at: float
    sender: Sender
    account: str
    installation: RemoteInstallation | None
    repository: RemoteRepository | None


@dataclass(frozen=True, kw_only=True)
class PingEvent(Event):
    """GitHub tries the address out."""

    zen: str


@dataclass(frozen=True, kw_only=True)
class InstallationEvent(Event):
    """The App was installed, removed, suspended, given other repositories or permissions."""

    installation: RemoteInstallation
    added: tuple[RemoteRepository, ...]
    removed: tuple[RemoteRepository, ...]


@dataclass(frozen=True, kw_only=True)
class RepositoryEvent(Event):
    """Something about a repository as a whole: its name, owner, visibility."""

    repository: RemoteRepository


@dataclass(frozen=True, kw_only=True)
class LabelChanged(RepositoryEvent):
    """A label of the repository was created, changed or deleted."""

    label: RemoteLabel


@dataclass(frozen=True, kw_only=True)
class IssueEvent(RepositoryEvent):
    """Something about one issue or pull request.

    `label_*` are of the label put on or taken off.
    """

    issue: RemoteIssue
    label_id: int | None
    label_name: str


@dataclass(frozen=True, kw_only=True)
class CommentEvent(IssueEvent):
    """Somebody commented on an issue or pull request; `label_*` are empty."""

    comment: RemoteComment


@dataclass(frozen=True)
class Head:
    """The headers that say what a body holds."""

    name: str
    guid: str


def parse(headers: Mapping[str, str], body: bytes, *, received_at: float = 0.0) -> Event:
    """Read one delivery. Header names are lower case.

    Raises WrongContentType, MissingHeader, NotJson, UnknownEvent or MissingField, in this order,
    and nothing else, whatever the body holds.
    """
    require_json(headers.get("content-type", ""))
    head = read_head(headers)
    return decode(head.name, head.guid, body, received_at=received_at)


def require_json(content_type: str) -> None:
    """Raise WrongContentType, with what to change, unless the type is application/json."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        raise WrongContentType(
            "the webhook sends forms: in the App's settings on GitHub, under Webhook, "
            "set the content type to application/json"
        )
    if kind != "application/json":
        raise WrongContentType(f"expected application/json, got {kind or 'no content type'}")


def read_head(headers: Mapping[str, str]) -> Head:
    """The event's name and the delivery's id; raises MissingHeader."""
    values = {}
    for name in ("x-github-event", "x-github-delivery"):
        value = headers.get(name, "").strip()
        if not value or len(value) > _MAX_HEADER_CHARACTERS or not value.isascii():
            raise MissingHeader(f"{name} is missing or malformed")
        values[name] = value
    return Head(values["x-github-event"], values["x-github-delivery"])


def decode(name: str, guid: str, body: bytes, *, received_at: float = 0.0) -> Event:
    """The event of a body whose headers are known; raises NotJson, UnknownEvent, MissingField."""
    data = _object(body)
    read = _READERS.get(name)
    if read is None:
        raise UnknownEvent(f"no feature listens to the event {name}")
    owner = payload.section(payload.section(data, "repository"), "owner")
    owner = owner or payload.section(data, "organization")
    installation = _known(lambda given: remote.installation(given, owner), data, "installation")
    repository = _known(remote.repository, data, "repository")
    sender = payload.section(data, "sender")
    common: dict[str, Any] = {
        "guid": guid,
        "name": name,
        "action": payload.text(data, "action"),
        "received_at": received_at,
        "sender": Sender(
            payload.text(sender, "login") or None,
            payload.number(sender, "id"),
            payload.text(sender, "type") or None,
        ),
        "account": _account(data, owner, installation, repository),
        "installation": installation,
        "repository": repository,
    }
    return read(data, common)


def _account(
    data: Json,
    owner: Json,
    installation: RemoteInstallation | None,
    repository: RemoteRepository | None,
) -> str:
    """The login of the account that an event is about, "" where nothing tells."""
    named = installation.account_login if installation else ""
    named = named or payload.text(payload.section(data, "account") or owner, "login")
    return named or (repository.full_name.partition("/")[0] if repository else "")


def _object(body: bytes) -> Json:
    try:
        data = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise NotJson(f"the body is not JSON in UTF-8: {type(error).__name__}") from None
    if not isinstance(data, dict):
        raise NotJson(f"the body is a JSON {type(data).__name__}, not an object")
    return data


def _ping(data: Json, common: dict[str, Any]) -> Event:
    return PingEvent(**common, zen=payload.text(data, "zen"))


def _authorization(data: Json, common: dict[str, Any]) -> Event:
    return Event(**common)


def _installation(data: Json, common: dict[str, Any]) -> Event:
    _need(common["installation"], "installation.id")
    listed = payload.sections(data, "repositories") + payload.sections(data, "repositories_added")
    gone = payload.sections(data, "repositories_removed")
    return InstallationEvent(
        **common,
        added=remote.known(remote.repository, listed),
        removed=remote.known(remote.repository, gone),
    )


def _target(data: Json, common: dict[str, Any]) -> Event:
    bare = _need(common["installation"], "installation.id")
    account = payload.section(data, "account")
    renamed = remote.installation({"id": bare.id, "target_type": data.get("target_type")}, account)
    return InstallationEvent(**{**common, "installation": renamed}, added=(), removed=())


def _repository(data: Json, common: dict[str, Any]) -> Event:
    _need(common["repository"], "repository.id")
    return RepositoryEvent(**common)


def _label(data: Json, common: dict[str, Any]) -> Event:
    _need(common["repository"], "repository.id")
    label = _need(_known(remote.label, data, "label"), "label.id and label.name")
    return LabelChanged(**common, label=label)


def _issue(data: Json, common: dict[str, Any]) -> Event:
    _need(common["repository"], "repository.id")
    is_pull_request = common["name"] == "pull_request"
    key = "pull_request" if is_pull_request else "issue"
    issue = _need(_known(remote.issue, data, key), "the number of the issue")
    changes, label = payload.section(data, "changes"), payload.section(data, "label")
    arrived = common["action"] == "opened" and bool(payload.section(changes, "old_issue"))
    return IssueEvent(
        **common,
        issue=replace(
            issue,
            is_pull_request=is_pull_request or issue.is_pull_request,
            arrived_by_transfer=arrived,
        ),
        label_id=payload.number(label, "id"),
        label_name=payload.text(label, "name"),
    )


def _comment(data: Json, common: dict[str, Any]) -> Event:
    _need(common["repository"], "repository.id")
    issue = _need(_known(remote.issue, data, "issue"), "the number of the issue")
    comment = _need(_known(talk.comment, data, "comment"), "comment.id")
    return CommentEvent(**common, issue=issue, label_id=None, label_name="", comment=comment)


def _known(read: Callable[[Json], T], data: Json, key: str) -> T | None:
    """What a payload has under `key`; None where that does not say which thing it is."""
    return next(iter(remote.known(read, [payload.section(data, key)])), None)


def _need(value: Any, what: str) -> Any:
    if value is None:
        raise MissingField(f"the payload lacks {what}")
    return value


_READERS: Mapping[str, Callable[[Json, dict[str, Any]], Event]] = {
    "ping": _ping,
    "github_app_authorization": _authorization,
    "installation": _installation,
    "installation_repositories": _installation,
    "installation_target": _target,
    "repository": _repository,
    "label": _label,
    "issues": _issue,
    "issue_comment": _comment,
    "pull_request": _issue,
}
