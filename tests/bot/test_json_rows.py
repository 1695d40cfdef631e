"""Rows of JSON: arrays and lines, compressed or not, and what is wrong where."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

from bot.json_rows import FileRefused, Row, read_rows, read_stream

ROWS = [{"number": 1}, {"number": 2, "title": "ünïcode"}]
LINES = "\n".join(json.dumps(row) for row in ROWS).encode()


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        LINES,
        LINES + b"\n\n\n",
        LINES.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + LINES,
        gzip.compress(LINES),
        json.dumps(ROWS).encode(),
        b"\n\n" + json.dumps(ROWS, indent=2).encode(),
        gzip.compress(json.dumps(ROWS).encode()),
    ],
)
def test_every_form_gives_the_same_rows(tmp_path: Path, data: bytes) -> None:
    assert [row.data for row in read_rows(write(tmp_path, "x", data))] == ROWS


def test_a_broken_line_is_told_with_its_number_and_the_rest_goes_on(tmp_path: Path) -> None:
    data = b'{"number": 1}\n\n{"number": \n[1]\n"text"\n\xff\xfe{}\n{"number": 2}\n'
    rows = list(read_rows(write(tmp_path, "x.jsonl", data)))
    assert [row.line for row in rows if row.problem] == [3, 4, 5, 6]
    assert [row.data["number"] for row in rows if not row.problem] == [1, 2]


def test_a_bottomless_line_is_a_broken_line(tmp_path: Path) -> None:
    deep = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    rows = list(read_rows(write(tmp_path, "x.jsonl", deep + b'\n{"number": 1}')))
    assert rows[0].problem is not None and rows[1].data == {"number": 1}


def test_rows_of_an_array_that_are_no_objects_are_told_by_their_place(tmp_path: Path) -> None:
    rows = list(read_rows(write(tmp_path, "x.json", b'[{"number": 1}, 7]')))
    assert rows[1] == Row(2, {}, "not an object but int")


def test_a_broken_array_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", b'[\n{"number": 1},\n{"number": }\n]')
    with pytest.raises(FileRefused, match=r"x\.json: line 3: the array is not valid JSON"):
        list(read_rows(path))


def test_a_cut_off_gzip_file_is_refused_after_its_good_rows(tmp_path: Path) -> None:
    lines = b"".join(b'{"number": %d, "x": "%d"}\n' % (n, n**9) for n in range(1, 4000))
    path = write(tmp_path, "x.jsonl.gz", gzip.compress(lines)[:-2000])
    seen: list[Row] = []
    with pytest.raises(FileRefused, match=r"damaged after line \d+.*fetch it again"):
        seen.extend(read_rows(path))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="nowhere: No such file"):
        list(read_rows(tmp_path / "nowhere"))


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = write(tmp_path, "x", gzip.compress(LINES))
    list(read_rows(path, progress=lambda done, total: told.append((done, total))))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_a_pipe_is_read_as_well() -> None:
    assert [row.data for row in read_stream(io.BytesIO(LINES), name="pipe")] == ROWS
