"""Of a recipe the server knows whether repositories can share what it makes."""

from pathlib import Path

import pytest

from bot.recipes import named, tunes


@pytest.mark.parametrize(
    ("recipe", "shared"),
    [
        (None, False),
        ("instant", False),
        ("adapted", False),
        ("finetuned", True),
        ("semi-supervised", True),
        ("auto", True),
        ("unheard-of", False),
    ],
)
def test_recipes_that_tune_can_be_shared(recipe: str | None, shared: bool):
    assert tunes(recipe) == shared


@pytest.mark.parametrize(
    ("text", "shared"), [('tune = "choose"', True), ("adapt = true", False), ("tune", False)]
)
def test_a_file_of_ones_own_says_it_too(tmp_path: Path, text: str, shared: bool):
    (tmp_path / "r.toml").write_text(text)
    assert tunes(str(tmp_path / "r.toml")) == shared
    assert named(str(tmp_path / "r.toml")) == tmp_path / "r.toml"
