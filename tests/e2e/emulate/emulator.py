"""The emulator of GitHub that others wrote (npm `emulate`), as a process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.e2e.server import ROOT, free_port
from tests.waiting import DEADLINE, eventually

HERE = Path(__file__).parent
PROGRAM = ROOT / "node_modules" / "emulate" / "dist" / "index.js"
ABSENT = f"{PROGRAM.relative_to(ROOT)} is absent: `npm ci` brings the emulator"
APP_ID, INSTALLATION_ID, SLUG = 4242, 100, "labelwright"
PERMISSIONS = {"issues": "write", "metadata": "read", "single_file": "read"}
OWNER, MAINTAINER, REPORTER = "acme", "ada", "rita"
REPO = f"{OWNER}/rocket"


def node() -> str | None:
    """Node, the machine's own or the virtual environment's; None where there is none."""
    places = [str(ROOT / ".venv" / "bin"), os.environ.get("PATH", "")]
    return shutil.which("node", path=os.pathsep.join(places))


def seed(pem: str, webhook_url: str, secret: str) -> dict[str, Any]:
    """The world as the emulator's own format gives it: people, a repository, and our App on it."""
    app = {
        "app_id": APP_ID,
        "slug": SLUG,
        "name": "Labelwright",
        "private_key": pem,
        "permissions": PERMISSIONS,
        "events": ["issues", "label", "repository"],
        "webhook_url": webhook_url,
        "webhook_secret": secret,
        "installations": [{"installation_id": INSTALLATION_ID, "account": OWNER}],
    }
    people = [OWNER, MAINTAINER, REPORTER]
    return {
        "tokens": {token(login): {"login": login, "scopes": ["repo"]} for login in people},
        "github": {
            "users": [{"login": login} for login in people],
            "repos": [{"owner": OWNER, "name": REPO.partition("/")[2]}],
            "apps": [app],
        },
    }


def token(login: str) -> str:
    """The personal token of somebody who is in the seed."""
    return f"token_of_{login}"


@dataclass
class Emulator:
    """What people do on the emulated GitHub, over its REST API."""

    url: str
    client: httpx.Client

    def ask(self, method: str, path: str, body: Any = None, *, by: str = OWNER) -> Any:
        """One request of a person; it has to succeed."""
        headers = {"Authorization": f"token {token(by)}"}
        answer = self.client.request(method, self.url + path, json=body, headers=headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def in_repo(self, method: str, path: str, body: Any = None, *, by: str = OWNER) -> Any:
        """One request of a person about the repository."""
        return self.ask(method, f"/repos/{REPO}{path}", body, by=by)

    def open(self, title: str, body: str, *, labels: list[str] | None = None) -> int:
        """Open an issue; returns its number. Labels need a person who may put them on."""
        issue = {"title": title, "body": body, "labels": labels or []}
        by = OWNER if labels else REPORTER
        return int(self.in_repo("POST", "/issues", issue, by=by)["number"])

    def labels_on(self, number: int) -> list[str]:
        """The names of the labels now on an issue, sorted."""
        return sorted(label["name"] for label in self.in_repo("GET", f"/issues/{number}/labels"))

    def label_events(self, number: int) -> list[tuple[str, str, str]]:
        """(action, label, login) of every label event of an issue, oldest first."""
        events = self.in_repo("GET", f"/issues/{number}/events?per_page=100")
        found = [e for e in events if e["event"] in ("labeled", "unlabeled")]
        return [(e["event"], e["label"]["name"], e["actor"]["login"]) for e in found]

    def tokens(self) -> list[dict[str, Any]]:
        """What the emulator knows of the installation tokens that it gave."""
        found = self.client.get(f"{self.url}/_emulate/installation-tokens").json()
        tokens: list[dict[str, Any]] = found["installation_tokens"]
        return tokens


@contextmanager
def running(folder: Path, make_seed: Callable[[], dict[str, Any]]) -> Iterator[Emulator]:
    """The emulator on a free port of this machine, until the end of the block."""
    program, port = node(), free_port()
    assert program is not None
    (folder / "seed.yaml").write_text(yaml.safe_dump(make_seed()))
    options = ["--service", "github", "--port", str(port), "--seed", str(folder / "seed.yaml")]
    log = folder / "emulator.log"
    with log.open("wb") as output, httpx.Client(timeout=20) as client:
        process = subprocess.Popen(
            [program, "--require", str(HERE / "loopback.cjs"), str(PROGRAM), "start", *options],
            cwd=folder,
            env={"PATH": os.environ.get("PATH", "")},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # node from pip is a wrapper: what it started has to end with it.
            start_new_session=True,
        )
        emulator = Emulator(f"http://127.0.0.1:{port}", client)
        try:
            eventually(lambda: _answers(emulator), explain=log.read_text)
            yield emulator
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the emulator with all that it started."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(DEADLINE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(emulator: Emulator) -> bool:
    try:
        return emulator.client.get(f"{emulator.url}/repos/{REPO}").is_success
    except httpx.TransportError:
        return False
