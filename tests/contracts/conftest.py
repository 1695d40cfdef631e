"""GitHub's descriptions for the contract suites."""

import pytest

from tests.contracts import openapi
from tests.demo.world import inbox, listening, world

__all__ = ["github_openapi", "inbox", "listening", "world"]


@pytest.fixture(scope="session")
def github_openapi() -> openapi.Json:
    """GitHub's trimmed OpenAPI description."""
    return openapi.load_or_skip()
