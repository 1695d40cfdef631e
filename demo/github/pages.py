"""The few pages of GitHub that set-up sends a browser to: an App's permissions, installing it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template_string, request
from werkzeug.wrappers import Response as AnyResponse

from . import installing
from .context import the_state
from .model import Account, App, Installation, Repository

routes = Blueprint("pages", __name__)
PREFIXES = ("/apps/", "/login/", "/organizations/", "/settings/")
"""Where GitHub's web site answers and not its API: without a token, and without limits."""
SETTINGS = ("/settings", "/organizations/<login>/settings")

FRAME = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width">
<style>body { font: 1rem/1.5 sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
</style></head>
<body><main><h1>{{ title }}</h1>
%s
<hr><p>A stand-in for GitHub. Nothing here reaches github.com.</p></main></body></html>
"""
LIST = """
<ul>{% for app in apps %}<li>{{ app.name }}:
<a href="{{ settings }}/apps/{{ app.slug }}/permissions">permissions</a>,
<a href="/apps/{{ app.slug }}/installations/new">install</a></li>
{% else %}<li>None yet</li>{% endfor %}</ul>
"""
PERMISSIONS = """
{% if saved %}<p role="status">Saved.</p>{% endif %}
<ul>{% for name, level in app.permissions.items() %}<li>{{ name }}: {{ level }}</li>
{% endfor %}</ul>
<form method="post">
<p><label>Path of the single file <input name="single_file" value="{{ path }}"></label>
<button>Save</button></p>
</form>
"""
INSTALL = """
<p>On {{ owner }}. It asks for:
{% for name, level in app.permissions.items() %}{{ name }} ({{ level }}) {% endfor %}</p>
<form method="post">
{% if state %}<input type="hidden" name="state" value="{{ state }}">{% endif %}
<p><label><input type="radio" name="selection" value="all" checked> All repositories</label></p>
<p><label><input type="radio" name="selection" value="selected"> Only these:</label></p>
<ul>{% for name in names %}<li><label><input type="checkbox" name="repository" value="{{ name }}">
{{ name }}</label></li>
{% else %}<li>{{ owner }} has no repository</li>{% endfor %}</ul>
<p><button>Install</button></p>
</form>
"""
INSTALLED = """
<p>On {{ owner }}, on {{ "all repositories" if every else names | join(", ") }}.</p>
"""


def is_page(path: str) -> bool:
    """Whether a path is one of the web site's."""
    return path.startswith(PREFIXES)


def page(title: str, body: str, status: int = 200, **values: Any) -> Response:
    """A page: `body` is a template, in which `values` are escaped. It is never kept."""
    text = render_template_string(FRAME % body, title=title, **values)
    return make_response(text, status, {"Cache-Control": "no-store"})


def problem_page(message: str, status: int) -> Response:
    """A page that says what is wrong."""
    return page("This does not work", "<p>{{ message }}</p>", status, message=message)


def _apps(login: str | None) -> list[App]:
    """The Apps of an organization, or (None) of any person: nobody signs in here."""
    state = the_state()
    owners = {number for number, who in state.accounts.items() if who.type == "User"}
    if login is not None:
        owners = {number for number, who in state.accounts.items() if who.login == login}
    return [app for app in state.apps.values() if app.owner_id in owners]


@routes.get(f"{SETTINGS[0]}/apps")
@routes.get(f"{SETTINGS[1]}/apps")
def list_apps(login: str | None = None) -> Response:
    """The Apps of people, or of an organization."""
    settings = f"/organizations/{login}/settings" if login else "/settings"
    return page("GitHub Apps", LIST, apps=_apps(login), settings=settings)


@routes.get(f"{SETTINGS[0]}/apps/<slug>/permissions")
@routes.get(f"{SETTINGS[1]}/apps/<slug>/permissions")
def show_permissions(slug: str, login: str | None = None) -> Response:
    """An App's permissions, with the field for the path of the single file."""
    app = next((app for app in _apps(login) if app.slug == slug), None)
    if app is None:
        return problem_page("There is no such App.", 404)
    path, saved = next(iter(app.single_file_paths), ""), "saved" in request.args
    title = f"Permissions of {app.name}"
    return page(title, PERMISSIONS, app=app, path=path, saved=saved)


@routes.post(f"{SETTINGS[0]}/apps/<slug>/permissions")
@routes.post(f"{SETTINGS[1]}/apps/<slug>/permissions")
def save_permissions(slug: str, login: str | None = None) -> AnyResponse:
    """Name the single file; the App's installations take it at once."""
    app = next((app for app in _apps(login) if app.slug == slug), None)
    if app is None:
        return problem_page("There is no such App.", 404)
    state, path = the_state(), request.form.get("single_file", "").strip()
    installing.set_single_file(state, app, state.accounts[app.owner_id], path)
    return redirect(f"{request.path}?saved=1", 303)


@routes.get("/apps/<slug>/installations/new")
def offer_to_install(slug: str) -> Response:
    """The repositories of the App's owner, with a button that installs it."""
    app = the_state().app_by_slug(slug)
    if app is None:
        return problem_page("There is no such App.", 404)
    owner = the_state().accounts[app.owner_id]
    names = [repo.name for repo in _repositories(owner)]
    asked, title = request.args.get("state"), f"Install {app.name}"
    return page(title, INSTALL, app=app, owner=owner.login, names=names, state=asked)


def _repositories(owner: Account) -> list[Repository]:
    repos = the_state().repositories.values()
    return [repo for repo in repos if repo.owner_id == owner.id and not repo.deleted]


@routes.post("/apps/<slug>/installations/new")
def install(slug: str) -> AnyResponse:
    """Install the App on all repositories, or those chosen, and go on to its setup URL."""
    state, app = the_state(), the_state().app_by_slug(slug)
    if app is None:
        return problem_page("There is no such App.", 404)
    owner, chosen = state.accounts[app.owner_id], None
    if request.form.get("selection") == "selected":
        wanted = set(request.form.getlist("repository"))
        chosen = [repo for repo in _repositories(owner) if repo.name in wanted]
        if not chosen:
            return problem_page("Choose a repository, or all of them.", 422)
    found = (i for i in state.installations.values() if i.app_id == app.id)
    there = next((i for i in found if i.account_id == owner.id), None)
    if there is None:
        made = installing.install(state, app, owner, owner, chosen)
        return _on_to_setup(app, made, "install")
    installing.choose_repositories(state, there, owner, chosen)
    return _on_to_setup(app, there, "update")


def _on_to_setup(app: App, installation: Installation, action: str) -> AnyResponse:
    if app.setup_url is None:
        return redirect(f"/settings/installations/{installation.id}", 303)
    told = {"installation_id": installation.id, "setup_action": action}
    if request.form.get("state"):
        told["state"] = request.form["state"]
    parts = urlsplit(app.setup_url)
    query = urlencode([*parse_qsl(parts.query), *told.items()])
    return redirect(parts._replace(query=query).geturl(), 303)


@routes.get(f"{SETTINGS[0]}/installations/<int:number>")
@routes.get(f"{SETTINGS[1]}/installations/<int:number>")
def show_installation(number: int, login: str | None = None) -> Response:
    """One installation: what it is on."""
    state = the_state()
    found = state.installations.get(number)
    if found is None:
        return problem_page("There is no such installation.", 404)
    names = [repo.name for repo in state.of_installation(found)]
    owner, every = state.accounts[found.account_id].login, found.selection == "all"
    title = f"{state.apps[found.app_id].name} is installed"
    return page(title, INSTALLED, owner=owner, names=names, every=every)
