"""What is said about an issue: comments that change or go, and labels that are only suggested."""

from __future__ import annotations

from typing import Any

from . import actions
from .actions import By, tell_comment
from .errors import ApiError, invalid, not_found
from .ids import epoch
from .model import Comment, Issue, Repository, Suggestion
from .state import State, find_label, visible

CONFIDENCES = ("low", "medium", "high")
HOW = ("on", "absent", "ignored", "refused")
"""How this GitHub takes label suggestions: it has them; it has never heard of them, and puts the
labels on; it lists them, and puts them on all the same; it answers 422."""
STATES = ("pending", "applied", "approved", "dismissed", "replaced", "invalidated")


def find_comment(repo: Repository, comment_id: int) -> tuple[Issue, Comment]:
    """A comment by its id, with its issue; raises 404 where there is none."""
    for issue in visible(repo):
        for comment in issue.comments:
            if comment.id == comment_id:
                return issue, comment
    raise not_found()


def comments_since(repo: Repository, since: str | None, sort: str) -> list[tuple[Issue, Comment]]:
    """The comments on all issues that changed at `since` or later, in order of that."""
    pairs = [(issue, comment) for issue in visible(repo) for comment in issue.comments]
    kept = [x for x in pairs if since is None or epoch(changed_at(x[1])) >= epoch(since)]
    by_change = sort == "updated"
    kept.sort(key=lambda x: (changed_at(x[1]) if by_change else x[1].created_at, x[1].id))
    return kept


def changed_at(comment: Comment) -> str:
    """When a comment was last written."""
    return comment.updated_at or comment.created_at


def edit_comment(
    state: State, repo: Repository, issue: Issue, by: By, comment: Comment, body: str
) -> None:
    """Change a comment; the webhook says what it was."""
    actions.writable(repo)
    before, comment.body = comment.body, body
    comment.updated_at = issue.updated_at = state.timestamp()
    tell_comment(state, "edited", repo, issue, by, comment, changes={"body": {"from": before}})


def delete_comment(state: State, repo: Repository, issue: Issue, by: By, comment: Comment) -> None:
    """Take a comment away."""
    actions.writable(repo)
    issue.comments.remove(comment)
    issue.updated_at = state.timestamp()
    tell_comment(state, "deleted", repo, issue, by, comment)


def require_suggestions(state: State, issue: Issue) -> None:
    """Raise 404 where this GitHub, or this kind of issue, has no suggestions."""
    if state.suggestions in ("absent", "refused") or issue.is_pull_request:
        raise not_found()


def add_or_suggest(
    state: State, repo: Repository, issue: Issue, by: By, items: list[dict[str, Any]]
) -> None:
    """Put labels on; those marked `suggest` are only offered, if this GitHub knows the word."""
    marked = [item for item in items if item.get("suggest")]
    plain = [item for item in items if not item.get("suggest")]
    if marked and state.suggestions == "refused":
        raise ApiError(422, "Invalid request.\n\nFor 'items', it is not a string.")
    if any(item.get("confidence", "low") not in CONFIDENCES for item in items):
        raise invalid("Issue", "confidence", "invalid")
    if state.suggestions != "on" or issue.is_pull_request:
        plain, marked = [*plain, *marked], []
    actions.add_labels(state, repo, issue, by, [item["name"] for item in plain])
    for item in marked:
        _suggest(state, repo, issue, by, item)


def _suggest(state: State, repo: Repository, issue: Issue, by: By, item: dict[str, Any]) -> None:
    label = find_label(repo, item["name"])
    if label is None:
        raise invalid("Issue", "labels", "invalid")
    for other in issue.suggestions:
        if other.state == "pending" and other.label_id == label.id:
            other.state = "replaced"
    at = state.timestamp()
    issue.suggestions.append(
        Suggestion(
            id=state.next_id("suggestion"),
            label_id=label.id,
            rationale=item.get("rationale"),
            confidence=item.get("confidence"),
            actor_id=by.account.id,
            created_at=at,
            updated_at=at,
        )
    )


def resolve(
    state: State, repo: Repository, issue: Issue, by: By, suggestion: Suggestion, how: str
) -> None:
    """Approve or dismiss a pending suggestion; an approved label is put on by whoever approved."""
    if suggestion.state != "pending":
        raise ApiError(422, "The suggestion is not pending.")
    if how == "approved":
        name = repo.labels[suggestion.label_id].name
        actions.add_labels(state, repo, issue, by, [name])
        suggestion.event_id = issue.events[-1].id if issue.events else None
    suggestion.state, suggestion.resolved_by = how, by.account.id
    suggestion.updated_at = state.timestamp()


def find_suggestion(issue: Issue, suggestion_id: int) -> Suggestion:
    """A suggestion by its id; raises 404 where there is none."""
    found = next((each for each in issue.suggestions if each.id == suggestion_id), None)
    if found is None:
        raise not_found()
    return found


def pending(repo: Repository, issue: Issue, label: str) -> Suggestion:
    """The pending suggestion of a label, by its name. Raises LookupError."""
    for each in issue.suggestions:
        known = repo.labels.get(each.label_id)
        if each.state == "pending" and known and known.name.lower() == label.lower():
            return each
    raise LookupError(f"no suggestion of {label}")


def render_suggestion(issue: Issue, value: Suggestion) -> dict[str, Any]:
    """A suggestion as GitHub's list of them shows it."""
    confidence = value.confidence.upper() if value.confidence else None
    return {
        "id": value.id,
        "issue_id": issue.id,
        "action": "add_label",
        "state": value.state,
        "target_id": value.label_id,
        "target_value": None,
        "rationale": value.rationale,
        "confidence": confidence,
        "actor_id": value.actor_id,
        "issue_event_id": value.event_id,
        "resolved_by": value.resolved_by,
        "created_at": value.created_at,
        "updated_at": value.updated_at,
    }
