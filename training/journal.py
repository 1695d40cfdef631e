"""What a simulation has worked out so far, on disk: an interruption, a kill even, loses nothing.

A folder with the vectors of texts, and the answers of past versions, a line each. It counts only
for the same snapshot, encoder and limits; of a line that was cut off nothing is believed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.encoder import Encoder, Progress
from models.errors import ArtifactRefused
from models.snapshot import VECTORS, load_vectors, save_vectors
from models.text import IssueText
from training import data
from training.loop import Answer

Array = np.ndarray[Any, Any]

PART = 512
"""Texts that are encoded before their vectors are kept."""
_ABOUT, _ANSWERS = "about.json", "answers.jsonl"


class Journal:
    """The folder, opened; `about` says what it is of. What is there of anything else is removed.

    Raises OSError.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any], labels: int) -> None:
        self._folder = folder
        self._labels = labels
        if _read_json(folder / _ABOUT) != about:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
        self._known = dict(self._read())

    def get(self, heard: int, row: int) -> Answer | None:
        """The answer of the version that learned from the first `heard` issues, if it is here."""
        return self._known.get((heard, row))

    def put(self, heard: int, answers: Iterable[tuple[int, Answer]]) -> None:
        """Keep a version's answers, (row, answer) each."""
        lines = []
        for row, answer in answers:
            self._known[heard, row] = answer
            columns = [np.flatnonzero(each).tolist() for each in (answer.apply, answer.suggest)]
            line = [heard, row, answer.probabilities.tolist(), *columns]
            lines.append(json.dumps(line) + "\n")
        with (self._folder / _ANSWERS).open("a", encoding="utf-8") as file:
            file.write("".join(lines))

    def vectors(self) -> dict[str, Array]:
        """The vectors that were kept, by text hash."""
        try:
            return load_vectors(self._folder / VECTORS)
        except ArtifactRefused:
            return {}

    def keep_vectors(self, vectors: Mapping[str, Array]) -> None:
        """Keep these vectors, in place of those before."""
        if not vectors:
            return
        partial = self._folder / f"{VECTORS}.partial"
        save_vectors(partial, vectors)
        partial.replace(self._folder / VECTORS)

    def remove(self) -> None:
        """The simulation is done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self) -> Iterable[tuple[tuple[int, int], Answer]]:
        path = self._folder / _ANSWERS
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole, encoding="utf-8")
        for line in whole.splitlines():
            heard, row, probabilities, apply, suggest = json.loads(line)
            masks = self._mask(apply), self._mask(suggest)
            yield (heard, row), Answer(np.array(probabilities), *masks)

    def _mask(self, columns: Sequence[int]) -> Array:
        mask = np.zeros(self._labels, dtype=bool)
        mask[list(columns)] = True
        return mask


def encode(
    texts: Sequence[IssueText],
    encoder: Encoder,
    known: dict[str, Array],
    journal: Journal,
    progress: Progress,
) -> Array:
    """Vectors of texts, (texts, 2 * dimension) float32, of which some are `known` by hash.

    The others are added to `known`, part by part, and each part is kept at once.
    """
    missing = list({text.hash: text for text in texts if text.hash not in known}.values())
    for done in range(0, len(missing), PART):
        part = missing[done : done + PART]
        rows = encoder.encode_issues(part, progress=_from(done, len(missing), progress))
        known.update(zip((text.hash for text in part), rows, strict=True))
        journal.keep_vectors(known)
    return data.issue_vectors(texts, encoder, known)


def _from(before: int, total: int, progress: Progress) -> Progress:
    """The progress of one part as that of the whole."""
    return lambda done, _: progress(before + done, total)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
