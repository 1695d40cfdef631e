import pytest
import torch
from transformers import PreTrainedModel

from models.text import prepare
from tests.training.tiny import tiny_encoder
from training.checkpoint import Checkpoint
from training.corpus import Window, windows
from training.judging import HeldOut
from training.masked_lm import load_masked, masked_loss
from training.masking import Masks, fixed
from training.objectives import Collate, build

TEXTS = [prepare(f"Crash number {i}", "the app crashes " * (1 + i % 4)) for i in range(9)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return Checkpoint.find(str(tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder")))


@pytest.fixture(scope="module")
def rows(checkpoint: Checkpoint) -> list[Window]:
    return windows(TEXTS, checkpoint.tokenizer, max_tokens=32, overlap=4)


@pytest.fixture(scope="module")
def model(checkpoint: Checkpoint) -> PreTrainedModel:
    return load_masked(checkpoint, dropout=0.5)


def test_loss_is_the_mean_over_all_masked_tokens_whatever_the_batches(checkpoint, rows, model):
    held_out = HeldOut(rows, checkpoint, seed=1)
    model.eval()
    sums, counts = 0.0, 0
    for row in fixed(rows, checkpoint.tokenizer, seed=1):
        asked = int((row.labels != -100).sum())
        sums += masked_loss(model, row.to_batch()).item() * asked
        counts += asked
    assert held_out.masked(model) == pytest.approx(sums / counts, rel=0.01)


def test_judging_gives_the_same_figure_again_and_leaves_no_trace(checkpoint, rows, model):
    held_out = HeldOut(rows, checkpoint, seed=1)
    weights = {"masked": 1.0, "contrastive": 1.0, "denoising": 1.0}
    objective = build(weights, checkpoint, model, max_tokens=32)
    others = Collate(checkpoint, Masks(checkpoint.tokenizer), ("contrastive", "denoising"))
    model.eval()
    before = torch.random.get_rng_state()
    with torch.no_grad():
        first = held_out.figures(model, objective, others)
        assert torch.equal(torch.random.get_rng_state(), before)
        torch.manual_seed(5)
        assert held_out.figures(model, objective, others) == first


def test_figures_name_every_objective_and_their_weighted_sum(checkpoint, rows, model):
    held_out = HeldOut(rows, checkpoint, seed=1)
    objective = build({"masked": 2.0, "contrastive": 0.5}, checkpoint, model)
    others = Collate(checkpoint, Masks(checkpoint.tokenizer), ("contrastive",))
    with torch.no_grad():
        found = held_out.figures(model.eval(), objective, others)
    assert found["perplexity"] == pytest.approx(torch.tensor(found["loss"]).exp().item())
    assert found["total"] == pytest.approx(2 * found["loss"] + 0.5 * found["contrastive"])
    assert not objective.figures()  # what is judged is not counted as trained


def test_model_is_left_in_the_mode_that_it_had(checkpoint, rows, model):
    model.train()
    HeldOut(rows, checkpoint, seed=1).masked(model)
    assert model.training
