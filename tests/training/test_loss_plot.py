from pathlib import Path
from xml.etree import ElementTree

import pytest

from training.loss_plot import loss_curve

HISTORY = [
    {"phase": "head", "step": 0, "eval_loss": 7.1},
    {"phase": "head", "step": 10, "loss": 6.8, "learning_rate": 1e-3},
    {"phase": "head", "step": 20, "eval_loss": 6.1},
    {"phase": "encoder", "step": 30, "loss": 9.0, "masked": 5.0},
    {"phase": "encoder", "step": 40, "eval_loss": 4.25, "train_runtime": 1.0},
]


def texts(path: Path) -> str:
    return " ".join(ElementTree.parse(path).getroot().itertext())


def test_picture_is_written_as_svg_and_png(tmp_path: Path):
    loss_curve(HISTORY, tmp_path / "loss")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    found = (tmp_path / "loss.svg").read_text(encoding="utf-8")
    for words in ("training", "validation, fixed masks", "head", "encoder", "4.25", "updates"):
        assert words in found, words


def test_same_history_gives_the_same_picture(tmp_path: Path):
    drawn = []
    for history in (HISTORY, HISTORY, HISTORY[:-1]):
        loss_curve(history, tmp_path / "loss")
        drawn.append((tmp_path / "loss.svg").read_bytes())
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("history", [[], HISTORY[:1], HISTORY[1:2], [{"train_loss": 3.0}]])
def test_short_history_is_drawn_too(tmp_path: Path, history):
    loss_curve(history, tmp_path / "loss")
    assert texts(tmp_path / "loss.svg") is not None
