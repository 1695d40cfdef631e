"""Changing the webhook's secret and the App's private key, without losing a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for

from bot import rotating
from bot.console.access import need_operator
from bot.console.desk import Desk, desk
from bot.console.errors import BadInput
from bot.console.examining import examining
from bot.errors import SetupError
from bot.github.errors import GitHubError
from bot.manifest import site

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

routes = Blueprint("rotation", __name__, url_prefix="/checks/secrets")


@routes.get("")
def page() -> str:
    """What can be changed, and how."""
    need_operator()
    at = desk()
    return render_template(
        "console/rotation.html",
        secret_obstacle=rotating.secret_obstacle(at.settings),
        key_obstacle=rotating.key_obstacle(at.settings),
        untold=rotating.is_untold(at.store),
        previous=rotating.has_previous(),
        app_page=app_page(at),
    )


@routes.post("/webhook")
def webhook() -> Response:
    """A new secret; the one before is accepted as well."""
    need_operator()
    at = desk()
    try:
        rotating.change_secret(at.settings, at.store, at.app())
    except (SetupError, OSError) as error:
        raise BadInput(f"The secret was not changed: {error}.") from None
    except GitHubError as error:
        flash(f"GitHub was not told yet: {error.message}. Deliveries arrive all the same.", "error")
        return redirect(url_for(".page"), 303)
    at.log.info("webhook secret changed")
    flash(
        "The webhook has a new secret, here and on GitHub. The one before is accepted too.", "done"
    )
    return redirect(url_for(".page"), 303)


@routes.post("/webhook/forget")
def forget() -> Response:
    """Accept the secret before no more."""
    need_operator()
    at = desk()
    try:
        rotating.forget_secret(at.settings, at.store)
    except (SetupError, OSError) as error:
        raise BadInput(f"It was not done: {error}.") from None
    flash("Only the new secret is accepted now.", "done")
    return redirect(url_for(".page"), 303)


@routes.post("/key")
def key() -> Response:
    """Another private key, made on GitHub and sent as a file or as text."""
    need_operator()
    at, sent = desk(), request.files.get("file")
    text = sent.read().decode("utf-8", "replace") if sent else ""
    try:
        rotating.replace_key(at.settings, text or request.form.get("key", ""))
    except (SetupError, OSError) as error:
        raise BadInput(f"The key was not changed: {error}.") from None
    at.log.info("private key changed")
    flash(
        "The new key lies in the place of the old one. Restart the server, so that all of it takes"
        " the new one; then delete the old one on GitHub.",
        "done",
    )
    return redirect(url_for(".page"), 303)


def app_page(at: Desk) -> str:
    """The App's page on GitHub, where its keys are; the list of Apps where GitHub is silent."""
    place = site(at.settings.github_url)
    try:
        about = examining().github.get("app", 60.0, at.app().about)
    except GitHubError:
        return place.apps(None)
    return f"{place.apps(about.organization)}/{about.slug}"
