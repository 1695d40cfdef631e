"""The training loop that adaptation and fine-tuning share: transformers' Trainer, fed our way.

What the Trainer brings: schedule, mixed precision, accumulation, checkpoints and resuming, several
processes (torchrun). What is ours: batches of a bounded number of tokens, lower rates for lower
layers, a loss that is any function of model and batch, a halt at the first update that is not
finite, half the batch where memory does not suffice, and the best epoch's weights in the end.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from models.errors import ModelError
from training import resuming
from training.batches import Batches
from training.hardware import autocast, backend, is_out_of_memory, rank, wait, world
from training.hardware import has_bf16 as has_bf16
from training.progress import Report, silent
from training.resuming import Judged
from training.schedule import Schedule as Schedule
from training.schedule import rates

Objective = Callable[[nn.Module, dict[str, Any]], Tensor]
Judge = Callable[[nn.Module], dict[str, float]]
SMALLEST_BATCH = 256
"""Tokens: a batch that does not fit and is not larger than this is an error."""


class Diverged(ModelError):
    """Loss or gradients are not numbers any more. `step` is the update at which it happened."""

    def __init__(self, step: int, kept: Path | None = None) -> None:
        where = f"the last good checkpoint is {kept}" if kept else "no checkpoint was written yet"
        super().__init__(f"the loss is not finite at step {step}: lower the learning rate; {where}")
        self.step = step
        self.kept = kept


class OutOfMemory(ModelError):
    """Not even the smallest batch fits into memory."""


@dataclass(frozen=True)
class Work:
    """What is trained on: `items`, their lengths in tokens, how a list of them becomes a batch,
    and the loss of a model on it. `judge` gives figures of the model after each epoch, of which
    `criterion` decides what is best (`higher` is better, or lower). `figures` are asked for with
    each entry of the log about training."""

    items: Sequence[Any]
    lengths: Sequence[int]
    collate: Callable[[list[Any]], dict[str, Any]]
    objective: Objective
    judge: Judge | None = None
    figures: Callable[[], dict[str, float]] | None = None
    criterion: str = "loss"
    higher: bool = False


@dataclass(frozen=True)
class History:
    """What came of it: the Trainer's `log_history`, the best epoch's figures, and the tokens of a
    batch that fitted into memory. The model holds the best epoch's weights."""

    log: list[dict[str, Any]]
    best: dict[str, float] | None
    tokens: int


def train(
    model: nn.Module,
    work: Work,
    schedule: Schedule,
    folder: Path,
    *,
    resume: bool = False,
    encoder: nn.Module | None = None,
    report: Report = silent,
) -> History:
    """Train `model` in place. `folder` takes checkpoints; `resume` goes on from the last one there.

    `encoder` is the part whose layers have graded rates (default: the whole model). An objective
    that is a module is trained and saved as well. Raises Diverged, NotWritten, and OutOfMemory
    when not even the smallest batch fits.
    """
    whole = _WithLoss(model, work.objective)
    before = copy.deepcopy(whole.state_dict())
    if not resume:
        _forget(folder)
    while True:
        last = resuming.last_checkpoint(folder)
        schedule = _as_before(schedule, last[1]) if last else schedule
        try:
            runner = _Runner(whole, work, schedule, folder, encoder or model, report)
            if last:
                runner.judged = Judged(*(last[1][key] for key in ("epochs", "best", "worse")))
                runner.random_state = str(last[0])
            runner.train(resume_from_checkpoint=str(last[0]) if last else None)
            return runner.history()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            schedule = _halved(schedule)
            whole.load_state_dict(before)
            _forget(folder)


def _forget(folder: Path) -> None:
    if rank() == 0:
        resuming.forget(folder)
    wait()


class _WithLoss(nn.Module):
    """A model and its loss as one forward pass: what mixed precision and DDP wrap is this."""

    def __init__(self, model: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, batch: dict[str, Any]) -> Tensor:
        return self.objective(self.model, batch)


class _Runner(Trainer):
    """The Trainer with our batches, rates, loss and judgement."""

    def __init__(
        self,
        whole: _WithLoss,
        work: Work,
        schedule: Schedule,
        folder: Path,
        encoder: nn.Module,
        report: Report,
    ) -> None:
        self.whole = whole
        self.work = work
        self.schedule = schedule
        self.folder = folder
        self.encoder = encoder
        self.judged = Judged()
        self.random_state: str | None = None
        self._best_weights: dict[str, Tensor] | None = None
        super().__init__(
            model=whole,
            args=_arguments(schedule, folder),
            train_dataset=work.items,
            data_collator=work.collate,
            callbacks=[_Watch(self, report)],
        )
        self.remove_callback(PrinterCallback)
        assert self.args.world_size == world(), "the Trainer does not know of the other processes"

    def get_train_dataloader(self) -> DataLoader[Any]:
        batches = Batches(
            self.work.lengths,
            tokens=self.schedule.tokens,
            epochs=self.schedule.epochs,
            seed=self.schedule.seed,
            rank=self.args.process_index,
            world=self.args.world_size,
        )
        loader: DataLoader[Any] = DataLoader(
            self.work.items,  # type: ignore[arg-type]
            batch_sampler=batches,
            collate_fn=self.work.collate,
            pin_memory=torch.cuda.is_available(),
        )
        loader.set_epoch = batches.set_epoch
        return loader

    def get_batch_samples(self, *args: Any) -> Any:
        self._load_rng_state(self.random_state)
        return super().get_batch_samples(*args)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Once, and before the first batch: the Trainer would draw that one's masks without it."""
        if self.random_state:
            super()._load_rng_state(self.random_state)
            self.random_state = None

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            groups = rates(self.whole, self.encoder, self.schedule)
            self.optimizer = torch.optim.AdamW(groups, fused=not self.args.use_cpu)
        return self.optimizer

    def compute_loss(self, model: nn.Module, inputs: Any, *args: Any, **more: Any) -> Tensor:
        loss: Tensor = model(inputs)
        return loss

    def _clip_grad_norm(self, model: nn.Module) -> Tensor:
        """What the Trainer calls before each update: the last moment to keep the weights finite."""
        norm: Tensor = super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]
        if not torch.isfinite(norm):
            last = resuming.last_checkpoint(self.folder)
            raise Diverged(self.state.global_step, last[0] if last else None)
        return norm

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        sizes = self.schedule.tokens, self.schedule.accumulation
        ours: dict[str, Any] = self.state.stateful_callbacks  # type: ignore[assignment]
        ours[resuming.KEY] = self.judged.to_json(*sizes)
        with resuming.telling(self.folder):
            super()._save_checkpoint(model, trial)
            if self.args.should_save:
                resuming.keep_newest(self.folder)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Unlike the Trainer's own this knows of weights that two layers share."""
        if self.args.should_save:
            folder = Path(output_dir or self.folder)
            folder.mkdir(parents=True, exist_ok=True)
            save_model(self.whole, str(folder / "model.safetensors"))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_model(self.whole, Path(resume_from_checkpoint) / "model.safetensors")

    def log(self, logs: dict[str, float], *args: Any, **more: Any) -> None:
        if "loss" in logs and self.work.figures:
            logs = {**logs, **self.work.figures()}
        super().log(logs, *args, **more)

    def judge(self) -> bool:
        """Judge the model after an epoch; whether to go on."""
        if self.work.judge is None:
            return True
        self.whole.eval()
        with torch.no_grad(), autocast(self.args.device):
            figures = self.work.judge(self.whole.model)
        self.whole.train()
        self.log({f"eval_{name}": value for name, value in figures.items()})
        self.judged.epochs += 1
        if self.judged.best is None or self._is_better(figures, self.judged.best):
            self.judged.best, self.judged.worse = figures, 0
            self._keep()
        else:
            self.judged.worse += 1
        patience = self.schedule.patience
        return patience is None or self.judged.worse <= patience

    def catch_up(self) -> None:
        """Judge the epochs that were learned before the run was killed, and not judged any more."""
        while self.work.judge and self.judged.epochs < int(self.state.epoch or 0):
            self.judge()

    def _is_better(self, figures: dict[str, float], best: dict[str, float]) -> bool:
        now, before = figures[self.work.criterion], best[self.work.criterion]
        return now > before if self.work.higher else now < before

    def _keep(self) -> None:
        weights = self.whole.state_dict()
        self._best_weights = {name: each.detach().clone() for name, each in weights.items()}
        if self.schedule.save_steps != 0 and self.args.should_save:
            resuming.save_best(self.whole, self.folder)

    def history(self) -> History:
        """What came of it, once the model has the best epoch's weights."""
        self.catch_up()
        if self._best_weights is not None:
            self.whole.load_state_dict(self._best_weights)
        elif self.judged.best is not None:  # judged before the run was killed
            resuming.load_best(self.whole, self.folder)
        return History(list(self.state.log_history), self.judged.best, self.schedule.tokens)


class _Watch(TrainerCallback):
    """Tells of progress, and judges after each epoch."""

    def __init__(self, runner: _Runner, report: Report) -> None:
        self._runner = runner
        self._report = report
        self._loss: float | None = None

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self._runner.catch_up()

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self._report("train", state.global_step, state.max_steps, self._loss)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        self._loss = (logs or {}).get("loss", self._loss)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        if not self._runner.judge():
            control.should_training_stop = True


def _arguments(schedule: Schedule, folder: Path) -> TrainingArguments:
    saving = {None: "epoch", 0: "no"}.get(schedule.save_steps, "steps")
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=schedule.epochs,
        learning_rate=schedule.learning_rate,
        warmup_steps=schedule.warmup,
        lr_scheduler_type="linear",
        gradient_accumulation_steps=schedule.accumulation,
        bf16=has_bf16(),
        use_cpu=not torch.cuda.is_available(),
        ddp_backend=backend(),
        ddp_find_unused_parameters=True,
        eval_strategy="no",
        save_strategy=saving,
        save_steps=schedule.save_steps or 500,
        logging_steps=10,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
        seed=schedule.seed,
    )
    # Several GPUs are for torchrun: one process that spreads each batch over them is slower.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _halved(schedule: Schedule) -> Schedule:
    if schedule.tokens <= SMALLEST_BATCH or torch.distributed.is_initialized():
        # Of several processes only this one knows, and the others wait for it.
        raise OutOfMemory(
            f"{schedule.tokens} tokens a batch do not fit into memory: lower `tokens`"
        )
    tokens = math.ceil(schedule.tokens / 2)
    print(f"out of memory: going on with {tokens} tokens a batch", file=sys.stderr, flush=True)
    return replace(schedule, tokens=tokens, accumulation=2 * schedule.accumulation)


def _as_before(schedule: Schedule, state: dict[str, Any]) -> Schedule:
    """The schedule with the batches of a checkpoint: it may have halved them."""
    return replace(schedule, tokens=state["tokens"], accumulation=state["accumulation"])
