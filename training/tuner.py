"""An encoder tuned on part of the labels of one repository or several, ready to be deployed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import transformers

from models import encoder_card
from models.encoder import Encoder, Weights
from models.encoder_card import EncoderCard
from models.shelf import Shelf
from training.data import Examples
from training.finetune import Tagger, Tuning
from training.fits import Job, Stage, seen_at
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
    """Tunes one encoder for all jobs, from the one that they have, once for each stage.

    Of a repository it sees what its own holdout leaves, whatever the dates of the others' issues.
    `folder` takes the encoders.
    """

    jobs: Sequence[Job]
    folder: Path
    report: Report
    _made: dict[Stage, Encoder] = field(default_factory=dict)
    _weights: Shelf[Weights] = field(default_factory=lambda: Shelf(1))

    def at(self, stage: Stage, examples: Examples) -> tuple[Space, Examples]:
        """(a space for these examples alone, the examples with its vectors).

        Raises Diverged, OutOfMemory, NotWritten.
        """
        if stage not in self._made:
            self._made[stage] = self._tune(stage)
        space = Space(self._made[stage])
        return space, space.examples(examples)

    def _tune(self, stage: Stage) -> Encoder:
        started = time.time()
        labeled = [
            job.examples.take(np.arange(seen_at(stage, job.recipe, len(job.examples))))
            for job in self.jobs
        ]
        tagger = self._learn(labeled)
        folder = self._save(tagger, stage, sum(map(len, labeled)), started)
        return Encoder.load(str(folder), max_tokens=self._encoder.max_tokens, shelf=self._weights)

    def _save(self, tagger: Tagger, stage: Stage, count: int, started: float) -> Path:
        """The tuned encoder as an encoder version's folder; its linear heads are not kept."""
        parent = self._encoder
        folder = self.folder / f"tuned-{stage.replace(' ', '-')}"
        with telling(self.folder):
            folder.mkdir()
            save_encoder(tagger.encoder, tagger.checkpoint, folder)
        of = f" of {len(self.jobs)} repositories" if len(self.jobs) > 1 else ""
        card = EncoderCard(
            name=f"{Path(parent.name).name.lower().removesuffix(SUFFIX)}{SUFFIX}",
            origin=parent.origin,
            parent=parent.version,
            corpus={
                "repositories": [job.name for job in self.jobs],
                "labeled issues": count,
                "unlabeled issues": sum(len(job.unlabeled) for job in self.jobs),
            },
            recipe=self._recipe.to_json(),
            share=1.0,
            shares=(),
            why=f"tuned on the labels of the {count} oldest labeled issues{of}",
            losses={},
            software={"torch": torch.__version__, "transformers": transformers.__version__},
            created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            seconds=round(time.time() - started, 1),
        )
        encoder_card.seal(folder, card)
        return folder

    def _learn(self, labeled: Sequence[Examples]) -> Tagger:
        space, recipe = Space(self._encoder), self._recipe
        tasks = [Task(each, job.unlabeled) for each, job in zip(labeled, self.jobs, strict=True)]
        resources = Resources(vanilla=space, max_tokens=self._encoder.max_tokens, seed=recipe.seed)
        tuning = self._tuning([len(each) for each in labeled], resources)
        report = self._reporting(sum(map(len, labeled)))
        if recipe.tune == "semi-supervised":
            settings = ust.Settings()
            if recipe.epochs:
                settings = replace(settings, student_epochs=recipe.epochs)
            return ust.learn(tasks, resources, settings, tuning, report=report).model
        return finetuned.learn(space, tasks, resources, tuning, report=report).model

    def _tuning(self, counts: Sequence[int], resources: Resources) -> Tuning:
        """By the number of labels, but for what the recipe gives."""
        planned = finetuned.plan(counts, resources)
        schedule = replace(
            planned.schedule,
            epochs=self._recipe.epochs or planned.schedule.epochs,
            learning_rate=self._recipe.learning_rate or planned.schedule.learning_rate,
        )
        return replace(planned, schedule=schedule)

    def _reporting(self, count: int) -> Report:
        def report(phase: str, done: int, total: int, loss: float | None = None) -> None:
            self.report(f"tune on {count} issues", done, total, loss)

        return report

    @property
    def _recipe(self) -> Recipe:
        return self.jobs[0].recipe

    @property
    def _encoder(self) -> Encoder:
        return self.jobs[0].space.encoder
