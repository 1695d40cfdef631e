"""Few issues: nearer to the mean of those with a label, or of those without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.planted import planted
from training.fit import FEW_LABELED, FEW_STACK, fit
from training.methods.meta import Arrays, Prototypes
from training.metrics import micro_f1
from training.prototypes import BIAS, PULL, RARITY, SCALE, TRUST_IN_WORDS, fit_prototypes


def test_few_issues_tell_the_labels_apart() -> None:
    few, unseen = planted(16), planted(200, seed=1)
    logits = fit_prototypes(few, np.ones(16)).logits(unseen.vectors)
    assert micro_f1(unseen.truth, logits > 0) > 0.75


def test_without_any_example_a_labels_own_words_speak() -> None:
    unseen = planted(200, seed=1)
    few = planted(8, truth=np.zeros((8, 3), dtype=bool))
    logits = fit_prototypes(few, np.ones(8)).logits(unseen.vectors)
    order = logits[:, 0].argsort()
    assert unseen.truth[order[-40:], 0].mean() > unseen.truth[order[:40], 0].mean() + 0.5


def test_what_is_not_known_does_not_count() -> None:
    few = planted(16)
    weights, other = few.weights.copy(), few.truth.copy()
    weights[:8] = 0.0
    other[:8] = ~other[:8]
    one = fit_prototypes(replace(few, weights=weights), np.ones(16))
    two = fit_prototypes(replace(few, weights=weights, truth=other), np.ones(16))
    assert (one.coef == two.coef).all()
    assert (one.intercept == two.intercept).all()


def test_it_is_the_classifier_that_meta_learning_learned() -> None:
    few, unseen = planted(24), planted(50, seed=1)
    learned = Prototypes(few.vectors.shape[1], torch.Generator().manual_seed(0))
    scalars = {
        "scale": np.log(SCALE),
        "trust_in_words": np.log(np.expm1(TRUST_IN_WORDS)),
        "pull": np.log(np.expm1(PULL)),
        "rarity": RARITY,
        "bias": BIAS,
    }
    state = {name: torch.tensor(float(value)) for name, value in scalars.items()}
    learned.load_state_dict(learned.state_dict() | state)
    with torch.inference_mode():
        expected = learned(Arrays.of(few), torch.from_numpy(unseen.vectors)).numpy()
    found = fit_prototypes(few, np.ones(24)).logits(unseen.vectors)
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize("count", [FEW_LABELED - 1, FEW_LABELED])
def test_the_head_of_few_issues_has_a_fixed_stack(count: int) -> None:
    stack = fit(planted(count)).head.stack
    assert bool((stack == FEW_STACK).all()) == (count < FEW_LABELED)
