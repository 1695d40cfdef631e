"""Means, spreads and paired differences of a comparison."""

from __future__ import annotations

import pytest

from tests.training.lines import comparison, lacking, line
from training import results


def test_a_point_has_the_mean_and_the_spread_over_its_seeds() -> None:
    made = line("frozen", {(8, 0): 0.5, (8, 1): 0.7, ("all", 0): 0.9})
    points = made.points()
    assert list(points) == [8, "all"]
    assert points[8].micro_f1.mean == pytest.approx(0.6)
    assert points[8].micro_f1.sd == pytest.approx(0.1414, abs=1e-4)
    assert points["all"].micro_f1.sd == 0.0


def test_the_interval_of_a_mean_is_students() -> None:
    # 0 ± t(0.975, 2) * 1 / sqrt(3), with t = 4.3027
    low, high = results.interval([-1.0, 0.0, 1.0])
    assert (low, high) == (pytest.approx(-2.4842, abs=1e-3), pytest.approx(2.4842, abs=1e-3))
    assert results.interval([1.0]) == (None, None)


def test_differences_are_paired_over_slices_and_seeds() -> None:
    vanilla = {(8, 0): 0.50, (8, 1): 0.60, (16, 0): 0.70, (16, 1): 0.75}
    adapted = {(8, 0): 0.52, (8, 1): 0.62, (16, 0): 0.72, (32, 0): 0.99}
    (found,) = comparison(line("frozen", vanilla), line("frozen-adapted", adapted)).differences()
    assert found.mean == pytest.approx(0.02)
    assert (found.low, found.high) == (pytest.approx(0.02), pytest.approx(0.02))
    assert (found.pairs, found.seeds, found.over) == (3, 2, "pairs")


def test_nested_slices_of_a_seed_are_one_value_where_there_are_three_seeds() -> None:
    gains = {0: -0.01, 1: 0.0, 2: 0.01}
    vanilla = {(size, seed): 0.5 for size in (8, 16, 32) for seed in gains}
    adapted = {(size, seed): 0.6 + gains[seed] for size, seed in vanilla}
    (found,) = comparison(line("frozen", vanilla), line("frozen-adapted", adapted)).differences()
    assert (found.pairs, found.seeds, found.over) == (9, 3, "seeds")
    assert found.mean == pytest.approx(0.1)
    # t(0.975, 2) = 4.3027 and a standard error of 0.01 / sqrt(3), however many slices there are
    assert (found.low, found.high) == (
        pytest.approx(0.0752, abs=1e-4),
        pytest.approx(0.1248, abs=1e-4),
    )


def test_seeds_that_learned_from_the_same_issues_are_not_told_apart() -> None:
    vanilla = {("all", seed): 0.5 for seed in range(4)}
    adapted = {("all", seed): 0.6 + 0.01 * seed for seed in range(4)}
    (found,) = comparison(line("frozen", vanilla), line("frozen-adapted", adapted)).differences()
    assert (found.pairs, found.seeds, found.low) == (1, 4, None)
    mixed = {(8, seed): 0.5 for seed in range(3)}
    both = comparison(line("frozen", vanilla | mixed), line("frozen-adapted", adapted | mixed))
    (found,) = both.differences()
    assert (found.pairs, found.seeds, found.over) == (4, 4, "seeds")
    assert found.low == found.high == found.mean == pytest.approx(0.615 / 2 - 0.25)


def test_the_same_issues_for_every_seed_are_one_pair() -> None:
    vanilla = {(8, 0): 0.5, ("all", 0): 0.6, ("all", 1): 0.6}
    adapted = {(8, 0): 0.5, ("all", 0): 0.7, ("all", 1): 0.9}
    (found,) = comparison(line("frozen", vanilla), line("frozen-adapted", adapted)).differences()
    assert found.pairs == 2
    assert found.mean == pytest.approx(0.1)


def test_without_a_common_cell_there_is_no_difference() -> None:
    one = line("frozen", {(8, 0): 0.5})
    assert comparison(one, line("frozen-adapted", {(16, 0): 0.5})).differences() == []
    assert comparison(one).differences() == []


def test_auto_stands_beside_the_best_row_of_each_slice_and_the_baseline() -> None:
    made = comparison(
        line("naive-bayes", {(8, 0): 0.3, (16, 0): 0.65}),
        line("frozen", {(8, 0): 0.5, (16, 0): 0.6}),
        line("auto", {(8, 0): 0.49, (16, 0): 0.7}),
        lacking("zero-shot-nli"),
    )
    first, second = made.choice()
    assert (first["best"], second["best"]) == ("Frozen encoder + head", "Naive Bayes")
    assert first["minus_best"] == pytest.approx(-0.01)
    assert first["minus_baseline"] == pytest.approx(0.19)
    assert second["minus_best"] == pytest.approx(0.05)


def test_auto_is_compared_over_the_seeds_that_both_have() -> None:
    base = line("naive-bayes", {(8, 0): 0.3, (8, 1): 0.9})
    (found,) = comparison(base, line("auto", {(8, 0): 0.5})).choice()
    assert found["minus_baseline"] == pytest.approx(0.2)
    assert found["seeds"] == 1


def test_a_row_that_could_not_run_says_why() -> None:
    (row,) = comparison(lacking("zero-shot-nli")).to_json()["rows"]
    assert row["why"] == "needs a checkpoint: one for inference"
    assert row["slices"] == {}
