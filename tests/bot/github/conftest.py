from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.github.app import AppOptions, GitHubApp
from bot.github.client import InstallationClient
from tests.bot.github.scripted import Scripted, serve


@pytest.fixture(scope="session")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def script() -> Iterator[Scripted]:
    with serve() as scripted:
        yield scripted


@pytest.fixture
def app(script: Scripted, private_key: str) -> Iterator[GitHubApp]:
    app = GitHubApp(7, private_key, script.url, options=AppOptions(timeout=1))
    yield app
    app.close()


@pytest.fixture
def client(app: GitHubApp) -> InstallationClient:
    return app.installation(70)
