import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    RobertaConfig,
    RobertaForMaskedLM,
)

from models.text import prepare
from tests.training.tiny import SHAPE, tiny_encoder, tiny_masked_lm, write_wordpiece
from training.checkpoint import Checkpoint, load
from training.corpus import windows
from training.masked_lm import (
    NotMaskedLanguage,
    count_tokens,
    head_of,
    load_masked,
    longest,
    masked_loss,
)
from training.masking import Masks

TEXTS = [prepare("The app crashes", "on start of a long query"), prepare("docs", "")]


def distilbert(folder: Path) -> Path:
    size = write_wordpiece(folder)
    shape = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    torch.manual_seed(0)
    DistilBertForMaskedLM(DistilBertConfig(vocab_size=size, **shape)).save_pretrained(folder)
    return folder


def roberta(folder: Path) -> Path:
    size = write_wordpiece(folder)
    config = RobertaConfig(vocab_size=size, pad_token_id=0, **SHAPE)
    torch.manual_seed(0)
    RobertaForMaskedLM(config).save_pretrained(folder)
    return folder


def gpt2(folder: Path) -> Path:
    size = write_wordpiece(folder)
    config = GPT2Config(
        vocab_size=size, n_embd=32, n_layer=1, n_head=2, bos_token_id=2, eos_token_id=3
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def batch_of(checkpoint: Checkpoint, **more: Any) -> dict[str, Any]:
    torch.manual_seed(3)
    rows = windows(TEXTS * 4, checkpoint.tokenizer, max_tokens=32, overlap=4)
    return Masks(checkpoint.tokenizer, **more)(rows).to_batch()


@pytest.mark.parametrize("make", [tiny_masked_lm, distilbert, roberta])
def test_loss_and_gradients_are_those_of_the_full_computation(make, tmp_path: Path):
    checkpoint = Checkpoint.find(str(make(tmp_path / "m")))
    model = load_masked(checkpoint, dropout=0.0)
    batch = batch_of(checkpoint)
    sparse = masked_loss(model, batch)
    sparse.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    full = model(input_ids=batch["ids"], attention_mask=batch["mask"], labels=batch["labels"]).loss
    full.backward()
    assert torch.allclose(sparse, full, atol=1e-5)
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            assert torch.allclose(gradients[name], parameter.grad, atol=1e-5), name


def test_logits_are_computed_for_masked_positions_only(tmp_path: Path):
    checkpoint = Checkpoint.find(str(tiny_masked_lm(tmp_path / "m")))
    model, batch = load_masked(checkpoint), batch_of(checkpoint)
    seen = []
    handle = model.get_output_embeddings().register_forward_hook(
        lambda module, given, logits: seen.append(logits.shape[:-1].numel())
    )
    masked_loss(model, batch)
    handle.remove()
    assert seen == [int((batch["labels"] != -100).sum())]
    whole = model(input_ids=batch["ids"], attention_mask=batch["mask"])
    assert whole.logits.shape[:2] == batch["ids"].shape


def test_batch_without_masks_has_no_loss_and_no_gradient(tmp_path: Path):
    checkpoint = Checkpoint.find(str(tiny_masked_lm(tmp_path / "m")))
    model, batch = load_masked(checkpoint), batch_of(checkpoint)
    loss = masked_loss(model, {**batch, "labels": torch.full_like(batch["labels"], -100)})
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is None or not p.grad.any() for p in model.parameters())


def test_trained_head_is_taken_as_it_is(tmp_path: Path):
    folder = tiny_masked_lm(tmp_path / "m")
    checkpoint = Checkpoint.find(str(folder))
    model = load_masked(checkpoint, np.ones(len(checkpoint.tokenizer)))
    original = load(AutoModelForMaskedLM, folder)
    assert all(torch.equal(a, b) for a, b in zip(head_of(model), head_of(original), strict=True))


def test_new_head_begins_with_the_frequencies_and_lowers_the_first_loss(tmp_path: Path):
    checkpoint = Checkpoint.find(str(tiny_encoder(tmp_path / "e")))
    rows = windows(TEXTS, checkpoint.tokenizer, max_tokens=32, overlap=4)
    counts = count_tokens(rows, len(checkpoint.tokenizer))
    batch = batch_of(checkpoint)
    plain = load(AutoModelForMaskedLM, checkpoint.folder)
    model = load_masked(checkpoint, counts)
    assert masked_loss(model, batch) < masked_loss(plain, batch) - 0.5
    bias = model.get_output_embeddings().bias.detach()
    assert int(bias.argmax()) == int(counts.argmax())
    assert not counts[checkpoint.tokenizer.all_special_ids].any()
    assert torch.isclose(bias.exp().sum(), torch.tensor(1.0), atol=1e-4)


def test_new_head_is_tied_to_the_embeddings_and_its_transform_is_the_identity(tmp_path: Path):
    model = load_masked(Checkpoint.find(str(tiny_encoder(tmp_path / "e"))))
    decoder = model.get_output_embeddings().weight
    assert decoder.data_ptr() == model.get_input_embeddings().weight.data_ptr()
    dense = model.cls.predictions.transform.dense
    assert torch.equal(dense.weight, torch.eye(32)) and not dense.bias.any()


def test_head_alone_is_a_small_part(tmp_path: Path):
    model = load_masked(Checkpoint.find(str(tiny_encoder(tmp_path / "e"))))
    names = {id(p): name for name, p in model.named_parameters()}
    assert {names[id(p)].split(".")[0] for p in head_of(model)} == {"cls"}


@pytest.mark.parametrize(("make", "room"), [(tiny_masked_lm, 128), (roberta, 127)])
def test_longest_text_is_one_that_the_model_can_read(make, room: int, tmp_path: Path):
    model = load_masked(Checkpoint.find(str(make(tmp_path / "m")))).eval()
    assert longest(model) == room
    model(input_ids=torch.full((1, room), 7))
    with pytest.raises((IndexError, RuntimeError)):
        model(input_ids=torch.full((1, room + 1), 7))


def test_checkpoint_that_is_no_masked_language_model_is_refused(tmp_path: Path):
    with pytest.raises(NotMaskedLanguage, match=r"'gpt2'.*name one such as BERT"):
        load_masked(Checkpoint.find(str(gpt2(tmp_path / "gpt"))))


def test_tokenizer_of_another_vocabulary_is_refused(tmp_path: Path):
    folder = tiny_masked_lm(tmp_path / "m")
    write_wordpiece(folder, [f"other{i}" for i in range(900)])
    with pytest.raises(NotMaskedLanguage, match="do not belong together"):
        load_masked(Checkpoint.find(str(folder)))


def test_tokenizer_without_a_mask_is_refused(tmp_path: Path):
    folder = tiny_masked_lm(tmp_path / "m")
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "mask_token": None}))
    with pytest.raises(NotMaskedLanguage, match="has no mask token"):
        load_masked(Checkpoint.find(str(folder)))


def test_checkpoint_that_lacks_weights_of_its_encoder_is_refused(tmp_path: Path):
    from safetensors.torch import load_file, save_file

    path = tiny_encoder(tmp_path / "e") / "model.safetensors"
    weights = load_file(path)
    kept = {name: w for name, w in weights.items() if "layer.1." not in name}
    save_file(kept, path, metadata={"format": "pt"})
    with pytest.raises(NotMaskedLanguage, match="lacks weights of its encoder"):
        load_masked(Checkpoint.find(str(path.parent)))
