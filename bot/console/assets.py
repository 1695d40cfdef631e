"""The console's own style, script and icon, and the libraries that lie beside them."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request, url_for

routes = Blueprint("assets", __name__, template_folder="templates")
FOLDER = Path(__file__).parent / "static"
_YEAR = 365 * 86_400


@routes.app_template_global()
def asset(name: str) -> str:
    """The address of a file, which changes with it."""
    found = _read(name)
    assert found is not None, name
    return url_for("assets.serve", name=name, v=found[2])


@routes.get("/static/<path:name>")
def serve(name: str) -> Response:
    """A file, compressed where the browser can take it, to be kept for a year."""
    found = _read(name)
    if found is None:
        abort(404)
    plain, packed, digest = found
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    answer = Response(packed if zipped else plain, content_type=f"{kind}; charset=utf-8")
    if zipped:
        answer.headers["Content-Encoding"] = "gzip"
    dated = request.args.get("v") == digest
    answer.headers["Cache-Control"] = f"public, max-age={_YEAR if dated else 60}"
    answer.headers["Vary"] = "Accept-Encoding"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _read(name: str) -> tuple[bytes, bytes, str] | None:
    """A file's bytes, the same compressed, and its digest; None where there is no such file."""
    return _load(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    files = (path for path in FOLDER.rglob("*") if path.is_file())
    return frozenset(path.relative_to(FOLDER).as_posix() for path in files)


@cache
def _load(name: str) -> tuple[bytes, bytes, str]:
    content = (FOLDER / name).read_bytes()
    return content, gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:12]
