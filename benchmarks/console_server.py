"""The real web process on a home, with the console and without it."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from demo.product import LABELWRIGHT, ROOT, DidNotHappen, Product

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens there: no page may need GitHub in order to be shown."""
WITHOUT = """
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

class Nothing(ModuleType):
    __path__ = []
    def __getattr__(self, name):
        return lambda *given, **named: None

class NoConsole:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.startswith("bot.console") else None
    def create_module(self, spec):
        return Nothing(spec.name)
    def exec_module(self, module):
        pass

sys.meta_path.insert(0, NoConsole())
from bot.cli import main
sys.argv = ["labelwright", "web"]
main()
"""
"""`labelwright web` to which everything of the console is an empty module."""
_START_SECONDS = 60.0
_STOP_SECONDS = 40.0
_LOOK = 0.02


class Web:
    """A running web process."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process, self.url, self.log = process, url, log

    @property
    def memory_mb(self) -> float:
        """Its resident memory."""
        return round(float(psutil.Process(self.process.pid).memory_info().rss) / 2**20, 1)


def configure(product: Product) -> None:
    """Settings of a server that has its App, so that the set-up is over."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    path = product.home / "app.pem"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    path.chmod(0o600)
    product.write_settings(
        {
            "app_id": 1,
            "private_key_file": str(path),
            "webhook_secret": secrets.token_hex(),
            "github_url": NOWHERE,
            "log_level": "warning",
        }
    )


@contextmanager
def web(product: Product, *, console: bool = True) -> Iterator[Web]:
    """Run it while the block runs. Raises DidNotHappen with the log where it does not start."""
    port, log = free_port(), product.home / "web.log"
    command = (*LABELWRIGHT, "web") if console else (sys.executable, "-c", WITHOUT)
    environment = product.environment | {"LABELWRIGHT_PORT": str(port)}
    dying_with_us = (sys.executable, "-m", "bot.child", "0")
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*dying_with_us, *command], cwd=ROOT, env=environment, stdout=file, stderr=file
        )
    running = Web(process, f"http://127.0.0.1:{port}", log)
    try:
        _wait(running)
        yield running
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(running: Web) -> None:
    pause, deadline = threading.Event(), time.monotonic() + _START_SECONDS
    while not _answers(running.url):
        if running.process.poll() is not None or time.monotonic() > deadline:
            raise DidNotHappen(f"the web process does not listen\n{running.log.read_text()}")
        pause.wait(_LOOK)


def _answers(url: str) -> bool:
    try:
        answer: Any = httpx.get(f"{url}/healthz", timeout=10)
    except httpx.TransportError:
        return False
    return bool(answer.status_code == 200)
