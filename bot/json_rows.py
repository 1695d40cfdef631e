"""Rows of JSON from a file: an array or one object a line, compressed or not, with line numbers."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from bot.errors import BotError

_GZIP = b"\x1f\x8b"
_BLANK = b"\xef\xbb\xbf \t\r\n"
Progress = Callable[[int, int], None]


class FileRefused(BotError):
    """The file as a whole cannot be read: not there, damaged, or not JSON at all."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class Row:
    """One row: where it stands (line from 1, or its place in an array), and its object.

    `problem` says why it is none; `data` is empty then.
    """

    line: int
    data: dict[str, Any]
    problem: str | None = None


def read_rows(path: Path, *, progress: Progress | None = None) -> Iterator[Row]:
    """The rows of a file, in its order. `progress` is told bytes read and bytes in all.

    A line that is no JSON object is a row with a problem. Raises FileRefused where the file is
    missing, cut off, or an array that is not JSON.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            for row in read_stream(raw, name=path):
                if progress is not None:
                    progress(raw.tell(), size)
                yield row
            if progress is not None:
                progress(size, size)
    except OSError as error:
        raise FileRefused(path, error.strerror or str(error)) from error


def read_stream(raw: IO[bytes], *, name: Path | str) -> Iterator[Row]:
    """The rows of a buffered stream that is open; see `read_rows`."""
    line = 0
    try:
        for row in _lines(_unpacked(raw)):
            line = row.line
            yield row
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        reason = f"damaged after line {line}, it is not a whole gzip file: fetch it again"
        raise FileRefused(name, reason) from error
    except _BadArray as error:
        raise FileRefused(name, str(error)) from error


class _BadArray(Exception):
    """An array that cannot be read to its end."""


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    head = raw.peek(2)[:2] if isinstance(raw, io.BufferedReader) else b""
    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if head == _GZIP else raw


def _lines(file: IO[bytes]) -> Iterator[Row]:
    is_first = True
    for number, text in enumerate(file, start=1):
        bare = text.strip(_BLANK)
        if is_first and bare.startswith(b"["):
            yield from _array(text + file.read(), number)
            return
        if bare:
            is_first = False
            yield _row(number, text)


def _array(text: bytes, first_line: int) -> Iterator[Row]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise _BadArray(f"line {line}: the array is not valid JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise _BadArray(f"the array is not valid JSON: {error}") from error
    for number, data in enumerate(rows, start=1):
        yield _checked(number, data)


def _row(number: int, text: bytes) -> Row:
    try:
        return _checked(number, json.loads(text))
    except (ValueError, RecursionError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        return Row(number, {}, f"not valid JSON: {said}")


def _checked(number: int, data: Any) -> Row:
    if not isinstance(data, dict):
        return Row(number, {}, f"not an object but {type(data).__name__}")
    return Row(number, data)
