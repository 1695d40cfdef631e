"""What happens to whole issues and repositories: deleted, transferred, renamed, archived."""

from __future__ import annotations

from typing import Any

from . import render, render_accounts
from .actions import By, record, tell
from .model import Account, Issue, Label, Repository
from .state import State, find_label, labels_of
from .webhooks import emit, organization


def delete_issue(state: State, repo: Repository, issue: Issue, by: By) -> None:
    """Delete an issue; its number answers 410 from then on."""
    tell(state, "deleted", repo, issue, by)
    issue.deleted = True


def transfer_issue(
    state: State, repo: Repository, issue: Issue, by: By, target: Repository
) -> Issue:
    """Move an issue to another repository of the same owner; the old number redirects.

    Labels come along where the target has one of the same name. The arrival is `opened` there,
    with `changes` that name where the issue came from.
    """
    at = state.timestamp()
    number = target.next_number
    target.next_number += 1
    values = {name: getattr(issue, name) for name in Issue.__dataclass_fields__}
    values |= {"id": state.next_id("issue"), "number": number, "updated_at": at}
    values |= {"events": list(issue.events), "edits": list(issue.edits)}
    moved = Issue(**values)
    kept = [find_label(target, label.name) for label in labels_of(repo, issue)]
    moved.label_ids = [label.id for label in kept if label is not None]
    target.issues[number] = moved
    record(state, moved, "transferred", by, from_repository_id=repo.id)
    _tell_transfer(state, (repo, issue), (target, moved), by)
    issue.moved_to = (target.id, number)
    return moved


def _tell_transfer(
    state: State, old: tuple[Repository, Issue], new: tuple[Repository, Issue], by: By
) -> None:
    arrived = {
        "new_issue": render.issue(state, *new),
        "new_repository": render.repository(state, new[0]),
    }
    came_from = {
        "old_issue": render.issue(state, *old),
        "old_repository": render.repository(state, old[0]),
    }
    tell(state, "transferred", *old, by, changes=arrived)
    tell(state, "opened", *new, by, changes=came_from)


def rename_repository(state: State, repo: Repository, by: By, name: str) -> None:
    """Give a repository another name; the old one redirects."""
    state.old_names[state.full_name(repo).lower()] = repo.id
    before, repo.name = repo.name, name
    changes = {"repository": {"name": {"from": before}}}
    emit(state, "repository", "renamed", repo, by.account, changes=changes)


def transfer_repository(state: State, repo: Repository, by: By, owner: Account) -> None:
    """Give a repository to another account; installations that reach it there are told."""
    state.old_names[state.full_name(repo).lower()] = repo.id
    before, repo.owner_id = state.accounts[repo.owner_id], owner.id
    if before.type == "Organization":
        came_from = {"organization": organization(state, before)}
    else:
        came_from = {"user": render_accounts.user(state, before)}
    changes = {"owner": {"from": came_from}}
    emit(state, "repository", "transferred", repo, by.account, changes=changes)


def set_archived(state: State, repo: Repository, by: By, archived: bool) -> None:
    """Archive a repository (read-only from then on) or take it back."""
    repo.archived = archived
    emit(state, "repository", "archived" if archived else "unarchived", repo, by.account)


def set_private(state: State, repo: Repository, by: By, private: bool) -> None:
    """Make a repository private or public."""
    repo.private = private
    emit(state, "repository", "privatized" if private else "publicized", repo, by.account)


def delete_repository(state: State, repo: Repository, by: By) -> None:
    """Delete a repository."""
    emit(state, "repository", "deleted", repo, by.account)
    repo.deleted = True


def plant_issue(state: State, repo: Repository, by: By, facts: dict[str, Any]) -> Issue:
    """Put an issue of the past into a repository: no webhook, its own times and number.

    Nothing is checked: GitHub has titles that are longer than it takes today.

    `facts` is an issue as GitHub's REST API gives it; `number`, `title`, `body`, `state`,
    `created_at`, `updated_at`, `closed_at`, `labels` (names or objects), `locked`,
    `author_association` and `pull_request` are used. Its labels get a labeled event at
    `created_at` unless `facts` holds `events`: (kind, label name, By, time) each.
    """
    at = facts.get("created_at") or state.timestamp()
    number = facts.get("number") or repo.next_number
    author = by.account.id
    issue = Issue(state.next_id("issue"), number, facts["title"], facts.get("body"), author, at, at)
    issue.updated_at = facts.get("updated_at") or at
    issue.state, issue.closed_at = facts.get("state") or "open", facts.get("closed_at")
    issue.state_reason, issue.locked = facts.get("state_reason"), bool(facts.get("locked"))
    issue.is_pull_request = bool(facts.get("pull_request"))
    issue.association = facts.get("author_association")
    repo.issues[number] = issue
    repo.next_number = max(repo.next_number, number + 1)
    chosen = [_plant_label(state, repo, item) for item in facts.get("labels") or []]
    issue.label_ids = [label.id for label in chosen]
    events = facts.get("events")
    if events is None:
        events = [("labeled", label.name, by, at) for label in chosen]
    for kind, name, actor, when in events:
        _plant_event(state, repo, issue, actor, (kind, name, when))
    return issue


def _plant_label(state: State, repo: Repository, item: Any) -> Label:
    facts = {"name": item} if isinstance(item, str) else item
    found = find_label(repo, facts["name"])
    if found is None:
        color, description = facts.get("color") or "ededed", facts.get("description")
        at = state.timestamp()
        found = Label(state.next_id("label"), facts["name"], color, description, at)
        repo.labels[found.id] = found
    return found


def _plant_event(
    state: State, repo: Repository, issue: Issue, by: By, fact: tuple[str, str, str]
) -> None:
    kind, name, at = fact
    updated = issue.updated_at
    event = record(state, issue, kind, by, label=_plant_label(state, repo, name))
    event.created_at, issue.updated_at = at, updated
