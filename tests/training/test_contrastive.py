"""Contrastive tuning: what a pair is, and that issues with the same labels come close."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.planted import FILLER, WORDS, planted
from tests.training.tiny import tiny_encoder
from training.checkpoint import Checkpoint
from training.contrastive import CIRCLE, draw_circles, pair_loss, similarity, tune
from training.finetune import Lesson, Tagger, Tuning, probe
from training.metrics import micro_f1
from training.trainer import Schedule

FAST = Tuning(
    Schedule(epochs=10, learning_rate=1e-2, layer_decay=1.0, tokens=200),
    max_tokens=32,
    dropout=0.0,
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    words = [*WORDS.values(), *FILLER, "report", "idea"]
    folder = tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny", words)
    return Checkpoint.find(str(folder))


def test_a_pair_is_as_alike_as_its_label_sets() -> None:
    targets = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])
    wanted, counts = similarity(targets, np.ones(targets.shape))
    assert wanted[0].tolist() == [1.0, 1.0, 0.5, 0.0, 0.0, 0.0]
    assert counts[0].tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert counts[4].tolist() == [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]


def test_a_label_that_is_not_known_of_one_makes_no_difference() -> None:
    targets = np.array([[1.0, 1.0], [1.0, 0.0]])
    weights = np.array([[1.0, 1.0], [1.0, 0.0]])
    wanted, _ = similarity(targets, weights)
    assert wanted[0, 1] == 1.0


def test_pairs_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    targets, known = rng.random((30, 5)) < 0.4, rng.random((30, 5)) < 0.7
    wanted, counts = similarity(targets.astype(float), known.astype(float))
    for i, j in np.ndindex(30, 30):
        both = known[i] & known[j]
        either = ((targets[i] | targets[j]) & both).sum()
        assert counts[i, j] == (i != j and either > 0)
        assert wanted[i, j] == pytest.approx(
            (targets[i] & targets[j] & both).sum() / max(either, 1)
        )


def test_every_issue_sits_in_every_round_and_meets_one_of_its_kind() -> None:
    lesson = Lesson.of(planted(30, exclusive=True))
    circles = draw_circles(lesson, 2, np.random.default_rng(0))
    met = np.bincount(np.concatenate(circles), minlength=30)
    assert (met >= 2).all()
    for circle in circles:
        assert len(set(circle.tolist())) == len(circle) <= CIRCLE
        kinds = lesson.targets[circle].argmax(axis=1)
        assert len(set(kinds.tolist())) < len(kinds)


@pytest.mark.parametrize("truth", [np.zeros((8, 3), bool), np.ones((8, 3), bool)])
def test_where_no_two_issues_differ_there_is_nothing_to_pair(truth: np.ndarray) -> None:
    lesson = Lesson.of(planted(8, truth=truth))
    assert draw_circles(lesson, 3, np.random.default_rng(0)) == []


def test_like_and_unlike_pairs_weigh_the_same() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    alike = torch.tensor([[1.0, 1.0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]])
    counts = 1.0 - torch.eye(4)
    assert pair_loss(vectors, alike, counts) == 0.0
    assert pair_loss(vectors, 1.0 - alike + torch.eye(4), counts) == 1.0
    assert pair_loss(vectors, alike, torch.zeros(4, 4)) == 0.0


def test_tuned_vectors_tell_what_frozen_ones_do_not(checkpoint: Checkpoint) -> None:
    lesson, unseen = Lesson.of(planted(96)), planted(60, seed=1)
    frozen = Tagger(checkpoint, [lesson], FAST)
    probe(frozen, [lesson], c=10.0)
    tuned, history = tune(checkpoint, [lesson], FAST)
    scores = [
        micro_f1(unseen.truth, model.predict(unseen.texts, lesson) >= 0.5)
        for model in (frozen, tuned)
    ]
    assert history.log
    assert scores[0] < 0.5
    assert scores[1] > 0.7


def test_repositories_are_tuned_together_and_keep_their_heads(checkpoint: Checkpoint) -> None:
    first, second = planted(24), planted(24, names=tuple(WORDS)[::-1], exclusive=True)
    lessons = [Lesson.of(first), Lesson.of(second)]
    model, _ = tune(checkpoint, lessons, FAST)
    for head, examples in enumerate((first, second)):
        p = model.predict(examples.texts, lessons[head], head)
        assert micro_f1(examples.truth, p >= 0.5) > 0.8


def test_the_same_seed_gives_the_same_vectors(checkpoint: Checkpoint) -> None:
    lesson = Lesson.of(planted(16))
    once = replace(FAST, schedule=replace(FAST.schedule, epochs=1))
    first, again = (tune(checkpoint, [lesson], once)[0].encode(lesson.texts) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("truth", [np.zeros((8, 3), bool), np.ones((8, 3), bool)])
def test_without_a_pair_the_encoder_stays_and_the_head_is_fitted(
    checkpoint: Checkpoint, truth: np.ndarray
) -> None:
    examples = planted(8, truth=truth)
    lesson = Lesson.of(examples)
    model, history = tune(checkpoint, [lesson], FAST)
    assert history.log == []
    assert np.array_equal(model.predict(examples.texts, lesson) >= 0.5, truth)
