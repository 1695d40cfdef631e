"""An encoder tuned on part of one repository's labels, as an encoder that can be deployed."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import transformers

from models import encoder_card
from models.encoder import Encoder
from models.encoder_card import EncoderCard
from models.text import IssueText
from training.data import Examples
from training.finetune import Tagger, Tuning
from training.methods import finetuned, ust
from training.methods.base import Resources, Task
from training.methods.space import Space
from training.progress import Report
from training.recipe import Recipe
from training.resuming import telling
from training.saving import save_encoder

SUFFIX = "-tuned"


@dataclass(frozen=True)
class LabelTuner:
    """Tunes one encoder, each time anew, on the labels of the oldest issues.

    `folder` takes the encoders; `unlabeled` is text without labels from before the holdout, which
    only the semi-supervised recipe reads.
    """

    recipe: Recipe
    encoder: Encoder
    examples: Examples
    unlabeled: tuple[IssueText, ...]
    folder: Path
    report: Report

    def upto(self, count: int) -> tuple[Space, Examples]:
        """(its space, all examples with its vectors), from the `count` oldest issues' labels."""
        labeled = self.examples.take(np.arange(count))
        started = time.time()
        tagger = self._learn(labeled)
        folder = self._save(tagger, count, started)
        space = Space(Encoder.load(str(folder), max_tokens=self.encoder.max_tokens))
        return space, space.examples(self.examples)

    def _save(self, tagger: Tagger, count: int, started: float) -> Path:
        """The tuned encoder as an encoder version's folder; its linear heads are not kept."""
        parent = self.encoder
        folder = self.folder / f"tuned-{count}"
        with telling(self.folder):
            folder.mkdir()
            save_encoder(tagger.encoder, tagger.checkpoint, folder)
        card = EncoderCard(
            name=f"{Path(parent.name).name.lower().removesuffix(SUFFIX)}{SUFFIX}",
            origin=parent.origin,
            parent=parent.version,
            corpus={"labeled issues": count, "unlabeled issues": len(self.unlabeled)},
            recipe=self.recipe.to_json(),
            share=1.0,
            shares=(),
            why=f"tuned on the labels of the {count} oldest labeled issues",
            losses={},
            software={"torch": torch.__version__, "transformers": transformers.__version__},
            created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            seconds=round(time.time() - started, 1),
        )
        encoder_card.seal(folder, card)
        return folder

    def _learn(self, labeled: Examples) -> Tagger:
        space, task = Space(self.encoder), Task(labeled, self.unlabeled)
        resources = Resources(
            vanilla=space, max_tokens=self.encoder.max_tokens, seed=self.recipe.seed
        )
        tuning = self._tuning(len(labeled), resources)
        report = self._reporting(len(labeled))
        if self.recipe.tune == "semi-supervised":
            settings = ust.Settings()
            if self.recipe.epochs:
                settings = replace(settings, student_epochs=self.recipe.epochs)
            return ust.learn([task], resources, settings, tuning, report=report).model
        return finetuned.learn(space, [task], resources, tuning, report=report).model

    def _tuning(self, count: int, resources: Resources) -> Tuning:
        """By the number of labels, but for what the recipe gives."""
        planned = finetuned.plan([count], resources)
        schedule = replace(
            planned.schedule,
            epochs=self.recipe.epochs or planned.schedule.epochs,
            learning_rate=self.recipe.learning_rate or planned.schedule.learning_rate,
        )
        return replace(planned, schedule=schedule)

    def _reporting(self, count: int) -> Report:
        def report(phase: str, done: int, total: int) -> None:
            self.report(f"tune on {count} issues", done, total)

        return report
