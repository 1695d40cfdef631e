"""The world of the console's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.console.world import Browser, Console, make_console


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """A console with a public and a private repository."""
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    with make_console(tmp_path) as made:
        yield made


@pytest.fixture
def operator(console: Console) -> Browser:
    """The browser of whoever runs the server."""
    return console.browser("operator")
