"""What the product does as one installation: all that it reads, and the little that it writes.

`repo` is always the full name, `owner/name`; results carry GitHub's numeric ids.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from bot.github import history, remote, talk
from bot.github.errors import (
    LONGEST_WAIT,
    NotFound,
    PermissionMissing,
    RateLimited,
    Unauthorized,
)
from bot.github.pacing import WritePace
from bot.github.transport import PER_PAGE, Answer, Transport
from bot.payload import storable

T = TypeVar("T")
ROLES = (
    ("admin", "admin"),
    ("maintain", "maintain"),
    ("push", "write"),
    ("triage", "triage"),
    ("pull", "read"),
)
"""`user.permissions` flag -> role, strongest first."""


class InstallationClient:
    """One installation, one thread. Every method raises a GitHubError.

    Reads are repeated after a transient failure, writes never. No redirect is followed, not even
    by a read: a renamed repository or a transferred issue raises Moved.
    """

    def __init__(
        self,
        installation_id: int,
        connect: Callable[[bool], Transport],
        *,
        pace: WritePace,
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """`connect` opens a transport with a token of its own: called again after a 401, and with
        True where the token may ask for no more than was granted.
        """
        self.installation_id = installation_id
        self._connect = connect
        self._pace = pace
        self.now = now
        self._sleep = sleep
        self._narrow = False
        self.transport = connect(False)

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def repositories(self) -> list[remote.RemoteRepository]:
        """Every repository that the installation may see."""
        return self._list("/installation/repositories", remote.repository, key="repositories")

    def repository(self, repository_id: int) -> remote.RemoteRepository:
        """A repository by its id, under whatever name it has now."""
        return self._get(f"/repositories/{repository_id}").read(remote.repository)

    def labels(self, repo: str) -> list[remote.RemoteLabel]:
        """All labels of a repository, however many."""
        return self._list(f"{_repo(repo)}/labels", remote.label)

    def issue(self, repo: str, number: int) -> remote.RemoteIssue:
        """An issue as it is now; Moved when it was transferred, Gone when it was deleted."""
        return self._get(f"{_repo(repo)}/issues/{number}").read(remote.issue)

    def label_events(self, repo: str, number: int) -> list[remote.RemoteLabelEvent]:
        """Every label put on an issue or taken off it, oldest first."""
        path = f"{_repo(repo)}/issues/{number}/events"
        found = self._list(path, lambda entry: remote.label_event(number, entry))
        return [event for event in found if event is not None]

    def file(
        self, repo: str, path: str, etag: str | None = None
    ) -> remote.RemoteFile | remote.NotModified | None:
        """A text file on the default branch; None where there is none.

        With the `etag` of the last answer an unchanged file gives NOT_MODIFIED and costs nothing.
        Bytes that are not UTF-8 come as U+FFFD.
        """
        headers = {"If-None-Match": etag} if etag else {}
        try:
            answer = self._get(f"{_repo(repo)}/contents/{quote(path)}", headers=headers)
        except NotFound:
            return None
        if answer.status == 304:
            return remote.NOT_MODIFIED
        if isinstance(answer.data, list):
            return None
        return remote.RemoteFile(answer.read(_decoded), answer.headers.get("etag", ""))

    def changed_issues(
        self, repo: str, since: str, etag: str | None = None
    ) -> remote.ChangedIssues | None:
        """Issues updated at `since` (ISO-8601, UTC) or later, oldest change first, all of them.

        None: nothing changed since the answer that `etag` came from, asked with the same `since`.
        After a full page the next one starts from the last change seen, so that an issue that
        changes meanwhile cannot push another one off the pages.
        """
        path = f"{_repo(repo)}/issues"
        params = {"state": "all", "sort": "updated", "direction": "asc", "per_page": PER_PAGE}
        headers = {"If-None-Match": etag} if etag else {}
        first = self._get(path, params={**params, "since": since}, headers=headers)
        if first.status == 304:
            return None
        found: dict[int, remote.RemoteIssue] = {}
        answer, start, number = first, since, 1
        while True:
            issues = answer.read_each(remote.issue)
            found.update({issue.number: issue for issue in issues})
            if len(issues) < PER_PAGE:
                break
            newest = issues[-1].updated_at
            start, number = (newest, 1) if newest > start else (start, number + 1)
            answer = self._get(path, params={**params, "since": start, "page": number})
        ordered = sorted(found.values(), key=lambda issue: (issue.updated_at, issue.number))
        return remote.ChangedIssues(tuple(ordered), first.headers.get("etag"))

    def history(self, repo: str, after: str | None = None) -> Iterator[remote.HistoryPage]:
        """A repository's issues from the first one on, page by page, with their label events.

        `after` is the cursor of the last page that was kept. See `bot.github.history`.
        """
        return history.pages(self, repo, after)

    def permission(self, repo: str, login: str, *, person_id: int | None = None) -> str:
        """The role of a person: admin, maintain, write, triage, read or none.

        With `person_id`, "none" where somebody else has the login by now: it can be given up.

        A role that an organization made itself counts as the strongest one it contains. The old
        field `permission` is not used: it calls triage "read" and maintain "write". Raises NotFound
        where nobody has that login (any more).
        Source: docs.github.com, "Get repository permissions for a user".
        """
        path = f"{_repo(repo)}/collaborators/{quote(login, safe='')}/permission"
        return self._get(path).read(lambda data: _role(data, person_id))

    def add_labels(self, repo: str, number: int, names: list[str]) -> list[remote.RemoteLabel]:
        """Add labels to an issue; returns all that it has now.

        GitHub creates a label that does not exist: an id that was not known before shows it.
        """
        path = f"{_repo(repo)}/issues/{number}/labels"
        return self._write("POST", path, {"labels": names}).read_each(remote.label)

    def remove_label(self, repo: str, number: int, name: str) -> list[remote.RemoteLabel]:
        """Take a label off an issue; returns those left. NotFound when it was not there."""
        path = f"{_repo(repo)}/issues/{number}/labels/{quote(name, safe='')}"
        return self._write("DELETE", path).read_each(remote.label)

    def comments(self, repo: str, number: int) -> list[talk.RemoteComment]:
        """The comments on an issue, oldest first."""
        return self._list(f"{_repo(repo)}/issues/{number}/comments", talk.comment)

    def comments_since(self, repo: str, since: str) -> list[talk.RemoteComment]:
        """The comments on all issues that were written or changed at `since` (ISO-8601) or later.

        The oldest change first; after ten pages the rest is left.
        """
        params = {"sort": "updated", "direction": "asc", "since": since, "per_page": PER_PAGE}
        answer = self._get(f"{_repo(repo)}/issues/comments", params=params)
        found = answer.read_each(talk.comment)
        for _ in range(9):
            target = self.transport.next_page(answer)
            if target is None:
                break
            answer = self._get(target)
            found += answer.read_each(talk.comment)
        return found

    def comment(self, repo: str, comment_id: int) -> talk.RemoteComment:
        """A comment as it is now; NotFound where it was deleted."""
        return self._get(f"{_repo(repo)}/issues/comments/{comment_id}").read(talk.comment)

    def add_comment(self, repo: str, number: int, body: str) -> talk.RemoteComment:
        """Comment on an issue."""
        path = f"{_repo(repo)}/issues/{number}/comments"
        return self._write("POST", path, {"body": body}).read(talk.comment)

    def edit_comment(self, repo: str, comment_id: int, body: str) -> None:
        """Change a comment of ours; NotFound where it was deleted."""
        self._write("PATCH", f"{_repo(repo)}/issues/comments/{comment_id}", {"body": body})

    def suggestions(self, repo: str, number: int) -> list[talk.RemoteSuggestion]:
        """The labels proposed for an issue on GitHub, in every state.

        NotFound where GitHub, or the repository, has no such suggestions.
        """
        path = f"{_repo(repo)}/issues/{number}/suggestions"
        found = self._list(path, talk.suggestion, state="all", action="add_label")
        return [suggestion for suggestion in found if suggestion is not None]

    def suggest_labels(
        self, repo: str, number: int, entries: list[dict[str, Any]]
    ) -> list[remote.RemoteLabel]:
        """Propose labels for an issue; returns all that it has now.

        Source of the entries: docs.github.com, "Add labels to an issue". A GitHub that does not
        know `suggest` puts the labels on: then they are in what is returned.
        """
        path = f"{_repo(repo)}/issues/{number}/labels"
        return self._write("POST", path, {"labels": entries}).read_each(remote.label)

    def delete_label(self, repo: str, name: str) -> None:
        """Delete a label from the repository, and so from every issue."""
        self._write("DELETE", f"{_repo(repo)}/labels/{quote(name, safe='')}")

    def require_quota(self, share: float, resource: str = "core") -> None:
        """Raise RateLimited when less than `share` (0 to 1) of the hour's requests is left.

        Work that can wait leaves that much to work that cannot.
        """
        quota = self.transport.quotas.get(resource)
        if quota is None or quota.reset_at <= self.now():
            return
        if quota.remaining < share * quota.limit:
            message = f"{quota.remaining} of {quota.limit} requests left, kept for new issues"
            at = quota.reset_at + 1
            raise RateLimited(0, message, f"installation {self.installation_id}", retry_at=at)

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Answer:
        """One GraphQL query; the answer's data may hold `errors`."""
        body = {"query": query, "variables": dict(variables)}
        return self._call("POST", self.transport.graphql_url, body=body)

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Answer:
        """GET one page of something under the API's root."""
        return self._get(path, params=params)

    def _get(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return self._call("GET", path, params=params, headers=headers)

    def _list(
        self, path: str, parse: Callable[[Any], T], *, key: str | None = None, **params: str
    ) -> list[T]:
        """Every entry of every page of a list."""
        answer = self._get(path, params={"per_page": PER_PAGE, **params})
        found = answer.read_each(parse, key)
        while (target := self.transport.next_page(answer)) is not None:
            answer = self._get(target)
            found += answer.read_each(parse, key)
        return found

    def _write(self, verb: str, path: str, body: Any = None) -> Answer:
        wait = self._pace.take(self.installation_id, self.now(), f"{verb} {path}")
        if wait > 0:
            self._sleep(wait)
        return self._call(verb, path, body=body)

    def _call(self, verb: str, path: str, **options: Any) -> Answer:
        """One request, unless GitHub wants none now; what it says of limits holds for all threads.

        Once more with a new token where GitHub did not take, or give, the first. A token for less
        than we use is tried once more for all of it: more may have been granted meanwhile.
        """
        now = self.now()
        self._pace.require_unblocked(self.installation_id, now, f"{verb} {path}")
        try:
            answer = self._authorized(verb, path, **options)
        except RateLimited as limited:
            self._pace.block(self.installation_id, limited.retry_at)
            raise
        quota = self.transport.quotas.get("core")
        if quota is not None and quota.remaining == 0 and quota.reset_at > now:
            until = min(quota.reset_at + 1, now + LONGEST_WAIT)
            self._pace.block(self.installation_id, until)
        return answer

    def _authorized(self, verb: str, path: str, **options: Any) -> Answer:
        try:
            return self.transport.request(verb, path, **options)
        except Unauthorized as error:
            if error.status != 401:
                raise
            narrow = self._narrow
        except PermissionMissing as error:
            narrow = error.status == 422
            if narrow == self._narrow:
                raise
        try:
            return self._reconnected(narrow).request(verb, path, **options)
        except PermissionMissing as error:
            if error.status != 422 or narrow:
                raise
        return self._reconnected(True).request(verb, path, **options)

    def _reconnected(self, narrow: bool) -> Transport:
        self.transport.close()
        self._narrow = narrow
        self.transport = self._connect(narrow)
        return self.transport


def _repo(full_name: str) -> str:
    return f"/repos/{quote(full_name)}"


def _role(data: Mapping[str, Any], person_id: int | None) -> str:
    user = data.get("user") or {}
    if person_id is not None and user.get("id") != person_id:
        return "none"
    granted = user.get("permissions") or {}
    held = next((role for flag, role in ROLES if granted.get(flag)), None)
    return held or storable(data.get("role_name")) or "none"


def _decoded(data: Mapping[str, Any]) -> str:
    content = storable(data.get("content"))
    if data.get("encoding") != "base64":
        return content
    try:
        return base64.b64decode(content).decode(errors="replace")
    except binascii.Error:
        return ""
