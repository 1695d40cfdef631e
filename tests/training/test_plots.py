"""The learning curves: every method is named, no name covers another, the same file every time."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.training.lines import comparison, lacking, line
from training import plots
from training.methods.table import ROWS

SIZES = (8, 16, "all")


def curves() -> list[plots.Line]:
    rng = np.random.default_rng(0)
    places = [(size, seed) for size in SIZES for seed in (0, 1)]
    return [line(row.key, {at: float(rng.uniform(0.3, 0.8)) for at in places}) for row in ROWS]  # type: ignore[misc]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return plots.learning_curves(comparison(*curves()), tmp_path_factory.mktemp("plots"))


def test_both_files_are_whole(drawn: list[Path]) -> None:
    svg, png = drawn
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    assert png.read_bytes().startswith(b"\x89PNG") and png.read_bytes().endswith(b"IEND\xaeB`\x82")


def test_every_method_is_named_in_both_panels_and_every_slice_has_a_tick(
    drawn: list[Path],
) -> None:
    # Letters are drawn as shapes; each text stands before its shapes as a comment.
    text = drawn[0].read_text()
    for row in ROWS:
        assert text.count(f"  {row.title} -->") == 2, row.title
    assert all(text.count(f"<!-- {size} -->") == 2 for size in ("8", "16", "all 100"))


def test_the_same_results_give_the_same_file(drawn: list[Path], tmp_path: Path) -> None:
    again = plots.learning_curves(comparison(*curves()), tmp_path)
    assert again[0].read_bytes() == drawn[0].read_bytes()


def test_slices_that_almost_touch_share_a_tick(tmp_path: Path) -> None:
    close = line("frozen", {(8, 0): 0.4, (90, 0): 0.6, ("all", 0): 0.7})
    svg, _ = plots.learning_curves(comparison(close, lacking("zero-shot-nli")), tmp_path)
    assert "<!-- 90, all 100 -->" in svg.read_text()
    assert "Zero-shot, inference" not in svg.read_text()


@pytest.mark.parametrize("seed", range(5))
def test_names_are_moved_apart_in_their_order_and_no_further_than_needed(seed: int) -> None:
    wanted = sorted(np.random.default_rng(seed).random(18).tolist())
    moved = plots.apart(wanted, 0.04)
    assert all(after - before > 0.04 - 1e-9 for before, after in pairwise(moved))
    assert sum(moved) == pytest.approx(sum(wanted))


def test_names_with_room_stay_where_they_are() -> None:
    assert plots.apart([0.1, 0.5, 0.9], 0.04) == pytest.approx([0.1, 0.5, 0.9])


def test_names_stay_under_the_top_of_the_panel() -> None:
    assert plots.apart([0.1, 0.97, 0.98], 0.04, highest=1.0) == pytest.approx([0.1, 0.955, 0.995])
    assert plots.apart([0.99, 0.99, 1.1], 0.04, highest=1.0) == pytest.approx([0.92, 0.96, 1.0])


def test_every_method_of_the_table_has_a_colour() -> None:
    assert {row.method for row in ROWS} == set(plots.COLOURS)
