"""Where the App's credentials are kept: the settings' file and the key beside it, both 0600."""

from __future__ import annotations

import json
import os
import re
import secrets
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import SetupError

KEY_NAME = "private-key.pem"
_HOOK = ("webhook_secret", "webhook_secret_previous")
_CLIENT = ("client_id", "client_secret")
SECRETS = ("app_id", "private_key", "private_key_file", *_HOOK, *_CLIENT)
"""Settings that belong to one App: never replaced unless told to."""
_OURS = (*SECRETS, "intake", "github_url", "pull_requests", "public_url")
Value = int | str | list[str]
_HEAD = "# The App, as `labelwright setup` registered it. The environment wins over this file.\n"


@dataclass(frozen=True)
class Keeper:
    """Writes the credentials. `kept` is what the file held before, without what they replace."""

    config: Path
    kept: str

    @property
    def key(self) -> Path:
        """The file of the private key."""
        return self.config.parent / KEY_NAME

    def keep(self, values: Mapping[str, Value], private_key: str) -> None:
        """Write the key, then the file that names it. Either both are new afterwards or none is.

        Raises OSError, SetupError.
        """
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in values.items()]
        file = f'private_key_file = "{KEY_NAME}"\n'
        kept = _without(self.kept, tomllib.loads(self.kept), self.config, (*_OURS, *values))
        gap = "\n" if kept.strip() else ""
        text = "".join([kept.rstrip("\n"), gap, gap, _HEAD, *lines, file])
        key, config = _aside(self.key, private_key), None
        try:
            config = _aside(self.config, text)
            before = self.key.read_bytes() if self.key.exists() else None
            key.replace(self.key)
            try:
                config.replace(self.config)
            except OSError:
                _put_back(self.key, before)
                raise
        finally:
            for left in (key, config):
                if left is not None:
                    left.unlink(missing_ok=True)


def keeper(config: Path, *, force: bool) -> Keeper:
    """Prepare to write beside `config`, and make sure that it can be done, before GitHub is asked.

    Raises SetupError where credentials are there and `force` is not given, OSError where the
    folder cannot be written to.
    """
    key = config.parent / KEY_NAME
    try:
        text = config.read_text("utf-8") if config.exists() else ""
        held = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{config} is not valid TOML: {error}") from None
    there = [f"{config} has {name}" for name in SECRETS if name in held]
    there += [f"{key} exists"] if key.exists() else []
    if there and not force:
        raise SetupError(f"{there[0]}: an App is set up already; --force replaces it")
    config.parent.mkdir(parents=True, exist_ok=True)
    _aside(key, "").unlink()
    return Keeper(config, _without(text, held, config, _OURS).replace(_HEAD, ""))


def change_settings(config: Path, values: Mapping[str, Value | None]) -> None:
    """Give settings of the file other values, None takes one out; everything else stays.

    Whoever reads the file meanwhile finds the old one or the new one, whole. Raises SetupError,
    OSError.
    """
    text = config.read_text("utf-8")
    kept = _without(text, tomllib.loads(text), config, tuple(values))
    lines = [f"{name} = {json.dumps(v)}\n" for name, v in values.items() if v is not None]
    joint = "" if not kept or kept.endswith("\n") else "\n"
    _aside(config, "".join([kept, joint, *lines])).replace(config)


def change_key(config: Path, private_key: str) -> None:
    """Put another private key in the place of the one beside the file. Raises OSError."""
    key = config.parent / KEY_NAME
    _aside(key, private_key).replace(key)


def _without(text: str, held: Mapping[str, Any], config: Path, names: Collection[str]) -> str:
    """The file's text without the settings that are written anew; comments stay."""
    kept = "".join(line for line in text.splitlines(keepends=True) if not _sets(line, names))
    wanted = {name: value for name, value in held.items() if name not in names}
    try:
        same = tomllib.loads(kept) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:  # a value of several lines
        raise SetupError(f"take {', '.join(n for n in names if n in held)} out of {config} first")
    return kept


def _sets(line: str, names: Collection[str]) -> bool:
    found = re.match(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*=""", line)
    return found is not None and found[1] in names


def _aside(path: Path, text: str) -> Path:
    """Write a file beside `path` that only its owner may read, and return where."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside


def _put_back(key: Path, before: bytes | None) -> None:
    if before is None:
        key.unlink(missing_ok=True)
    else:
        key.write_bytes(before)
