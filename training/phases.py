"""The phases of an adaptation: one training each, done once its history is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_model, save_model
from transformers import PreTrainedModel

from models.errors import ModelError
from training import hardware
from training.adapt_recipe import AdaptRecipe, Phase
from training.checkpoint import Checkpoint
from training.corpus import Corpus, Window, windows
from training.judging import HeldOut
from training.masked_lm import count_tokens
from training.masking import Masks
from training.objectives import Collate, build
from training.progress import Report
from training.resuming import telling, write_whole
from training.trainer import Work, train

Entries = list[dict[str, Any]]


@dataclass(frozen=True)
class Material:
    """What is learned from and judged by, as windows of tokens."""

    corpus: Corpus
    train: list[Window]
    held_out: HeldOut
    counts: np.ndarray[Any, Any]


def prepare(corpus: Corpus, checkpoint: Checkpoint, recipe: AdaptRecipe) -> Material:
    """The corpus as windows: those to learn from, and those to judge by with their masks."""
    size = {"max_tokens": recipe.max_tokens, "overlap": recipe.overlap}
    train = windows(corpus.texts, checkpoint.tokenizer, **size)
    judged = windows(corpus.held_out, checkpoint.tokenizer, **size)
    counts = count_tokens(train, len(checkpoint.tokenizer))
    rng = np.random.default_rng(recipe.seed)
    train = _some(train, recipe.max_windows, rng)
    held_out = HeldOut(_some(judged, recipe.judged, rng), checkpoint, seed=recipe.seed)
    return Material(corpus, train, held_out, counts)


@dataclass(frozen=True)
class Run:
    """One phase of one adaptation."""

    phase: Phase
    recipe: AdaptRecipe
    checkpoint: Checkpoint
    material: Material
    folder: Path
    resume: bool

    def entries(self, model: PreTrainedModel, report: Report, before: int) -> Entries:
        """Train the model, unless this phase was finished already; the log, steps counted on."""
        if self.resume and self._done.exists():
            load_model(model, self._weights)
            log = json.loads(self._done.read_text(encoding="utf-8"))
        else:
            log = self._train(model, report)
        shifted = [{**entry, "step": entry["step"] + before} for entry in log]
        return [{"phase": self.phase.name, **entry} for entry in shifted]

    def _train(self, model: PreTrainedModel, report: Report) -> Entries:
        model.base_model.requires_grad_(self.phase.trains == "encoder")
        work = self._work(model)
        schedule = self.phase.schedule(self.recipe.seed, self.recipe.save_steps)
        history = train(
            model,
            work,
            schedule,
            self.folder,
            resume=self.resume,
            encoder=model.base_model,
            report=report,
        )
        if hardware.rank() == 0:
            with telling(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                save_model(model, str(self._weights))
                write_whole(self._done, json.dumps(history.log))
        return history.log

    def _work(self, model: PreTrainedModel) -> Work:
        phase, recipe = self.phase, self.recipe
        masks = Masks(
            self.checkpoint.tokenizer,
            probability=recipe.probability,
            whole_words=recipe.whole_words,
        )
        collate = Collate(self.checkpoint, masks, tuple(phase.weights))
        objective = build(
            phase.weights,
            self.checkpoint,
            model,
            turns=phase.turns,
            max_tokens=recipe.max_tokens,
        )
        others = Collate(self.checkpoint, masks, tuple(set(phase.weights) - {"masked"}))
        items = self._items()
        return Work(
            items=items,
            lengths=[_length(window, phase) for window in items],
            collate=collate,
            objective=objective,
            judge=lambda now: self.material.held_out.figures(now, objective, others),
            figures=objective.figures,
            criterion="loss" if "masked" in phase.weights else "total",
        )

    def _items(self) -> list[Window]:
        """All windows, or those of which the only objective can learn something."""
        if set(self.phase.weights) != {"contrastive"}:
            return self.material.train
        pairs = [window for window in self.material.train if window.title]
        if len(pairs) < 2:
            raise ModelError(f"phase {self.phase.name!r} needs texts with a title and a body")
        return pairs

    @property
    def _weights(self) -> Path:
        return self.folder / "weights.safetensors"

    @property
    def _done(self) -> Path:
        return self.folder / "history.json"


def _length(window: Window, phase: Phase) -> int:
    if set(phase.weights) == {"contrastive"}:
        return len(window.title) + len(window.body)
    return len(window.ids)


def _some(found: list[Window], most: int, rng: np.random.Generator) -> list[Window]:
    if not most or len(found) <= most:
        return found
    return [found[i] for i in sorted(rng.choice(len(found), size=most, replace=False))]
