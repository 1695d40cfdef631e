"""A repository's past, page by page: GraphQL where there is one, REST otherwise.

The way is chosen by trying. A cursor of GraphQL is GitHub's own; one of REST is `rest:PAGE`, so
that a restart goes on the way that it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bot.github import graphql, remote
from bot.github.errors import GitHubError, NotFound, Unavailable, Unprocessable, from_graphql

if TYPE_CHECKING:
    from bot.github.client import InstallationClient
    from bot.github.transport import Answer

PAGE_SIZES = (100, 50, 20, 5)
"""Issues a page: GitHub gives up on a page after 10 s, so the next try is smaller."""
REST_PAGE = 30
"""Smaller, because each of its labeled issues costs a request for its events."""
RESERVE = 0.25
"""Share of the hour's requests that is left to new issues."""
REST = "rest:"


class _NoGraphql(Exception):
    """This GitHub has no GraphQL, or one that does not know our query."""


def pages(client: InstallationClient, repo: str, after: str | None) -> Iterator[remote.HistoryPage]:
    """Every page after the cursor `after` (None: from the beginning), oldest issue first."""
    labels = client.labels(repo)
    if after is None or not after.startswith(REST):
        try:
            yield from _by_graphql(client, repo, after, labels)
        except _NoGraphql:
            after = None
        else:
            return
    yield from _by_rest(client, repo, int(after.removeprefix(REST)) if after else 1)


def _by_graphql(
    client: InstallationClient,
    repo: str,
    after: str | None,
    labels: Sequence[remote.RemoteLabel],
) -> Iterator[remote.HistoryPage]:
    while True:
        client.require_quota(RESERVE, "graphql")
        parsed = _page(client, repo, after, labels)
        page = parsed.page
        for number in parsed.incomplete:
            page = graphql.with_events(page, number, client.label_events(repo, number))
        yield page
        if page.cursor is None:
            return
        after = page.cursor


def _page(
    client: InstallationClient,
    repo: str,
    after: str | None,
    labels: Sequence[remote.RemoteLabel],
) -> graphql.ParsedPage:
    """One page, asked for in smaller ones while GitHub fails on it."""
    owner, _, name = repo.partition("/")
    for size in PAGE_SIZES:
        variables = {"owner": owner, "name": name, "first": size, "after": after}
        try:
            return _ask(client, variables, labels, last_try=size == PAGE_SIZES[-1])
        except Unavailable as error:
            if error.status == 501:
                raise _NoGraphql from error
            if size == PAGE_SIZES[-1] or error.status in (0, 503):
                raise
    raise AssertionError("PAGE_SIZES is empty")


def _ask(
    client: InstallationClient,
    variables: Mapping[str, Any],
    labels: Sequence[remote.RemoteLabel],
    *,
    last_try: bool,
) -> graphql.ParsedPage:
    """One query. Raises _NoGraphql where GraphQL is missing or does not know the query.

    GitHub may answer with a page that has holes in it, and errors: that is taken where a smaller
    page cannot help.
    """
    try:
        answer = client.graphql(graphql.query(), variables)
        failure = answer.read(lambda data: _failure(data, answer, client.now()))
        issues = answer.read(_issues)
        if failure is not None and (
            not issues or (isinstance(failure, Unavailable) and not last_try)
        ):
            raise failure
        return answer.read(lambda _: graphql.parse(issues, labels))
    except (NotFound, Unprocessable) as error:
        if _is_absent(error):
            raise _NoGraphql from error
        raise


def _issues(data: Any) -> dict[str, Any]:
    """The connection in an answer, empty where there is none."""
    return ((data.get("data") or {}).get("repository") or {}).get("issues") or {}


def _failure(data: Any, answer: Answer, now: float) -> GitHubError | None:
    """What the errors in an answer mean; no connection without any error is unavailability."""
    errors = data.get("errors") or []
    if not errors and _issues(data):
        return None
    return from_graphql(answer.headers, errors, answer.request, now=now)


def _is_absent(error: GitHubError) -> bool:
    """Whether GraphQL itself is missing, and not the repository that was asked for."""
    return isinstance(error, Unprocessable) or error.status == 404


def _by_rest(client: InstallationClient, repo: str, number: int) -> Iterator[remote.HistoryPage]:
    while True:
        client.require_quota(RESERVE)
        params = {
            "state": "all",
            "sort": "created",
            "direction": "asc",
            "per_page": REST_PAGE,
            "page": number,
        }
        answer = client.get(f"/repos/{quote(repo)}/issues", params=params)
        issues = tuple(answer.read_each(remote.issue))
        more = len(issues) == REST_PAGE
        number += 1
        cursor = f"{REST}{number}" if more else None
        yield remote.HistoryPage(issues, _rest_events(client, repo, issues), cursor, None, "rest")
        if not more:
            return


def _rest_events(
    client: InstallationClient, repo: str, issues: Sequence[remote.RemoteIssue]
) -> tuple[remote.RemoteLabelEvent, ...]:
    """Label events, one request an issue, of issues that have labels: the rest stays unknown."""
    found: list[remote.RemoteLabelEvent] = []
    for issue in issues:
        if issue.labels and not issue.is_pull_request:
            client.require_quota(RESERVE)
            found += client.label_events(repo, issue.number)
    return tuple(found)
