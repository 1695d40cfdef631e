"""Exports of a repository: a page that offers them, and the files."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, get_args

from flask import Blueprint, Response, current_app, render_template, request

from bot.console.access import find
from bot.console.desk import desk
from bot.console.errors import NotHere, TooMany
from bot.exports import FOLDER, Kind, Source, csv_of, write_sqlite

if TYPE_CHECKING:
    from flask.blueprints import BlueprintSetupState

    from bot.console.desk import Desk
    from bot.store.rows import Repository

routes = Blueprint("exports", __name__)
CSV_FILES: dict[str, Kind] = {f"{kind}.csv": kind for kind in get_args(Kind)}
SQLITE_FILE = "export.sqlite"
FILES = (*CSV_FILES, SQLITE_FILE)
AT_ONCE = 2
"""Exports that are made at a time: each holds one of the server's few threads."""
CSV, SQLITE = "text/csv", "application/vnd.sqlite3"
LEFT_SECONDS = 3600.0
BLOCK = 65_536
_SLOTS = "labelwright-exports"
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


@routes.record_once
def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions[_SLOTS] = threading.BoundedSemaphore(AT_ONCE)


@routes.get("/r/<owner>/<name>/export")
def page(owner: str, name: str) -> str:
    """What can be had, and what is in it."""
    repository = find(owner, name, "triage")
    return render_template("console/exports.html", repository=repository)


@routes.get("/r/<owner>/<name>/export/<file>")
def download(owner: str, name: str, file: str) -> Response:
    """One of FILES; `text=1` takes the issues' texts in."""
    return export(find(owner, name, "triage"), file, text=request.args.get("text") == "1")


def export(repository: Repository, file: str, *, text: bool) -> Response:
    """The answer with a file. Raises NotHere where it is none of FILES, TooMany."""
    if file not in FILES:
        raise NotHere(f"There is no export {file[:40]}: there are {', '.join(FILES)}.")
    at, place = desk(), _Place(current_app.extensions[_SLOTS])
    source = Source(at.store, repository, text)
    size: int | None = None
    try:
        if file in CSV_FILES:
            body = _csv(source, CSV_FILES[file])
        else:
            body, size = _sqlite(at, source)
    except BaseException:
        place.leave()
        raise
    kind = f"{CSV}; charset=utf-8" if file in CSV_FILES else SQLITE
    answer = Response(place.until_sent(body), content_type=kind)
    if size is not None:
        answer.content_length = size  # so that a download that breaks off is noticed
    answer.call_on_close(place.leave)  # a body of which nothing was read ends without its `finally`
    answer.headers["Content-Disposition"] = f'attachment; filename="{_name(repository, file)}"'
    at.log.info("exported", repository=repository.id, file=file, text=text)
    return answer


class _Place:
    """One of the AT_ONCE places, which is left once. Raises TooMany."""

    def __init__(self, slots: threading.BoundedSemaphore) -> None:
        if not slots.acquire(blocking=False):
            raise TooMany(f"{AT_ONCE} exports are being made already: try again in a minute.")
        self._slots: threading.BoundedSemaphore | None = slots

    def leave(self) -> None:
        """Let the next one in."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.release()

    def until_sent(self, body: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of an answer, after whose last the place is left."""
        try:
            yield from body
        finally:
            self.leave()


def _csv(source: Source, kind: Kind) -> Iterator[bytes]:
    return (text.encode() for text in csv_of(source, kind))


def _sqlite(at: Desk, source: Source) -> tuple[Iterator[bytes], int]:
    """The bytes of a SQLite file that has no name any more when the first is sent; how many."""
    folder = at.settings.home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(folder, at.now())
    path = folder / f"{source.repository.id}-{secrets.token_hex(8)}.sqlite"
    write_sqlite(source, path, now=at.now())
    file, size = path.open("rb"), path.stat().st_size
    path.unlink()
    return _blocks(file), size


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block


def _sweep(folder: Path, now: float) -> None:
    """Remove what a server that was killed left behind."""
    for path in folder.iterdir():
        if now - path.stat().st_mtime > LEFT_SECONDS:
            path.unlink(missing_ok=True)


def _name(repository: Repository, file: str) -> str:
    """A file name that no header and no disk minds."""
    return f"{_ODD.sub('-', repository.full_name)}-{file}"
