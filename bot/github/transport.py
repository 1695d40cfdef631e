"""One request to GitHub and its answer, over PyGithub's requester.

PyGithub brings authentication, tokens that renew themselves, connections and time-outs. Three of
its habits are turned off here: it follows a 301 with the same verb and body into whatever
repository it names (and drops the query), it sleeps through rate limits, and it waits without end
for a 202.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import jwt
import requests
from github import GithubException
from github.GithubRetry import GithubRetry
from github.Requester import Requester
from urllib3 import Retry
from urllib3.response import BaseHTTPResponse

from bot.github.errors import (
    GitHubError,
    Moved,
    PermissionMissing,
    Unauthorized,
    Unavailable,
    from_response,
)

T = TypeVar("T")
USER_AGENT = "labelwright"
API_VERSION = "2022-11-28"
TIMEOUT = 15
PER_PAGE = 100
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({500, 502, 503, 504})


class BoundedRetry(GithubRetry):
    """Repeats a GET twice after a transient failure, within 2 s in all; refuses every redirect.

    A write is never repeated here: the job reads the issue again before it does. A connection that
    was never made may be tried again with any verb. Rate limits are not waited for: the job is.
    This is the one object that PyGithub hands to all its connections, token requests included.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"total": 2, "backoff_factor": 0.5, **kwargs}
        kwargs.update(
            status_forcelist=[],
            allowed_methods=frozenset({"GET"}),
            respect_retry_after_header=False,
            raise_on_status=False,
        )
        super().__init__(**kwargs)
        self.status_forcelist = _TRANSIENT

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """True for what `increment` must see: what it refuses, or a GET that failed in passing."""
        refused = status_code in _REDIRECTS or (status_code == 202 and method == "GET")
        return refused or super().is_retry(method, status_code, has_retry_after)

    def increment(  # type: ignore[override]
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Retry:
        """The next, smaller allowance. Raises Moved for a redirect, Unavailable for a 202."""
        if response is not None and response.status in _REDIRECTS | {202}:
            response.drain_conn()
            raise _refusal(response, f"{method} {url}")
        return super().increment(method, url, response, *args, **kwargs)  # type: ignore[arg-type]


def _refusal(response: BaseHTTPResponse, request: str) -> GitHubError:
    if response.status == 202:
        return Unavailable(202, "GitHub is still preparing the answer", request)
    location = response.headers.get("location", "")
    return Moved(response.status, f"moved to {location}", request, location=location)


@dataclass(frozen=True)
class Answer:
    """A success: status 2xx or 304, header names in lower case, `data` the parsed JSON."""

    status: int
    headers: Mapping[str, str]
    data: Any
    request: str

    def read(self, parse: Callable[[Any], T]) -> T:
        """The data as a value; raises Unavailable where it has not the shape that `parse` needs."""
        try:
            return parse(self.data)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"an answer of an unknown shape: {error!r}"
            raise Unavailable(self.status, message, self.request) from error

    def read_each(self, parse: Callable[[Any], T], key: str | None = None) -> list[T]:
        """The entries of a list, or of the list under `key`, as values; raises as `read` does."""
        return self.read(lambda data: [parse(entry) for entry in (data[key] if key else data)])


@dataclass(frozen=True)
class Quota:
    """What is left of a primary rate limit, as the last answer told; `reset_at` epoch seconds."""

    remaining: int
    limit: int
    reset_at: float


class Transport:
    """Requests of one identity (the App, or an installation) from one thread."""

    def __init__(self, requester: Requester, *, now: Callable[[], float], name: str) -> None:
        """`name` says in error messages whose token was refused, e.g. "installation 7"."""
        self._requester = requester
        self._now = now
        self._name = name
        self.quotas: dict[str, Quota] = {}
        """By resource: REST ("core") and GraphQL have one each."""

    @property
    def graphql_url(self) -> str:
        """Where GraphQL is: beside `/api/v3` on an Enterprise Server."""
        return self._requester.graphql_url

    def close(self) -> None:
        """Close the connections."""
        self._requester.close()

    def request(
        self,
        verb: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """Send one request; raises a GitHubError for every answer that is no success.

        `path` starts with a slash and is relative to the base URL, or is the `graphql_url`.
        """
        name = f"{verb} {path}"
        self._authenticate()
        status, answered, raw = self._send(verb, path, params, headers, body)
        self._remember_quota(answered)
        failure = from_response(status, answered, _parsed(raw), name, now=self._now())
        if failure is not None:
            raise failure
        try:
            return Answer(status, answered, json.loads(raw) if raw else None, name)
        except ValueError as error:
            raise Unavailable(status, "the answer is not JSON", name) from error

    def pages(self, path: str, *, params: Mapping[str, Any] | None = None) -> Iterator[Answer]:
        """GET a list page by page, 100 entries each, along the `Link` header."""
        answer = self.request("GET", path, params={"per_page": PER_PAGE, **(params or {})})
        yield answer
        while (target := self.next_page(answer)) is not None:
            answer = self.request("GET", target)
            yield answer

    def next_page(self, answer: Answer) -> str | None:
        """Path and query of the page after this one, relative to the base URL; None at the end.

        Raises Unavailable when the link leads to another host: a token goes nowhere else.
        """
        links = requests.utils.parse_header_links(answer.headers.get("link", ""))
        url = next((link["url"] for link in links if link.get("rel") == "next"), None)
        if url is None:
            return None
        base, target = urlsplit(self._requester.base_url), urlsplit(url)
        if target.netloc and target.hostname != base.hostname:
            raise Unavailable(0, f"the next page is on {target.hostname}", url)
        path = target.path.removeprefix(base.path.rstrip("/"))
        return f"{path}?{target.query}" if target.query else path

    def _send(
        self,
        verb: str,
        path: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        body: Any,
    ) -> tuple[int, Mapping[str, str], str]:
        accept = {"Accept": "application/vnd.github+json", **(headers or {})}
        try:
            return self._requester.requestJson(verb, path, dict(params or {}), accept, body)
        except requests.RequestException as error:
            raise Unavailable(0, f"no answer: {error}", f"{verb} {path}") from error

    def _authenticate(self) -> None:
        """Renew the token now if it is due, so that a refusal is reported as what it is."""
        auth = self._requester.auth
        if auth is None:
            return
        request = f"token for {self._name}"
        try:
            _ = auth.token
        except GithubException as error:
            raise self._token_failure(error, request) from error
        except requests.RequestException as error:
            raise Unavailable(0, f"no answer: {error}", request) from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            message = f"the private key does not sign: {error}"
            raise Unauthorized(0, message, request) from error

    def _token_failure(self, error: GithubException, request: str) -> GitHubError:
        headers = {key.lower(): value for key, value in (error.headers or {}).items()}
        if error.status == 422:
            return PermissionMissing(422, "the App asks for more than was granted", request)
        failure = from_response(error.status, headers, error.data, request, now=self._now())
        return failure or Unavailable(error.status, "no token in the answer", request)

    def _remember_quota(self, headers: Mapping[str, str]) -> None:
        names = ("x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset")
        values = [headers.get(name, "") for name in names]
        if all(value.isdigit() for value in values):
            remaining, limit, reset = map(int, values)
            resource = headers.get("x-ratelimit-resource", "core")
            self.quotas[resource] = Quota(remaining, limit, float(reset))


def _parsed(raw: str) -> Any:
    """The JSON of an answer that may be an error page: None where it is not JSON."""
    try:
        return json.loads(raw)
    except ValueError:
        return None
