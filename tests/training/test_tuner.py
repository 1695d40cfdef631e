"""What a recipe says about tuning is what happens, with and without unlabeled text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from models import encoder_card
from tests.training.methods.tuned import tiny_space
from tests.training.planted import planted
from training.data import Examples
from training.finetune import Tagger
from training.fits import EARLY_SHARE, Job, holdout_cut, two_fits
from training.methods.base import Resources
from training.methods.finetuned import ENOUGH_TO_SPLIT, plan
from training.methods.space import Space
from training.progress import silent
from training.recipe import Recipe
from training.tuner import LabelTuner

UNLABELED = planted(12, seed=7).texts
WAYS = ("supervised", "semi-supervised")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Space:
    return tiny_space(tmp_path_factory.mktemp("encoders"))


def tuned(
    space: Space, folder: Path, recipe: Recipe, examples: Examples
) -> tuple[list[int], dict[str, np.ndarray]]:
    """(the updates of each training, the weights of the encoder)."""
    steps: list[int] = []

    def report(phase: str, done: int, total: int, loss: float | None = None) -> None:
        assert phase == f"tune on {len(examples)} issues"
        if done == total:
            steps.append(total)

    tuner = LabelTuner([Job("o/r", recipe, space, examples, report, UNLABELED)], folder, report)
    made, _ = tuner.at("everything", examples)
    return steps, load_file(made.folder / "model.safetensors")


def change(weights: dict[str, np.ndarray], space: Space) -> float:
    """The largest step of a weight of the top layer from where it was."""
    before = load_file(space.folder / "model.safetensors")
    name = "encoder.layer.1.output.dense.weight"
    return float(np.abs(weights[name] - before[name]).max())


def test_few_labels_are_gone_over_as_often_as_they_are_by_the_method(
    space: Space, tmp_path: Path
) -> None:
    planned = plan([8], Resources(vanilla=space, max_tokens=32)).schedule
    (steps,), _ = tuned(space, tmp_path, Recipe(tune="supervised"), planted(8))
    assert planned.epochs == 15
    assert steps % planned.epochs == 0 and steps >= planned.epochs


@pytest.mark.parametrize(("tune", "trainings"), [("supervised", 1), ("semi-supervised", 3)])
def test_epochs_of_the_recipe_are_those_of_every_training(
    space: Space, tmp_path: Path, tune: str, trainings: int
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    once, _ = tuned(space, folders[0], Recipe(tune=tune, epochs=1), planted(8))
    twice, _ = tuned(space, folders[1], Recipe(tune=tune, epochs=2), planted(8))
    assert len(once) == len(twice) == trainings
    # The last epoch may have a batch less.
    assert all(first < second <= 2 * first for first, second in zip(once, twice, strict=True))


@pytest.mark.parametrize("tune", WAYS)
def test_the_recipes_rate_is_the_one_that_is_learned_at(
    space: Space, tmp_path: Path, tune: str
) -> None:
    changes = []
    for rate in (1e-9, 1e-3):
        folder = tmp_path / str(rate)
        folder.mkdir()
        recipe = Recipe(tune=tune, epochs=1, learning_rate=rate)
        changes.append(change(tuned(space, folder, recipe, planted(8))[1], space))
    assert changes[0] < 1e-6
    assert changes[1] > 1e-4


def test_where_labels_suffice_the_best_epoch_is_chosen_first(space: Space, tmp_path: Path) -> None:
    examples = planted(ENOUGH_TO_SPLIT)
    steps, _ = tuned(space, tmp_path, Recipe(tune="supervised", epochs=2), examples)
    assert len(steps) == 2


@dataclass(frozen=True)
class Recording(LabelTuner):
    """Notes the numbers of the issues that it learns from, in each repository."""

    learned: list[list[list[int]]] = field(default_factory=list)

    def _learn(self, labeled: Sequence[Examples]) -> Tagger:
        self.learned.append([[issue.number for issue in each.issues] for each in labeled])
        return super()._learn(labeled)


def test_no_issue_of_any_holdout_is_learned_from_before_the_last_stage(
    space: Space, tmp_path: Path
) -> None:
    recipe, counts = Recipe(tune="supervised", half_life=None, epochs=1), (125, 140)
    jobs = [
        Job(f"o/{count}", recipe, space, space.examples(planted(count, seed=count)), silent)
        for count in counts
    ]
    tuner = Recording(jobs, tmp_path, silent)
    made = two_fits(jobs, tuner)
    cuts = [holdout_cut(recipe, count) for count in counts]
    wanted = [[int(cut * EARLY_SHARE) for cut in cuts], cuts, list(counts)]
    assert [[max(each) for each in stage] for stage in tuner.learned] == wanted
    assert [[len(each) for each in stage] for stage in tuner.learned] == wanted
    assert made[0].space.encoder is made[1].space.encoder
    card = encoder_card.read(made[0].space.folder)
    assert card.corpus["repositories"] == ["o/125", "o/140"]
    assert card.corpus["labeled issues"] == sum(counts)


def test_vectors_of_a_shared_encoder_stay_with_their_repository(
    space: Space, tmp_path: Path
) -> None:
    recipe = Recipe(tune="supervised", epochs=1)
    jobs = [Job(str(n), recipe, space, planted(8, seed=n), silent) for n in range(2)]
    tuner = LabelTuner(jobs, tmp_path, silent)
    spaces = [tuner.at("everything", job.examples)[0] for job in jobs]
    hashes = [{text.hash for text in job.examples.texts} for job in jobs]
    assert not hashes[0] & hashes[1]
    assert hashes[0] <= spaces[0].known.keys() and not hashes[1] & spaces[0].known.keys()
