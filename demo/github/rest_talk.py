"""Routes for comments by their id, and for suggestions.

https://docs.github.com/rest/issues/comments, https://docs.github.com/rest/issues/issues
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from . import render, talk
from .context import (
    ISSUES,
    ISSUES_OR_PULLS,
    answer,
    no_content,
    paged,
    text_of,
    the_caller,
    the_issue,
    the_object,
    the_repository,
    the_state,
)
from .errors import invalid

routes = Blueprint("talk", __name__, url_prefix="/repos/<owner>/<name>/issues")


@routes.get("/comments")
def list_comments(owner: str, name: str) -> Response:
    """The comments on all issues, by the time of writing or of the last change."""
    repo, state = the_repository(owner, name, ISSUES_OR_PULLS), the_state()
    try:
        sort = request.args.get("sort", "created")
        found = talk.comments_since(repo, request.args.get("since"), sort)
    except ValueError as error:
        raise invalid("IssueComment", "since", "invalid") from error
    # GitHub ignores the direction unless it is told what to sort by.
    if "sort" in request.args and request.args.get("direction") == "desc":
        found.reverse()
    return paged(found, lambda pair: render.comment(state, repo, *pair))


@routes.get("/comments/<int:comment_id>")
def get_comment(owner: str, name: str, comment_id: int) -> Response:
    """One comment."""
    repo = the_repository(owner, name, ISSUES_OR_PULLS)
    issue, comment = talk.find_comment(repo, comment_id)
    return answer(render.comment(the_state(), repo, issue, comment))


@routes.patch("/comments/<int:comment_id>")
def edit_comment(owner: str, name: str, comment_id: int) -> Response:
    """Change a comment."""
    repo = the_repository(owner, name, ISSUES, "write")
    issue, comment = talk.find_comment(repo, comment_id)
    text = text_of(the_object(), "body", "IssueComment")
    if not text or not text.strip():
        raise invalid("IssueComment", "body", "missing_field")
    talk.edit_comment(the_state(), repo, issue, the_caller().by(), comment, text)
    return answer(render.comment(the_state(), repo, issue, comment))


@routes.delete("/comments/<int:comment_id>")
def delete_comment(owner: str, name: str, comment_id: int) -> Response:
    """Delete a comment."""
    repo = the_repository(owner, name, ISSUES, "write")
    issue, comment = talk.find_comment(repo, comment_id)
    talk.delete_comment(the_state(), repo, issue, the_caller().by(), comment)
    return no_content()


@routes.get("/<int:number>/suggestions")
def list_suggestions(owner: str, name: str, number: int) -> Response:
    """What was suggested for an issue: the pending ones unless asked otherwise."""
    repo = the_repository(owner, name, ISSUES, "write")
    issue, asked = the_issue(repo, number), request.args.get("state", "pending")
    talk.require_suggestions(the_state(), issue)
    if asked not in (*talk.STATES, "all"):
        raise invalid("IssueSuggestion", "state", "invalid")
    wanted = request.args.get("action", "add_label") == "add_label"
    found = [each for each in issue.suggestions if wanted and asked in (each.state, "all")]
    return paged(found, lambda each: talk.render_suggestion(issue, each))


@routes.post("/<int:number>/suggestions/<int:suggestion_id>/<any(approve, dismiss):how>")
def resolve(owner: str, name: str, number: int, suggestion_id: int, how: str) -> Response:
    """Approve or dismiss a suggestion."""
    repo = the_repository(owner, name, ISSUES, "write")
    issue = the_issue(repo, number)
    talk.require_suggestions(the_state(), issue)
    found = talk.find_suggestion(issue, suggestion_id)
    state = {"approve": "approved", "dismiss": "dismissed"}[how]
    talk.resolve(the_state(), repo, issue, the_caller().by(), found, state)
    return answer(talk.render_suggestion(issue, found))
