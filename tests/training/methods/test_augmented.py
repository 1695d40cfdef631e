"""Naive Bayes with copies of the slice in other words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.encoder import Encoder
from models.text import IssueText
from tests.training.methods.tasks import chance, fit_one, hard_tasks, score, words_task
from tests.training.planted import planted
from training.methods.augmented import WAYS, fit, spread
from training.methods.base import Resources, Unavailable
from training.methods.space import Space

HARD = hard_tasks()


@pytest.fixture
def adapted(resources: Resources, masked_lm: Path) -> Resources:
    """With a masked language model in the place of the adapted encoder."""
    return replace(resources, adapted=Space(Encoder("masked", masked_lm, 64)))


def test_planted_words_are_learned(adapted: Resources):
    test = planted(200, seed=9)
    fitted = fit_one(fit, words_task(64), replace(adapted, effort=1))
    assert score(fitted, test) > 0.8 > chance(test) + 0.25
    assert fitted.chosen["copies"] in WAYS
    assert fitted.chosen["guesses"] == "masked-language head"


def test_without_an_adapted_encoder_it_says_whose_guesses_it_takes(resources: Resources):
    assert fit_one(fit, words_task(16), resources).chosen["guesses"] == "tied embeddings"


@pytest.mark.parametrize("name", HARD)
def test_it_survives(name: str, adapted: Resources):
    fit_one(fit, HARD[name], adapted)


def test_a_copy_has_the_labels_of_its_issue_and_comes_with_it_alone():
    examples = planted(6)
    copies = {
        "replaced": {t.hash: IssueText(f"copy of {t.title}", "") for t in examples.texts[:4]},
        "distorted": {},
    }
    some = spread(examples.take(np.array([1, 5])), copies, ("replaced", "distorted"))
    assert [t.title for t in some.texts[2:]] == [f"copy of {examples.texts[1].title}"]
    assert (some.truth == examples.truth[[1, 5, 1]]).all()


def test_a_checkpoint_without_a_mask_is_not_enough(resources: Resources, tmp_path: Path):
    folder = tmp_path / "maskless"
    folder.mkdir()
    for file in resources.vanilla.folder.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    config = folder / "tokenizer_config.json"
    config.write_text(config.read_text().replace('"mask_token": "[MASK]"', '"mask_token": null'))
    given = replace(resources, vanilla=Space(Encoder("maskless", folder, 64)))
    with pytest.raises(Unavailable, match="masked language model"):
        fit([words_task(8)], given)
