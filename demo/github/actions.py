"""What people and Apps do to issues and labels. Each change is recorded and sent by webhook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import render
from .errors import ApiError, archived, invalid
from .model import Account, Comment, Edit, Event, Issue, Label, Repository
from .state import State, find_label
from .webhooks import emit

MAX_TITLE, MAX_BODY, MAX_LABEL_NAME, MAX_LABELS = 256, 65_536, 50, 100


@dataclass(frozen=True)
class By:
    """Who does it: an account, and the App it acts through, if any."""

    account: Account
    app_id: int | None = None


def writable(repo: Repository) -> None:
    """Raise 403 where nothing can be written."""
    if repo.archived:
        raise archived()


def record(state: State, issue: Issue, kind: str, by: By, **facts: Any) -> Event:
    """Append an event to an issue, now."""
    at = state.timestamp()
    event = Event(state.next_id("event"), kind, by.account.id, at, by.app_id, **facts)
    issue.events.append(event)
    issue.updated_at = at
    return event


def tell(state: State, action: str, repo: Repository, issue: Issue, by: By, **parts: Any) -> None:
    """Send an `issues` webhook; pull requests have events of their own, under another name."""
    event, key = ("pull_request", "pull_request") if issue.is_pull_request else ("issues", "issue")
    shown = render.issue(state, repo, issue)
    emit(state, event, action, repo, by.account, **{key: shown}, **parts)


def check_text(title: str | None, body: str | None) -> None:
    """Raise 422 for a title or body that GitHub does not take."""
    if title is not None and not title.strip():
        raise invalid("Issue", "title", "missing_field")
    if title is not None and len(title) > MAX_TITLE:
        raise too_long("Issue", "title", MAX_TITLE)
    if body is not None and len(body) > MAX_BODY:
        raise too_long("Issue", "body", MAX_BODY)


def too_long(resource: str, field: str, limit: int) -> ApiError:
    """GitHub's 422 for a text that exceeds its limit in characters."""
    message = f"{field} is too long (maximum is {limit} characters)"
    return invalid(resource, field, "custom", message)


def open_issue(
    state: State,
    repo: Repository,
    by: By,
    *,
    title: str,
    body: str | None = None,
    labels: tuple[str, ...] = (),
    is_pull_request: bool = False,
) -> Issue:
    """Open an issue. Labels given here are in its first payload and have events of their own."""
    writable(repo)
    check_text(title, body)
    number, at = repo.next_number, state.timestamp()
    issue = Issue(state.next_id("issue"), number, title, body, by.account.id, at, at)
    issue.is_pull_request, issue.app_id = is_pull_request, by.app_id
    repo.next_number += 1
    repo.issues[number] = issue
    chosen = [ensure_label(state, repo, by, name) for name in labels]
    issue.label_ids = [label.id for label in chosen]
    for label in chosen:
        record(state, issue, "labeled", by, label=label)
    tell(state, "opened", repo, issue, by)
    for label in chosen:
        tell(state, "labeled", repo, issue, by, label=render.label(state, repo, label))
    return issue


def edit_issue(
    state: State, repo: Repository, issue: Issue, by: By, changes: Mapping[str, str | None]
) -> None:
    """Change the title, the body or both; one `edited` webhook says what they were."""
    writable(repo)
    check_text(changes.get("title"), changes.get("body"))
    changed = {key: text for key, text in changes.items() if getattr(issue, key) != text}
    if not changed:
        return
    before = {key: {"from": getattr(issue, key) or ""} for key in changed}
    if "title" in changed:
        record(state, issue, "renamed", by, rename=(issue.title, changed["title"]))
    if "body" in changed:
        _keep_versions(state, issue, by, changed["body"])
    for key, text in changed.items():
        setattr(issue, key, text)
    issue.updated_at = state.timestamp()
    tell(state, "edited", repo, issue, by, changes=before)


def _keep_versions(state: State, issue: Issue, by: By, body: str | None) -> None:
    if not issue.edits:
        opened = Edit(state.next_id("edit"), issue.author_id, issue.created_at, issue.body)
        issue.edits.append(opened)
    issue.edits.append(Edit(state.next_id("edit"), by.account.id, state.timestamp(), body))


def set_state(
    state: State, repo: Repository, issue: Issue, by: By, wanted: str, reason: str | None = None
) -> None:
    """Close or reopen an issue; nothing happens when it is so already."""
    writable(repo)
    if issue.state == wanted:
        return
    closing = wanted == "closed"
    issue.state = wanted
    issue.state_reason = (reason or "completed") if closing else "reopened"
    record(state, issue, "closed" if closing else "reopened", by)
    issue.closed_at = issue.updated_at if closing else None
    issue.closed_by_id = by.account.id if closing else None
    tell(state, "closed" if closing else "reopened", repo, issue, by)


def set_lock(
    state: State, repo: Repository, issue: Issue, by: By, locked: bool, reason: str | None = None
) -> None:
    """Lock or unlock the conversation of an issue."""
    issue.locked, issue.lock_reason = locked, reason if locked else None
    kind = "locked" if locked else "unlocked"
    record(state, issue, kind, by, lock_reason=issue.lock_reason)
    tell(state, kind, repo, issue, by)


def add_comment(state: State, repo: Repository, issue: Issue, by: By, body: str) -> Comment:
    """Comment on an issue. Raises 403 on a locked one unless the person may write to it."""
    writable(repo)
    writes = repo.roles.get(by.account.id) in ("write", "maintain", "admin")
    if issue.locked and not writes and by.account.id != repo.owner_id:
        raise ApiError(403, "Unable to create comment because issue is locked.")
    at = state.timestamp()
    comment = Comment(state.next_id("comment"), by.account.id, body, at, by.app_id)
    issue.comments.append(comment)
    issue.updated_at = at
    tell_comment(state, "created", repo, issue, by, comment)
    return comment


def tell_comment(
    state: State,
    action: str,
    repo: Repository,
    issue: Issue,
    by: By,
    comment: Comment,
    **parts: Any,
) -> None:
    """Send an `issue_comment` webhook."""
    shown = render.issue(state, repo, issue)
    parts["comment"] = render.comment(state, repo, issue, comment)
    emit(state, "issue_comment", action, repo, by.account, issue=shown, **parts)


def add_labels(state: State, repo: Repository, issue: Issue, by: By, names: list[str]) -> None:
    """Put labels on an issue. One that is there already changes nothing; an unknown one is made."""
    writable(repo)
    chosen = [ensure_label(state, repo, by, name) for name in names]
    for label in chosen:
        if label.id in issue.label_ids:
            continue
        if len(issue.label_ids) >= MAX_LABELS:
            raise invalid("Issue", "labels", "custom", f"cannot have more than {MAX_LABELS} labels")
        issue.label_ids.append(label.id)
        record(state, issue, "labeled", by, label=label)
        tell(state, "labeled", repo, issue, by, label=render.label(state, repo, label))


def remove_label(state: State, repo: Repository, issue: Issue, by: By, name: str) -> None:
    """Take a label off an issue. Raises 404 when it is not on it."""
    writable(repo)
    label = find_label(repo, name)
    if label is None or label.id not in issue.label_ids:
        raise ApiError(404, "Label does not exist")
    issue.label_ids.remove(label.id)
    record(state, issue, "unlabeled", by, label=label)
    tell(state, "unlabeled", repo, issue, by, label=render.label(state, repo, label))


def ensure_label(state: State, repo: Repository, by: By, name: str) -> Label:
    """The label of that name, made in GitHub's default grey when there is none."""
    return find_label(repo, name) or create_label(state, repo, by, name=name)


def create_label(
    state: State,
    repo: Repository,
    by: By,
    *,
    name: str,
    color: str = "ededed",
    description: str | None = None,
) -> Label:
    """Make a label. Raises 422 for a bad name or colour, or a name that is taken."""
    writable(repo)
    check_label(repo, name, color, description)
    color = color.lower()
    at = state.timestamp()
    label = Label(state.next_id("label"), name, color, description, at)
    repo.labels[label.id] = label
    emit(state, "label", "created", repo, by.account, label=render.label(state, repo, label))
    return label


def check_label(
    repo: Repository, name: str, color: str, description: str | None, own: Label | None = None
) -> None:
    """Raise 422 for what GitHub does not take as a label; `own` is the label being changed."""
    if not name.strip():
        raise invalid("Label", "name", "missing_field")
    if len(name) > MAX_LABEL_NAME:
        raise too_long("Label", "name", MAX_LABEL_NAME)
    if len(color) != 6 or not set(color.lower()) <= set("0123456789abcdef"):
        raise invalid("Label", "color", "invalid")
    if description is not None and len(description) > 100:
        raise too_long("Label", "description", 100)
    if find_label(repo, name) not in (None, own):
        raise invalid("Label", "name", "already_exists")


def edit_label(
    state: State, repo: Repository, label: Label, by: By, changes: Mapping[str, str | None]
) -> None:
    """Change a label's name, colour or description; its id stays. Raises 422 as `create_label`."""
    writable(repo)
    merged = {"name": label.name, "color": label.color, "description": label.description, **changes}
    check_label(repo, merged["name"] or "", merged["color"] or "", merged["description"], label)
    changed = {key: text for key, text in merged.items() if getattr(label, key) != text}
    before = {key: {"from": getattr(label, key) or ""} for key in changed}
    _freeze_label_in_events(repo, label)
    for key, text in changed.items():
        setattr(label, key, text)
    shown = render.label(state, repo, label)
    emit(state, "label", "edited", repo, by.account, label=shown, changes=before)


def _freeze_label_in_events(repo: Repository, label: Label) -> None:
    """Past events keep the name that the label had, as GitHub's do."""
    old = Label(label.id, label.name, label.color, label.description, label.created_at)
    for issue in repo.issues.values():
        for event in issue.events:
            if event.label is label:
                event.label = old


def delete_label(state: State, repo: Repository, label: Label, by: By) -> None:
    """Delete a label. It vanishes from its issues without any event of theirs, as on GitHub."""
    writable(repo)
    shown = render.label(state, repo, label)
    del repo.labels[label.id]
    for issue in repo.issues.values():
        issue.label_ids = [kept for kept in issue.label_ids if kept != label.id]
    emit(state, "label", "deleted", repo, by.account, label=shown)
