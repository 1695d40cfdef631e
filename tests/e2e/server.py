"""The server's real processes, started as an operator starts them: by command and environment."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from bot.signature import sign
from bot.store import Store
from bot.store.rows import Job
from tests.waiting import DEADLINE, eventually

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
SECRET = "It's a secret to everybody"
LOG_SHOWN = 4000
DYING_WITH_US = (sys.executable, "-m", "bot.child", "0")
"""What becomes the program after it, and ends when the tests are killed."""


class Server:
    """One home and the processes that were started on it; `settings` are LABELWRIGHT_* without
    that prefix. Standard error of every process goes to a file of its own in `logs`."""

    def __init__(self, home: Path, **settings: object) -> None:
        self.home = home / "home"
        self.logs = home / "logs"
        self.logs.mkdir(parents=True)
        self.settings = {"port": free_port(), "log_format": "json", **settings}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[Path] = []
        self._store: Store | None = None
        self._client = httpx.Client(timeout=20)

    @property
    def environment(self) -> dict[str, str]:
        """All that a process gets: what makes it run at all, and the settings."""
        given = {f"LABELWRIGHT_{name.upper()}": str(v) for name, v in self.settings.items()}
        paths = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**paths, **given, "LABELWRIGHT_HOME": str(self.home)}

    @property
    def url(self) -> str:
        """Where the web process listens."""
        return f"http://127.0.0.1:{self.settings['port']}"

    @property
    def store(self) -> Store:
        """The server's own database, made by whoever comes first."""
        if self._store is None:
            self.home.mkdir(parents=True, exist_ok=True)
            self._store = Store.open(self.home / "labelwright.db")
        return self._store

    # Processes

    def start(self, *kinds: str) -> None:
        """Start processes (web, worker, clock, serve) and wait until each is at work."""
        for kind in kinds:
            log = self.logs / f"{len(self._logs):02d}-{kind}.log"
            self._logs.append(log)
            with log.open("wb") as errors:
                self.processes[kind] = subprocess.Popen(
                    [*DYING_WITH_US, sys.executable, "-m", "bot", kind],
                    cwd=ROOT,
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                    start_new_session=kind == "serve",
                )
        for kind in kinds:
            self.eventually(lambda kind=kind: self._has_started(kind))

    def kill(self, kind: str) -> None:
        """End a process as a crash does."""
        process = self.processes.pop(kind)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(DEADLINE) == -signal.SIGKILL

    def terminate(self, kind: str) -> int:
        """Ask a process to end; returns its status."""
        process = self.processes.pop(kind)
        process.terminate()
        return process.wait(DEADLINE)

    def children(self) -> dict[str, psutil.Process]:
        """The processes that `serve` runs now, by kind."""
        found = psutil.Process(self.processes["serve"].pid).children()
        return {kind: child for child in found if (kind := command_of(child)[-1])}

    def close(self) -> None:
        """End what still runs."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._client.close()
        if self._store is not None:
            self._store.close()

    def command(self, *words: str) -> Any:
        """Run one command with `--json`; returns what it prints. It has to succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words, "--json"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def is_alive(self, kind: str) -> bool:
        """Whether the child of `serve` of that kind that runs now is at work."""
        child = self.children().get(kind)
        return child is not None and self._is_at_work(kind, child.pid)

    def _has_started(self, kind: str) -> bool:
        process = self.processes[kind]
        assert process.poll() is None, f"{kind} ended with {process.poll()}\n{self.explain()}"
        if kind == "serve":
            return all(self.is_alive(each) for each in ("web", "worker", "clock"))
        return self._is_at_work(kind, process.pid)

    def _is_at_work(self, kind: str, pid: int) -> bool:
        if kind == "web":
            return self._listens()
        beats = {beat.pid: beat.process for beat in self.store.heartbeats.all()}
        return beats.get(pid) == kind

    def _listens(self) -> bool:
        try:
            return self._client.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def log(self, kind: str) -> str:
        """What every process of a kind has written so far."""
        return "".join(log.read_text() for log in self._logs if log.stem.endswith(kind))

    # The webhook

    def post(self, event: str, payload: Any, **headers: str | None) -> httpx.Response:
        """Send one delivery, signed; a keyword overrides a header (None leaves it out)."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        known: dict[str, str | None] = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": os.urandom(8).hex(),
            "X-Hub-Signature-256": sign(SECRET, body),
            "Content-Type": "application/json",
        }
        known |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in known.items() if value is not None}
        return self._client.post(f"{self.url}/webhook", content=body, headers=given)

    def counted(self, reason: str) -> float:
        """How many deliveries the web process refused for a reason, by its metrics."""
        name = f'labelwright_refused_deliveries_total{{reason="{reason}"}} '
        lines = self._client.get(f"{self.url}/metrics").text.splitlines()
        found = [line.removeprefix(name) for line in lines if line.startswith(name)]
        return float(found[0]) if found else 0.0

    # Jobs

    def jobs(
        self, kind: str, number: int | None = None, repository: int | None = None
    ) -> list[Job]:
        """The jobs of a kind, oldest first; of one issue, of one repository."""
        return [
            job
            for job in reversed(self.store.jobs.list(kind=kind, limit=10_000))
            if number in (None, job.number) and repository in (None, job.repository_id)
        ]

    def is_quiet(self) -> bool:
        """Whether no job runs and none is due."""
        return not any(
            job.state == "running" or (job.state == "waiting" and job.run_at <= self.store.now())
            for job in self.store.jobs.list(limit=10_000)
        )

    def hurry(self, job: Job) -> None:
        """Let a job that waits come now: how long it waits is a test of the worker's."""
        connection = sqlite3.connect(self.home / "labelwright.db", timeout=DEADLINE)
        with connection:
            connection.execute(
                "UPDATE jobs SET run_at = 0 WHERE id = ? AND state = 'waiting'", [job.id]
            )
        connection.close()

    # Waiting

    def eventually(self, claim: Callable[[], T], seconds: float = DEADLINE) -> T:
        """Wait until a claim gives something true; a failure shows jobs and logs."""
        return eventually(claim, seconds=seconds, explain=self.explain)

    def explain(self) -> str:
        """Jobs that are not done, and the ends of the logs of the last processes."""
        jobs = [job for job in self.store.jobs.list(limit=10_000) if job.state != "done"]
        shown = [f"{j.kind} {j.number} {j.state} {j.attempts} {j.error}" for j in jobs]
        logs = [f"{log.name}: {log.read_text()[-LOG_SHOWN:]}" for log in self._logs[-4:]]
        return "\n".join([*shown, *logs])


def command_of(process: psutil.Process) -> list[str]:
    """The words of a process's command; one empty word for a process that is ending."""
    try:
        return process.cmdline() or [""]
    except psutil.Error:
        return [""]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
