"""What the App is registered as, and the pages of GitHub on which that is done. Pure.

Source: docs.github.com, "Registering a GitHub App from a manifest".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

PERMISSIONS = {"issues": "write", "metadata": "read", "single_file": "read"}
"""The least that the product needs. A manifest cannot say which single file: that is typed in."""
PULL_REQUESTS = {"pull_requests": "write"}
AUTOMATIC = frozenset(
    {"github_app_authorization", "installation", "installation_repositories", "ping"}
)
"""Sent to every App. GitHub refuses a manifest that names one: "Default events unsupported"."""
SIGNED_IN, INSTALLED = "/signin/back", "/welcome"
"""Where GitHub sends people who signed in, and whoever installed the App: below the console."""
LONGEST_NAME = 34
"""Characters that GitHub allows in an App's name."""
DESCRIPTION = "Labels new issues, several labels at once, and learns from what people change."
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Site:
    """A GitHub: the address of its pages and that of its API, without a slash at the end."""

    web: str
    api: str

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, so that it can reach addresses of this machine."""
        return urlsplit(self.web).hostname in _LOOPBACK

    def new_app(self, organization: str | None, state: str) -> str:
        """The page that a manifest is posted to; it sends the browser back with `state`."""
        return f"{self._settings(organization)}/apps/new?{urlencode({'state': state})}"

    def apps(self, organization: str | None) -> str:
        """The page that lists the Apps of an account."""
        return f"{self._settings(organization)}/apps"

    def permissions(self, organization: str | None, slug: str) -> str:
        """The page of an App's permissions, where the path of the single file is typed in."""
        return f"{self._settings(organization)}/apps/{quote(slug)}/permissions"

    def install(self, slug: str) -> str:
        """The page on which an App is installed."""
        return f"{self.web}/apps/{quote(slug)}/installations/new"

    def owner(self, organization: str | None) -> str:
        """A page about whoever owns the App."""
        return f"{self.web}/{quote(organization)}" if organization else self.web

    def _settings(self, organization: str | None) -> str:
        owner = f"/organizations/{quote(organization)}" if organization else ""
        return f"{self.web}{owner}/settings"


def site(address: str) -> Site:
    """The GitHub at an address: github.com, a company's ghe.com, or an Enterprise Server.

    Raises ValueError for an address that cannot be one.
    """
    url = address.strip().rstrip("/").removesuffix("/api/v3")
    parts = urlsplit(url if "://" in url else f"https://{url}")
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.path or parts.username:
        raise ValueError(f"{address!r} is not like https://HOST")
    if parts.port == 0:  # and a port that is no number raises by itself
        raise ValueError(f"{address!r} is not like https://HOST")
    web = f"{parts.scheme}://{parts.netloc}"
    if host in _LOOPBACK:
        return Site(web, web)
    if parts.scheme == "http":
        raise ValueError(f"{address!r} must begin with https://, or secrets travel in the clear")
    if host in ("github.com", "www.github.com", "api.github.com"):
        return Site("https://github.com", "https://api.github.com")
    if host.endswith(".ghe.com"):
        company = host.removeprefix("api.")
        return Site(f"https://{company}", f"https://api.{company}")
    return Site(web, f"{web}/api/v3")


def public_address(address: str, github: Site) -> str:
    """The address of the server that GitHub is to call, without `/webhook` at its end.

    Raises ValueError where GitHub could not or should not call it.
    """
    url = address.strip().rstrip("/").removesuffix("/webhook").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ValueError(f"{address!r} is not like https://labels.example.com")
    if github.local:
        return url
    if parts.hostname in _LOOPBACK:
        raise ValueError(f"GitHub cannot reach {parts.hostname}: without a public address, poll")
    if parts.scheme == "http":
        raise ValueError(f"{address!r} must begin with https://: deliveries carry private text")
    return url


def events(routes: Iterable[tuple[str, str]], *, pull_requests: bool) -> list[str]:
    """What to subscribe to: the events among (event, action) that do not come by themselves."""
    handled = {event for event, _ in routes} - AUTOMATIC
    return sorted(handled if pull_requests else handled - {"pull_request"})


def manifest(
    *,
    name: str,
    homepage: str,
    redirect_url: str,
    webhook: str | None,
    subscriptions: Iterable[str],
    pull_requests: bool = False,
    console: str | None = None,
) -> dict[str, Any]:
    """The manifest, for its JSON to be posted to `Site.new_app`.

    `webhook` is where GitHub delivers to; None leaves deliveries switched off. `console` is the
    address below which people sign in, None where there is no such thing. Raises ValueError for a
    name that GitHub would refuse.
    """
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"the App's name must have 1 to {LONGEST_NAME} characters")
    # GitHub wants a hook's URL even where it is off: without one it refuses the whole manifest.
    hook = {"url": webhook or homepage, "active": webhook is not None}
    return {
        "name": name,
        "url": homepage,
        "description": DESCRIPTION,
        "public": False,
        "hook_attributes": hook,
        "redirect_url": redirect_url,
        **(_returns(console) if console else {}),
        "default_permissions": {**PERMISSIONS, **(PULL_REQUESTS if pull_requests else {})},
        "default_events": list(subscriptions),
    }


def _returns(console: str) -> dict[str, Any]:
    return {
        "callback_urls": [console + SIGNED_IN],
        "setup_url": console + INSTALLED,
        "request_oauth_on_install": False,
    }
