"""A Ray cluster of two nodes on loopback, each a process of ours, and an S3 API beside it.

`ray stop` would end every Ray of the machine: a node is ended by the process that we started.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from tests.source import ROOT
from tests.waiting import eventually

BIN = Path(sys.executable).parent
TOKEN = "a-token-of-the-tests-and-of-nothing-else"
HEAD, SECOND = "127.0.0.2", "127.0.0.3"
"""Loopback too, but Ray takes 127.0.0.1 for a wish to be reached from elsewhere. They share a
temporary folder: on one machine Ray looks for a job's log in the head's, wherever it ran."""
STORE = 100 * 2**20
"""Bytes of each node's object store, about the smallest that Ray takes."""
START_SECONDS = 90.0


@dataclass
class Node:
    """A node, by its own process."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it at once, with all that it started, each by its own number."""
        ours = psutil.Process(self.process.pid)
        for each in [ours, *ours.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait()


class Cluster:
    """Two nodes. `address` is the dashboard's URL."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "GLOO_SOCKET_IFNAME": "lo",
            "TMPDIR": str(folder),
            **environment,
        }
        self._port, self._dashboard = free_port(), free_port()
        self.address = f"http://127.0.0.1:{self._dashboard}"
        self.nodes: list[Node] = []

    def start(self) -> None:
        """The head, and another node that joins it."""
        self.start_head()
        self.start_second()

    def start_head(self) -> None:
        self._start(
            "head",
            HEAD,
            *("--head", "--port", str(self._port)),
            *("--dashboard-port", str(self._dashboard), "--dashboard-host", "127.0.0.1"),
            *("--resources", '{"first": 1}'),
        )
        eventually(lambda: self._nodes() == 1, seconds=START_SECONDS)

    def start_second(self) -> None:
        self._start(
            "second",
            SECOND,
            *("--address", f"{HEAD}:{self._port}"),
            *("--resources", '{"second": 1}'),
        )
        eventually(lambda: self._nodes() == 2, seconds=START_SECONDS)

    def stop(self) -> None:
        for node in reversed(self.nodes):
            node.kill()
        self.nodes.clear()

    def _start(self, name: str, ip: str, *how: str) -> None:
        log = self.folder / f"{name}.log"
        common = (
            *("--node-ip-address", ip, "--num-cpus", "2", "--temp-dir", str(self.folder / "ray")),
            *("--object-store-memory", str(STORE), "--dashboard-agent-listen-port"),
            str(free_port()),
        )
        with log.open("ab") as out:
            process = subprocess.Popen(
                [BIN / "ray", "start", "--block", *common, *how],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.nodes.append(Node(process, log))

    def _nodes(self) -> int:
        """How many nodes are alive, as the dashboard says."""
        for node in self.nodes:
            assert node.process.poll() is None, node.log.read_text()[-3000:]
        try:
            answer = requests.get(
                f"{self.address}/nodes?view=summary",
                headers={"Authorization": f"Bearer {TOKEN}"},
                timeout=5,
            )
            found = answer.json()["data"]["summary"]
        except (requests.RequestException, ValueError, KeyError):
            return 0
        return sum(each["raylet"].get("state") == "ALIVE" for each in found)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder with a short path: those of Unix sockets are limited to 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="lw", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def s3(folder: Path, port: int) -> Iterator[str]:
    """An S3 API of moto, its URL."""
    with (folder / "moto.log").open("ab") as log:
        process = subprocess.Popen(
            [BIN / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: process.poll() is None and answers(url), seconds=START_SECONDS)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/moto-api/", timeout=5).ok
    except requests.RequestException:
        return False


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
