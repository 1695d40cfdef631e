"""The training loop that adaptation and every fine-tuning share: transformers' Trainer, fed our way.

What the Trainer brings: schedule, mixed precision, accumulation, checkpoints and resuming, several
processes (torchrun). What is ours: batches of a bounded number of tokens, lower rates for lower
layers, a loss that is any function of model and batch, a halt at the first loss that is not finite,
and half the batch where memory does not suffice.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from models.errors import ModelError
from training.batches import Batches
from training.checkpoint import layers
from training.progress import Report

Objective = Callable[[nn.Module, dict[str, Any]], Tensor]
Judge = Callable[[nn.Module], dict[str, float]]
SMALLEST_BATCH = 256
"""Tokens: a batch that does not fit and is not larger than this is an error."""


class Diverged(ModelError):
    """The loss is not a number any more. `step` is the update at which it happened."""

    def __init__(self, step: int) -> None:
        super().__init__(
            f"the loss is not finite at step {step}: lower the learning rate;"
            " the last good checkpoint is kept"
        )
        self.step = step


class OutOfMemory(ModelError):
    """Not even the smallest batch fits into memory."""


@dataclass(frozen=True)
class Schedule:
    """How to train; rates are AdamW's (Loshchilov and Hutter 2019).

    learning_rate   of the topmost layer; each layer below has `layer_decay` times the rate of the
                    one above (Howard and Ruder 2018), the embeddings the lowest
    head_rate       of the parameters outside the encoder
    warmup          share of the steps over which rates rise from 0; then they fall to 0 in a line
    tokens          tokens of a batch, padding included; `accumulation` batches make one update
    patience        evaluations without a better one after which training ends; None: never
    save_steps      updates between two checkpoints; None: one an epoch; 0: none
    """

    epochs: int = 3
    learning_rate: float = 1e-4
    layer_decay: float = 0.85
    head_rate: float = 1e-2
    weight_decay: float = 0.01
    warmup: float = 0.1
    tokens: int = 3072
    accumulation: int = 1
    patience: int | None = None
    save_steps: int | None = 0
    seed: int = 0


@dataclass(frozen=True)
class Work:
    """What is trained on: `items`, their lengths in tokens, how a list of them becomes a batch,
    and the loss of a model on it. `judge` gives figures of the model after each epoch, of which
    `criterion` decides what is best (`higher` is better, or lower)."""

    items: Sequence[Any]
    lengths: Sequence[int]
    collate: Callable[[list[Any]], dict[str, Any]]
    objective: Objective
    judge: Judge | None = None
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
    report: Report = lambda phase, done, total: None,
    phase: str = "train",
) -> History:
    """Train `model` in place. `folder` takes checkpoints; `resume` goes on from the last one there.

    `encoder` is the part whose layers have graded rates (default: the whole model). Raises
    Diverged, and OutOfMemory when half of half of the batch does not fit either.
    """
    before = copy.deepcopy(model.state_dict())
    while True:
        try:
            runner = _Runner(model, work, schedule, folder, encoder or model, report, phase)
            found = get_last_checkpoint(str(folder)) if resume and folder.is_dir() else None
            runner.train(resume_from_checkpoint=found)
            return runner.history()
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            schedule = _halved(schedule)
            model.load_state_dict(before)


class _Runner(Trainer):
    """The Trainer with our batches, rates, loss and judgement."""

    def __init__(
        self,
        model: nn.Module,
        work: Work,
        schedule: Schedule,
        folder: Path,
        encoder: nn.Module,
        report: Report,
        phase: str,
    ) -> None:
        self.work = work
        self.schedule = schedule
        self.encoder = encoder
        self.best: dict[str, float] | None = None
        self._best_weights: dict[str, Tensor] | None = None
        self._worse = 0
        super().__init__(
            model=model,
            args=_arguments(schedule, folder),
            train_dataset=work.items,  # type: ignore[arg-type]
            data_collator=work.collate,
            callbacks=[_Watch(self, report, phase)],
        )
        self.remove_callback(PrinterCallback)

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
        )
        loader.set_epoch = batches.set_epoch  # type: ignore[attr-defined]
        return loader

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            groups = rates(self.model, self.encoder, self.schedule)
            self.optimizer = torch.optim.AdamW(groups, fused=not self.args.use_cpu)
        return self.optimizer

    def compute_loss(  # type: ignore[override]
        self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Tensor:
        loss = self.work.objective(model, inputs)
        if not torch.isfinite(loss):
            raise Diverged(self.state.global_step)
        return loss

    def judge(self) -> bool:
        """Judge the model after an epoch; whether to go on."""
        if self.work.judge is None:
            return True
        self.model.eval()
        figures = self.work.judge(self.model)
        self.model.train()
        self.log({f"eval_{name}": value for name, value in figures.items()})
        if self.best is None or self._is_better(figures, self.best):
            self.best, self._worse = figures, 0
            weights = self.model.state_dict()
            self._best_weights = {name: each.detach().clone() for name, each in weights.items()}
        else:
            self._worse += 1
        return self.schedule.patience is None or self._worse <= self.schedule.patience

    def _is_better(self, figures: dict[str, float], best: dict[str, float]) -> bool:
        now, before = figures[self.work.criterion], best[self.work.criterion]
        return now > before if self.work.higher else now < before

    def history(self) -> History:
        if self._best_weights is not None:
            self.model.load_state_dict(self._best_weights)
        return History(list(self.state.log_history), self.best, self.schedule.tokens)


class _Watch(TrainerCallback):
    """Tells of progress, and judges after each epoch."""

    def __init__(self, runner: _Runner, report: Report, phase: str) -> None:
        self._runner = runner
        self._report = report
        self._phase = phase

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self._report(self._phase, state.global_step, state.max_steps)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        if not self._runner.judge():
            control.should_training_stop = True


def rates(model: nn.Module, encoder: nn.Module, schedule: Schedule) -> list[dict[str, Any]]:
    """AdamW's parameter groups: see `Schedule`. Biases and norms are not decayed."""
    groups: list[dict[str, Any]] = []
    stack = layers(encoder)
    for below, part in enumerate(reversed(stack)):
        groups += _pair(part, schedule.learning_rate * schedule.layer_decay**below, schedule)
    known = {id(p) for part in stack for p in part}
    rest = [p for p in model.parameters() if id(p) not in known]
    return groups + _pair(rest, schedule.head_rate, schedule)


def _pair(
    parameters: Iterable[nn.Parameter], rate: float, schedule: Schedule
) -> list[dict[str, Any]]:
    trained = [p for p in parameters if p.requires_grad]
    matrices, vectors = [p for p in trained if p.ndim > 1], [p for p in trained if p.ndim <= 1]
    parts = ((matrices, schedule.weight_decay), (vectors, 0.0))
    return [{"params": p, "lr": rate, "weight_decay": decay} for p, decay in parts if p]


def _arguments(schedule: Schedule, folder: Path) -> TrainingArguments:
    saving = {None: "epoch", 0: "no"}.get(schedule.save_steps, "steps")
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=schedule.epochs,
        learning_rate=schedule.learning_rate,
        warmup_steps=schedule.warmup,
        lr_scheduler_type="linear",
        gradient_accumulation_steps=schedule.accumulation,
        bf16=has_bf16(),
        use_cpu=not torch.cuda.is_available(),
        ddp_backend=_backend(),
        eval_strategy="no",
        save_strategy=saving,
        save_steps=schedule.save_steps or 500,
        save_total_limit=2,
        logging_steps=10,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
        seed=schedule.seed,
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def _backend() -> str | None:
    """Of several processes on CPUs; one process, or GPUs, need none to be named."""
    spread = torch.distributed.is_torchelastic_launched()
    return "gloo" if spread and not torch.cuda.is_available() else None


def has_bf16() -> bool:
    """Whether this machine multiplies bfloat16 in hardware."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _halved(schedule: Schedule) -> Schedule:
    if schedule.tokens <= SMALLEST_BATCH:
        raise OutOfMemory(f"{schedule.tokens} tokens a batch do not fit into memory")
    tokens = math.ceil(schedule.tokens / 2)
    print(f"out of memory: going on with {tokens} tokens a batch", file=sys.stderr, flush=True)
    return replace(schedule, tokens=tokens, accumulation=2 * schedule.accumulation)
