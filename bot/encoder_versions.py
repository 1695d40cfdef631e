"""The server's published encoder versions: going back to the one before, and taking one along."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import BotError
from models import manifest
from models.encoders import Encoders
from models.errors import UnknownVersion

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store
    from models.registry import Registry


class NoEncoder(BotError):
    """No encoder version is published."""

    def __init__(self) -> None:
        super().__init__("no adapted encoder is in force: `labelwright adapt` makes one")


@dataclass(frozen=True)
class RolledBack:
    """`encoder` is current now (None: the one of the settings). `heads` maps each repository whose
    head belonged to the encoder before to the version it went back to, None where it has none."""

    encoder: str | None
    heads: Mapping[str, str | None]


def roll_back(settings: Settings, store: Store, registry: Registry) -> RolledBack:
    """Go back to the encoder before, and to heads that do not belong to the one in force.

    The encoder first: where that cannot be, no head has gone back. A repository without such a head
    keeps the one it has: its encoder is still found. Raises NoEncoder.
    """
    encoders = Encoders(settings.encoders)
    name = encoders.current()
    if name is None:
        raise NoEncoder
    leaving = encoders.path(name)

    def stays(card: Mapping[str, Any]) -> bool:
        of = card["encoder"]
        return encoders.find(of["version"], of.get("max_tokens", settings.max_tokens)) != leaving

    before = encoders.rollback()
    heads: dict[str, str | None] = {}
    for row in store.repositories.all():
        version = registry.current(row.id)
        if version is None or stays(read_card(registry.path(row.id, version))):
            continue
        try:
            heads[row.full_name] = registry.rollback(row.id, stays)
        except UnknownVersion:
            heads[row.full_name] = None
    return RolledBack(before, heads)


def export(settings: Settings, target: Path) -> str:
    """Copy the current encoder version as a plain Hugging Face folder; returns its name here.

    The card stays behind: what is trained further is not the version that it describes. Raises
    NoEncoder, FileExistsError.
    """
    encoders = Encoders(settings.encoders)
    name = encoders.current()
    if name is None:
        raise NoEncoder
    with manifest.writing(target.absolute()) as aside:
        ignore = shutil.ignore_patterns("card.json")
        shutil.copytree(encoders.path(name), aside, ignore=ignore, dirs_exist_ok=True)
    return name


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a published version."""
    found: dict[str, Any] = json.loads((folder / "card.json").read_text("utf-8"))
    return found
