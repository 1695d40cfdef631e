"""One server for all tests of bad input and failures, which leave it as they find it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Repo, Site, connected


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """GitHub, and web and worker as processes."""
    with connected(tmp_path_factory.mktemp("server"), bundle) as made:
        made.server.start("web", "worker")
        yield made


@pytest.fixture(scope="package")
def repo(site: Site) -> Repo:
    """A repository whose model is in memory already."""
    made = site.repository()
    made.labeled_once(made.open())
    return made


@pytest.fixture(autouse=True)
def calm(site: Site) -> None:
    """Each test begins when the server has nothing to do, and GitHub nothing against it."""
    site.github.control.clear_faults()
    site.github.control.forget_usage()
    assert site.github.control.drain()
    site.server.eventually(site.server.is_quiet)
