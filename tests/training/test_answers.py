"""Versions of the past, fitted for real on issues with a known signal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.text import prepare
from tests.training.past import InMemory, a_history, relabeled
from tests.training.planted import planted
from training import history
from training.answers import BLOCK, Limits, PastVersions
from training.data import Examples
from training.fit import Fit, fit
from training.history import History
from training.loop import Rules, play

COUNT, HEARD = 240, 160
NEW = range(HEARD, COUNT)


@pytest.fixture(scope="module")
def examples() -> Examples:
    return planted(COUNT)


@pytest.fixture(scope="module")
def version(examples: Examples) -> Fit:
    """The fit on what is known of the first HEARD issues."""
    return fit(history.of(examples).known(HEARD))


def versions(
    past: History, *, suggest_only: tuple[str, ...] = (), off: tuple[str, ...] = (), fitter=fit
) -> PastVersions:
    limits = Limits.by_name(past.everything.names, suggest_only, off)
    return PastVersions(past, limits, "any", InMemory(), fitter)


def test_a_version_applies_what_it_has_learned(examples: Examples, version: Fit) -> None:
    past = history.of(examples)
    found = versions(past, fitter=lambda known: version)
    applied = np.array([found(HEARD, row).apply for row in NEW])
    truth = examples.truth[list(NEW)]
    assert (applied & truth).sum() / applied.sum() > 0.9
    assert (applied & truth).sum() / truth.sum() > 0.5


def test_a_version_is_the_fit_on_what_was_known(examples: Examples, version: Fit) -> None:
    past = history.of(examples)
    part = examples.take(np.array(NEW))
    probabilities = version.head.probabilities(part.texts, part.vectors)
    apply_at = np.array([rule.apply_at or 2.0 for rule in version.labels.rules])
    found = versions(past)
    applied = np.array([found(HEARD, row).apply for row in NEW])
    alike = (applied == (probabilities >= apply_at)).all(axis=1)
    # Where they differ, the text was too far from all that was seen.
    assert alike.mean() > 0.5 and not applied[~alike].any()


def test_labels_of_the_future_change_no_answer_before() -> None:
    past, cut = planted(150), 120
    later = range(cut - 6, 150)
    one, two = (
        play(each, versions(each), Rules(12))
        for each in (history.of(past), history.of(relabeled(past, later)))
    )
    assert one.applied.any() and len(one.versions) > 3, one.versions
    assert (one.applied[:cut] == two.applied[:cut]).all()
    assert (one.shown[:cut] == two.shown[:cut]).all()
    assert (one.applied[cut:] != two.applied[cut:]).any()


def test_a_version_is_fitted_once_and_its_answers_are_kept(
    examples: Examples, version: Fit
) -> None:
    fits: list[int] = []

    def fitter(known: Examples) -> Fit:
        fits.append(len(known))
        return version

    found = versions(history.of(examples), fitter=fitter)
    first = [found(HEARD, row) for row in NEW]
    found(HEARD - 1, HEARD)
    assert fits[0] == history.of(examples).labeled[:HEARD].sum() and len(fits) == 2
    again = [found(HEARD, row) for row in list(NEW)[:BLOCK]]
    assert len(fits) == 2 and again == first[:BLOCK]


def test_without_a_version_labels_are_suggested_from_their_words() -> None:
    past = a_history(np.eye(3, dtype=bool)[[0, 1, 2, 0]])
    found = versions(past)
    for row, truth in enumerate(past.everything.truth):
        answer = found(0, row)
        assert not answer.apply.any()
        assert answer.suggest[truth].all() and answer.suggest.sum() <= 2


def test_limits_hold(examples: Examples, version: Fit) -> None:
    past = history.of(examples)
    free = versions(past, fitter=lambda known: version)
    held = versions(past, suggest_only=("bug",), off=("ui",), fitter=lambda known: version)
    for row in NEW:
        before, after = free(HEARD, row), held(HEARD, row)
        assert after.apply.tolist() == [False, before.apply[1], False]
        assert after.suggest.tolist() == [before.suggest[0], before.suggest[1], False]
        assert not held(0, row).suggest[2]


def test_of_a_group_only_as_many_are_applied_as_it_may_have(
    examples: Examples, version: Fit
) -> None:
    group = {"name": "kind", "members": ["bug", "docs"], "max": 1}
    past = history.of(examples)
    free = versions(past, fitter=lambda known: version)
    bound = versions(replace(past, groups=(group,)), fitter=lambda known: version)
    both = [row for row in NEW if free(HEARD, row).apply[:2].all()]
    assert both
    for row in both:
        assert bound(HEARD, row).apply[:2].sum() == 1
        assert bound(HEARD, row).suggest[:2].all()


def test_nothing_is_applied_to_a_text_that_asks_for_caution(
    examples: Examples, version: Fit
) -> None:
    # No text at all, and a vector like none that was seen.
    texts, vectors = list(examples.texts), examples.vectors.copy()
    texts[HEARD] = prepare("", "")
    vectors[HEARD + 1] = -vectors[:HEARD].mean(axis=0)
    strange = history.of(replace(examples, texts=tuple(texts), vectors=vectors))
    rules = [replace(rule, apply_at=0.0) for rule in version.labels]
    eager = replace(version, labels=version.labels.with_rules(rules))
    found = versions(strange, fitter=lambda known: eager)
    assert not found(HEARD, HEARD).apply.any() and not found(HEARD, HEARD + 1).apply.any()
    others = [found(HEARD, row).apply.all() for row in range(HEARD + 2, COUNT)]
    assert sum(others) > 0.5 * len(others)
