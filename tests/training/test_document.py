"""A comparison as Markdown between the markers of a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.lines import comparison, lacking, line
from training import document
from training.document import BEGIN, END, PageRefused

MADE = comparison(
    line("naive-bayes", {(8, 0): 0.3, (8, 1): 0.4, ("all", 0): 0.7}),
    line("frozen", {(8, 0): 0.5, (8, 1): 0.5}),
    line("frozen-adapted", {(8, 0): 0.52, (8, 1): 0.51}),
    line("auto", {(8, 0): 0.5, (8, 1): 0.5}),
    lacking("zero-shot-nli"),
)


def test_the_tables_show_mean_and_spread_and_mark_the_best() -> None:
    made = document.markdown([MADE])
    assert "| Micro F1 | 8 | all |" in made
    assert "| Naive Bayes | 0.350 ± 0.071 | **0.700** |" in made
    assert "| Frozen encoder + head, adapted | **0.515** ± 0.007 |  |" in made
    assert "| Zero-shot, inference | needs a checkpoint |  |" in made
    assert "| Macro F1 | 8 | all |" in made


def test_the_page_says_what_the_figures_are_of() -> None:
    made = document.markdown([MADE])
    assert "20 issues to judge on, 80 to learn from; 2 labels; macro F1 over bug." in made
    assert "1 of train, 2 of unlabeled" in made
    assert "### tidepool: the newest fifth as the test set" in made
    several = comparison(*MADE.lines, repositories=5)
    assert "in 5 repositories (F1 is their mean)" in document.markdown([several])


def test_the_page_has_the_differences_with_their_interval() -> None:
    made = document.markdown([MADE])
    row = "| Frozen encoder + head, adapted − Frozen encoder + head | +0.0150 |"
    assert f"{row} -0.0485 to +0.0785 (t over pairs) | 2 | 2 |" in made
    assert any("2 pairs of 2 seeds, t over pairs" in text for text in document.summary(MADE))
    assert "| 8 | Frozen encoder + head, adapted | -0.015 | +0.150 |" in made


def test_a_page_is_filled_between_its_markers_again_and_again(tmp_path: Path) -> None:
    for kind in ("svg", "png"):
        (tmp_path / f"tidepool-time.{kind}").write_text(kind)
    page = tmp_path / "docs" / "training.md"
    page.parent.mkdir()
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    document.fill(page, [MADE], tmp_path)
    once = page.read_text()
    document.fill(page, [MADE], tmp_path)
    assert page.read_text() == once
    assert once.startswith("before\n") and once.endswith(f"{END}\nafter\n") and "old" not in once
    assert "](img/compare-tidepool-time.svg)" in once
    assert (page.parent / "img" / "compare-tidepool-time.png").read_text() == "png"


@pytest.mark.parametrize("text", ["nothing", f"{END} {BEGIN}", BEGIN])
def test_a_page_without_markers_is_refused_and_left_as_it_is(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(PageRefused, match=r"page\.md"):
        document.fill(page, [MADE], tmp_path)
    assert page.read_text() == text
