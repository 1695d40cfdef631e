"""The web process as a real one: it serves, refuses, and stops when it is told to."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.signature import sign
from bot.store import Store
from bot.web import MAX_BODY_BYTES
from tests.bot.intake_world import SECRET, issue_event
from tests.source import ROOT
from tests.waiting import eventually

EVENT = issue_event("opened")
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
    server: tuple[subprocess.Popen[str], int], tmp_path: Path
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
    assert request(port, "GET", "/health")[1]["status"] == "alarm"
    store = Store(tmp_path / "labelwright.db")
    eventually(lambda: [beat.process for beat in store.heartbeats.all()] == ["web"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert store.heartbeats.all() == []
    store.close()
    assert process.stdout is not None and process.stdout.read() == "stopped\n"


def test_a_real_server_refuses_a_body_that_is_too_large(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    headers = {"X-GitHub-Event": "issues", "Content-Type": "application/json"}
    body = b" " * (MAX_BODY_BYTES + 1)
    status, answer = request(server[1], "POST", "/webhook", body=body, headers=headers)
    assert (status, answer["error"]) == (413, "too_large")
