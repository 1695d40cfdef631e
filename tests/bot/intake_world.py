"""A server without GitHub: signed deliveries through the real route, then the real task."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.context import BotIdentity, Context
from bot.log import make_logger
from bot.settings import Settings
from bot.signature import sign
from bot.store import Store
from bot.store.rows import Issue, Job, Repository
from bot.tasks.deliver import deliver
from bot.times import from_epoch
from bot.web import create_app

SECRET = "It's a Secret to Everybody"
NOW = 1_780_000_000.0
REPOSITORY_ID = 7
US = BotIdentity(99, "labelwright[bot]")


@dataclass
class Intake:
    """The web application and the task behind it, with the clock that both read."""

    store: Store
    settings: Settings
    client: FlaskClient
    context: Context
    log: io.StringIO
    clock: list[float]
    sent: list[str] = field(default_factory=list)

    def post(self, event: str, payload: Any, **headers: str) -> TestResponse:
        """Send one signed delivery to the webhook; a keyword overrides a header."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        guid = f"guid-{len(self.sent)}"
        self.sent.append(guid)
        known = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": guid,
            "X-Hub-Signature-256": sign(SECRET, body),
            "Content-Type": "application/json",
        }
        given = known | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/webhook", data=body, headers=given)

    def work(self) -> list[str]:
        """Run every delivery that waits, in order; returns what became of each."""
        results = []
        while job := self.store.jobs.claim("test", lane="fast", kinds=["deliver"]):
            results.append(deliver(self.context, job))
            self.store.jobs.finish(job, results[-1])
        return results

    def handle(self, event: str, payload: Any) -> str:
        """Send one delivery and run it; returns what became of it."""
        answer = self.post(event, payload)
        assert answer.status_code == 202, answer.get_data(as_text=True)
        [result] = self.work()
        return result

    def waiting(self, kind: str | None = None) -> list[Job]:
        """The jobs that wait, in the order in which they were asked for."""
        return self.store.jobs.list("waiting", kind)[::-1]

    def refused(self, reason: str) -> float | None:
        """How often that reason was counted."""
        text = self.client.get("/metrics").get_data(as_text=True)
        name = f'labelwright_refused_deliveries_total{{reason="{reason}"}} '
        found = [line.removeprefix(name) for line in text.splitlines() if line.startswith(name)]
        return float(found[0]) if found else None

    def issue(self, number: int = 3) -> Issue:
        found = self.store.issues.get(REPOSITORY_ID, number)
        assert found is not None
        return found

    def repository(self) -> Repository:
        found = self.store.repositories.get(REPOSITORY_ID)
        assert found is not None
        return found

    def configure(self, **config: Any) -> None:
        self.store.repositories.set_config(REPOSITORY_ID, config, None, [])


def make_intake(home: Path, **settings: Any) -> Intake:
    """A new server in a folder of its own."""
    clock, out = [NOW], io.StringIO()
    chosen = Settings(home=home, webhook_secret=SECRET, **settings)
    store = Store.open(home / "labelwright.db", now=lambda: clock[0])
    log = make_logger("debug", "json", stream=out)
    app = create_app(chosen, store, now=lambda: clock[0], log=log)
    context = Context(
        settings=chosen,
        store=store,
        github=None,
        registry=cast(Any, None),
        predictors=cast(Any, None),
        log=log,
        now=lambda: clock[0],
    )
    store.meta.set(f"bot_account:{chosen.app_id}", f"{US.id} {US.login}")
    return Intake(store, chosen, app.test_client(), context, out, clock)


def ago(seconds: float) -> str:
    """GitHub's text for a moment before NOW."""
    return from_epoch(NOW - seconds)


def person(login: str = "ada", **facts: Any) -> dict[str, Any]:
    return {"login": login, "id": 5, "type": "User"} | facts


def repository(**facts: Any) -> dict[str, Any]:
    return {
        "id": REPOSITORY_ID,
        "name": "rocket",
        "full_name": "acme/rocket",
        "private": False,
        "archived": False,
        "owner": {"login": "acme", "id": 50, "type": "Organization"},
    } | facts


def label(name: str = "bug", id: int = 1) -> dict[str, Any]:
    return {"id": id, "name": name, "color": "ff0000", "description": f"about {name}"}


def issue(**facts: Any) -> dict[str, Any]:
    return {
        "id": 70,
        "number": 3,
        "title": "It breaks",
        "body": "When I press it.",
        "user": person(),
        "labels": [],
        "state": "open",
        "locked": False,
        "author_association": "NONE",
        "created_at": ago(2),
        "updated_at": ago(2),
        "closed_at": None,
    } | facts


def installation(**facts: Any) -> dict[str, Any]:
    return {
        "id": 11,
        "account": {"login": "acme", "id": 50, "type": "Organization"},
        "permissions": {"issues": "write"},
        "suspended_at": None,
    } | facts


def issue_event(action: str, *, sender: Any = None, **facts: Any) -> dict[str, Any]:
    """The payload of an `issues` event; `issue=` and the like override its parts."""
    return {
        "action": action,
        "issue": issue(),
        "repository": repository(),
        "installation": {"id": 11},
        "sender": sender or person(),
    } | facts
