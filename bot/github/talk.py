"""Comments and label suggestions, as GitHub gives them. As lenient as `bot.github.remote`."""

from __future__ import annotations

from dataclasses import dataclass

from bot.payload import Json, number, section, text
from bot.times import as_github


@dataclass(frozen=True)
class RemoteComment:
    """A comment on an issue; `number` is the issue's, 0 where the answer does not say."""

    id: int
    number: int
    body: str
    author_login: str
    author_id: int | None
    author_type: str
    created_at: str


@dataclass(frozen=True)
class RemoteSuggestion:
    """A label that somebody, or some App, proposed for an issue on GitHub.

    `state` is GitHub's: pending, applied, approved, dismissed, replaced or invalidated.
    """

    label_id: int
    state: str
    actor_id: int | None
    resolved_by: int | None
    updated_at: str


def comment(data: Json) -> RemoteComment:
    """An element of `GET .../issues/comments`, or the `comment` of a webhook."""
    author, found = section(data, "user"), number(data, "id")
    if found is None:
        raise KeyError("id")
    tail = text(data, "issue_url").rpartition("/")[2]
    return RemoteComment(
        id=found,
        number=int(tail) if tail.isascii() and tail.isdigit() else 0,
        body=text(data, "body"),
        author_login=text(author, "login"),
        author_id=number(author, "id"),
        author_type=text(author, "type"),
        created_at=as_github(data.get("created_at")),
    )


def suggestion(data: Json) -> RemoteSuggestion | None:
    """An element of `GET .../issues/{number}/suggestions`; None where it is of no label."""
    label = number(data, "target_id")
    if data.get("action") != "add_label" or label is None:
        return None
    return RemoteSuggestion(
        label_id=label,
        state=text(data, "state"),
        actor_id=number(data, "actor_id"),
        resolved_by=number(data, "resolved_by"),
        updated_at=as_github(data.get("updated_at")),
    )
