"""What the console does as a person, with that person's own token: GitHub checks and names them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from github import Auth, Github

from bot.github import remote
from bot.github.client import ROLES
from bot.github.transport import API_VERSION, PER_PAGE, TIMEOUT, USER_AGENT, BoundedRetry, Transport


class PersonClient:
    """One person on one GitHub, for one request of the console. Methods raise a GitHubError."""

    def __init__(self, token: str, base_url: str, *, now: Callable[[], float] = time.time) -> None:
        github = Github(
            auth=Auth.Token(token),
            base_url=base_url,
            timeout=TIMEOUT,
            user_agent=USER_AGENT,
            per_page=PER_PAGE,
            retry=BoundedRetry(),
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
            api_version=API_VERSION,
        )
        self._transport = Transport(github.requester, now=now, name="a person")

    def __enter__(self) -> PersonClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def who(self) -> tuple[int, str]:
        """Their number and login. Source: docs.github.com, "Get the authenticated user"."""
        return self._transport.request("GET", "/user").read(_who)

    def repositories(self, installation_id: int) -> dict[int, str]:
        """The repositories of an installation that they have access to, by id, with their role.

        A role that an organization made itself counts as the strongest one it contains.
        Source: docs.github.com, "List repositories accessible to the user access token".
        """
        pages = self._transport.pages(f"/user/installations/{installation_id}/repositories")
        return {id: role for page in pages for id, role in page.read_each(_held, "repositories")}

    def installations(self) -> set[int]:
        """The ids of the App's installations that they have access to.

        Source: docs.github.com, "List app installations accessible to the user access token".
        """
        pages = self._transport.pages("/user/installations")
        return {id for page in pages for id in page.read_each(_id, "installations")}

    def add_labels(self, repo: str, number: int, names: list[str]) -> list[remote.RemoteLabel]:
        """Add labels to an issue; returns all that it has now."""
        path = f"/repos/{quote(repo)}/issues/{number}/labels"
        return self._transport.request("POST", path, body={"labels": names}).read_each(remote.label)

    def remove_label(self, repo: str, number: int, name: str) -> None:
        """Take a label off an issue; NotFound where it was not on it."""
        path = f"/repos/{quote(repo)}/issues/{number}/labels/{quote(name, safe='')}"
        self._transport.request("DELETE", path)


def _who(data: Mapping[str, Any]) -> tuple[int, str]:
    return int(data["id"]), str(data["login"])


def _id(data: Mapping[str, Any]) -> int:
    return int(data["id"])


def _held(data: Mapping[str, Any]) -> tuple[int, str]:
    granted = data.get("permissions") or {}
    return _id(data), next((role for flag, role in ROLES if granted.get(flag)), "none")
