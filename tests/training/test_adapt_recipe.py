from dataclasses import replace
from pathlib import Path

import pytest

from training.adapt_recipe import AdaptRecipe
from training.recipe import Recipe, RecipeRefused


def read(folder: Path, text: str) -> AdaptRecipe:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return AdaptRecipe.read(path)


def test_what_is_left_out_has_its_default(tmp_path: Path):
    recipe = read(tmp_path, "max_tokens = 64")
    assert (recipe.name, recipe.max_tokens) == ("mine", 64)
    assert recipe.phases == AdaptRecipe().phases


def test_default_trains_the_head_alone_first():
    assert [phase.trains for phase in AdaptRecipe().phases] == ["head", "encoder"]


def test_phases_are_read_in_their_order(tmp_path: Path):
    text = '[[phase]]\nname="a"\nmasked=0\ncontrastive=1\n[[phase]]\nname="b"\nepochs=3'
    first, second = read(tmp_path, text).phases
    assert (first.weights, second.weights) == ({"contrastive": 1.0}, {"masked": 1.0})
    assert (first.name, second.epochs) == ("a", 3)


def test_recipe_of_a_card_is_the_recipe():
    recipe = AdaptRecipe(shares=(0.5,), seed=3)
    assert AdaptRecipe.from_json(recipe.to_json()) == recipe


def test_patience_that_never_ends_is_none_for_the_training_loop(tmp_path: Path):
    (phase,) = read(tmp_path, "[[phase]]\npatience=-1\ntokens=99").phases
    schedule = phase.schedule(seed=7, save_steps=5)
    assert (schedule.patience, schedule.tokens) == (None, 99)
    assert (schedule.seed, schedule.save_steps) == (7, 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unknown = 1", "unknown key 'unknown'"),
        ("held_out = 0.9", "held_out must be 0 to 0.5"),
        ("max_tokens = 18", "overlap must be under max_tokens - 2, not 16"),
        ("max_tokens = 1.5", "max_tokens must be of the kind int"),
        ("whole_words = 1", "whole_words must be of the kind bool"),
        ("shares = [2]", "shares must be numbers from 0 to 1"),
        ("phase = 3", "phases are written"),
        ("[[phase]]\ntrains = 'tail'", "trains must be"),
        ("[[phase]]\ntokens = 0", "tokens must be 16 to"),
        ("[[phase]]\nname = '../up'", "name must be letters"),
        ("[[phase]]\nmasked = 0", "has no objective"),
        ("[[phase]]\ntrains = 'head'\nanchor = 1", "it can only be masked"),
        ("[[phase]]\nname='a'\n[[phase]]\nname='a'", "the same name"),
        ("= 3", "cannot be read"),
    ],
)
def test_what_is_no_recipe_is_refused_by_name(tmp_path: Path, text: str, words: str):
    with pytest.raises(RecipeRefused, match=words) as refused:
        read(tmp_path, text)
    assert "mine.toml" in str(refused.value)


def test_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(RecipeRefused, match="cannot be read"):
        AdaptRecipe.read(tmp_path / "nowhere.toml")


def test_within_a_training_its_holdout_counts(tmp_path: Path):
    (tmp_path / "own.toml").write_text("holdout = 0.5\nseed = 3\nmax_tokens = 64")
    training = Recipe(holdout=0.3, seed=7, adapt=True)
    assert AdaptRecipe.within(training) == AdaptRecipe(holdout=0.3, seed=7)
    own = AdaptRecipe.within(replace(training, adaptation=str(tmp_path / "own.toml")))
    assert own == AdaptRecipe(name="own", holdout=0.3, seed=3, max_tokens=64)
