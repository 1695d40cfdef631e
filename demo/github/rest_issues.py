"""Routes for issues, their comments, events and timeline.

https://docs.github.com/rest/issues
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from . import actions, render, render_events, talk
from .auth import may_triage
from .context import (
    ISSUES,
    ISSUES_OR_PULLS,
    answer,
    paged,
    text_of,
    the_body,
    the_caller,
    the_issue,
    the_object,
    the_repository,
    the_state,
)
from .errors import ApiError, gone, invalid
from .ids import epoch
from .model import Issue, Repository
from .state import labels_of, visible

routes = Blueprint("issues", __name__, url_prefix="/repos/<owner>/<name>/issues")
SORTS = {"created": "created_at", "updated": "updated_at"}


@routes.get("")
def list_issues(owner: str, name: str) -> Response:
    """Issues and pull requests, newest first unless asked otherwise."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS)
    if not repo.has_issues:
        raise gone("Issues are disabled for this repo")
    found = [issue for issue in visible(repo) if _wanted(repo, issue)]
    sort = request.args.get("sort", "created")
    if sort not in (*SORTS, "comments"):
        raise invalid("Issue", "sort", "invalid")
    key = _comment_count if sort == "comments" else _by_time(SORTS[sort])
    found.sort(key=key, reverse=request.args.get("direction", "desc") != "asc")
    return paged(found, lambda issue: render.issue(the_state(), repo, issue))


def _comment_count(issue: Issue) -> Any:
    return (len(issue.comments), issue.number)


def _by_time(field: str) -> Any:
    return lambda issue: (getattr(issue, field), issue.number)


def _wanted(repo: Repository, issue: Issue) -> bool:
    asked = request.args
    if asked.get("state", "open") not in (issue.state, "all"):
        return False
    since = asked.get("since")
    try:
        if since and epoch(issue.updated_at) < epoch(since):
            return False
    except ValueError as error:
        raise invalid("Issue", "since", "invalid") from error
    creator = asked.get("creator")
    if creator and not _written_by(issue, creator):
        return False
    names = {label.name.lower() for label in labels_of(repo, issue)}
    return set(filter(None, asked.get("labels", "").lower().split(","))) <= names


def _written_by(issue: Issue, login: str) -> bool:
    account = the_state().account(login)
    return account is not None and account.id == issue.author_id


@routes.post("")
def open_issue(owner: str, name: str) -> Response:
    """Open an issue; labels are taken only from who may write."""
    repo, body = _for_new_issue(owner, name), the_object()
    title = text_of(body, "title", "Issue")
    if title is None:
        raise invalid("Issue", "title", "missing_field")
    names = [item if isinstance(item, str) else item["name"] for item in body.get("labels") or []]
    if the_caller().installation is None and not may_triage(the_caller(), repo):
        names = []  # GitHub drops them without a word
    issue = actions.open_issue(
        the_state(),
        repo,
        the_caller().by(),
        title=title,
        body=text_of(body, "body", "Issue"),
        labels=tuple(names),
    )
    response = answer(render.detailed_issue(the_state(), repo, issue), 201)
    response.headers["Location"] = f"{render.api_url(the_state(), repo)}/issues/{issue.number}"
    return response


def _for_new_issue(owner: str, name: str) -> Repository:
    # Anybody who sees a repository may open an issue; an App needs the permission.
    level = "write" if the_caller().installation is not None else "read"
    repo = the_repository(owner, name, ISSUES, level)
    if not repo.has_issues:
        raise gone("Issues are disabled for this repo")
    return repo


@routes.get("/<int:number>")
def get_issue(owner: str, name: str, number: int) -> Response:
    """One issue."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS)
    issue = the_issue(repo, number)
    return answer(render.detailed_issue(the_state(), repo, issue))


@routes.patch("/<int:number>")
def edit_issue(owner: str, name: str, number: int) -> Response:
    """Change title, body, state or the whole set of labels."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS, "write")
    issue, body, by = the_issue(repo, number), the_object(), the_caller().by()
    given: list[str] = [key for key in ("title", "body") if key in body]
    texts = {key: text_of(body, key, "Issue") for key in given}
    actions.edit_issue(the_state(), repo, issue, by, texts)
    state = body.get("state")
    if state not in (None, "open", "closed"):
        raise invalid("Issue", "state", "invalid")
    if state:
        actions.set_state(the_state(), repo, issue, by, state, body.get("state_reason"))
    if "labels" in body:
        replace_labels(repo, issue, body["labels"] or [])
    return answer(render.detailed_issue(the_state(), repo, issue))


def replace_labels(repo: Repository, issue: Issue, items: list[Any]) -> None:
    """Make an issue's labels exactly these, by name."""
    names = [item if isinstance(item, str) else item["name"] for item in items]
    kept, by = {name.lower() for name in names}, the_caller().by()
    for label in labels_of(repo, issue):
        if label.name.lower() not in kept:
            actions.remove_label(the_state(), repo, issue, by, label.name)
    actions.add_labels(the_state(), repo, issue, by, names)


@routes.get("/<int:number>/events")
def issue_events(owner: str, name: str, number: int) -> Response:
    """What happened to one issue, oldest first."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS)
    issue = the_issue(repo, number)
    return paged(issue.events, lambda event: render_events.event(the_state(), repo, event))


@routes.get("/events")
def repository_events(owner: str, name: str) -> Response:
    """What happened to all issues, newest first."""
    repo, state = the_repository(owner, name, ISSUES_OR_PULLS), the_state()
    pairs = [(issue, event) for issue in visible(repo) for event in issue.events]
    pairs.sort(key=lambda pair: (pair[1].created_at, pair[1].id), reverse=True)
    return paged(pairs, lambda pair: render_events.repository_event(state, repo, *pair))


@routes.get("/<int:number>/timeline")
def timeline(owner: str, name: str, number: int) -> Response:
    """Events and comments of one issue, oldest first."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS)
    issue = the_issue(repo, number)
    return paged(render_events.timeline(the_state(), repo, issue), lambda item: item)


@routes.get("/<int:number>/comments")
def list_comments(owner: str, name: str, number: int) -> Response:
    """The comments on one issue, oldest first."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS)
    issue = the_issue(repo, number)
    return paged(issue.comments, lambda item: render.comment(the_state(), repo, issue, item))


@routes.post("/<int:number>/comments")
def add_comment(owner: str, name: str, number: int) -> Response:
    """Comment on an issue."""
    level = "write" if the_caller().installation is not None else "read"
    repo = the_repository(owner, name, ISSUES_OR_PULLS, level)
    issue, text = the_issue(repo, number), text_of(the_object(), "body", "IssueComment")
    if not text or not text.strip():
        raise invalid("IssueComment", "body", "missing_field")
    comment = actions.add_comment(the_state(), repo, issue, the_caller().by(), text)
    return answer(render.comment(the_state(), repo, issue, comment), 201)


@routes.get("/<int:number>/labels")
def issue_labels(owner: str, name: str, number: int) -> Response:
    """The labels on one issue."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS)
    labels = labels_of(repo, the_issue(repo, number))
    return paged(labels, lambda label: render.label(the_state(), repo, label))


def _labels(repo: Repository, issue: Issue) -> Response:
    return answer([render.label(the_state(), repo, label) for label in labels_of(repo, issue)])


@routes.post("/<int:number>/labels")
def add_labels(owner: str, name: str, number: int) -> Response:
    """Put labels on an issue: an object, or an array as such. Unknown labels are made.

    A label marked `suggest` is only offered (GitHub's "label suggestions").
    """
    repo = the_repository(owner, name, ISSUES_OR_PULLS, "write")
    issue = the_issue(repo, number)
    items = label_items(the_body())
    talk.add_or_suggest(the_state(), repo, issue, the_caller().by(), items)
    return _labels(repo, issue)


@routes.put("/<int:number>/labels")
def set_labels(owner: str, name: str, number: int) -> Response:
    """Replace the labels of an issue."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS, "write")
    issue = the_issue(repo, number)
    replace_labels(repo, issue, label_items(the_body()))
    return _labels(repo, issue)


def label_items(body: Any) -> list[dict[str, Any]]:
    """The labels in any of the bodies that GitHub takes, as objects; raises 422 for others."""
    items = body.get("labels", []) if isinstance(body, dict) else body
    if not isinstance(items, list):
        raise ApiError(422, "Invalid request.\n\nFor 'properties/labels', it is not an array.")
    objects = [item if isinstance(item, dict) else {"name": item} for item in items]
    if not all(isinstance(item.get("name"), str) for item in objects):
        raise ApiError(422, "Invalid request.\n\nFor 'items', it is not a string.")
    return objects


@routes.delete("/<int:number>/labels/<path:label>")
def remove_label(owner: str, name: str, number: int, label: str) -> Response:
    """Take one label off an issue."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS, "write")
    issue = the_issue(repo, number)
    actions.remove_label(the_state(), repo, issue, the_caller().by(), label)
    return _labels(repo, issue)
