"""Self-training: what the passes say, which issues are taken, what the student learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.labels import Group
from tests.training.methods.tuned import FAST
from tests.training.planted import planted
from training.checkpoint import Checkpoint
from training.finetune import Lesson, Tagger
from training.methods.base import Resources, Task
from training.methods.space import Space
from training.methods.ust import (
    Settings,
    bald,
    certainty,
    learn,
    sample,
    with_dropout,
    with_pseudo_labels,
)

POOL = planted(60, seed=7).texts
FEW = Settings(rounds=1, passes=3, pool=60, taken=30)


def test_a_student_of_a_good_teacher_is_good(space: Space) -> None:
    resources = Resources(vanilla=space, max_tokens=32)
    unseen = planted(60, seed=1)
    settings = replace(FEW, student_epochs=20)
    (fitted,) = learn([Task(planted(62), POOL)], resources, settings, FAST).fitted()
    decided = fitted.predict(unseen.texts) >= fitted.threshold
    assert (decided == unseen.truth).mean() > 0.8
    assert fitted.chosen["rounds"] == 1
    assert fitted.chosen["thresholds_of"] == "the first teacher"


def test_passes_differ_by_dropout_alone(space: Space) -> None:
    lesson = Lesson.of(planted(10))
    checkpoint = Checkpoint.find(str(space.folder))
    passes = with_dropout(Tagger(checkpoint, [lesson], FAST), POOL, lesson, 0, 3)
    assert passes.shape == (3, 60, 3)
    assert not np.array_equal(passes[0], passes[1])
    sober = Tagger(checkpoint, [lesson], replace(FAST, dropout=0.0))
    first, second, _ = with_dropout(sober, POOL, lesson, 0, 3)
    assert np.array_equal(first, second)
    assert first == pytest.approx(sober.predict(POOL, lesson), abs=0.01)


def test_passes_that_disagree_are_in_doubt_and_those_that_are_all_unsure_are_not() -> None:
    lesson = Lesson.of(planted(4))
    disagree, unsure, sure = [0.99, 0.01], [0.5, 0.5], [0.99, 0.99]
    passes = np.array([disagree, unsure, sure]).T[:, :, None] * np.ones(3)
    doubt = bald(passes, lesson)
    assert doubt[0] > 1.5
    assert doubt[1:] == pytest.approx(0.0, abs=1e-6)


def test_a_group_is_one_variable_in_doubt() -> None:
    lesson = Lesson.of(planted(4, exclusive=True))
    passes = np.array([[[1.0, 0, 0]], [[0, 1.0, 0]], [[0, 0, 1.0]]])
    assert bald(passes, lesson) == pytest.approx(np.log(3), abs=1e-3)
    open_group = replace(lesson, groups=(Group("kind", ("bug", "docs", "ui")),))
    none_or_first = np.array([[[1.0, 0, 0]], [[0.0, 0, 0]]])
    assert bald(none_or_first, open_group) == pytest.approx(np.log(2), abs=1e-3)


def test_what_the_passes_agree_on_counts_more() -> None:
    passes = np.array([[[0.9, 0.9]], [[0.9, 0.1]]])
    weights = certainty(passes)
    assert weights[0, 0] > weights[0, 1] > 0
    assert weights.mean() == pytest.approx(1.0)


def test_labels_are_taken_by_their_share_in_the_slice() -> None:
    truth = np.zeros((20, 3), dtype=bool)
    truth[:15, 0] = truth[15:, 1] = True
    lesson = Lesson.of(planted(20, truth=truth))
    rng = np.random.default_rng(0)
    mean = np.full((200, 3), 0.05)
    mean[:50, 0] = mean[50:, 1] = 0.9
    passes = np.stack([mean, mean])
    taken = sample(passes, lesson, replace(FEW, taken=40), rng)
    assert len(set(taken.tolist())) == 40
    assert (taken < 50).sum() == 30


@pytest.mark.parametrize(("sampling", "wanted"), [("easy", False), ("hard", True)])
def test_easy_issues_are_agreed_on_and_hard_ones_are_not(sampling: str, wanted: bool) -> None:
    lesson = Lesson.of(planted(20))
    passes = np.full((2, 100, 3), 0.9)
    passes[1, :50] = 0.1
    settings = replace(FEW, sampling=sampling, taken=40)  # type: ignore[arg-type]
    taken = sample(passes, lesson, settings, np.random.default_rng(0))
    assert bool((taken < 50).mean() > 0.9) is wanted


def test_pseudo_labels_follow_the_labeled_issues_and_are_soft(space: Space) -> None:
    lesson = Lesson.of(planted(10))
    model = Tagger(Checkpoint.find(str(space.folder)), [lesson], FAST)
    how = replace(FEW, labeled=1.0), np.random.default_rng(0)
    more = with_pseudo_labels(lesson, model, 0, POOL, how)
    assert more.texts[:10] == lesson.texts
    assert len(more.texts) == len(more.targets) == len(more.weights) == 40
    assert np.array_equal(more.targets[:10], lesson.targets)
    assert ((more.targets[10:] > 0) & (more.targets[10:] < 1)).all()
    assert more.weights[:10].sum() == pytest.approx(more.weights[10:].sum(), rel=0.1)
    assert with_pseudo_labels(lesson, model, 0, (), how) is lesson
