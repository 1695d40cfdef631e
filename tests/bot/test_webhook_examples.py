"""GitHub's own example payloads go through the real route and the real task; none may fail."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bot import handlers
from tests.bot.intake_world import Intake

EXAMPLES = Path(__file__).parents[2] / "node_modules" / "@octokit" / "webhooks-examples"

pytestmark = pytest.mark.skipif(
    not EXAMPLES.exists() and os.environ.get("CI") != "true",
    reason="npm ci was not run: @octokit/webhooks-examples is missing",
)


def examples(source: str) -> list[tuple[str, dict[str, Any]]]:
    """(event, payload) of every example that GitHub gives for one of its products."""
    described = json.loads((EXAMPLES / source / "index.json").read_text("utf-8"))
    return [(each["name"], payload) for each in described for payload in each["examples"]]


SOURCES = ["api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("known", [False, True], ids=["unknown installation", "known"])
def test_no_example_of_any_event_fails(intake: Intake, source: str, known: bool) -> None:
    routes, taken = handlers.load(), 0
    for event, payload in examples(source):
        if known:
            payload = payload | {"installation": payload.get("installation") or {"id": 1}}
        answer = intake.post(event, payload)
        wanted = (event, payload.get("action", "")) in routes
        assert answer.status_code == 202, (event, answer.get_data(as_text=True))
        assert answer.json is not None
        assert answer.json["result"] == ("queued" if wanted else "ignored")
        taken += wanted
    results = intake.work()
    assert len(results) == taken > 0
    assert all(result and "\n" not in result for result in results)


@pytest.mark.parametrize("event", sorted({event for event, _ in handlers.load()}))
def test_each_example_succeeds_in_a_repository_where_everything_is_on(
    intake: Intake, event: str
) -> None:
    payloads = [payload for name, payload in examples(SOURCES[0]) if name == event]
    for payload in payloads:
        repository = payload.get("repository")
        if repository:
            name, private = repository["full_name"], repository["private"]
            intake.store.repositories.upsert(repository["id"], name, private, 1)
            config = {"pull_requests": True, "fallback": "bug", "grace_seconds": 5}
            intake.store.repositories.set_config(repository["id"], config, None, [])
        assert intake.post(event, payload).status_code == 202
        intake.work()
    assert payloads or event == "installation_target"  # GitHub gives no example of that one


def test_every_route_but_these_has_an_example() -> None:
    every = [each for source in SOURCES for each in examples(source)]
    seen = {(event, payload.get("action", "")) for event, payload in every}
    assert set(handlers.load()) - seen == {
        ("installation_target", "renamed"),
        ("issues", "closed"),
        ("pull_request", "edited"),
        ("repository", "archived"),
        ("repository", "unarchived"),
    }
