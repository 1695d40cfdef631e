"""What the form of the first run asks, read into a wish; every problem at once, by field."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.errors import SetupError
from bot.manifest import LONGEST_NAME, public_address, site
from bot.registering import Wish, refuse_contrary_environment
from bot.setting_values import web_url

if TYPE_CHECKING:
    from bot.manifest import Site
    from bot.settings import Settings

_LOGIN = 100


def defaults(settings: Settings, address: str) -> dict[str, str]:
    """What the form shows at first; `address` is how the browser came here."""
    return {
        "github": site(settings.github_url).web,
        "organization": "",
        "intake": settings.intake,
        "address": settings.public_url or address,
        "pull_requests": "yes" if settings.pull_requests else "",
        "name": f"Labelwright {secrets.token_hex(2)}",
        "operators": ", ".join(settings.operators),
    }


def read(form: Mapping[str, str]) -> tuple[Wish | None, dict[str, str]]:
    """The wish, or what is wrong: a sentence by the name of each field ("" for the whole)."""
    given = {name: value.strip() for name, value in form.items()}
    problems: dict[str, str] = {}
    github = _github(given.get("github", ""), problems)
    console = _console(given, github, problems)
    for name in ("organization", *(["operators"] if given.get("operators") else [])):
        if any(not _is_login(each) for each in _logins(given.get(name, ""))):
            problems[name] = "a login of GitHub has letters, digits and hyphens only"
    if not 0 < len(given.get("name", "")) <= LONGEST_NAME:
        problems["name"] = f"1 to {LONGEST_NAME} characters, as GitHub wants it"
    if problems or github is None or console is None:
        return None, problems
    wish = Wish(
        github,
        console if given.get("intake") != "poll" else None,
        given.get("organization") or None,
        bool(given.get("pull_requests")),
        given["name"],
        console,
        _logins(given.get("operators", "")),
    )
    try:
        refuse_contrary_environment(wish)
    except SetupError as error:
        return None, {"": str(error)}
    return wish, {}


def _github(address: str, problems: dict[str, str]) -> Site | None:
    try:
        return site(address or "https://github.com")
    except ValueError as error:
        problems["github"] = str(error)
        return None


def _console(given: Mapping[str, str], github: Site | None, problems: dict[str, str]) -> str | None:
    """The address of the console, which GitHub has to reach unless the server polls."""
    try:
        address = web_url(given.get("address", "")).rstrip("/")
        if urlsplit(address).query or urlsplit(address).fragment:
            raise ValueError("must be like https://labels.example.com")
        if given.get("intake") == "poll" or github is None:
            return address
        return public_address(address, github)
    except ValueError as error:
        problems["address"] = str(error)
        return None


def _logins(text: str) -> tuple[str, ...]:
    return tuple(each.strip().removeprefix("@") for each in text.split(",") if each.strip())


def _is_login(text: str) -> bool:
    plain = text.replace("-", "").replace("_", "")
    return plain.isascii() and plain.isalnum() and len(text) <= _LOGIN
