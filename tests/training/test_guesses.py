"""What a checkpoint would write in place of a masked word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertModel,
    RobertaConfig,
    RobertaForMaskedLM,
)

from models.errors import EncoderRefused
from tests.training.tiny import SHAPE, tiny_encoder, tiny_masked_lm, write_wordpiece
from training.guesses import TIED, TRAINED, Guesser

TEXTS = ["the [MASK] after the update", "no gap here", "[MASK] crash on [MASK] , please help"]


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with a masked-language head."""
    return tiny_masked_lm(tmp_path_factory.mktemp("guesses") / "masked")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder without one."""
    return tiny_encoder(tmp_path_factory.mktemp("guesses") / "plain")


def logits_of(guesser: Guesser) -> dict[int, torch.Tensor]:
    """By row, of the masks in TEXTS."""
    rows = guesser.tokenizer(TEXTS)["input_ids"]
    return {
        int(owner): logits[torch.from_numpy(owners == owner)]
        for owners, logits in guesser.at_masks(rows)
        for owner in np.unique(owners)
    }


def test_logits_of_masks_are_those_of_the_whole_model(masked: Path):
    guesser = Guesser(masked, 64)
    found = logits_of(guesser)
    assert guesser.head == TRAINED
    assert found.keys() == {0, 2}
    model = AutoModelForMaskedLM.from_pretrained(masked).eval()
    tokenizer = AutoTokenizer.from_pretrained(masked)
    for row, logits in found.items():
        alone = tokenizer([TEXTS[row]], return_tensors="pt")
        with torch.inference_mode():
            whole = model(**alone).logits[alone["input_ids"] == tokenizer.mask_token_id]
        assert torch.allclose(logits, whole, atol=0.02)


def test_an_encoder_without_a_head_guesses_by_its_embeddings(plain: Path):
    guesser = Guesser(plain, 64)
    found = logits_of(guesser)
    assert guesser.head == TIED
    model = AutoModel.from_pretrained(plain).eval()
    alone = AutoTokenizer.from_pretrained(plain)([TEXTS[0]], return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**alone).last_hidden_state[0, 2]
        expected = hidden @ model.get_input_embeddings().weight.T
    assert torch.allclose(found[0][0], expected, atol=0.5, rtol=0.05)


def test_whole_words_are_neither_pieces_nor_signs(masked: Path):
    guesser = Guesser(masked, 64)
    words = {guesser.word(i) for i in guesser.whole_words()}
    assert {"the", "app"} <= words
    assert not words & {"##a", "[MASK]", ",", "7"}


def test_a_text_is_cut_where_the_model_ends(tmp_path: Path):
    folder = tmp_path / "roberta"
    size = write_wordpiece(folder)
    RobertaForMaskedLM(RobertaConfig(vocab_size=size, pad_token_id=0, **SHAPE)).save_pretrained(
        folder
    )
    guesser = Guesser(folder, 512)
    # Its positions begin after the padding token's number, which is 0.
    assert guesser.max_tokens == SHAPE["max_position_embeddings"] - 1
    row = [guesser.tokenizer.mask_token_id] * guesser.max_tokens
    ((_, logits),) = guesser.at_masks([row])
    assert logits.shape == (guesser.max_tokens, size)


def test_a_tokenizer_without_a_mask_is_refused(tmp_path: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder(tmp_path / "whole"))
    tokenizer.mask_token = None
    tokenizer.save_pretrained(tmp_path / "maskless")
    config = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    BertModel(config).save_pretrained(tmp_path / "maskless")
    with pytest.raises(EncoderRefused, match="no mask token"):
        Guesser(tmp_path / "maskless", 64)


def test_a_folder_without_a_model_is_refused(tmp_path: Path):
    with pytest.raises(EncoderRefused):
        Guesser(tmp_path, 64)
