"""Fine-tuning one encoder with a head for each repository, on tiny checkpoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.labels import Group
from models.text import prepare
from tests.training.planted import FILLER, WORDS, planted
from tests.training.tiny import tiny_encoder
from training.checkpoint import Checkpoint
from training.finetune import Lesson, Tagger, Tuning, finetune, group_loss, probe
from training.metrics import decide, micro_f1
from training.trainer import Diverged, Schedule

FAST = Tuning(
    Schedule(epochs=12, learning_rate=1e-2, layer_decay=1.0, head_rate=0.03, tokens=200),
    max_tokens=32,
    dropout=0.0,
)
ONCE = replace(FAST, schedule=replace(FAST.schedule, epochs=1))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    words = [*WORDS.values(), *FILLER, "report", "idea"]
    folder = tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny", words)
    return Checkpoint.find(str(folder))


def test_tuning_learns_what_the_frozen_encoder_cannot_tell_and_keeps_the_best_epoch(
    checkpoint: Checkpoint,
) -> None:
    lesson, unseen = Lesson.of(planted(80)), planted(60, seed=1)
    frozen = Tagger(checkpoint, [lesson], FAST)
    probe(frozen, [lesson])
    tuned, history = finetune(checkpoint, [lesson], FAST, validation=[Lesson.of(unseen)])
    before, after = (
        micro_f1(unseen.truth, model.predict(unseen.texts, lesson) >= 0.5)
        for model in (frozen, tuned)
    )
    assert before < 0.5
    assert after > 0.9
    scores = [entry["eval_micro_f1"] for entry in history.log if "eval_micro_f1" in entry]
    assert len(scores) == FAST.schedule.epochs
    assert history.best is not None
    assert history.best["micro_f1"] == max(scores) == pytest.approx(after)


def test_an_epoch_is_judged_by_the_decisions_that_are_judged_in_the_end(
    checkpoint: Checkpoint,
) -> None:
    examples = planted(40, seed=1, exclusive=True)
    lesson, unseen = Lesson.of(planted(20, exclusive=True)), Lesson.of(examples)
    weights = unseen.weights.copy()
    weights[::2] = 0.0
    known = weights > 0
    model, history = finetune(
        checkpoint, [lesson], ONCE, validation=[replace(unseen, weights=weights)]
    )
    p = model.predict(unseen.texts, lesson)
    decided = decide(p, 0.5, unseen.names, unseen.groups)
    assert (p.max(axis=1) < 0.5).any()
    expected = micro_f1(examples.truth & known, decided & known)
    assert history.best == {"micro_f1": pytest.approx(expected)}


def test_one_encoder_learns_two_repositories_that_call_the_same_words_otherwise(
    checkpoint: Checkpoint,
) -> None:
    first, second = planted(40), planted(40, names=tuple(WORDS)[::-1], exclusive=True)
    lessons = [Lesson.of(first), Lesson.of(second)]
    model, _ = finetune(checkpoint, lessons, FAST)
    for head, examples in enumerate((first, second)):
        p = model.predict(examples.texts, lessons[head], head)
        assert micro_f1(examples.truth, p >= 0.5) > 0.9
    assert model.predict(second.texts, lessons[1], 1).sum(axis=1) == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_weights(checkpoint: Checkpoint) -> None:
    dropping = replace(ONCE, dropout=0.1)
    lesson = Lesson.of(planted(16))
    first, again = (finetune(checkpoint, [lesson], dropping)[0] for _ in range(2))
    other, _ = finetune(
        checkpoint, [lesson], replace(dropping, schedule=replace(ONCE.schedule, seed=1))
    )
    weights = [model.heads[0].weight for model in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_rate_that_is_too_high_ends_with_what_to_do(checkpoint: Checkpoint) -> None:
    wild = replace(FAST, schedule=replace(FAST.schedule, learning_rate=1e38, head_rate=1e38))
    with pytest.raises(Diverged, match="lower the learning rate"):
        finetune(checkpoint, [Lesson.of(planted(20))], wild)


def test_without_a_text_the_encoder_stays_as_it_is(checkpoint: Checkpoint) -> None:
    nothing = Lesson.of(planted(4).take(np.array([], dtype=int)))
    model, history = finetune(checkpoint, [nothing], FAST)
    assert history.log == []
    fresh = checkpoint.encoder().state_dict()
    assert all(torch.equal(each, fresh[n]) for n, each in model.encoder.state_dict().items())


@pytest.mark.parametrize("truth", [np.zeros((8, 3), bool), np.ones((8, 3), bool)])
def test_labels_of_none_and_of_all_issues_are_learned_as_that(
    checkpoint: Checkpoint, truth: np.ndarray
) -> None:
    examples = planted(8, truth=truth)
    lesson = Lesson.of(examples)
    model, _ = finetune(checkpoint, [lesson], FAST)
    assert np.array_equal(model.predict(examples.texts, lesson) >= 0.5, truth)


def test_an_empty_text_has_probabilities_too(checkpoint: Checkpoint) -> None:
    examples = planted(8)
    empty = replace(Lesson.of(examples), texts=(prepare("", ""), *examples.texts[1:]))
    model, _ = finetune(checkpoint, [empty], ONCE)
    assert np.isfinite(model.predict([prepare("", "")], empty)).all()
    assert model.predict([], empty).shape == (0, 3)


def test_what_is_not_known_teaches_nothing(checkpoint: Checkpoint) -> None:
    lesson = Lesson.of(planted(16))
    unknown = lesson.weights.copy()
    unknown[:, 1] = 0.0
    hidden = replace(lesson, weights=unknown)
    flipped = lesson.targets.copy()
    flipped[:, 1] = 1.0 - flipped[:, 1]
    first, _ = finetune(checkpoint, [hidden], ONCE)
    again, _ = finetune(checkpoint, [replace(hidden, targets=flipped)], ONCE)
    assert torch.equal(first.heads[0].weight, again.heads[0].weight)


def test_an_addition_moves_the_model(checkpoint: Checkpoint) -> None:
    lesson = Lesson.of(planted(16))
    text = lesson.texts[:1]

    def undecided(model: Tagger) -> torch.Tensor:
        vectors = model(*model.batch(model.tokens(text)))
        return 100.0 * model.logits(vectors, 0).square().sum()

    plain, _ = finetune(checkpoint, [lesson], FAST)
    pulled, _ = finetune(checkpoint, [lesson], FAST, addition=undecided)
    distances = [np.abs(m.predict(text, lesson) - 0.5).max() for m in (plain, pulled)]
    assert distances[1] < 0.1 < distances[0]


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_focus_on_nothing_leaves_the_probe(checkpoint: Checkpoint, exclusive: bool) -> None:
    lesson = Lesson.of(planted(24, exclusive=exclusive))
    still = replace(ONCE, schedule=replace(ONCE.schedule, weight_decay=0.0))
    seen: set[int] = set()

    def nothing(known: torch.Tensor, classes: int) -> torch.Tensor:
        seen.add(classes)
        assert ((known >= 0) & (known <= 1)).all()
        return torch.zeros_like(known)

    model, _ = finetune(checkpoint, [lesson], still, focus=nothing)
    frozen = Tagger(checkpoint, [lesson], still)
    probe(frozen, [lesson])
    assert torch.equal(model.heads[0].weight, frozen.heads[0].weight)
    assert seen == {3 if exclusive else 2}


def test_none_of_an_incomplete_group_is_a_member_too() -> None:
    logits = torch.tensor([[4.0, 0.0], [-4.0, -4.0]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    weights = torch.ones(2, 2)
    assert group_loss(logits, targets, weights, False) < 0.2
    assert group_loss(-logits, targets, weights, False) > 4.0
    assert group_loss(logits[1:], targets[1:], weights[1:], True) == 0.0


def test_probabilities_of_a_group_that_is_not_complete_leave_room(checkpoint: Checkpoint) -> None:
    lesson = replace(Lesson.of(planted(16)), groups=(Group("kind", ("bug", "docs")),))
    model, _ = finetune(checkpoint, [lesson], ONCE)
    p = model.predict(lesson.texts, lesson)
    assert (p[:, :2].sum(axis=1) < 1.0).all()


def test_a_model_is_tuned_further_in_a_copy(checkpoint: Checkpoint) -> None:
    lesson = Lesson.of(planted(16))
    first, _ = finetune(checkpoint, [lesson], ONCE)
    before = first.heads[0].weight.detach().clone()
    still = replace(ONCE, schedule=replace(ONCE.schedule, learning_rate=0.0, head_rate=0.0))
    same, _ = finetune(first, [lesson], still)
    further, _ = finetune(first, [lesson], ONCE)
    assert torch.equal(same.heads[0].weight, before)
    assert not torch.equal(further.heads[0].weight, before)
    assert torch.equal(first.heads[0].weight, before)
