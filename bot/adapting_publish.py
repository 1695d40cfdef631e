"""Publishing an adapted encoder with its heads: all of it or nothing, once, whatever is killed.

What is to be published is noted in the run's folder first. Where the process is killed between two
steps, whoever goes on finds the note and does the steps that are missing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.encoders import Encoders

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Repository
    from models.registry import Registry

_NOTE = "publishing.json"
_CARD = "card.json"


@dataclass(frozen=True)
class Head:
    """What became of one repository's head: micro F1 on the same newest issues, over the encoder
    in force (`before`) and over the new one. `note` says why it was left as it is; `version` was in
    force before."""

    repository: Repository
    before: float | None = None
    after: float | None = None
    bundle: Path | None = None
    note: str = ""
    version: str | None = None


def begun(folder: Path, store: Store) -> tuple[Head, ...] | None:
    """The heads whose publishing was begun in a run's folder, and not ended; None: it was not."""
    note = _read(folder)
    if note is None:
        return None
    found = ((store.repositories.get(row.pop("repository")), row) for row in note["heads"])
    return tuple(
        Head(repository, **{**row, "bundle": row["bundle"] and Path(row["bundle"])})
        for repository, row in found
        if repository is not None
    )


def publish(
    folder: Path, encoders: Encoders, registry: Registry, encoder: Path, heads: Sequence[Head]
) -> str:
    """Publish an encoder and its heads; returns the encoder's name.

    All of it, or none: what was published is taken back where a step fails. What was published by
    whoever was killed at it is not again, and a head that somebody published meanwhile stays.
    """
    before = (_read(folder) or _note(folder, encoders, registry, heads))["before"]
    with ExitStack() as undo:
        undo.callback((folder / _NOTE).unlink)
        name = _encoder(encoders, encoder, before["encoders"])
        undo.callback(encoders.rollback)
        for head in heads:
            known = before["heads"].get(str(head.repository.id), [])
            if head.bundle is not None and _head(registry, head, head.bundle, known):
                undo.callback(registry.rollback, head.repository.id)
        undo.pop_all()
    return name


def _note(
    folder: Path, encoders: Encoders, registry: Registry, heads: Sequence[Head]
) -> dict[str, Any]:
    """Keep what is to be published, and which versions there were before."""
    ids = [head.repository.id for head in heads]
    rows = [
        {
            **vars(head),
            "repository": head.repository.id,
            "bundle": None if head.bundle is None else str(head.bundle),
        }
        for head in heads
    ]
    before = {
        "encoders": [each.name for each in encoders.list()],
        "heads": {str(number): [x.name for x in registry.list(number)] for number in ids},
    }
    note = {"heads": rows, "before": before}
    aside = folder / f".{_NOTE}"
    aside.write_text(json.dumps(note), encoding="utf-8")
    aside.replace(folder / _NOTE)
    return note


def _read(folder: Path) -> dict[str, Any] | None:
    path = folder / _NOTE
    found: dict[str, Any] | None = json.loads(path.read_text("utf-8")) if path.is_file() else None
    return found


def _encoder(encoders: Encoders, folder: Path, before: Collection[str]) -> str:
    new = [each.name for each in encoders.list() if each.name not in before]
    made = [name for name in new if _is_same(encoders.path(name), folder)]
    if not made:
        return encoders.publish(folder)
    if encoders.current() != made[-1]:
        encoders.activate(made[-1])
    return made[-1]


def _head(registry: Registry, head: Head, bundle: Path, before: Collection[str]) -> bool:
    """Publish a head; False where another one is in force than when it was trained."""
    number = head.repository.id
    new = [each.name for each in registry.list(number) if each.name not in before]
    made = [name for name in new if _is_same(registry.path(number, name), bundle)]
    current = registry.current(number)
    if current != head.version:
        return current in made
    if made:
        registry.activate(number, made[-1])
    else:
        registry.publish(number, bundle)
    return True


def _is_same(one: Path, other: Path) -> bool:
    """Whether two folders are one artifact: its manifest has the sums of all files."""
    return (one / _CARD).read_bytes() == (other / _CARD).read_bytes()
