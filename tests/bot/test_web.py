"""The web process takes deliveries in."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import Settings
from bot.signature import sign
from bot.web import create_app
from tests.bot.intake_world import NOW, SECRET, Intake, issue_event, make_intake

EVENT = issue_event("opened")


def test_a_delivery_and_its_job_are_kept_before_the_answer(intake: Intake) -> None:
    answer = intake.post("issues", EVENT)
    assert answer.status_code == 202
    assert answer.json == {"result": "queued", "delivery": "guid-0"}
    kept = intake.store.deliveries.get("guid-0")
    assert kept is not None and json.loads(kept.payload) == EVENT
    assert (kept.event, kept.action, kept.installation_id, kept.repository_id) == (
        "issues",
        "opened",
        11,
        7,
    )
    job = intake.store.jobs.get(kept.job_id)
    assert job is not None and (job.kind, job.state, kept.received_at) == (
        "deliver",
        "waiting",
        NOW,
    )


def test_the_previous_secret_still_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    intake = make_intake(tmp_path, webhook_secret_previous="old secret")
    body = json.dumps(EVENT).encode()
    answer = intake.post("issues", body, X_Hub_Signature_256=sign("old secret", body))
    assert answer.status_code == 202
    intake.store.close()


@pytest.mark.parametrize("event", ["gollum", "issues"])
def test_an_event_that_no_feature_wants_is_ignored_with_the_reason(
    intake: Intake, event: str
) -> None:
    answer = intake.post(event, EVENT | {"action": "pinned"})
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["result"], answer.json["reason"]) == ("ignored", "unknown_event")
    assert intake.refused("unknown_event") == 1
    assert intake.waiting() == []


def test_a_redelivery_is_a_duplicate_until_its_job_is_dead(intake: Intake) -> None:
    answers = [intake.post("issues", EVENT, X_GitHub_Delivery="same") for _ in range(2)]
    job = intake.store.jobs.claim("w", lane="fast")
    assert job is not None
    intake.store.jobs.bury(job, "no luck")
    answers.append(intake.post("issues", EVENT, X_GitHub_Delivery="same"))
    results = [answer.json["result"] for answer in answers if answer.json]
    assert results == ["queued", "duplicate", "requeued"]
    assert len(intake.waiting()) == 1


def test_deliveries_that_arrive_at_once_are_all_kept(intake: Intake) -> None:
    body = json.dumps(EVENT).encode()
    statuses: list[int] = []

    def send(number: int) -> None:
        headers = {
            "X-GitHub-Event": "issues",
            "X-GitHub-Delivery": f"parallel-{number // 2}",
            "X-Hub-Signature-256": sign(SECRET, body),
            "Content-Type": "application/json",
        }
        client = intake.client.application.test_client()
        statuses.append(client.post("/webhook", data=body, headers=headers).status_code)
        intake.store.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [202] * 16
    assert len(intake.waiting("deliver")) == 8  # each id once


def test_a_server_that_takes_webhooks_does_not_start_without_a_secret(
    intake: Intake, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET"):
        create_app(Settings(home=tmp_path), intake.store)


def test_a_server_that_polls_needs_no_secret_and_takes_no_webhook(
    intake: Intake, tmp_path: Path
) -> None:
    client = create_app(Settings(home=tmp_path, intake="poll"), intake.store).test_client()
    headers = {"X-Hub-Signature-256": sign("", b"{}"), "Content-Type": "application/json"}
    assert client.post("/webhook", data=b"{}", headers=headers).status_code == 401
