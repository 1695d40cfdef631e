"""Health, readiness and metrics of the web process."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.health import LONGEST_SILENCE, readiness
from bot.web import create_app
from tests.bot.intake_world import NOW, Intake, issue_event

EVENT = issue_event("opened")


def test_health_says_that_the_process_runs(intake: Intake) -> None:
    assert intake.client.get("/healthz").json == {"status": "ok"}


def test_a_server_is_ready_when_database_disk_and_worker_are(intake: Intake) -> None:
    intake.store.heartbeats.beat("worker", 1)
    answer = intake.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None and answer.json["ready"] is True
    assert set(answer.json["checks"]) == {"database", "disk", "worker"}


@pytest.mark.parametrize("silence", [None, LONGEST_SILENCE + 1])
def test_a_server_without_a_living_worker_is_not_ready(
    intake: Intake, silence: float | None
) -> None:
    if silence is not None:
        intake.store.heartbeats.beat("worker", 1)
        intake.clock[0] += silence
    answer = intake.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None and answer.json["checks"]["worker"]["ok"] is False


def test_a_server_without_its_database_or_disk_is_not_ready(intake: Intake, tmp_path: Path) -> None:
    raw = sqlite3.connect(intake.store.path)
    raw.executescript("DROP TABLE jobs; DROP TABLE heartbeats;")
    raw.close()
    checks = readiness(intake.store, tmp_path / "nowhere", now=lambda: NOW)
    assert [(check.name, check.ok) for check in checks] == [
        ("database", False),
        ("disk", False),
        ("worker", False),
    ]


def test_metrics_tell_of_deliveries_queue_and_decisions(intake: Intake) -> None:
    intake.post("issues", EVENT)
    intake.clock[0] += 30
    intake.store.heartbeats.beat("worker", 1)
    text = intake.client.get("/metrics").get_data(as_text=True)
    for line in (
        'labelwright_deliveries_total{action="opened",event="issues",result="queued"} 1.0',
        'labelwright_jobs{lane="fast",state="waiting"} 1.0',
        'labelwright_jobs{lane="slow",state="dead"} 0.0',
        "labelwright_oldest_job_seconds 30.0",
        'labelwright_heartbeat_age_seconds{process="worker"} 0.0',
        "labelwright_decisions_total 0.0",
        'labelwright_labels{outcome="applied"} 0.0',
        "labelwright_capped_actors 0.0",
        'labelwright_trials{state="published"} 0.0',
        'labelwright_trainings{state="running"} 0.0',
        "labelwright_webhook_seconds_count 1.0",
    ):
        assert line in text.splitlines()


def test_two_applications_in_one_process_count_apart(intake: Intake) -> None:
    intake.post("issues", b"{}", X_Hub_Signature_256="")
    other = create_app(intake.settings, intake.store, now=lambda: NOW).test_client()
    assert 'reason="signature_missing"' not in other.get("/metrics").get_data(as_text=True)
