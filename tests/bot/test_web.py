"""The web process takes deliveries in, and answers clearly when it does not."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import SettingsError
from bot.health import LONGEST_SILENCE, readiness
from bot.settings import Settings
from bot.signature import sign
from bot.web import MAX_BODY_BYTES, create_app
from tests.bot.intake_world import NOW, SECRET, Intake, issue_event, make_intake

ROOT = Path(__file__).parents[2]
EVENT = issue_event("opened")


@pytest.fixture
def intake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    made = make_intake(tmp_path)
    yield made
    made.store.close()


def refused(intake: Intake, reason: str) -> float | None:
    """How often that reason was counted."""
    text = intake.client.get("/metrics").get_data(as_text=True)
    name = f'labelwright_refused_deliveries_total{{reason="{reason}"}} '
    found = [line.removeprefix(name) for line in text.splitlines() if line.startswith(name)]
    return float(found[0]) if found else None


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


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"X_Hub_Signature_256": ""}, "signature_missing"),
        ({"X_Hub_Signature_256": "", "X_Hub_Signature": "sha1=" + "0" * 40}, "signature_sha1_only"),
        ({"X_Hub_Signature_256": "sha256=abc"}, "signature_truncated"),
        ({"X_Hub_Signature_256": sign("another secret", b"{}")}, "signature_wrong"),
    ],
)
def test_a_bad_signature_is_401_unparsed_and_counted(
    intake: Intake, headers: dict[str, str], reason: str
) -> None:
    answer = intake.post("issues", b"{not even json", **headers)
    assert answer.status_code == 401
    assert answer.json is not None and answer.json["error"] == reason
    assert refused(intake, reason) == 1
    assert intake.store.deliveries.get("guid-0") is None and intake.waiting() == []


def test_the_previous_secret_still_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    intake = make_intake(tmp_path, webhook_secret_previous="old secret")
    body = json.dumps(EVENT).encode()
    answer = intake.post("issues", body, X_Hub_Signature_256=sign("old secret", body))
    assert answer.status_code == 202
    intake.store.close()


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b"{", {}, 400, "not_json"),
        (b"[]", {}, 400, "not_json"),
        (b"", {}, 400, "not_json"),
        (b"{}", {}, 400, "missing_field"),
        (b"{}", {"X_GitHub_Event": ""}, 400, "missing_header"),
        (b"{}", {"X_GitHub_Delivery": ""}, 400, "missing_header"),
        (b"<xml/>", {"Content_Type": "text/xml"}, 415, "wrong_content_type"),
    ],
)
def test_what_is_signed_but_wrong_gets_a_clear_answer(
    intake: Intake, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    answer = intake.post("issues", body, **headers)
    assert answer.status_code == status
    assert answer.json is not None and answer.json["error"] == reason and answer.json["message"]
    assert refused(intake, reason) == 1
    assert intake.waiting() == []


def test_a_form_is_told_what_to_change_in_the_settings(intake: Intake) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    answer = intake.post("issues", b"payload=%7B%7D", **form)
    assert answer.status_code == 415
    assert answer.json is not None
    assert "set the content type to application/json" in answer.json["message"]


def test_a_body_over_the_limit_is_413_and_one_at_the_limit_is_not(intake: Intake) -> None:
    padding = b" " * (MAX_BODY_BYTES - 2)
    assert intake.post("ping", b"{}" + padding).status_code == 202
    answer = intake.post("ping", b"{}" + padding + b" ")
    assert answer.status_code == 413
    assert answer.json is not None and "25 MB" in answer.json["message"]
    assert refused(intake, "too_large") == 1


@pytest.mark.parametrize("event", ["gollum", "issues"])
def test_an_event_that_no_feature_wants_is_ignored_with_the_reason(
    intake: Intake, event: str
) -> None:
    answer = intake.post(event, EVENT | {"action": "pinned"})
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["result"], answer.json["reason"]) == ("ignored", "unknown_event")
    assert refused(intake, "unknown_event") == 1
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


@pytest.mark.parametrize(
    ("accounts", "status"), [((), 202), (("ACME", "other"), 202), (("other",), 403)]
)
def test_only_accounts_of_the_allow_list_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accounts: tuple[str, ...], status: int
) -> None:
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    intake = make_intake(tmp_path, allowed_accounts=accounts)
    answer = intake.post("issues", EVENT)
    assert answer.status_code == status
    if status == 403:
        assert answer.json is not None and "the account acme" in answer.json["message"]
        assert refused(intake, "account_not_allowed") == 1
    assert intake.post("ping", {"zen": "Hi."}).status_code == 202
    assert (
        intake.post("issues", {"issue": {"number": 1}, "repository": {"id": 1}}).status_code != 500
    )
    intake.store.close()


def test_an_event_of_no_account_is_refused_where_there_is_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    intake = make_intake(tmp_path, allowed_accounts=("acme",))
    payload = EVENT | {"repository": {"id": 7}}
    assert intake.post("issues", payload).status_code == 403
    intake.store.close()


def test_a_crash_gives_no_stack_trace_but_a_number_that_the_log_knows(intake: Intake) -> None:
    raw = sqlite3.connect(intake.store.path)
    raw.execute("DROP TABLE deliveries")
    raw.close()
    answer = intake.post("issues", EVENT)
    assert answer.status_code == 500
    text = answer.get_data(as_text=True)
    assert "Traceback" not in text and "sqlite" not in text
    assert answer.json is not None
    assert answer.json["message"].rsplit(" ", 1)[-1] in intake.log.getvalue()
    assert "no such table" in intake.log.getvalue()
    assert intake.waiting() == []  # the job did not survive alone


def test_neither_secret_nor_text_of_an_issue_is_logged(intake: Intake) -> None:
    intake.post("issues", EVENT)
    intake.post("issues", EVENT, X_Hub_Signature_256="sha256=abc")
    log = intake.log.getvalue()
    assert "guid-0" in log and "signature_truncated" in log
    assert SECRET not in log and "It breaks" not in log


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/webhook", 405), ("GET", "/nothing", 404)]
)
def test_other_errors_are_json_too(intake: Intake, method: str, path: str, status: int) -> None:
    answer = intake.client.open(path, method=method)
    assert answer.status_code == status
    assert answer.json is not None and answer.json["error"]


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
        "labelwright_webhook_seconds_count 1.0",
    ):
        assert line in text.splitlines()


def test_two_applications_in_one_process_count_apart(intake: Intake) -> None:
    intake.post("issues", b"{}", X_Hub_Signature_256="")
    other = create_app(intake.settings, intake.store, now=lambda: NOW).test_client()
    assert 'reason="signature_missing"' not in other.get("/metrics").get_data(as_text=True)


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


SERVER = """
import sys
from pathlib import Path
from bot.settings import Settings
from bot.store import Store
from bot.web import run_web
settings = Settings.load(home=Path(sys.argv[1]), webhook_secret=sys.argv[2], port=0)
store = Store.open(settings.database)
run_web(settings, store, started=lambda host, port: print(port, flush=True))
heavy = {"torch", "sklearn", "scipy", "transformers", "tokenizers"} & set(sys.modules)
print("stopped", *sorted(heavy), flush=True)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A real web process on a port of its own."""
    environ = {"PATH": os.environ["PATH"], "LABELWRIGHT_HOME": str(tmp_path)}
    command = [sys.executable, "-c", SERVER, str(tmp_path), SECRET]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
        process.kill()


def request(port: int, method: str, path: str, **facts: Any) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, **facts)
    answer = connection.getresponse()
    status, body = answer.status, json.loads(answer.read())
    connection.close()
    return status, body


def test_a_real_server_serves_stops_on_sigterm_and_never_imports_torch(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = server
    body = json.dumps(EVENT).encode()
    headers = {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "one",
        "X-Hub-Signature-256": sign(SECRET, body),
        "Content-Type": "application/json",
    }
    whole = request(port, "POST", "/webhook", body=body, headers=headers)
    pieces = request(port, "POST", "/webhook", body=iter([body]), headers=headers)
    assert [whole[1]["result"], pieces[1]["result"]] == ["queued", "duplicate"]
    assert request(port, "GET", "/healthz")[0] == 200
    assert request(port, "GET", "/readyz")[0] == 503
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert process.stdout is not None and process.stdout.read() == "stopped\n"


def test_a_real_server_refuses_a_body_that_is_too_large(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    headers = {"X-GitHub-Event": "issues", "Content-Type": "application/json"}
    body = b" " * (MAX_BODY_BYTES + 1)
    status, answer = request(server[1], "POST", "/webhook", body=body, headers=headers)
    assert (status, answer["error"]) == (413, "too_large")
