"""Refused versions on trial: which one is, when it comes into force, and how a trial ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import gate
from bot.prune import Pruner
from bot.settings import Settings
from bot.store.rows import Actor
from bot.trial_words import progress
from tests.bot.trial_world import DAY, REPO, Trials


@pytest.fixture
def trials(tmp_path: Path) -> Iterator[Trials]:
    made = Trials(tmp_path)
    yield made
    made.store.close()


def undecided(trials: Trials, n: int = 100) -> None:
    """Ours is better on a quarter, theirs on nearly another: no worse, but not surely."""
    trials.issues(n // 4, theirs=False)
    trials.issues(n // 4 - 1, ours=False)
    trials.issues(n - 2 * (n // 4) + 1)


# Who is on trial


def test_what_the_gate_refuses_is_on_trial_beside_the_one_in_force(trials: Trials):
    assert trials.store.trials.get(REPO, trials.champion) is None
    trial = trials.store.trials.running(REPO)
    assert trial is not None
    assert (trial.version, trial.champion) == (trials.version, trials.champion)
    assert progress(trial) == "0 of 100 issues"


def test_one_that_was_published_all_the_same_is_not_on_trial(trials: Trials):
    forced = trials.enter(anyway=True)
    assert trials.store.trials.get(REPO, forced) is None
    assert f"the trial of {trials.version} ended: {forced} came into force" in trials.look()
    assert trials.trial.state == "ended"


def test_none_is_on_trial_twice(trials: Trials):
    trials.store.trials.end(trials.trial, "ended", "for the test", 1.0)
    trials.look()
    assert trials.store.trials.running(REPO) is None


def test_one_that_was_refused_long_ago_is_not_on_trial(trials: Trials):
    newer = trials.enter()
    trials.look(days=91)
    assert (trials.trial.state, trials.store.trials.get(REPO, newer)) == ("ended", None)


def test_a_newer_one_waits_until_the_trial_under_way_is_over(trials: Trials):
    newer = trials.enter()
    assert trials.store.trials.get(REPO, newer) is None
    trials.issues(100, ours=False)
    trials.look()
    running = trials.store.trials.running(REPO)
    assert running is not None and running.version == newer


def test_one_that_had_its_hundred_issues_makes_room_for_a_newer_one(trials: Trials):
    undecided(trials)
    assert "trial" not in trials.look()
    newer = trials.enter()
    assert trials.trial.state == "running"
    assert f"ended: {newer} was waiting; micro F1" in trials.look(days=0)
    running = trials.store.trials.running(REPO)
    assert running is not None and running.version == newer


def test_one_whose_champion_was_replaced_makes_room_at_the_gate(trials: Trials):
    trials.enter(anyway=True)
    newer = trials.enter()
    running = trials.store.trials.running(REPO)
    assert running is not None and running.version == newer
    assert trials.trial.reason.endswith("came into force")


# Into force


def test_no_worse_on_a_hundred_issues_is_published(trials: Trials):
    trials.issues(80)
    trials.issues(20, theirs=False)
    said = trials.look()
    assert f"; published {trials.version} from its trial: on trial: micro F1 1.000" in said
    assert trials.current == trials.version
    assert (trials.trial.state, trials.trial.judged) == ("published", 100)
    told = trials.log.getvalue()
    assert told.count("a version was published from its trial") == 1
    assert trials.champion in told
    assert trials.look(days=0) == "100 corrections, 0 labels held back"


def test_it_is_recorded_with_both_tables_and_becomes_the_best(trials: Trials):
    trials.issues(80)
    trials.issues(20, theirs=False)
    trials.look()
    gated = trials.store.gates.get(REPO, trials.version)
    assert gated is not None and gated.passed and gated.champion == trials.champion
    shadow = gated.report["shadow"]
    assert (shadow["labels"]["bug"]["recall"], shadow["challenger_labels"]["bug"]["recall"]) == (
        0.8,
        1.0,
    )
    assert gated.report["champion"]["difference"] == -0.1  # what it was refused for stays
    assert gate.best_so_far(trials.store, trials.registry, REPO) == trials.version


def test_an_equal_one_is_published_and_the_best_stays(trials: Trials):
    trials.issues(100)
    trials.look()
    assert trials.current == trials.version
    assert gate.best_so_far(trials.store, trials.registry, REPO) == trials.champion


def test_ninety_nine_issues_are_not_enough(trials: Trials):
    trials.issues(99, theirs=False)
    assert "trial" not in trials.look()
    assert (trials.current, progress(trials.trial)) == (trials.champion, "99 of 100 issues")
    trials.issue(ours=True, theirs=False)
    trials.look()
    assert trials.current == trials.version


def test_people_have_a_week_to_speak(trials: Trials):
    trials.issues(100, theirs=False)
    trials.look(days=6)
    assert (trials.current, trials.trial.judged) == (trials.champion, 0)
    trials.look(days=1)
    assert trials.current == trials.version


def test_what_a_capped_account_says_publishes_nothing(trials: Trials):
    trials.issues(120, theirs=False, actor=66)
    trials.look()
    assert (trials.current, trials.trial.judged) == (trials.champion, 0)


def test_it_must_surely_not_lose_a_hundredth(trials: Trials):
    undecided(trials)
    trials.look()
    report = trials.trial.report
    assert report["difference"] > 0 and report["bound"] < -0.01
    assert (trials.current, trials.trial.state) == (trials.champion, "running")
    assert progress(trials.trial).endswith(" on 100 issues")


def test_it_is_compared_again_once_a_quarter_more_are_judged(trials: Trials):
    undecided(trials)
    trials.look()
    trials.issues(24)
    trials.look()
    assert (trials.trial.judged, trials.trial.report["n"]) == (124, 100)
    trials.issues(1)
    trials.look()
    assert trials.trial.report["n"] == 125


def test_figures_go_where_people_are_not_heard_any_more(trials: Trials):
    undecided(trials)
    trials.look()
    trials.store.actors.set_stance(Actor(REPO, 1, "ada-1"), "excluded")
    trials.look()
    assert trials.trial.judged < 100 and trials.trial.report == {}


# The end


def test_one_that_is_surely_worse_ends(trials: Trials):
    trials.issues(50)
    trials.issues(50, ours=False)
    assert f"; the trial of {trials.version} ended: it is surely worse: micro F1" in trials.look()
    assert (trials.current, trials.trial.state) == (trials.champion, "ended")
    assert trials.store.trials.running(REPO) is None


@pytest.mark.parametrize(("days", "state"), [(89.9, "running"), (90.1, "ended")])
def test_ninety_days_are_the_most(trials: Trials, days: float, state: str):
    trials.issues(3)
    trials.look(days=days)
    assert trials.trial.state == state
    if state == "ended":
        assert trials.trial.reason == "90 days did not decide it: 3 of 100 issues were judged"


def test_a_person_may_put_it_in_force(trials: Trials):
    trials.registry.activate(REPO, trials.version)
    trials.look()
    assert (trials.trial.state, trials.trial.reason) == ("ended", "it was put in force by hand")


def test_one_that_was_removed_ends(trials: Trials):
    trials.registry.erase(REPO, lambda folder: folder.name == trials.version)
    trials.look()
    assert (trials.trial.state, trials.trial.reason) == ("ended", "its files are gone")


def test_one_that_is_damaged_ends_and_the_champion_stays(trials: Trials):
    trials.issues(100)
    (trials.registry.path(REPO, trials.version) / "labels.json").write_text("{}")
    assert "ended: " in trials.look()
    gated = trials.store.gates.get(REPO, trials.version)
    assert gated is not None and not gated.passed and "labels.json" in gated.reason
    assert (trials.current, trials.trial.state) == (trials.champion, "ended")


def test_a_version_that_comes_into_force_at_the_same_time_is_not_replaced(
    trials: Trials, monkeypatch: pytest.MonkeyPatch
):
    trials.issues(100)
    forced: list[str] = []
    advance = trials.registry.advance

    def overtaken(*given: Any, **more: Any) -> bool:
        forced.append(trials.enter(anyway=True))
        return advance(*given, **more)

    monkeypatch.setattr(trials.registry, "advance", overtaken)
    assert f"ended: {forced[0] if forced else ''}" in trials.look()
    gated = trials.store.gates.get(REPO, trials.version)
    assert gated is not None and not gated.passed and not gated.is_best
    assert (trials.current, trials.trial.reason) == (forced[0], f"{forced[0]} came into force")


@pytest.mark.parametrize("step", ["note", "record", "advance", "end"])
def test_killed_at_any_step_the_next_look_goes_on(
    trials: Trials, monkeypatch: pytest.MonkeyPatch, step: str
):
    trials.issues(80)
    trials.issues(20, theirs=False)

    class Killed(BaseException):
        pass

    def killed(*args: object, **more: object) -> None:
        raise Killed

    owner: Any = {"record": trials.store.gates, "advance": trials.registry}.get(
        step, trials.store.trials
    )
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, killed)
        with pytest.raises(Killed):
            trials.look()
    assert trials.current == (trials.version if step == "end" else trials.champion)
    trials.look(days=0)
    assert (trials.current, trials.trial.state) == (trials.version, "published")
    gated = trials.store.gates.get(REPO, trials.version)
    assert gated is not None and gated.passed and gated.is_best
    assert trials.log.getvalue().count("a version was published from its trial") == 1


def test_killed_before_it_was_in_force_it_is_not_called_passed_once_another_one_is(
    trials: Trials, monkeypatch: pytest.MonkeyPatch
):
    trials.issues(100)
    with monkeypatch.context() as patch:
        patch.setattr(trials.registry, "advance", lambda *args, **more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            trials.look()
    forced = trials.enter(anyway=True)
    trials.look(days=0)
    gated = trials.store.gates.get(REPO, trials.version)
    assert gated is not None and (gated.passed, gated.is_best) == (False, False)
    assert (trials.current, gated.reason) == (forced, f"{forced} came into force")


# Pruning


def test_pruning_keeps_the_version_on_trial_and_what_it_said(trials: Trials, tmp_path: Path):
    trials.issues(3)
    newer = [trials.enter() for _ in range(4)]
    settings = Settings(home=tmp_path, keep_models=2, keep_reasons_days=30)

    def prune() -> list[str]:
        Pruner(settings, trials.store, trials.registry, now=trials.clock()).run()
        return [each.name for each in trials.registry.list(REPO)]

    assert prune() == [trials.champion, trials.version, *newer[-2:]]
    trials.store.trials.end(trials.trial, "ended", "for the test", trials.clock())
    assert prune() == [trials.champion, *newer[-2:]]
    assert trials.store.trials.scored(REPO, trials.version) == 3
    trials.clock.seconds += 31 * DAY
    prune()
    assert trials.store.trials.scored(REPO, trials.version) == 0
