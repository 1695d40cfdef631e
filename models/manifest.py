"""Folders that are complete if and only if their manifest exists.

A folder is written aside, every file's sha256 goes into the manifest, the manifest is written last
and the folder is renamed into place. Snapshots and bundles both work this way.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from models.errors import ArtifactRefused

BUNDLE = "labelwright-bundle/1"
"""The kind of a bundle's card: here, where it costs nothing to know it."""


@contextmanager
def writing(target: Path) -> Iterator[Path]:
    """A new folder beside `target` that becomes `target` when the block ends without an error.

    Raises FileExistsError when `target` exists: an artifact is never written twice.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists; an artifact is immutable")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield aside
        aside.chmod(0o755)
        aside.rename(target)
        _sync(target.parent)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def seal(folder: Path, name: str, facts: dict[str, Any]) -> None:
    """Write the manifest `name` last: `facts`, and the sha256 of every other file below."""
    files = {file: digest(path) for file, path in _files(folder).items() if file != name}
    content = json.dumps({**facts, "files": files}, indent=2, ensure_ascii=False)
    path = folder / name
    with path.open("w", encoding="utf-8") as file:
        file.write(content + "\n")
        file.flush()
        os.fsync(file.fileno())
    _sync(folder)


def verify(folder: Path, name: str, *, kind: str) -> dict[str, Any]:
    """The manifest's facts, once every file is present, unchanged, and none is foreign.

    Raises ArtifactRefused, which names the folder and what is wrong with it.
    """
    facts = _read(folder, name)
    if facts.get("kind") != kind:
        raise ArtifactRefused(folder, f"its kind is {facts.get('kind')!r}, not {kind!r}")
    expected = facts.get("files") or {}
    if not isinstance(expected, dict):
        raise ArtifactRefused(folder, f"{name} lists no files")
    present = _files(folder)
    for missing in sorted(expected.keys() - present.keys()):
        raise ArtifactRefused(folder, f"{missing} is missing")
    for foreign in sorted(_entries(folder) - _wanted([name, *expected])):
        raise ArtifactRefused(folder, f"{foreign} is not in its manifest")
    for file, sha256 in expected.items():
        if digest(present[file]) != sha256:
            raise ArtifactRefused(folder, f"{file} was changed after it was written")
    return facts


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        facts = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactRefused(folder, f"it has no {name}: it was not written to the end") from error
    except (OSError, ValueError) as error:
        raise ArtifactRefused(folder, f"{name} cannot be read: {error}") from error
    if not isinstance(facts, dict):
        raise ArtifactRefused(folder, f"{name} is not an object")
    return facts


def _files(folder: Path) -> dict[str, Path]:
    """Every file in the folder and below it, by its path from there ("1_Pooling/config.json")."""
    found = sorted(path for path in folder.rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix(): path for path in found}


def _entries(folder: Path) -> set[str]:
    """The paths of all that lies in the folder and below it, folders as well."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _wanted(files: Iterable[str]) -> set[str]:
    """These files and the folders that they lie in."""
    paths = [PurePosixPath(file) for file in files]
    return {each.as_posix() for path in paths for each in (path, *path.parents)}


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
