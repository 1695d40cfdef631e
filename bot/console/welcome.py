"""After the set-up: say which file the App may read, install it, watch the first history arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from bot.console import tickets
from bot.console.desk import Desk, desk
from bot.console.errors import Forbidden, GitHubSilent
from bot.console.examining import examining
from bot.console.keys import OPERATOR
from bot.console.people import begin, person, person_or_none
from bot.github.errors import GitHubError
from bot.manifest import INSTALLED, site
from bot.repo_config import FILE
from bot.tasks.backfill import Progress
from bot.tasks.sync import enqueue_discover

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bot.github.remote import RemoteInstallation
    from bot.store.rows import Repository

routes = Blueprint("welcome", __name__)
ASKED_SECONDS = 5.0
"""How often GitHub is asked while somebody watches."""
SHOWN = 20


@dataclass(frozen=True)
class History:
    """How far a repository's history was read; `total` None where that is not known yet."""

    full_name: str
    read: int
    total: int | None
    done: bool
    version: str | None


@dataclass(frozen=True)
class OnGitHub:
    """What GitHub says of the App; `problem` where it does not answer."""

    permissions: str
    install: str
    installations: tuple[RemoteInstallation, ...]
    problem: str | None = None

    @property
    def without_file(self) -> list[str]:
        """The accounts on which the App may not read its configuration."""
        active = (each for each in self.installations if not each.suspended)
        return [
            x.account_login for x in active if x.single_files is None or FILE not in x.single_files
        ]


@routes.get(tickets.ENTER)
def enter() -> Response:
    """In by the link of the set-up, once."""
    at = desk()
    if person_or_none() is None:
        if not tickets.redeem(at, request.args.get("ticket", "")):
            raise Forbidden(
                "This link of the set-up was used already, or is too old. Sign in: the operator's"
                f" token is the one line in `{OPERATOR}`."
            )
        begin(at, person_id=0, login="operator", token=None)
    return redirect(INSTALLED, 303)


@routes.get(INSTALLED)
def page() -> str | Response:
    """What is left to do, and how far the first repositories are."""
    if not person().is_operator:
        return redirect(url_for("overview.page"))
    at = desk()
    told = _on_github(at)
    known = {row.id for row in at.store.installations.all()}
    if any(each.id not in known for each in told.installations):
        enqueue_discover(at.store)  # no webhook told us yet
    rows = [row for row in at.store.repositories.all() if row.installation_id is not None]
    return render_template(
        "console/welcome.html",
        told=told,
        file=FILE,
        histories=[_history(at, row) for row in rows[:SHOWN]],
        more=len(rows) - SHOWN,
        unheard=bool(told.installations) and _unheard(at),
    )


def _history(at: Desk, row: Repository) -> History:
    found = Progress.load(at.store, row.id) or Progress(started="")
    version = at.registry.current(row.id)
    return History(row.full_name, found.issues, found.total, found.done, version)


def _unheard(at: Desk) -> bool:
    """Whether webhooks are to come, and none ever did."""
    return at.settings.intake == "webhook" and at.store.signs.newest_delivery() is None


def _on_github(at: Desk) -> OnGitHub:
    place = site(at.settings.github_url)
    try:
        about = examining().github.get("app", 60.0, at.app().about)
        found = examining().github.get("installed", ASKED_SECONDS, at.app().installations)
    except (GitHubError, GitHubSilent) as error:
        return OnGitHub(place.apps(None), place.apps(None), (), str(error))
    permissions = place.permissions(about.organization, about.slug)
    return OnGitHub(permissions, place.install(about.slug), tuple(found))
