"""The GitHub App itself: who it is, where it is installed, and a client for each installation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from github import Auth, Github, GithubIntegration

from bot.github import remote
from bot.github.client import InstallationClient
from bot.github.errors import NotFound
from bot.github.pacing import WritePace
from bot.github.transport import API_VERSION, PER_PAGE, TIMEOUT, USER_AGENT, BoundedRetry, Transport
from bot.payload import storable

PUBLIC_API = "https://api.github.com"
TOKEN_PERMISSIONS: Mapping[str, str] = {
    "issues": "write",
    "metadata": "read",
    "single_file": "read",
}
"""What a token is asked for: no more than the product uses, whatever the App was granted."""

LEVELS = ("read", "write", "admin")
"""The levels of a permission, weakest first."""


@dataclass(frozen=True)
class AppOptions:
    """What seldom changes. `timeout` is seconds until a silent GitHub counts as unavailable.

    `token_permissions` None asks for everything that the installation has granted. Where less
    was granted than is asked for, a token is made for that; what is granted later is used when a
    request needs it.
    """

    token_permissions: Mapping[str, str] | None = field(default_factory=lambda: TOKEN_PERMISSIONS)
    timeout: int = TIMEOUT


class GitHubApp:
    """One App on one GitHub, for one thread; `for_thread` gives the same App to another.

    Tokens are made when first needed and renewed before they expire. Every method raises a
    GitHubError.
    """

    def __init__(
        self,
        app_id: int,
        private_key: str,
        base_url: str = PUBLIC_API,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        pace: WritePace | None = None,
        options: AppOptions | None = None,
    ) -> None:
        """`base_url` is `https://HOST/api/v3` on an Enterprise Server; `sleep` waits for a turn to
        write, 2 s at most.
        """
        self.app_id = app_id
        self.base_url = base_url.rstrip("/")
        self._private_key = private_key
        self._now = now
        self._sleep = sleep
        self._pace = pace or WritePace()
        self._options = options or AppOptions()
        self._integration = GithubIntegration(
            auth=Auth.AppAuth(app_id, private_key),
            **_connection(self.base_url, self._options.timeout),
        )
        self._transport = Transport(self._integration.requester, now=now, name=f"App {app_id}")
        self._clients: dict[int, InstallationClient] = {}
        self._about: remote.RemoteApp | None = None

    def for_thread(self) -> GitHubApp:
        """The same App for another thread: connections of its own, the same memory of writes."""
        return GitHubApp(
            self.app_id,
            self._private_key,
            self.base_url,
            now=self._now,
            sleep=self._sleep,
            pace=self._pace,
            options=self._options,
        )

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._transport.close()

    def about(self) -> remote.RemoteApp:
        """The App as registered; asked once."""
        if self._about is None:
            self._about = self._transport.request("GET", "/app").read(remote.app)
        return self._about

    def slug(self) -> str:
        """The App's name in URLs."""
        return self.about().slug

    def bot_login(self) -> str:
        """The login of the App's own account, the actor of what it does: `slug[bot]`."""
        return f"{self.slug()}[bot]"

    def bot_id(self) -> int:
        """The user id of the App's own account (not the App id); 0 where GitHub shows none yet.

        An App's own token may not ask for users, so an installation's does where there is one.
        """
        path = f"/users/{quote(self.bot_login(), safe='')}"
        active = next((found.id for found in self.installations() if not found.suspended), None)
        try:
            if active is not None:
                return self.installation(active).get(path).read(_id)
            with _Anonymous(self.base_url, self._now) as transport:
                return transport.request("GET", path).read(_id)
        except NotFound:
            return 0

    def installations(self) -> list[remote.RemoteInstallation]:
        """Every account that the App is installed on, suspended ones included."""
        pages = self._transport.pages("/app/installations")
        return [found for page in pages for found in page.read_each(remote.installation)]

    def installation(self, installation_id: int) -> InstallationClient:
        """The client of one installation; the same one every time."""
        if installation_id not in self._clients:
            self._clients[installation_id] = InstallationClient(
                installation_id,
                lambda narrow: self._open(installation_id, narrow),
                pace=self._pace,
                now=self._now,
                sleep=self._sleep,
            )
        return self._clients[installation_id]

    def hook_deliveries(self, since: str) -> list[remote.HookDelivery]:
        """What GitHub tried to deliver from `since` (ISO-8601, UTC) on, newest first.

        Source: docs.github.com, "List deliveries for an app webhook"; GitHub keeps three days.
        """
        found: list[remote.HookDelivery] = []
        for page in self._transport.pages("/app/hook/deliveries"):
            deliveries = page.read_each(remote.hook_delivery)
            found += [delivery for delivery in deliveries if delivery.delivered_at >= since]
            if not deliveries or deliveries[-1].delivered_at < since:
                break
        return found

    def newest_deliveries(self) -> list[remote.HookDelivery]:
        """The newest of what GitHub tried to deliver, newest first: one page, 100 at most."""
        page = next(self._transport.pages("/app/hook/deliveries"))
        return page.read_each(remote.hook_delivery)

    def hook_config(self) -> dict[str, str]:
        """Where GitHub delivers to: url, content_type, insecure_ssl, and secret (only stars).

        Source: docs.github.com, "Get a webhook configuration for an app".
        """
        answer = self._transport.request("GET", "/app/hook/config")
        return answer.read(lambda data: {str(k): storable(str(v)) for k, v in data.items()})

    def set_hook_secret(self, secret: str) -> None:
        """Let GitHub sign its deliveries with another secret from now on.

        Source: docs.github.com, "Update a webhook configuration for an app".
        """
        self._transport.request("PATCH", "/app/hook/config", body={"secret": secret})

    def redeliver(self, delivery_id: int) -> None:
        """Ask GitHub to deliver once more; it comes under the same guid."""
        self._transport.request("POST", f"/app/hook/deliveries/{delivery_id}/attempts")

    def _open(self, installation_id: int, narrow: bool) -> Transport:
        """A transport with a token for what we use, `narrow`: for what was granted of it."""
        wanted = self._options.token_permissions
        permissions = None if wanted is None else dict(wanted)
        if narrow and permissions is not None:
            path = f"/app/installations/{installation_id}"
            granted = self._transport.request("GET", path).read(remote.installation).permissions
            permissions = _common(permissions, granted)
        github = self._integration.get_github_for_installation(installation_id, permissions)
        return Transport(github.requester, now=self._now, name=f"installation {installation_id}")


def _common(wanted: Mapping[str, str], granted: Mapping[str, str]) -> dict[str, str]:
    """What is in both: a wanted "write" is "read" where no more than that was granted."""
    both = [name for name in wanted if name in granted]
    return {name: min(wanted[name], granted[name], key=LEVELS.index) for name in both}


def convert_manifest(
    code: str, base_url: str = PUBLIC_API, *, now: Callable[[], float] = time.time
) -> remote.AppCredentials:
    """Turn the code of the App manifest flow into the App's credentials; works once, for an hour.

    Raises NotFound when the code was used or is too old.
    Source: docs.github.com, "Registering a GitHub App from a manifest".
    """
    path = f"/app-manifests/{quote(code, safe='')}/conversions"
    with _Anonymous(base_url.rstrip("/"), now) as transport:
        try:
            return transport.request("POST", path).read(remote.credentials)
        except NotFound as error:
            message = "this code was used already or is older than an hour: start again"
            raise NotFound(404, message, error.request) from error


class _Anonymous:
    """A transport without any identity, closed at the end of the block."""

    def __init__(self, base_url: str, now: Callable[[], float]) -> None:
        github = Github(auth=None, **_connection(base_url, TIMEOUT))
        self._transport = Transport(github.requester, now=now, name="nobody")

    def __enter__(self) -> Transport:
        return self._transport

    def __exit__(self, *_: object) -> None:
        self._transport.close()


def _id(data: Mapping[str, Any]) -> int:
    return int(data["id"])


def _connection(base_url: str, timeout: int) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "timeout": timeout,
        "user_agent": USER_AGENT,
        "per_page": PER_PAGE,
        "retry": BoundedRetry(),
        "seconds_between_requests": None,
        "seconds_between_writes": None,
        "lazy": True,
        "api_version": API_VERSION,
    }
