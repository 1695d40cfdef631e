"""auto: the head, and from some labels on a tuned encoder beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.methods.tasks import chance, hard_tasks, score, space_of, words_task
from tests.training.methods.tuned import assert_survives, quick
from tests.training.planted import planted
from training.methods.auto import ENOUGH_ALONE, ENOUGH_TO_TUNE, _mean_odds, fit
from training.methods.base import Task
from training.methods.finetuned import ENOUGH_TO_SPLIT
from training.methods.space import Space


def took(space: Space, count: int, adapted: Space | None = None) -> str:
    (fitted,) = fit([Task(planted(count))], quick(space, adapted=adapted))
    return str(fitted.chosen["took"])


@pytest.mark.parametrize("task", hard_tasks().values(), ids=hard_tasks())
def test_it_survives(space: Space, task: Task) -> None:
    assert_survives(fit, space, task)


@pytest.mark.parametrize(
    ("count", "taken"),
    [
        (ENOUGH_TO_TUNE - 1, "frozen head"),
        (ENOUGH_TO_TUNE, "semi-supervised encoder"),
        (ENOUGH_TO_SPLIT - 1, "semi-supervised encoder"),
        (ENOUGH_TO_SPLIT, "frozen head + semi-supervised encoder"),
        (ENOUGH_ALONE, "frozen head + tuned encoder"),
    ],
)
def test_what_it_takes_follows_the_amount_of_labels(space: Space, count: int, taken: str) -> None:
    assert took(space, count) == taken


def test_the_repository_with_the_fewest_labels_decides_for_all(space: Space) -> None:
    tasks = [Task(planted(count)) for count in (ENOUGH_TO_TUNE, ENOUGH_TO_SPLIT)]
    fits = fit(tasks, quick(space))
    assert {fitted.chosen["took"] for fitted in fits} == {"semi-supervised encoder"}
    assert all(f"{ENOUGH_TO_TUNE} labeled" in fitted.chosen["why"] for fitted in fits)


def test_what_is_enough_to_tune_on_is_counted_over_all_repositories(space: Space) -> None:
    tasks = [Task(planted(ENOUGH_TO_TUNE, seed=seed)) for seed in range(4)]
    assert sum(len(task.labeled) for task in tasks) == ENOUGH_ALONE
    assert {each.chosen["took"] for each in fit(tasks, quick(space))} == {"tuned encoder"}


def test_two_that_disagree_meet_between_their_odds() -> None:
    sure, unsure, impossible = np.array([0.9, 0.2]), np.array([0.1, 0.2]), np.array([0.0, 1.0])
    assert _mean_odds(sure, unsure) == pytest.approx([0.5, 0.2])
    assert ((_mean_odds(sure, impossible) > 0) & (_mean_odds(sure, impossible) < 1)).all()


def test_with_few_labels_the_adapted_encoder_is_taken_as_it_is(space: Space) -> None:
    assert took(space, ENOUGH_TO_TUNE - 1, adapted=space) == "adapted head"


def test_the_adapted_encoder_is_taken_unless_it_is_worse(space: Space) -> None:
    assert took(space, ENOUGH_ALONE, adapted=space) == "adapted head + tuned encoder"


@pytest.mark.parametrize("count", [20, ENOUGH_TO_TUNE - 1])
def test_it_learns_what_words_and_vectors_give_away(count: int, sentence_encoder: Path) -> None:
    task, unseen = words_task(count), planted(200, seed=9)
    (fitted,) = fit([task], quick(space_of(sentence_encoder, [task], unseen)))
    assert score(fitted, unseen) > chance(unseen) + 0.1
