"""`labelwright serve` in an empty home, as a process: it prints where its set-up is."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.product import Product, Server

_INVITED = re.compile(r"Open (http://\S+/setup\?token=\S+)")


class Fresh(Product):
    """A home in which nothing is set up."""

    @property
    def environment(self) -> dict[str, str]:
        """Any free port, a log that can be read, and no pauses between writes to a stand-in."""
        chosen = {"PORT": "0", "LOG_FORMAT": "json", "SECONDS_BETWEEN_WRITES": "0"}
        return super().environment | {f"LABELWRIGHT_{name}": it for name, it in chosen.items()}


class Invitation(Server):
    """A server whose output is waited on for the address of the set-up."""

    def __init__(self, product: Product) -> None:
        self.address = ""
        self.invited = threading.Event()
        super().__init__(product)

    def _notice(self, line: str) -> None:
        found = _INVITED.search(line)
        if found:
            self.address = found[1]
            self.invited.set()
        super()._notice(line)


@contextmanager
def unconfigured(home: Path) -> Iterator[Invitation]:
    """Run it while the block runs."""
    server = Invitation(Fresh(home))
    try:
        server.wait_for("the address of the set-up is printed", server.invited.is_set, 60)
        yield server
    finally:
        server.stop()
