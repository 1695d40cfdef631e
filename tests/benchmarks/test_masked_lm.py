import gzip
import json
from pathlib import Path

import pytest

from benchmarks import common
from benchmarks.masked_lm import RUNS, summed, turn, write_bert_base, write_material
from tests.training.conftest import read_lines
from tests.training.tiny import tiny_encoder
from training.checkpoint import Checkpoint


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    with gzip.open(folder / common.ISSUES, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in list(read_lines("history.jsonl"))[:60])
    encoder = tiny_encoder(folder / "tiny")
    (folder / "start").mkdir()
    write_material(folder / "start", folder / common.ISSUES, str(encoder), 40)
    return folder / "start"


def test_both_begin_at_the_same_loss_and_learn_from_the_same_windows(material: Path):
    found = [turn(name, material, 1e-3) for name in RUNS]
    assert found[0]["before"] == pytest.approx(found[1]["before"], rel=2e-3)
    assert found[0]["windows"] == found[1]["windows"] == 40
    assert all(f["after"] != f["before"] and f["windows_per_second"] > 0 for f in found)


def test_speed_is_compared_turn_by_turn():
    def one(name: str, rate: float) -> dict[str, object]:
        return {"run": name, "windows_per_second": rate, "before": 5.0, "after": rate / 10}

    found = [one("plain", 2.0), one("ours", 8.0), one("plain", 1.0), one("ours", 3.0)]
    figures = summed([*found, one("plain", 3.0), one("ours", 15.0)])
    assert figures["times_as_fast"] == 4.0
    assert figures["windows_per_second"] == {"plain": 2.0, "ours": 8.0}
    assert figures["loss_after"]["plain"] == pytest.approx(0.2)


def test_model_of_berts_size_reads_what_the_encoder_reads(tmp_path: Path):
    encoder = tiny_encoder(tmp_path / "tiny")
    made = Checkpoint.find(str(write_bert_base(tmp_path / "base", str(encoder))))
    assert made.tokenizer.get_vocab() == Checkpoint.find(str(encoder)).tokenizer.get_vocab()
    model = made.encoder()
    weights = sum(weight.numel() for weight in model.parameters())
    assert weights - model.config.vocab_size * 768 == pytest.approx(86e6, rel=0.02)
