"""Meta-learning over other repositories."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.snapshot import SnapshotLabel
from tests.training.methods.tasks import chance, fit_one, hard_tasks, score, space_of, words_task
from tests.training.planted import DIMENSION, planted
from training.data import Examples
from training.methods.base import Resources, Task, Unavailable
from training.methods.meta import Arrays, Prototypes, fit, learn

HARD = hard_tasks()
MEANT = 3
"""Of the planted dimensions, those that labels may depend on; the others are loud noise."""


def loud(count: int, *, seed: int, names: tuple[str, ...]) -> Examples:
    """Issues of a repository whose labels are directions of its own among the first dimensions."""
    rng = np.random.default_rng(seed)
    examples = planted(count, seed=seed, names=names)
    directions = np.zeros((len(names), DIMENSION))
    directions[:, :MEANT] = rng.normal(size=(len(names), MEANT))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    noise = rng.normal(size=(count, DIMENSION)) * np.repeat([0.25, 1.5], [MEANT, MEANT])
    half = examples.truth @ directions + noise
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    issues = tuple(replace(i, title=f"{names[0]} {i.title}") for i in examples.issues)
    return replace(
        examples,
        issues=issues,
        texts=tuple(replace(t, title=f"{seed} {t.title}") for t in examples.texts),
        vectors=np.hstack([half, half]).astype(np.float32),
        labels=tuple(SnapshotLabel(name) for name in names),
        label_vectors=directions.astype(np.float32),
    )


@pytest.fixture(scope="module")
def others() -> tuple[Examples, ...]:
    """Repositories with labels of their own, which share what is noise."""
    names = [("one", "two"), ("three", "four"), ("five", "six"), ("seven",), ("eight", "nine")]
    return tuple(loud(150, seed=i, names=n) for i, n in enumerate(names))


def test_what_is_noise_everywhere_is_learned_from_other_repositories(
    others: tuple[Examples, ...], sentence_encoder: Path, resources: Resources
):
    both = loud(232, seed=50, names=("late", "new"))
    few, test = both.take(np.arange(32)), both.take(np.arange(32, 232))
    tasks = [Task(e) for e in (*others, few)]
    given = replace(
        resources, vanilla=space_of(sentence_encoder, tasks, test), others=others, effort=1
    )
    fitted = fit_one(fit, Task(few), given)
    assert fitted.chosen == {"vectors": "changed"}
    assert score(fitted, test) > chance(test) + 0.1


def test_episodes_bring_the_logits_of_an_unseen_repository_nearer_to_the_truth(
    others: tuple[Examples, ...],
):
    new = Arrays.of(loud(232, seed=50, names=("late", "new")))
    support, query = (new.take(rows, np.arange(2)) for rows in np.split(np.arange(232), [32]))
    losses = []
    for episodes in (0, 200):
        model = learn([Arrays.of(e) for e in others], episodes=episodes, seed=0)
        with torch.inference_mode():
            logits = model(support, query.vectors)
        losses.append(
            torch.nn.functional.binary_cross_entropy_with_logits(logits, query.truth).item()
        )
    assert losses[1] < 0.85 * losses[0]


def test_before_learning_vectors_are_those_of_the_encoder():
    vectors = torch.nn.functional.normalize(torch.randn(5, 12), dim=1)
    model = Prototypes(12, torch.Generator().manual_seed(0))
    assert torch.allclose(model.embed(vectors), vectors, atol=1e-6)


def test_the_same_seed_learns_the_same(others: tuple[Examples, ...]):
    arrays = [Arrays.of(e) for e in others]
    a, b, c = (learn(arrays, episodes=5, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(a.up, b.up)
    assert not torch.equal(a.up, c.up)


@pytest.mark.parametrize("name", HARD)
def test_it_survives(name: str, resources: Resources, others: tuple[Examples, ...]):
    fit_one(fit, HARD[name], replace(resources, others=(others[0].take(np.arange(20)),)))


def test_other_repositories_of_which_nothing_can_be_learned_are_passed_over(
    resources: Resources, others: tuple[Examples, ...]
):
    nothing = (others[0].take(np.arange(3)), planted(20, truth=np.zeros((20, 3), bool)))
    useful = planted(20, seed=8)
    fit_one(fit, words_task(16), replace(resources, others=(*nothing, useful)))
    with pytest.raises(Unavailable, match="other repositories"):
        fit([words_task(16)], replace(resources, others=nothing))


def test_without_other_repositories_it_says_so(resources: Resources):
    with pytest.raises(Unavailable, match="other repositories"):
        fit([words_task(8)], resources)
