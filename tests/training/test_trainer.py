import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from training import resuming
from training.resuming import NotWritten, last_checkpoint
from training.schedule import Schedule, rates
from training.trainer import Diverged, OutOfMemory, Work, train

TARGET = torch.tensor([[1.0, -2.0, 0.5]])
SCHEDULE = Schedule(epochs=3, learning_rate=0.05, layer_decay=1.0, tokens=16)


class Stopped(Exception):
    """The power went off."""


class Line(nn.Module):
    """y = w x, whose weights two names share."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 1, bias=False)
        self.same = self.linear

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x)
        return y


def loss(model: nn.Module, batch: dict[str, Any]) -> Tensor:
    return nn.functional.mse_loss(model(batch["x"]).float(), batch["x"] @ TARGET.T)


def collate(rows: list[Tensor]) -> dict[str, Any]:
    return {"x": torch.stack(rows)}


def work(objective: Callable[..., Tensor] = loss, **more: Any) -> Work:
    rows = list(torch.randn((60, 3), generator=torch.Generator().manual_seed(1)))
    return Work(rows, [2] * len(rows), collate, objective, **more)


def held_out(model: nn.Module) -> dict[str, float]:
    return {"loss": float(loss(model, collate(list(work().items[:8]))).detach())}


def schedule(**changes: Any) -> Schedule:
    return Schedule(**{**SCHEDULE.__dict__, **changes})


def test_training_lowers_the_loss_and_logs_it(tmp_path: Path):
    model = Line()
    before = held_out(model)["loss"]
    history = train(model, work(judge=held_out), schedule(epochs=10), tmp_path)
    assert held_out(model)["loss"] < before / 4
    assert [e["eval_loss"] for e in history.log if "eval_loss" in e][-1] == history.best["loss"]  # type: ignore[index]
    assert any("loss" in entry for entry in history.log)


def test_progress_tells_the_loss_once_it_is_known(tmp_path: Path):
    told: list[tuple[str, int, int, float | None]] = []
    model = Line()
    train(model, work(), schedule(epochs=10), tmp_path, report=lambda *at: told.append(at))
    assert [step for _, step, _, _ in told] == list(range(1, told[-1][2] + 1))
    assert told[0][3] is None and isinstance(told[-1][3], float)


def test_same_seed_gives_the_same_weights(tmp_path: Path):
    models = [Line(), Line(), Line()]
    for i, model in enumerate(models):
        train(model, work(), schedule(seed=i // 2), tmp_path / str(i))
    first, second, other = (model.linear.weight for model in models)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_best_epoch_is_what_remains(tmp_path: Path):
    figures = iter([3.0, 1.0, 2.0])
    seen = []

    def judge(model: nn.Module) -> dict[str, float]:
        seen.append(next(iter(model.parameters())).detach().clone())
        return {"loss": next(figures)}

    model = Line()
    history = train(model, work(judge=judge), SCHEDULE, tmp_path)
    assert history.best == {"loss": 1.0}
    assert torch.equal(model.linear.weight, seen[1])


def test_training_ends_when_patience_does(tmp_path: Path):
    figures = iter([1.0, 2.0, 0.5])
    more = {"judge": lambda model: {"f1": next(figures)}, "criterion": "f1", "higher": True}
    history = train(Line(), work(**more), schedule(epochs=9, patience=0), tmp_path)
    assert [e["eval_f1"] for e in history.log if "eval_f1" in e] == [1.0, 2.0, 0.5]
    assert history.best == {"f1": 2.0}


def test_objective_that_is_a_module_is_trained_too(tmp_path: Path):
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shift = nn.Parameter(torch.zeros(1))

        def forward(self, model: nn.Module, batch: dict[str, Any]) -> Tensor:
            return (model(batch["x"]).float() + self.shift - 3).pow(2).mean()

    objective = Shifted()
    train(Line(), work(objective), schedule(head_rate=0.1), tmp_path)
    assert objective.shift.item() > 0.5


def noisy(rows: list[Tensor]) -> dict[str, Any]:
    """A batch that is drawn anew each time, as masks are."""
    return {"x": torch.stack(rows) + torch.rand(len(rows), 3)}


def stopping(at: int) -> Callable[..., Tensor]:
    calls = iter(range(10**6))

    def objective(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        if next(calls) == at:
            raise Stopped
        return loss(model, batch)

    return objective


@pytest.mark.parametrize("at", [5, 13, 20])
def test_resumed_run_ends_like_one_that_was_never_stopped(tmp_path: Path, at: int):
    whole, parts = Line(), Line()
    plan = schedule(save_steps=4)
    task = replace(work(judge=held_out), collate=noisy)
    expected = train(whole, task, plan, tmp_path / "whole")
    with pytest.raises(Stopped):
        train(parts, replace(task, objective=stopping(at)), plan, tmp_path / "parts")
    again = Line()
    torch.manual_seed(99)
    history = train(again, task, plan, tmp_path / "parts", resume=True)
    assert torch.allclose(again.linear.weight, whole.linear.weight)
    assert history.best == pytest.approx(expected.best)
    steps = [e["step"] for e in history.log if "eval_loss" in e]
    assert steps == [e["step"] for e in expected.log if "eval_loss" in e]


def test_last_epoch_counts_where_the_run_was_stopped_while_it_was_judged(tmp_path: Path):
    whole, plan = Line(), schedule(epochs=2, save_steps=4)
    expected = train(whole, work(judge=held_out), plan, tmp_path / "whole")
    judgements = iter(range(10))

    def interrupted(model: nn.Module) -> dict[str, float]:
        if next(judgements) == plan.epochs - 1:
            raise Stopped
        return held_out(model)

    with pytest.raises(Stopped):
        train(Line(), work(judge=interrupted), plan, tmp_path / "parts")
    again = Line()
    history = train(again, work(judge=held_out), plan, tmp_path / "parts", resume=True)
    assert history.best == pytest.approx(expected.best)
    assert torch.allclose(again.linear.weight, whole.linear.weight)
    assert len([e for e in history.log if "eval_loss" in e]) == plan.epochs


def test_checkpoint_that_was_not_finished_is_passed_over(tmp_path: Path):
    train(Line(), work(), schedule(save_steps=5), tmp_path)
    newest, state = last_checkpoint(tmp_path)  # type: ignore[misc]
    assert state["tokens"] == SCHEDULE.tokens
    (newest / resuming.STATE).write_text("{")
    older, _ = last_checkpoint(tmp_path)  # type: ignore[misc]
    assert older != newest
    shutil.rmtree(older)
    assert last_checkpoint(tmp_path) is None


def test_run_without_resume_forgets_what_lies_there(tmp_path: Path):
    train(Line(), work(judge=held_out), schedule(save_steps=4), tmp_path)
    fresh = Line()
    train(fresh, work(judge=held_out), SCHEDULE, tmp_path)
    assert not list(tmp_path.iterdir())


def test_loss_that_is_not_a_number_stops_and_the_last_checkpoint_is_named(tmp_path: Path):
    calls = iter(range(10**6))

    def objective(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return loss(model, batch) * (float("nan") if next(calls) == 6 else 1.0)

    with pytest.raises(Diverged, match=r"step 6.*checkpoint-4") as stopped:
        train(Line(), work(objective), schedule(save_steps=4), tmp_path)
    assert stopped.value.kept == tmp_path / "checkpoint-4"
    weights = load_file(stopped.value.kept / "model.safetensors")
    assert all(torch.isfinite(each).all() for each in weights.values())


def test_gradients_that_overflow_stop_before_the_weights_are_spoiled(tmp_path: Path):
    def objective(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return (model(batch["x"]).float().abs().sum() * 0).sqrt()

    model = Line()
    with pytest.raises(Diverged, match="no checkpoint"):
        train(model, work(objective), SCHEDULE, tmp_path)
    assert torch.isfinite(model.linear.weight).all()


def test_two_half_batches_make_the_same_update_as_a_whole_one(tmp_path: Path):
    rows = work().items[:8]
    sizes = {"whole": {"tokens": 16}, "halves": {"tokens": 8, "accumulation": 2}}
    weights, logs = {}, {}
    for name, changes in {**sizes, "apart": {"tokens": 8}}.items():
        model = Line()
        task = Work(rows, [2] * len(rows), collate, loss)
        history = train(model, task, schedule(epochs=10, **changes), tmp_path / name)
        weights[name] = model.linear.weight.detach()
        logs[name] = next(entry for entry in history.log if "grad_norm" in entry)
    assert torch.allclose(weights["halves"], weights["whole"], atol=1e-2)
    assert not torch.allclose(weights["apart"], weights["whole"], atol=0.1)
    # AdamW does not mind how long a gradient is, so that the weights alone would not tell.
    for figure in ("step", "loss", "grad_norm"):
        assert logs["halves"][figure] == pytest.approx(logs["whole"][figure], rel=0.02)


def fits(rows: int) -> Callable[..., Tensor]:
    """A loss for which more than so many rows are too many."""

    def objective(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        if len(batch["x"]) > rows:
            raise torch.OutOfMemoryError(f"{len(batch['x'])} rows")
        return loss(model, batch)

    return objective


def test_out_of_memory_halves_the_batch_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    rows = work(fits(300)).items * 20
    many = Work(rows, [2] * len(rows), collate, fits(300))
    history = train(Line(), many, schedule(tokens=1200, epochs=1), tmp_path)
    assert history.tokens == 600
    assert capsys.readouterr().err == "out of memory: going on with 600 tokens a batch\n"


def test_resumed_run_keeps_the_batch_that_fitted(tmp_path: Path):
    rows = work().items * 20
    plan = schedule(tokens=1200, epochs=4, save_steps=2)
    with pytest.raises(Stopped):
        train(Line(), Work(rows, [2] * len(rows), collate, both(fits(300), 9)), plan, tmp_path)
    many = Work(rows, [2] * len(rows), collate, fits(300))
    assert train(Line(), many, plan, tmp_path, resume=True).tokens == 600


def both(objective: Callable[..., Tensor], at: int) -> Callable[..., Tensor]:
    stop = stopping(at)
    return lambda model, batch: objective(model, batch) + 0 * stop(model, batch)


def test_batch_that_never_fits_is_an_error(tmp_path: Path):
    rows = work().items * 20
    many = Work(rows, [2] * len(rows), collate, fits(0))
    with pytest.raises(OutOfMemory, match="do not fit"):
        train(Line(), many, schedule(tokens=1024), tmp_path)


def test_other_errors_of_the_runtime_are_not_taken_for_lack_of_memory(tmp_path: Path):
    def objective(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        train(Line(), work(objective), SCHEDULE, tmp_path)


def test_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path):
    (tmp_path / "checkpoint-4").write_text("a file where a folder should be")
    with pytest.raises(NotWritten, match="cannot be written"):
        train(Line(), work(), schedule(save_steps=4), tmp_path, resume=True)


def test_state_of_a_checkpoint_tells_the_best_figures(tmp_path: Path):
    train(Line(), work(judge=held_out), schedule(save_steps=None), tmp_path)
    folder, state = last_checkpoint(tmp_path)  # type: ignore[misc]
    entries = json.loads((folder / resuming.STATE).read_text())["log_history"]
    judged = [entry["eval_loss"] for entry in entries if "eval_loss" in entry]
    assert (state["epochs"], state["best"]["loss"]) == (3, min(judged))


def test_lower_layers_have_lower_rates_and_the_head_its_own():
    class Stack(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embeddings = nn.Embedding(4, 2)
            self.layer = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])

    model = nn.ModuleDict({"encoder": Stack(), "head": nn.Linear(2, 1)})
    plan = Schedule(learning_rate=1.0, layer_decay=0.5, head_rate=7.0, weight_decay=0.1)
    groups = rates(model, model["encoder"], plan)
    found = {id(p): (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    stack = model["encoder"]
    assert found[id(stack.layer[1].weight)] == (1.0, 0.1)
    assert found[id(stack.layer[0].bias)] == (0.5, 0.0)
    assert found[id(stack.embeddings.weight)] == (0.25, 0.1)
    assert found[id(model["head"].weight)] == (7.0, 0.1)
    assert len(found) == len(list(model.parameters()))
