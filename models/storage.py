"""Folders to and from a storage URL: a shared folder, `s3://`, `gs://`, or what fsspec reaches.

Credentials are nobody's argument: each driver finds them in the environment of its own machine.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from models.errors import ModelError


class StorageFailed(ModelError):
    """The storage does not answer, or refuses; the message says what it said."""


class Storage:
    """What lies under `url`. All names are relative to it, with slashes.

    Raises StorageFailed, in the methods as well; a name that is not there is no failure.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        with _telling(self.url):
            self.filesystem, self.root = fsspec.url_to_fs(self.url)
        self._local = isinstance(self.filesystem, LocalFileSystem)

    def under(self, name: str) -> Storage:
        """What lies under a name."""
        return Storage(f"{self.url}/{name}")

    def write(self, name: str, value: Any) -> None:
        """Keep a value as JSON; on a local disk a reader may see half of it."""
        with _telling(self.url):
            path = self._ready(name)
            self.filesystem.pipe_file(path, json.dumps(value).encode("utf-8"))

    def read(self, name: str) -> Any:
        """A value that was kept; None where there is none, or half of one."""
        with _telling(self.url):
            try:
                return json.loads(self.filesystem.cat_file(self._path(name)))
            except (FileNotFoundError, ValueError):
                return None

    def put(self, source: Path, name: str) -> dict[str, int]:
        """Store a file, or all files of a folder, under a name; the size of each by its name."""
        files = (
            [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
        )
        sizes = {}
        with _telling(self.url):
            for file in files:
                inner = posixpath.join(name, *file.relative_to(source).parts).rstrip("/")
                self.filesystem.put_file(str(file), self._ready(inner))
                sizes[inner] = file.stat().st_size
        return sizes

    def get(self, sizes: dict[str, int], name: str, target: Path) -> None:
        """Fetch files that were stored under a name, as `put` told of them, to a file or folder.

        One that is not there, or not whole, is a failure.
        """
        with _telling(self.url):
            for inner, size in sizes.items():
                path = target / _below(inner, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                self.filesystem.get_file(self._path(inner), str(path))
                if path.stat().st_size != size:
                    raise OSError(f"{inner} has {path.stat().st_size} bytes, not {size}")

    def remove(self, name: str) -> None:
        """Remove a name and all that lies under it."""
        with _telling(self.url):
            self.filesystem.invalidate_cache()
            path = self._path(name)
            if self.filesystem.exists(path):
                self.filesystem.rm(path, recursive=True)

    def names(self, name: str = "") -> list[str]:
        """What lies directly under a name."""
        with _telling(self.url):
            self.filesystem.invalidate_cache()
            try:
                found: Iterable[str] = self.filesystem.ls(self._path(name), detail=False)
            except FileNotFoundError:
                return []
            return sorted(posixpath.basename(each.rstrip("/")) for each in found)

    def _path(self, name: str) -> str:
        return posixpath.join(self.root, name).rstrip("/")

    def _ready(self, name: str) -> str:
        path = self._path(name)
        if self._local:  # elsewhere a folder is no more than a part of a name
            self.filesystem.makedirs(posixpath.dirname(path), exist_ok=True)
        return path


def _below(inner: str, name: str) -> str:
    """The rest of a name; one that leads elsewhere is refused, for files are written by it."""
    rest = posixpath.relpath(inner, name)
    if posixpath.isabs(inner) or ".." in rest.split("/"):
        raise OSError(f"{inner!r} is not under {name!r}")
    return rest


@contextmanager
def _telling(url: str) -> Iterator[None]:
    """Turn whatever a driver raises into StorageFailed: each has errors of its own."""
    try:
        yield
    except Exception as error:
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise StorageFailed(f"the storage {url}: {said}") from error
