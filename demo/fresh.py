"""A second server that nobody has set up yet, to go through the first run in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from demo.product import Product, Server

if TYPE_CHECKING:
    from demo.github import StandIn
    from demo.sample import Sample

OWNER = "owner"
"""Whose account an App is registered on, where the form names no organization."""
SECONDS = 60.0
_OPEN = "Open "


class Unconfigured(Server):
    """`labelwright serve` in an empty home; `url` is the address of its set-up, until it ends."""

    def _notice(self, line: str) -> None:
        if line.startswith(_OPEN):
            self.url = line.removeprefix(_OPEN).strip()
            self._listening.set()

    def wait_until_it_asks(self) -> str:
        """The address of the set-up, once it is served. Raises DidNotHappen."""
        self.wait_for("the set-up is served", self._listening.is_set, SECONDS)
        return self.url


@contextmanager
def unconfigured(github: StandIn, sample: Sample, home: Path) -> Iterator[Unconfigured]:
    """Run such a server while the block runs, with a repository of OWNER's for it to find."""
    home.mkdir()
    of_owner(sample).plant(github.control)
    product = Product(home)
    product.write_settings(
        {
            "github_url": github.url,
            "port": 0,
            "log_format": "json",
            "operators": OWNER,
            "seconds_between_writes": 0.0,
        }
    )
    server = Unconfigured(product)
    try:
        server.wait_until_it_asks()
        yield server
    finally:
        server.stop()


def of_owner(sample: Sample) -> Sample:
    """The same repository, but OWNER's own."""
    facts = json.loads(json.dumps(sample.repository))
    name = facts["full_name"].partition("/")[2]
    facts["full_name"] = f"{OWNER}/{name}"
    facts["owner"] = {"login": OWNER, "type": "User"}
    return replace(sample, repository=facts)
