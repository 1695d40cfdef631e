"""The gate: what passes, what is kept out, and what is in force after all that may happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import gate
from bot.gate import Rivals, Verdict, decide, is_best
from bot.prune import Pruner
from bot.settings import Settings
from bot.store import Store
from models import bundle
from models.registry import Registry
from tests.models.builders import make_bundle

REPO = 1
FIRST, SECOND = "0001-aaaaaaaa", "0002-bbbbbbbb"
BOTH = Rivals(SECOND, FIRST)


def beside(difference: float, bound: float | None = None) -> dict[str, Any]:
    found = {"n": 200, "challenger": 0.7 + difference, "rival": 0.7, "labels": {}, "how": "so"}
    return {**found, "difference": difference, "bound": difference if bound is None else bound}


def report(champion: Any = None, best: Any = None) -> dict[str, Any]:
    return {"n": 200, "labels": {}, "champion": champion, "best": best}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db")
    opened.repositories.upsert(REPO, "octo/app")
    yield opened
    opened.close()


class Trainings:
    """Challengers whose figures a test gives, at the gate of a real store and registry."""

    def __init__(self, store: Store, home: Path) -> None:
        self.store, self.home = store, home
        self.registry = Registry(home / "models")
        self.count = 0

    def bundle(self, found: dict[str, Any]) -> Path:
        self.count += 1
        target = self.home / f"bundle-{self.count}"
        plain = make_bundle(repository=REPO)
        bundle.write(target, replace(plain, metrics={"micro_f1": 0.5, "gate": found}))
        return target

    def enter(self, found: dict[str, Any], *, anyway: bool = False) -> tuple[str, bool]:
        against = gate.rivals(self.store, self.registry, REPO)
        gated, published = gate.enter(
            self.store,
            self.registry,
            REPO,
            self.bundle(found),
            against,
            at=float(self.count),
            anyway=anyway,
        )
        assert self.store.gates.get(REPO, gated.version) == gated
        return gated.version, published

    @property
    def current(self) -> str | None:
        return self.registry.current(REPO)

    @property
    def best(self) -> str | None:
        return gate.best_so_far(self.store, self.registry, REPO)


@pytest.fixture
def trainings(store: Store, tmp_path: Path) -> Trainings:
    return Trainings(store, tmp_path)


def test_a_first_version_has_nothing_to_be_compared_with():
    verdict = decide(report(), Rivals())
    assert verdict == Verdict(True, "no version was in force: there was nothing to compare with")


@pytest.mark.parametrize(
    ("difference", "bound", "passed"),
    [
        (0.0, 0.0, True),
        (0.02, -0.0099, True),
        (0.02, -0.01, False),
        (-0.0001, -0.0001, False),
        (0.0, -0.009, True),
    ],
)
def test_it_must_not_be_worse_and_surely_not_by_much(difference: float, bound: float, passed: bool):
    verdict = decide(report(beside(difference, bound)), Rivals(FIRST, FIRST))
    assert verdict.passed == passed
    assert f"of {FIRST} on the newest 200 issues, {difference:+.4f}" in verdict.reason


def test_a_reason_names_the_bound_that_was_missed():
    reason = decide(report(beside(0.02, -0.03)), Rivals(FIRST)).reason
    assert reason.endswith("+0.0200, but it may be as low as -0.0300, and must be above -0.01")


@pytest.mark.parametrize(("lost", "passed"), [(-0.009, True), (-0.01, True), (-0.018, False)])
def test_the_best_so_far_may_be_missed_by_a_hundredth(lost: float, passed: bool):
    verdict = decide(report(beside(0.0), beside(lost)), BOTH)
    assert verdict.passed == passed
    assert passed or (FIRST in verdict.reason and "-0.0180" in verdict.reason)


@pytest.mark.parametrize(("in_doubt", "passed"), [("publish", True), ("keep", False)])
def test_a_champion_that_cannot_be_asked_is_kept_or_not_as_the_training_says(
    in_doubt: str, passed: bool
):
    verdict = decide(report({"why": "it is damaged", "in_doubt": in_doubt}), Rivals(FIRST))
    assert verdict == Verdict(passed, f"not comparable with {FIRST}: it is damaged")


def test_a_training_that_compared_nothing_is_refused():
    assert decide({}, Rivals(FIRST)) == Verdict(False, f"it was not compared with {FIRST}")


def test_a_best_so_far_that_cannot_be_asked_keeps_nothing_back():
    found = report(beside(0.0), {"why": "it is damaged", "in_doubt": "keep"})
    assert decide(found, BOTH).passed


@pytest.mark.parametrize(
    ("found", "against", "best"),
    [
        (report(), Rivals(), True),
        (report(beside(0.0)), Rivals(FIRST, FIRST), False),
        (report(beside(0.01)), Rivals(FIRST, FIRST), True),
        (report(beside(0.0)), Rivals(FIRST, None), True),
        (report(beside(0.01), beside(0.0)), BOTH, False),
        (report(beside(0.0), beside(0.01)), BOTH, True),
        (report(beside(0.5)), BOTH, False),
        (report(beside(0.0), {"why": "damaged", "in_doubt": "publish"}), BOTH, True),
        (report(beside(0.0), {"why": "tuned", "in_doubt": "keep"}), BOTH, False),
    ],
)
def test_what_is_better_than_the_best_so_far_is_the_best(
    found: dict[str, Any], against: Rivals, best: bool
):
    assert is_best(found, against) == best


def test_a_first_version_is_in_force_and_the_best(trainings: Trainings):
    first, published = trainings.enter(report())
    assert published and trainings.current == trainings.best == first


def test_an_equal_one_is_published_and_the_best_stays(trainings: Trainings):
    first, _ = trainings.enter(report())
    second, published = trainings.enter(report(beside(0.0)))
    assert published and (trainings.current, trainings.best) == (second, first)


def test_a_worse_one_is_kept_out_of_force_with_the_reason(trainings: Trainings):
    first, _ = trainings.enter(report())
    second, published = trainings.enter(report(beside(-0.1)))
    assert not published and (trainings.current, trainings.best) == (first, first)
    gated = trainings.store.gates.get(REPO, second)
    assert gated is not None and not gated.passed
    assert gated.reason.startswith(f"micro F1 0.600 against 0.700 of {first}")
    assert gated.report["champion"]["difference"] == -0.1


def test_an_operator_can_publish_what_was_refused(trainings: Trainings):
    trainings.enter(report())
    second, _ = trainings.enter(report(beside(-0.1)))
    trainings.registry.activate(REPO, second)
    assert trainings.current == second


def test_a_refused_one_is_published_where_that_was_asked_for(trainings: Trainings):
    first, _ = trainings.enter(report())
    second, published = trainings.enter(report(beside(-0.1)), anyway=True)
    assert published and (trainings.current, trainings.best) == (second, first)
    gated = trainings.store.gates.get(REPO, second)
    assert gated is not None and gated.reason.endswith(gate.ANYWAY)


def test_small_losses_do_not_add_up(trainings: Trainings):
    """Each version is 0.009 worse than the one before, which somebody publishes all the same."""
    first, _ = trainings.enter(report())
    trainings.enter(report(beside(-0.009)), anyway=True)
    third, published = trainings.enter(report(beside(0.0), beside(-0.009)))
    assert published
    _, published = trainings.enter(report(beside(0.0), beside(-0.018)))
    assert not published and (trainings.current, trainings.best) == (third, first)


def test_a_version_that_came_into_force_meanwhile_is_not_replaced(trainings: Trainings):
    first, _ = trainings.enter(report())
    against = gate.rivals(trainings.store, trainings.registry, REPO)
    second, _ = trainings.enter(report(beside(0.0)))
    late = trainings.bundle(report(beside(0.5)))
    gated, published = gate.enter(trainings.store, trainings.registry, REPO, late, against, at=9.0)
    assert not published and (trainings.current, trainings.best) == (second, first)
    assert gated.reason == f"{second} came into force during the training: train again"
    assert trainings.store.gates.get(REPO, gated.version) == gated


@pytest.mark.parametrize("step", ["store", "record", "advance"])
def test_killed_at_any_step_the_version_before_is_in_force(
    trainings: Trainings, monkeypatch: pytest.MonkeyPatch, step: str
):
    first, _ = trainings.enter(report())

    class Killed(BaseException):
        pass

    def killed(*args: object, **more: object) -> None:
        raise Killed

    owner: Any = trainings.store.gates if step == "record" else trainings.registry
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, killed)
        with pytest.raises(Killed):
            trainings.enter(report(beside(0.5)))
    assert trainings.current == first
    again, published = trainings.enter(report(beside(0.5)))
    assert published and trainings.current == again


def test_pruning_keeps_the_best_so_far(trainings: Trainings, store: Store, tmp_path: Path):
    first, _ = trainings.enter(report())
    names = [trainings.enter(report(beside(0.0)))[0] for _ in range(5)]
    settings = Settings(home=tmp_path, keep_models=2)
    pruner = Pruner(settings, store, trainings.registry, now=1e9)
    pruner.run()
    left = [each.name for each in trainings.registry.list(REPO)]
    assert left == [first, *names[-2:]]


def test_the_best_that_is_gone_is_followed_by_the_one_before(trainings: Trainings):
    first, _ = trainings.enter(report())
    second, _ = trainings.enter(report(beside(0.1)))
    assert trainings.best == second
    goes: Callable[[Path], bool] = lambda folder: folder.name == second  # noqa: E731
    trainings.registry.erase(REPO, goes)
    assert trainings.best == first
