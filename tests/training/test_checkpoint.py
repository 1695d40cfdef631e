import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM

from models.encoder import Encoder
from models.errors import EncoderRefused
from tests.training.tiny import tiny_encoder, tiny_masked_lm
from training.batches import pad
from training.checkpoint import Checkpoint, layers, load

TEXTS = ["The app crashes on start", "docs", "Add a dark theme to the settings page, please!"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token", "max_tokens"])
def test_training_sees_the_vectors_that_serving_gives(folder: Path, mode: str, tmp_path: Path):
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{mode}": True}))
    checkpoint = Checkpoint.find(str(folder))
    model = checkpoint.encoder().eval()
    ids, mask = pad(checkpoint.tokens(TEXTS, 32), 0)
    with torch.no_grad():
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        vectors = checkpoint.pool(hidden, mask).numpy()
    served = Encoder.load(str(folder), max_tokens=32).encode(TEXTS)
    assert ((vectors * served).sum(axis=1) > 0.999).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


def test_tokens_are_cut_after_the_window_and_keep_their_frame(folder: Path):
    (ids,) = Checkpoint.find(str(folder)).tokens(["crash " * 99], 16)
    assert len(ids) == 16
    assert (ids[0], ids[-1]) == (2, 3)


def test_weights_are_float32_and_no_dropout_is_inside_attention(folder: Path):
    model = Checkpoint.find(str(folder)).encoder(dropout=0.3)
    rates = {n: m.p for n, m in model.named_modules() if isinstance(m, torch.nn.Dropout)}
    assert model.dtype == torch.float32
    assert {p for n, p in rates.items() if n.endswith("attention.self.dropout")} == {0.0}
    assert {p for n, p in rates.items() if n.endswith("output.dropout")} == {0.3}


def test_layers_are_in_order_and_hold_every_parameter_once(tmp_path: Path):
    model = load(AutoModelForMaskedLM, tiny_masked_lm(tmp_path / "m"))
    parts = layers(model)
    names = {id(p): name for name, p in model.named_parameters()}
    first = [names[id(part[0])] for part in parts]
    assert "embeddings" in first[0] and "layer.0." in first[1] and "layer.1." in first[2]
    assert first[3].startswith("cls.")
    found = [id(p) for part in parts for p in part]
    assert sorted(found) == sorted(names)


@pytest.mark.parametrize("damage", ["config.json", "model.safetensors"])
def test_folder_without_a_usable_model_is_refused(tmp_path: Path, damage: str):
    folder = tiny_encoder(tmp_path / "tiny")
    (folder / damage).write_text("{")
    with pytest.raises(EncoderRefused, match="tiny holds no usable"):
        Checkpoint.find(str(folder)).encoder()


def test_name_that_is_nowhere_is_refused(tmp_path: Path):
    with pytest.raises(EncoderRefused):
        Checkpoint.find(str(tmp_path / "nowhere" / "at" / "all"))
