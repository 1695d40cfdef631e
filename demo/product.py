"""The product as an operator runs it: one home folder, its commands, and the server's processes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from bot.settings import FILE_NAME, inherited

ROOT = Path(__file__).parents[1]
LABELWRIGHT = (sys.executable, "-m", "bot")
LOOK = 0.01
"""Seconds between two looks at a condition."""
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "COLUMNS", "TMPDIR", "LD_LIBRARY_PATH")
_STOP_SECONDS = 40.0
_TAIL = 12

T = TypeVar("T")


class DidNotHappen(Exception):
    """Something that was waited for; the message names it and says what is known."""


class Product:
    """`labelwright` with `home` as its LABELWRIGHT_HOME, and nothing else of our environment."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @property
    def environment(self) -> dict[str, str]:
        """All that a process of the product gets."""
        own = {"LABELWRIGHT_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        return inherited(_INHERITED) | own

    def write_settings(self, settings: Mapping[str, str | int | float]) -> Path:
        """Write the settings file; its values are those of `bot.settings`. Returns its path."""
        path = self.home / FILE_NAME
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        path.write_text("".join(lines), "utf-8")
        path.chmod(0o600)
        return path

    def run(self, *arguments: str) -> None:
        """Run a command, its output on ours. Raises DidNotHappen with its name and status."""
        self._finished(arguments, None)

    def read(self, *arguments: str) -> str:
        """What a command prints on standard output. Raises DidNotHappen."""
        return self._finished(arguments, subprocess.PIPE)

    @contextmanager
    def serve(self) -> Iterator[Server]:
        """Run `labelwright serve` while the block runs. Raises DidNotHappen."""
        server = Server(self)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()

    def _finished(self, arguments: tuple[str, ...], out: int | None) -> str:
        command = [*LABELWRIGHT, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, stdout=out, text=True)
        if done.returncode:
            name = f"labelwright {' '.join(arguments)}"
            raise DidNotHappen(f"{name}: it ended with status {done.returncode}")
        return done.stdout or ""


class Server:
    """`labelwright serve` as a process of its own; its log goes to `serve.log` in the home."""

    def __init__(self, product: Product) -> None:
        self.url = ""
        self.log = product.home / "serve.log"
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._listening = threading.Event()
        # The shim ends the server when we are killed; a session of its own keeps our Ctrl-C from
        # it, so that it is stopped in order.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.child", "0", *LABELWRIGHT, "serve"],
            cwd=ROOT,
            env=product.environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stderr is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stderr,))
        self._reader.start()

    def wait_until_ready(self, timeout: float = 120.0) -> None:
        """Return once the web process, at `url`, says that it and the worker are ready.

        Raises DidNotHappen.
        """
        self.wait_for("the web process listens", self._listening.is_set, timeout)
        self.wait_for("the server is ready", self._is_ready, timeout)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=10) as answer:
                return bool(answer.status == 200)
        except urllib.error.URLError:  # 503 among them
            return False

    def wait_for(self, what: str, condition: Callable[[], T], timeout: float) -> T:
        """The first true answer of `condition`.

        Raises DidNotHappen with `what` after `timeout` seconds, or when the server ends.
        """
        deadline = time.monotonic() + timeout
        pause = threading.Event()
        while not (answer := condition()):
            if self.process.poll() is not None:
                raise DidNotHappen(f"{what}: the server has ended\n{self.last_lines()}")
            if time.monotonic() >= deadline:
                raise DidNotHappen(f"{what}: not within {timeout:g} s\n{self.last_lines()}")
            pause.wait(LOOK)
        return answer

    def last_lines(self) -> str:
        """The end of the server's log."""
        return "\n".join(["the server's log ends with:", *self._tail])

    def stop(self) -> None:
        """Stop every process of the server in order."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()

    def _read(self, stream: IO[str]) -> None:
        with stream, self.log.open("a", encoding="utf-8") as log:
            for line in stream:
                log.write(line)
                log.flush()
                self._tail.append(line.rstrip())
                self._notice(line)

    def _notice(self, line: str) -> None:
        """The line in which the web process says where it listens: the port is a free one."""
        if '"web started"' in line:
            self.url = str(json.loads(line)["url"])
            self._listening.set()
