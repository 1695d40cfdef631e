"""Consistency between unlabeled issues and their copies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.labels import Group
from models.text import prepare
from tests.training.methods.tuned import FAST
from tests.training.planted import planted
from training.checkpoint import Checkpoint
from training.finetune import Lesson
from training.methods.base import Resources, Task
from training.methods.space import Space
from training.methods.uda import Settings, divergence, draw, learn, released, rewritten

POOL = planted(40, seed=7).texts


def test_copies_are_predicted_like_their_originals_once_that_was_learned(space: Space) -> None:
    resources = Resources(vanilla=space, max_tokens=32)
    task = Task(planted(48), POOL)
    unseen = planted(60, seed=1)
    settings = Settings(confidence=0.0, annealing="linear")
    (fitted,) = learn([task], resources, settings, FAST).fitted()
    decided = fitted.predict(unseen.texts) >= fitted.threshold
    assert (decided == unseen.truth).mean() > 0.8
    assert fitted.chosen["thresholds_of"] == "plain fine-tuning"


def test_a_copy_that_says_the_same_does_not_diverge() -> None:
    lesson = Lesson.of(planted(4))
    logits = torch.tensor([[3.0, -2.0, 0.5], [0.1, 4.0, -4.0]])
    same = Settings(temperature=1.0, confidence=0.0)
    for grouped in (lesson, replace(lesson, groups=(Group("kind", ("bug", "ui")),))):
        assert divergence(logits, logits, grouped, same) == pytest.approx(0.0, abs=1e-6)
        assert divergence(-logits, logits, grouped, same) > 1.0


def test_an_original_that_is_not_confident_does_not_count() -> None:
    unsure = torch.full((2, 3), 0.2)
    free = Lesson.of(planted(4))
    for lesson in (free, Lesson.of(planted(4, exclusive=True))):
        assert divergence(unsure + 5.0, unsure, lesson, Settings(confidence=0.9)) == 0.0
    assert divergence(unsure + 5.0, unsure, free, Settings(confidence=0.0)) > 0.0


def test_sharpening_asks_for_more_than_the_original_says() -> None:
    lesson = Lesson.of(planted(4))
    logits = torch.full((1, 3), 1.0, requires_grad=True)
    settings = Settings(temperature=0.5, confidence=0.0)
    divergence(logits, logits.detach(), lesson, settings).backward()
    assert logits.grad is not None
    assert (logits.grad < 0).all()


@pytest.mark.parametrize("schedule", ["linear", "log", "exp"])
def test_annealing_rises_from_chance_to_everything(schedule: str) -> None:
    steps = [released(schedule, done, 4) for done in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert steps == sorted(steps)
    assert steps[0] == pytest.approx(0.25, abs=0.01)
    assert steps[-1] == pytest.approx(1.0, abs=0.01)
    assert released("log", 0.5, 2) > released("linear", 0.5, 2) > released("exp", 0.5, 2)


def test_the_pool_is_drawn_from_the_nearest_texts_each_once() -> None:
    texts = [prepare(f"issue {i}", "") for i in range(100)]
    drawn = draw([prepare("", ""), *texts, *texts], 10, np.random.default_rng(0))
    assert len({text.hash for text in drawn}) == 10
    assert {text.hash for text in drawn} <= {text.hash for text in texts[:30]}


def test_texts_are_rewritten_only_by_a_head_that_was_trained(
    space: Space, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.training.tiny import tiny_masked_lm

    masked = tiny_masked_lm(tmp_path_factory.mktemp("masked") / "tiny")
    texts = planted(4).texts
    assert rewritten(texts, Checkpoint.find(str(space.folder)), FAST) == texts
    assert rewritten(texts, Checkpoint.find(str(masked)), FAST) != texts
