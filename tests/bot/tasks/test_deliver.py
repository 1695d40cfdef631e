"""From a kept delivery to its handler."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.store.rows import Job
from bot.tasks.deliver import deliver
from demo.github import StandIn
from tests.bot.intake_world import issue_event, label
from tests.bot.world import World, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    with StandIn() as github:
        made = make_world(github, tmp_path, now=time.time)
        yield made
        made.context.app.close()
        made.store.close()


def accept(world: World, payload: bytes, event: str = "issues") -> Job:
    world.store.deliveries.accept("guid", event, None, None, None, payload)
    job = world.store.jobs.claim("w", lane="fast", kinds=["deliver"])
    assert job is not None
    return job


def change_by(sender: dict[str, Any], world: World) -> bytes:
    repository = {"id": world.repository_id, "full_name": "acme/rocket"}
    payload = issue_event("labeled", label=label(), sender=sender, repository=repository)
    return json.dumps(payload | {"installation": {"id": world.installation_id}}).encode()


def test_our_own_account_is_asked_for_before_it_matters(world: World) -> None:
    us = world.context.app.bot_login()
    job = accept(world, change_by({"login": us, "type": "Bot"}, world))
    assert world.context.known_bot is None
    assert deliver(world.context, job) == f"labeled bug by {us} (us)"
    assert world.context.known_bot is not None and world.context.known_bot.login == us


def test_a_delivery_that_is_no_longer_kept_is_done_with_that_reason(world: World) -> None:
    job = world.store.jobs.enqueue("deliver", payload={"guid": "gone"})
    assert job is not None
    assert deliver(world.context, job) == "ignored: delivery gone is no longer kept"


@pytest.mark.parametrize(
    ("event", "payload", "reason"),
    [
        ("issues", b"{}", "the payload lacks repository.id"),
        ("issues", b"not json", "the body is not JSON"),
        ("gollum", b"{}", "no feature listens to the event gollum"),
        ("ping", b'{"action": "odd"}', "no feature listens to ping.odd"),
    ],
)
def test_a_delivery_that_cannot_be_used_is_done_with_the_reason(
    world: World, event: str, payload: bytes, reason: str
) -> None:
    assert deliver(world.context, accept(world, payload, event)).startswith(f"ignored: {reason}")
