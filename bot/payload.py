"""Reading JSON that others wrote: what is missing, null or of the wrong type becomes None or "".

GitHub's payloads do not always match GitHub's own schema, so nothing here ever raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.github.remote import (
    RemoteInstallation,
    RemoteIssue,
    RemoteLabel,
    RemoteRepository,
)
from bot.times import as_github

Json = Mapping[str, Any]

_LARGEST_ID = 2**63 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def section(data: Json, key: str) -> Json:
    """The object under `key`, an empty one where there is none."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def sections(data: Json, key: str) -> list[Json]:
    """The objects in the list under `key`; whatever else is in it is passed over."""
    value = data.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def number(data: Json, key: str) -> int | None:
    """A positive integer that fits 63 bits, as ids and issue numbers are; None for the rest."""
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 < value <= _LARGEST_ID else None


def text(data: Json, key: str) -> str:
    """The string under `key` without NUL bytes and lone surrogates, which SQLite cannot keep."""
    value = data.get(key)
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else ""


def flag(data: Json, key: str) -> bool:
    """Whether the value is `true`."""
    return data.get(key) is True


def repository(data: Json) -> RemoteRepository | None:
    """A repository with an id; its name is "" where the payload names none."""
    identity = number(data, "id")
    if identity is None:
        return None
    owner, name = text(section(data, "owner"), "login"), text(data, "name")
    return RemoteRepository(
        id=identity,
        full_name=text(data, "full_name") or (f"{owner}/{name}" if owner and name else ""),
        private=flag(data, "private"),
        archived=flag(data, "archived"),
    )


def installation(data: Json, owner: Json) -> RemoteInstallation | None:
    """An installation with an id. Most payloads give only that: `owner` names the account then."""
    identity = number(data, "id")
    if identity is None:
        return None
    account = section(data, "account") or owner
    return RemoteInstallation(
        id=identity,
        account_id=number(account, "id") or 0,
        account_login=text(account, "login") or text(account, "slug"),
        account_type=text(account, "type") or text(data, "target_type"),
        suspended=data.get("suspended_at") is not None,
        permissions={
            key: value
            for key, value in section(data, "permissions").items()
            if isinstance(value, str) and not _UNSTORABLE.search(key + value)
        },
    )


def label(data: Json) -> RemoteLabel | None:
    """A label with an id and a name."""
    identity, name = number(data, "id"), text(data, "name")
    if identity is None or not name:
        return None
    return RemoteLabel(
        id=identity, name=name, description=text(data, "description"), color=text(data, "color")
    )


def issue(data: Json, *, is_pull_request: bool, arrived: bool) -> RemoteIssue | None:
    """An issue or pull request with a number; everything else may be missing."""
    found = number(data, "number")
    if found is None:
        return None
    author = section(data, "user")
    created_at = as_github(data.get("created_at"))
    return RemoteIssue(
        id=number(data, "id") or 0,
        number=found,
        title=text(data, "title"),
        body=text(data, "body"),
        state=text(data, "state") or "open",
        locked=flag(data, "locked"),
        is_pull_request=is_pull_request,
        author_login=text(author, "login") or None,
        author_id=number(author, "id"),
        author_type=text(author, "type") or None,
        author_association=text(data, "author_association") or "NONE",
        created_at=created_at,
        updated_at=as_github(data.get("updated_at")) or created_at,
        closed_at=as_github(data.get("closed_at")) or None,
        labels=tuple(known for entry in sections(data, "labels") if (known := label(entry))),
        arrived_by_transfer=arrived,
    )
