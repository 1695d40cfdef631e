"""GitHub's JSON for repositories, issues, labels and comments. Pure: state in, value out."""

from __future__ import annotations

from urllib.parse import quote

from .ids import node_id
from .model import Comment, Issue, Label, Repository
from .render_accounts import Json, maybe_app, maybe_user, user
from .state import State, labels_of

REPOSITORY_PATHS = {
    "archive": "{archive_format}{/ref}",
    "assignees": "{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "{/branch}",
    "collaborators": "{/collaborator}",
    "comments": "{/number}",
    "commits": "{/sha}",
    "compare": "/{base}...{head}",
    "contents": "/{+path}",
    "contributors": "",
    "deployments": "",
    "downloads": "",
    "events": "",
    "forks": "",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "{/number}",
    "keys": "{/key_id}",
    "labels": "{/name}",
    "languages": "",
    "merges": "",
    "milestones": "{/number}",
    "notifications": "{?since,all,participating}",
    "pulls": "{/number}",
    "releases": "{/id}",
    "stargazers": "",
    "statuses": "/statuses/{sha}",
    "subscribers": "",
    "subscription": "",
    "tags": "",
    "teams": "",
    "trees": "/git/trees{/sha}",
}
REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def label(state: State, repository: Repository, value: Label) -> Json:
    """A label of a repository."""
    return {
        "id": value.id,
        "node_id": node_id("LA", repository.id, value.id),
        "url": f"{api_url(state, repository)}/labels/{quote(value.name, safe='')}",
        "name": value.name,
        "color": value.color,
        "default": False,
        "description": value.description,
    }


def api_url(state: State, repository: Repository) -> str:
    """The repository's address in the API."""
    return f"{state.url}/repos/{state.full_name(repository)}"


def html_url(state: State, repository: Repository) -> str:
    """The repository's page."""
    return f"{state.url}/{state.full_name(repository)}"


def repository_url(state: State, repository: Repository, key: str) -> str:
    """One of the repository's templated addresses, by the key without `_url`."""
    tail = REPOSITORY_PATHS[key]
    if not tail.startswith(("/git", "/issues", "/statuses", "/{")):
        tail = ("/" if key == "archive" else f"/{key}") + tail
    elif key in ("contents", "compare"):
        tail = f"/{key}{tail}"
    return api_url(state, repository) + tail


def repository(state: State, value: Repository) -> Json:
    """A repository, with the fields that every GitHub answer about one has."""
    full_name, page = state.full_name(value), html_url(state, value)
    open_issues = state.issue_count(value)
    ssh = f"git@github.com:{full_name}.git"
    return {
        "id": value.id,
        "node_id": node_id("R", value.id),
        "name": value.name,
        "full_name": full_name,
        "private": value.private,
        "owner": user(state, state.accounts[value.owner_id]),
        "html_url": page,
        "description": value.description,
        "fork": False,
        "url": api_url(state, value),
        **{f"{key}_url": repository_url(state, value, key) for key in REPOSITORY_PATHS},
        "created_at": value.created_at,
        "updated_at": value.created_at,
        "pushed_at": value.created_at,
        "git_url": f"git://github.com/{full_name}.git",
        "ssh_url": ssh,
        "clone_url": f"{page}.git",
        "svn_url": page,
        **dict.fromkeys(("homepage", "language", "mirror_url", "license")),
        **dict.fromkeys(("size", "stargazers_count", "watchers_count", "forks_count"), 0),
        **dict.fromkeys(("forks", "watchers"), 0),
        "open_issues_count": open_issues,
        "open_issues": open_issues,
        "has_issues": value.has_issues,
        **dict.fromkeys(("has_projects", "has_downloads", "has_wiki"), True),
        **dict.fromkeys(("has_pages", "has_discussions", "disabled", "is_template"), False),
        "archived": value.archived,
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if value.private else "public",
        "default_branch": "main",
    }


def full_repository(state: State, value: Repository) -> Json:
    """A repository as GET /repos/{owner}/{repo} shows it."""
    return {**repository(state, value), "network_count": 0, "subscribers_count": 0}


def short_repository(state: State, value: Repository) -> Json:
    """A repository as the installation webhooks show it."""
    full = repository(state, value)
    return {key: full[key] for key in ("id", "node_id", "name", "full_name", "private")}


def association(state: State, repo: Repository, author_id: int | None) -> str:
    """How an author belongs to a repository, in GitHub's words."""
    if author_id == repo.owner_id:
        return "OWNER"
    if author_id not in repo.roles:
        return "NONE"
    organization = state.accounts[repo.owner_id].type == "Organization"
    return "MEMBER" if organization else "COLLABORATOR"


def issue(state: State, repo: Repository, value: Issue) -> Json:
    """An issue (or pull request) as the REST API shows it."""
    api = f"{api_url(state, repo)}/issues/{value.number}"
    kind = "pull" if value.is_pull_request else "issues"
    page = f"{html_url(state, repo)}/{kind}/{value.number}"
    shown = {
        "url": api,
        "repository_url": api_url(state, repo),
        "labels_url": f"{api}/labels{{/name}}",
        "comments_url": f"{api}/comments",
        "events_url": f"{api}/events",
        "html_url": page,
        "id": value.id,
        "node_id": issue_node_id(repo, value),
        "number": value.number,
        "title": value.title,
        "user": maybe_user(state, value.author_id),
        "labels": [label(state, repo, item) for item in labels_of(repo, value)],
        "state": value.state,
        "locked": value.locked,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(value.comments),
        "created_at": value.created_at,
        "updated_at": value.updated_at,
        "closed_at": value.closed_at,
        "author_association": value.association or association(state, repo, value.author_id),
        "active_lock_reason": value.lock_reason,
        "body": value.body,
        "reactions": reactions(api),
        "timeline_url": f"{api}/timeline",
        "performed_via_github_app": maybe_app(state, value.app_id),
        "state_reason": value.state_reason,
    }
    return shown | _pull_request(state, repo, value, page)


def _pull_request(state: State, repo: Repository, value: Issue, page: str) -> Json:
    if not value.is_pull_request:
        return {}
    links = {
        "url": f"{api_url(state, repo)}/pulls/{value.number}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "merged_at": None,
    }
    return {"draft": False, "pull_request": links}


def detailed_issue(state: State, repo: Repository, value: Issue) -> Json:
    """An issue as GET of one issue shows it: with who closed it."""
    return {**issue(state, repo, value), "closed_by": maybe_user(state, value.closed_by_id)}


def issue_node_id(repo: Repository, value: Issue) -> str:
    """The issue's global id."""
    return node_id("PR" if value.is_pull_request else "I", repo.id, value.id)


def reactions(api: str) -> Json:
    """The reactions to something at that address: none."""
    return {"url": f"{api}/reactions", "total_count": 0, **dict.fromkeys(REACTIONS, 0)}


def comment(state: State, repo: Repository, parent: Issue, value: Comment) -> Json:
    """A comment on an issue."""
    api = f"{api_url(state, repo)}/issues"
    page = f"{html_url(state, repo)}/issues/{parent.number}#issuecomment-{value.id}"
    return {
        "url": f"{api}/comments/{value.id}",
        "html_url": page,
        "issue_url": f"{api}/{parent.number}",
        "id": value.id,
        "node_id": node_id("IC", repo.id, value.id),
        "user": user(state, state.accounts[value.author_id]),
        "created_at": value.created_at,
        "updated_at": value.updated_at or value.created_at,
        "author_association": association(state, repo, value.author_id),
        "body": value.body,
        "reactions": reactions(f"{api}/comments/{value.id}"),
        "performed_via_github_app": maybe_app(state, value.app_id),
    }
