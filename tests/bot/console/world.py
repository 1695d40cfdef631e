"""A console over a real store, with GitHub behind it: what the tests of its pages begin with."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.console import people
from bot.console.desk import EXTENSION, Desk
from bot.console.keys import OPERATOR
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Decision, Installation, Issue, Label, Repository
from bot.web import create_app
from demo.github import StandIn

NOW = 1_780_000_000.0
PUBLIC, PRIVATE = "acme/rocket", "acme/secret"
LABELS = {"bug": "d73a4a", "docs": "0075ca", "area/ui": "ededed"}
HTML = {"Accept": "text/html"}
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@dataclass
class Console:
    """The web application, and GitHub's stand-in with two repositories, one of them private."""

    app: Flask
    store: Store
    settings: Settings
    github: StandIn
    clock: list[float]
    log: io.StringIO

    @property
    def desk(self) -> Desk:
        found: Desk = self.app.extensions[EXTENSION]
        return found

    def repository(self, name: str = PUBLIC) -> Repository:
        found = self.store.repositories.by_name(name)
        assert found is not None
        return found

    def browser(self, login: str | None = None) -> Browser:
        """A browser in which somebody is signed in: a login of GitHub, "operator", or nobody."""
        browser = Browser(self.app.test_client(), self)
        if login == "operator":
            browser.sign_in_as_operator()
        elif login is not None:
            browser.sign_in_as(login)
        return browser

    def role(self, login: str, role: str, name: str = PUBLIC) -> None:
        """Give somebody a role on GitHub."""
        self.github.control.set_role(name, login, role)

    def open(
        self, number: int, title: str, *labels: str, body: str = "", name: str = PUBLIC
    ) -> Issue:
        """An issue that the store knows, with labels on it."""
        row = self.repository(name)
        ids = {label.name: label.id for label in self.store.labels.all(row.id)}
        at = f"2026-05-{1 + number % 28:02d}T12:00:00Z"
        issue = Issue(
            row.id, number, 1000 + number, title, body, title, body, created_at=at, updated_at=at,
            author_login="reporter", labels=tuple(ids[each] for each in labels),
        )  # fmt: skip
        self.store.issues.upsert(issue)
        return issue

    def decide(self, number: int, *, name: str = PUBLIC, **verdicts: str) -> Decision:
        """A decision on an issue: a verdict for each label by name (area_ui for area/ui)."""
        row = self.repository(name)
        ids = {label.name: label.id for label in self.store.labels.all(row.id)}
        given = {key.replace("_", "/"): value for key, value in verdicts.items()}
        told = tuple(
            {"label_id": ids[each], "label": each, "probability": 0.9 if v == "apply" else 0.5,
             "verdict": v, "reason": f"the test says {v}", "shadow": False}
            for each, v in given.items()
        )  # fmt: skip
        decision = Decision(row.id, number, "0001-abcd", "suggest", told, (), "opened", NOW)
        applied = [self.store.labels.get(row.id, ids[x]) for x, v in given.items() if v == "apply"]
        kept, intended = self.store.decisions.record(decision, [x for x in applied if x])
        self.store.decisions.mark_applied([each.id for each in intended])
        return kept


@dataclass
class Browser:
    """A client that keeps cookies and sends the token of the forms."""

    client: FlaskClient
    console: Console

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={**HTML, **headers})

    def page(self, path: str, status: int = 200) -> str:
        """The HTML of a page."""
        answer = self.get(path)
        text = answer.get_data(as_text=True)
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{text[:2000]}"
        return text

    def post(self, path: str, data: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """Send a form as the pages do."""
        form = {"csrf_token": self.csrf(), **(data or {})}
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.client.post(path, data=form, headers={**HTML, **given})

    def csrf(self) -> str:
        found = _TOKEN.search(self.client.get("/signin", headers=HTML, follow_redirects=True).text)
        assert found is not None
        return found[1]

    def sign_in_as_operator(self) -> None:
        token = (self.console.settings.home / OPERATOR).read_text().strip()
        answer = self.post("/signin/token", {"token": token})
        assert answer.status_code == 302, answer.text

    def sign_in_as(self, login: str) -> None:
        """As the return from GitHub would; their own token is one of the stand-in."""
        control = self.console.github.control
        token = control.user_token("labelwright", login)
        number = int(control.add_account(login)["id"])
        with self.console.app.test_request_context():
            who = people.begin(self.console.desk, person_id=number, login=login, token=token)
        with self.client.session_transaction() as session:
            session["_user_id"] = who.secret
            session["_fresh"] = True


@contextmanager
def make_console(home: Path, *, with_client: bool = False, **settings: Any) -> Iterator[Console]:
    """The App on two repositories of acme, and the console of its server.

    `with_client`: people can sign in by way of GitHub.
    """
    clock, log = [NOW], io.StringIO()
    with StandIn(seed=1) as github:
        site = github.control
        app = site.add_app("labelwright")
        remotes = [
            site.add_repository(name, labels=list(LABELS), private=name == PRIVATE)
            for name in (PUBLIC, PRIVATE)
        ]
        installed = site.install("labelwright", "acme", [PUBLIC, PRIVATE])
        given = {"app_id": app["id"], "private_key": app["pem"], "github_url": github.url}
        if with_client:
            site.set_app_urls("labelwright", ["http://localhost/signin/back"])
            client = github.state.app_by_slug("labelwright")
            given |= {"client_id": client.client_id, "client_secret": client.client_secret}
        known = Settings(home=home, webhook_secret="a secret", **{**given, **settings})
        store = Store.open(home / "labelwright.db", now=lambda: clock[0])
        store.installations.upsert(Installation(installed["id"], 1, "acme", "Organization"))
        for remote in remotes:
            name = remote["full_name"]
            store.repositories.upsert(remote["id"], name, name == PRIVATE, installed["id"])
            rows = [
                Label(remote["id"], label["id"], label["name"], color=LABELS[label["name"]])
                for label in site.labels(name)
            ]
            store.labels.sync(remote["id"], rows)
        web = create_app(known, store, now=lambda: clock[0])
        web.testing = True
        try:
            yield Console(web, store, known, github, clock, log)
        finally:
            store.close()
