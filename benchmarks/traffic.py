"""Webhooks of our own beside those of the stand-in: signed, timed, one after another."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.signature import sign
from demo.github import StandIn
from demo.report import quantile
from demo.steps import SLUG

EVERY = 0.1
"""Seconds between two webhooks."""
PATIENCE = 30.0


@dataclass(frozen=True)
class Answer:
    """When a webhook was sent (epoch seconds), how long its answer took, and the HTTP status."""

    at: float
    seconds: float
    status: int


@dataclass
class Sender:
    """Sends webhooks in the name of the stand-in, modelled on one that it sent."""

    github: StandIn
    url: str
    model: dict[str, Any]
    answers: list[Answer] = field(default_factory=list)

    def post(self, client: httpx.Client, payload: Mapping[str, Any]) -> Answer:
        """Send an `issues` event."""
        app = self.github.state.app_by_slug(SLUG)
        assert app is not None and app.webhook_secret is not None
        body = json.dumps(payload).encode()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "issues",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": sign(app.webhook_secret, body),
        }
        at, began = time.time(), time.perf_counter()
        status = client.post(f"{self.url}/webhook", content=body, headers=headers).status_code
        answer = Answer(at, time.perf_counter() - began, status)
        self.answers.append(answer)
        return answer

    def labeled(self, row: Mapping[str, Any], label: Mapping[str, Any], at: str) -> dict[str, Any]:
        """The payload of a label put on a past issue by whoever the model's sender is."""
        known = ("id", "number", "title", "body", "created_at", "state", "author_association")
        facts = {name: row[name] for name in known}
        issue = {**self.model["issue"], **facts, "labels": [label], "updated_at": at}
        return {**self.model, "action": "labeled", "issue": issue, "label": label}

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Send edits of the model's issue, ten a second, while the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=self._send_until, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _send_until(self, stop: threading.Event) -> None:
        edited = {**self.model, "action": "edited", "changes": {}}
        with httpx.Client(timeout=PATIENCE) as client:
            while not stop.wait(EVERY):
                self.post(client, edited)


def times(answers: list[Answer], start: float, end: float) -> dict[str, Any]:
    """How fast the webhooks of a span (epoch seconds) were answered, in milliseconds."""
    inside = [each for each in answers if start <= each.at <= end]
    found = [each.seconds * 1000 for each in inside]
    return {
        "webhooks": len(inside),
        "refused": sum(each.status != 202 for each in inside),
        "median_ms": rounded(quantile(found, 0.5)),
        "p95_ms": rounded(quantile(found, 0.95)),
        "worst_ms": rounded(quantile(found, 1.0)),
    }


def rounded(value: float | None) -> float | None:
    """To a tenth."""
    return None if value is None else round(value, 1)
