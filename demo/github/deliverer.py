"""The thread that sends webhooks, one after another, and records what came of each."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from .model import Delivery
from .state import State

TIMEOUT = 10.0
"""Seconds that GitHub waits for an answer."""


class Deliverer:
    """Sends what lies in `state.outbox`, in order. It does not retry: GitHub does not either."""

    def __init__(self, state: State, *, timeout: float = TIMEOUT) -> None:
        self._state = state
        self._timeout = timeout
        self._stopping = threading.Event()
        self._gate = threading.Event()
        self._gate.set()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the delivery under way; what is queued stays unsent."""
        self._stopping.set()
        self._gate.set()
        self._state.outbox.put(None)
        self._thread.join()

    def pause(self) -> None:
        """Keep deliveries back, in order, until `resume`."""
        self._gate.clear()

    def resume(self) -> None:
        """Send what was kept back, and go on."""
        self._gate.set()

    def drain(self, timeout: float) -> bool:
        """Wait until everything queued was sent; False after `timeout` seconds."""
        outbox = self._state.outbox
        with outbox.all_tasks_done:
            return outbox.all_tasks_done.wait_for(lambda: not outbox.unfinished_tasks, timeout)

    def _run(self) -> None:
        outbox = self._state.outbox
        while (delivery := outbox.get()) is not None:
            self._gate.wait()
            if not self._stopping.is_set():
                send(delivery, timeout=self._timeout)
            outbox.task_done()


def send(
    delivery: Delivery, *, timeout: float = TIMEOUT, clock: Callable[[], float] = time.monotonic
) -> None:
    """POST one delivery and write its outcome into it. Redirects are not followed."""
    began = clock()
    try:
        status, headers, body = _post(delivery, timeout)
    except TimeoutError:
        delivery.status, delivery.status_code = "timed out", 504
    except (OSError, http.client.HTTPException):
        delivery.status, delivery.status_code = "failed to connect to host", 502
    else:
        delivery.status_code = status
        delivery.status = "OK" if 200 <= status < 300 else f"Invalid HTTP Response: {status}"
        delivery.response_headers, delivery.response_body = headers, body
    delivery.duration = round(clock() - began, 2)


def _post(delivery: Delivery, timeout: float) -> tuple[int, dict[str, str], str]:
    url = urlsplit(delivery.url)
    secure = url.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=timeout)
    try:
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", target, delivery.body, delivery.headers)
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
        return response.status, dict(response.getheaders()), body
    finally:
        connection.close()
