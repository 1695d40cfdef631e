"""Texts' vectors by encoder and by hash of the text, so that a text is encoded once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from bot.store.connection import Connections, marks, to_json

_BATCH = 500


class Vectors:
    """Arrays of float16 of any shape."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    def get_many(self, encoder: str, hashes: Iterable[str]) -> dict[str, NDArray[np.float16]]:
        """The known vectors among `hashes`, by hash."""
        wanted = list(hashes)
        found: dict[str, NDArray[np.float16]] = {}
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            sql = (
                "SELECT hash, shape, vector FROM vectors"
                f" WHERE encoder = ? AND hash IN ({marks(batch)})"
            )
            for row in self._db.rows(sql, [encoder, *batch]):
                flat = np.frombuffer(row["vector"], dtype=np.float16)
                found[row["hash"]] = flat.reshape(json.loads(row["shape"]))
        return found

    def put_many(self, encoder: str, vectors: Mapping[str, NDArray[np.floating]]) -> None:
        """Keep vectors, rounded to float16; a hash that is known already gets the new one."""
        rows = []
        for hash, vector in vectors.items():
            half = np.ascontiguousarray(vector, dtype=np.float16)
            rows.append((encoder, hash, to_json(half.shape), half.tobytes()))
        with self._db.transaction() as db:
            db.conn.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)

    def count(self, encoder: str) -> int:
        """How many vectors of an encoder are kept."""
        sql = "SELECT count(*) FROM vectors WHERE encoder = ?"
        return int(self._db.value(sql, (encoder,)))
