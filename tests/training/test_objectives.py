from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.text import prepare
from tests.training.tiny import tiny_encoder
from training.checkpoint import Checkpoint
from training.corpus import Window, windows
from training.masked_lm import load_masked
from training.masking import Masks
from training.objectives import (
    Anchor,
    Collate,
    Contrastive,
    Denoising,
    Together,
    build,
    vectors,
    words,
)

TEXTS = [
    prepare("Crash on start", "the app crashes when a query is long"),
    prepare("Dark theme", "please add a dark theme to the settings page"),
    prepare("Wrong tide table", "the table shows the tide of another port"),
    prepare("docs", ""),
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return Checkpoint.find(str(tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder")))


@pytest.fixture
def model(checkpoint: Checkpoint) -> PreTrainedModel:
    torch.manual_seed(0)
    return load_masked(checkpoint, dropout=0.0)


@pytest.fixture(scope="module")
def rows(checkpoint: Checkpoint) -> list[Window]:
    return windows(TEXTS, checkpoint.tokenizer, max_tokens=48, overlap=4)


def collated(checkpoint: Checkpoint, rows: list[Window], *names: str) -> dict[str, Any]:
    return Collate(checkpoint, Masks(checkpoint.tokenizer), names)(rows)


def trained(model: nn.Module, objective: Any, batch: dict[str, Any], steps: int = 40) -> Tensor:
    more = list(objective.parameters()) if isinstance(objective, nn.Module) else []
    optimizer = torch.optim.Adam([*model.parameters(), *more], lr=3e-3)
    for _ in range(steps):
        loss = objective(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return objective(model, batch).detach()


def test_anchor_is_nothing_at_the_start_and_pulls_back_what_moved(checkpoint, model, rows):
    anchor = Anchor(checkpoint, checkpoint.encoder())
    batch = collated(checkpoint, rows, "anchor")
    assert abs(anchor(model, batch).item()) < 1e-5
    with torch.no_grad():
        for parameter in model.base_model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    moved = anchor(model, batch).item()
    assert moved > 0.05
    assert trained(model, anchor, batch) < moved / 4


def test_frozen_original_of_the_anchor_never_changes(checkpoint, model, rows):
    frozen = checkpoint.encoder()
    before = {name: weight.clone() for name, weight in frozen.state_dict().items()}
    anchor = Anchor(checkpoint, frozen)
    with torch.no_grad():
        words(model).add_(0.5)
    trained(model, anchor, collated(checkpoint, rows, "anchor"), steps=3)
    assert all(torch.equal(before[name], weight) for name, weight in frozen.state_dict().items())


def test_contrastive_loss_is_that_of_its_definition(checkpoint, model, rows):
    batch = collated(checkpoint, rows, "contrastive")
    assert len(batch["titles"][0]) == 3  # the text without a body has no pair
    loss = Contrastive(checkpoint)(model, batch)
    model.eval()
    titles = vectors(checkpoint, model.base_model, *batch["titles"])
    bodies = vectors(checkpoint, model.base_model, *batch["bodies"])
    expected = 0.0
    for scores in (20 * titles @ bodies.T, 20 * bodies @ titles.T):
        expected -= scores.log_softmax(dim=1).diag().mean().item() / 2
    assert loss.item() == pytest.approx(expected, abs=1e-4)


def test_contrastive_training_brings_titles_to_their_bodies(checkpoint, model, rows):
    objective, batch = Contrastive(checkpoint), collated(checkpoint, rows, "contrastive")
    before = objective(model, batch)
    assert trained(model, objective, batch) < before / 2


def test_batch_without_pairs_costs_nothing(checkpoint, model, rows):
    loss = Contrastive(checkpoint)(model, collated(checkpoint, rows[-1:], "contrastive"))
    loss.backward()
    assert loss.item() == 0


def test_denoising_learns_to_tell_a_text_from_its_vector(checkpoint, model, rows):
    torch.manual_seed(0)
    objective, batch = Denoising(checkpoint, model, 48), collated(checkpoint, rows, "denoising")
    before = objective(model, batch)
    assert trained(model, objective, batch) < before / 2
    assert model.get_input_embeddings().weight.grad is not None


def test_denoising_sees_the_vector_and_the_tokens_before_only(checkpoint, model, rows):
    torch.manual_seed(0)
    objective = Denoising(checkpoint, model, 48)
    batch = collated(checkpoint, rows, "denoising")
    ids, mask = batch["whole"]
    later = ids.clone()
    later[:, -1] = 7
    first = mask.clone()
    first[:, 6:] = 0  # the loss of the first tokens only
    a = objective(model, {**batch, "whole": (ids, first)})
    b = objective(model, {**batch, "whole": (later, first)})
    assert a.item() == b.item()


def test_most_tokens_are_deleted_but_never_all(checkpoint, rows):
    torch.manual_seed(0)
    long = [max(rows, key=lambda row: len(row.ids))] * 200
    _, mask = collated(checkpoint, long, "denoising")["left"]
    share = (mask.sum() - 2 * len(long)) / (len(long) * (len(long[0].ids) - 2))
    assert 0.36 < share < 0.44
    short = windows([prepare("a", "")], checkpoint.tokenizer, max_tokens=8, overlap=0)
    (left,) = collated(checkpoint, short, "denoising")["left"][0].tolist()
    assert left == list(short[0].ids)


def test_sum_of_objectives_is_weighted(checkpoint, model, rows):
    def two(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return torch.tensor(2.0)

    def three(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return torch.tensor(3.0)

    together = Together({"a": two, "b": three}, {"a": 0.5, "b": 2.0})
    assert together(model, {}).item() == 7.0
    assert together.figures() == {"a": 2.0, "b": 3.0}
    assert together.figures() == {}


def test_objectives_in_turn_are_drawn_by_weight(model):
    parts = {"a": lambda model, batch: torch.tensor(0.0), "b": lambda m, b: torch.tensor(1.0)}
    torch.manual_seed(0)
    together = Together(parts, {"a": 1.0, "b": 3.0}, turns=True)
    drawn = [together(model, {}).item() for _ in range(300)]
    assert set(drawn) == {0.0, 1.0}
    assert 0.68 < sum(drawn) / len(drawn) < 0.82


def test_all_objectives_together_give_gradients_to_the_encoder(checkpoint, model, rows):
    weights = {"masked": 1.0, "anchor": 0.5, "contrastive": 0.5, "denoising": 0.1}
    objective = build(weights, checkpoint, model, max_tokens=48)
    objective(model, collated(checkpoint, rows, *weights)).backward()
    assert all(p.grad is not None for p in model.base_model.encoder.parameters())
    assert set(objective.figures()) == set(weights)


def test_objective_of_weight_0_is_left_out(checkpoint, model):
    assert list(build({"masked": 1.0, "anchor": 0.0}, checkpoint, model).parts) == ["masked"]
