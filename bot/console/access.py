"""Who may see a repository and act in it: what GitHub says, asked seldom, believed for minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from bot.console.desk import desk
from bot.console.errors import Forbidden, GitHubSilent, NotHere
from bot.console.kept import Kept
from bot.console.people import Person, person
from bot.github.errors import GitHubError, NotFound
from bot.github.person import PersonClient

if TYPE_CHECKING:
    from bot.console.desk import Desk
    from bot.store.rows import Repository

T = TypeVar("T")

BELIEVED = 300.0
"""Seconds for which an answer of GitHub is believed."""
RANKS = ("none", "read", "triage", "write", "maintain", "admin")
"""Roles, the weakest first; one that an organization made counts as the strongest it contains."""


class Roles:
    """Answers of GitHub about people, for BELIEVED seconds. Threads share it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._kept = Kept(now)

    def get(self, key: tuple[str, int, int], ask: Callable[[], T]) -> T:
        """What was said under this key (what, of whom, where), else what `ask` says now."""
        return self._kept.get(key, BELIEVED, ask)

    def forget(self, person_id: int) -> None:
        """Ask again about a person."""
        self._kept.drop(lambda key: isinstance(key, tuple) and key[1] == person_id)


def role(at: Desk, who: Person, repository: Repository) -> str:
    """One of RANKS. Raises GitHubSilent where GitHub has to be asked and does not answer."""
    if who.is_operator:
        return "admin"
    if repository.id < 0 or repository.installation_id is None:
        return "none"  # imported by hand: GitHub can say nothing of it
    found = at.roles.get(("role", who.id, repository.id), lambda: _ask(at, who, repository))
    if found == "none" and not repository.private:
        return "read"
    return found


def visible(at: Desk, who: Person) -> list[Repository]:
    """The repositories that a person may see, by name. GitHub being silent hides private ones."""
    every = at.store.repositories.all()
    if who.is_operator:
        return every
    known = [row for row in every if row.id > 0]
    private = {row.installation_id for row in known if row.private}
    mine = roles(at, who) if private else {}
    return [row for row in known if not row.private or row.id in mine]


def roles(at: Desk, who: Person) -> Mapping[int, str]:
    """What GitHub shows to a person, by repository: their role, as of some minutes ago.

    Good for what a page offers; `role` is what counts. Nothing where GitHub is silent.
    """
    if who.is_operator:
        return {row.id: "admin" for row in at.store.repositories.all()}
    try:
        return at.roles.get(("sees", who.id, 0), lambda: _ask_all(at, who))
    except (GitHubError, GitHubSilent) as error:
        at.log.warning("access unknown: private repositories are hidden", error=str(error))
        return {}


def find(owner: str, name: str, least: str = "read") -> Repository:
    """The repository of that name, for the person at the browser.

    Raises SignInFirst, NotHere (also where they may not know of it), Forbidden below `least`.
    """
    at, who = desk(), person()
    repository = at.store.repositories.by_name(f"{owner}/{name}")
    missing = f"There is no repository {owner}/{name} here that you may see."
    if repository is None:
        raise NotHere(missing)
    held = role(at, who, repository)
    if held == "none":
        raise NotHere(missing)
    if RANKS.index(held) < RANKS.index(least):
        raise Forbidden(
            f"This needs {least} permission in {repository.full_name} or more; GitHub says that"
            f" yours is {held}."
        )
    return repository


def may(repository: Repository, least: str) -> bool:
    """Whether the person at the browser has this role or more; for what a page offers."""
    try:
        held = role(desk(), person(), repository)
    except GitHubSilent:
        return False
    return RANKS.index(held) >= RANKS.index(least)


def need_operator() -> Person:
    """The person at the browser. Raises SignInFirst, Forbidden where they do not run the server."""
    who = person()
    if not who.is_operator:
        raise Forbidden(
            "This is for those who run the server: LABELWRIGHT_OPERATORS names them, and the token"
            " in the file operator-token of its home folder lets anybody in who can read it."
        )
    return who


def _ask(at: Desk, who: Person, repository: Repository) -> str:
    try:
        client = at.installation(repository.installation_id)
        found = client.permission(repository.full_name, who.login, person_id=who.id)
    except NotFound:
        return "none"
    except GitHubError as error:
        raise GitHubSilent(
            f"GitHub could not be asked what you may do in {repository.full_name}:"
            f" {error.message}. Try again in a minute."
        ) from error
    return found if found in RANKS else "read"


def _ask_all(at: Desk, who: Person) -> Mapping[int, str]:
    """The roles of a person in the repositories that GitHub shows to them."""
    known = [row for row in at.store.repositories.all() if row.id > 0]
    if who.token is None:  # by an API token: each private one is asked about by name
        private = [row for row in known if row.private]
        held = {row.id: role(at, who, row) for row in private}
        return {id: each for id, each in held.items() if each != "none"}
    ours = {row.installation_id for row in known if row.installation_id is not None}
    found: dict[int, str] = {}
    with PersonClient(who.token, at.settings.github_url, now=at.now) as client:
        for installation in client.installations() & ours:
            found |= client.repositories(installation)
    return found
