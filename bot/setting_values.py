"""What the value of a setting has to look like. Each check raises ValueError with what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from bot.schedule import checked

GITHUB = "https://api.github.com"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class AppKey:
    """What it takes to speak as the GitHub App; the key (PEM) is not printed."""

    app_id: int
    private_key: str = field(repr=False)


def api_url(url: str) -> str:
    """The base URL of an API, without a slash at the end."""
    parts = urlsplit(url.strip().rstrip("/"))
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query:
        raise ValueError("must be like https://HOST/api/v3")
    if host in _LOOPBACK:
        return parts.geturl()
    if parts.scheme == "http":
        raise ValueError("must begin with https://, or tokens travel in the clear")
    cloud = host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com"))
    if host in ("github.com", "www.github.com"):
        raise ValueError(f"the API of {host} is at {GITHUB}")
    if not cloud and not parts.path.endswith("/api/v3"):
        raise ValueError(f"the API of {host} is at https://{host}/api/v3")
    return parts.geturl()


def web_url(url: str) -> str:
    """An address on the web, of our own network too; never quoted, since it may hold a token."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or any(c.isspace() for c in url.strip()):
        raise ValueError("must be like https://HOST/path")
    return url.strip()


def text_of(path: Path) -> str:
    """What a text file holds."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ValueError(f"cannot read {path}: {why}") from error


def pem(text: str) -> str:
    """The key with real line ends: environments often carry them as a backslash and an n."""
    key = text.replace("\\n", "\n").strip()
    if not (key.startswith("-----BEGIN ") and key.endswith("PRIVATE KEY-----")):
        raise ValueError("does not hold a private key: it begins with -----BEGIN")
    return key + "\n"


def key_file(path: Path) -> Path:
    """A file that holds a key."""
    if "-----BEGIN" in str(path):
        raise ValueError("holds the key itself: that belongs into LABELWRIGHT_PRIVATE_KEY")
    pem(text_of(path.expanduser()))
    return path


def _secret_url(url: SecretStr) -> SecretStr:
    return SecretStr(web_url(url.get_secret_value()))


def _names(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


def storage_url(url: str) -> str:
    """A folder in full, or the URL of another kind of storage; never quoted."""
    url = url.strip()
    if "://" not in url:
        if not url.startswith("/"):
            raise ValueError("must be like /mnt/shared, s3://BUCKET/FOLDER or gs://BUCKET/FOLDER")
    elif "@" in urlsplit(url).netloc or "?" in url:
        raise ValueError("must hold no password: each machine has its own credentials")
    return url.rstrip("/")


def amounts(values: tuple[str, ...]) -> tuple[str, ...]:
    """Names with how much of each."""
    for each in values:
        name, _, amount = each.partition("=")
        try:
            usable = bool(name) and float(amount) > 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("must be like memory=16e9,A100=1")
    return values


def _full(folder: Path) -> Path:
    return folder.expanduser().absolute()


Folder = Annotated[Path, AfterValidator(_full)]
ApiUrl = Annotated[str, AfterValidator(api_url)]
KeyFile = Annotated[Path, AfterValidator(key_file)]
WebUrl = Annotated[str, AfterValidator(web_url)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
StorageUrl = Annotated[str, AfterValidator(storage_url)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
"""Comma-separated in the environment, a list in the file."""
Amounts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names), AfterValidator(amounts)]
Schedule = Annotated[str, AfterValidator(checked)]
"""A default that is known to be right should not be validated: that takes an import of half a
second."""
