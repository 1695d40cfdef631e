"""What the end-to-end tests share: one trained model, and servers that are told of GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import trained
from tests.e2e.site import Site, connected


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was really trained, once for all tests."""
    return trained.train(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """GitHub, and web and worker as processes."""
    with connected(tmp_path_factory.mktemp("server"), bundle) as made:
        made.server.start("web", "worker")
        yield made
