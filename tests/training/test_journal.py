"""What is kept of an unfinished simulation, and what is believed of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.encoder import Encoder
from models.text import prepare
from training import journal as journals
from training.journal import Journal, encode
from training.loop import Answer

ABOUT = {"snapshot": "s", "suggest_only": ["bug"]}
ANSWER = Answer(
    np.array([0.1, 0.9, 0.3]), np.array([False, True, False]), np.array([True, True, False])
)


def opened(folder: Path, **about: object) -> Journal:
    return Journal(folder / "past.unfinished", {**ABOUT, **about}, labels=3)


def same(one: Answer | None, other: Answer) -> bool:
    assert one is not None
    return bool((one.apply == other.apply).all() and (one.suggest == other.suggest).all())


def test_answers_are_there_again(tmp_path: Path) -> None:
    opened(tmp_path).put(5, [(7, ANSWER)])
    again = opened(tmp_path)
    assert same(again.get(5, 7), ANSWER)
    assert again.get(5, 8) is None and again.get(6, 7) is None


def test_nothing_is_believed_of_another_snapshot(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.put(5, [(7, ANSWER)])
    first.keep_vectors({"a": np.ones(4)})
    other = opened(tmp_path, snapshot="t")
    assert other.get(5, 7) is None and other.vectors() == {}


def test_a_line_that_was_cut_off_is_forgotten_and_the_next_one_whole(tmp_path: Path) -> None:
    opened(tmp_path).put(5, [(7, ANSWER), (8, ANSWER)])
    path = tmp_path / "past.unfinished" / "answers.jsonl"
    path.write_text(path.read_text()[:-4])
    cut = opened(tmp_path)
    assert same(cut.get(5, 7), ANSWER) and cut.get(5, 8) is None
    cut.put(5, [(8, ANSWER)])
    assert same(opened(tmp_path).get(5, 8), ANSWER)


def test_vectors_that_are_not_whole_are_computed_again(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.keep_vectors({"a": np.ones(4)})
    assert opened(tmp_path).vectors()["a"].tolist() == [1.0] * 4
    (tmp_path / "past.unfinished" / "vectors.safetensors").write_bytes(b"half")
    assert opened(tmp_path).vectors() == {}


def test_nothing_is_left_of_one_that_is_done(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.put(5, [(7, ANSWER)])
    first.remove()
    assert list(tmp_path.iterdir()) == []


def test_each_part_of_the_texts_is_kept_at_once(
    tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "PART", 2)
    encoder = Encoder.load(str(tiny_encoder))
    texts = [prepare(f"crash {i}", "on start") for i in range(5)]
    journal, seen = opened(tmp_path), []
    known: dict[str, np.ndarray] = {texts[0].hash: np.ones(2 * encoder.dimension)}

    def progress(done: int, total: int) -> None:
        seen.append((done, total, len(journal.vectors())))

    rows = encode([*texts, texts[1]], encoder, known, journal, progress)
    assert rows.shape == (6, 32) and (rows[1] == rows[5]).all() and (rows[0] == 1).all()
    assert (seen[0][2], seen[-1]) == (0, (4, 4, 3))
    assert set(journal.vectors()) == {text.hash for text in texts}
