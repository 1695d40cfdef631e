from pathlib import Path

import pytest

from tests.source import ROOT
from training.recipe import Recipe, RecipeRefused


def read(tmp_path: Path, text: str) -> Recipe:
    (tmp_path / "mine.toml").write_text(text)
    return Recipe.read(tmp_path / "mine.toml")


NAMES = sorted(path.stem for path in (ROOT / "recipes").glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_our_own_recipes_are_found_by_their_names(name: str):
    assert Recipe.find(name).name == name


def test_the_instant_recipe_is_the_default():
    assert Recipe.find("instant") == Recipe()


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(RecipeRefused, match=r"no recipe is called 'slow'; known: .*instant"):
        Recipe.find("slow")


def test_a_recipe_is_found_by_its_file(tmp_path: Path):
    (tmp_path / "mine.toml").write_text("seed = 7")
    assert Recipe.find(str(tmp_path / "mine.toml")) == Recipe(name="mine", seed=7)


def test_a_folder_of_the_same_name_is_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "instant").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Recipe.find("instant").name == "instant"


def test_empty_recipe_is_the_default_under_its_files_name(tmp_path: Path):
    assert read(tmp_path, "") == Recipe(name="mine")


def test_recipe_is_read(tmp_path: Path):
    recipe = read(tmp_path, 'name = "fast"\nholdout = 0.3\nhalf_life = 90\nseed = 7')
    assert recipe == Recipe("fast", 0.3, 90.0, 7)
    chosen = {"name": "fast", "holdout": 0.3, "half_life": 90.0, "seed": 7}
    assert recipe.to_json() == {**Recipe().to_json(), **chosen}


def test_recipe_says_how_to_tune(tmp_path: Path):
    recipe = read(tmp_path, 'adapt = true\ntune = "choose"\nepochs = 4\nlearning_rate = 5e-5')
    assert (recipe.adapt, recipe.tune) == (True, "choose")
    assert (recipe.epochs, recipe.learning_rate) == (4, 5e-5)


def test_tuning_goes_by_the_number_of_labels_unless_the_recipe_says_otherwise(tmp_path: Path):
    recipe = read(tmp_path, 'tune = "supervised"')
    assert (recipe.epochs, recipe.learning_rate) == (None, None)


def test_adaptations_own_recipe_lies_beside_this_one(tmp_path: Path):
    recipe = read(tmp_path, 'adapt = true\nadaptation = "more/phases.toml"')
    assert recipe.adaptation == str(tmp_path / "more" / "phases.toml")


@pytest.mark.parametrize("text", ["epochs = 3", "learning_rate = 1e-4", 'adaptation = "a.toml"'])
def test_a_key_that_nothing_would_read_is_refused(tmp_path: Path, text: str):
    with pytest.raises(RecipeRefused, match=text.split()[0]):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "half_life"), [('"none"', None), ('"choose"', "choose"), ("45.5", 45.5)]
)
def test_half_life_has_words_for_never_and_for_choosing(
    tmp_path: Path, text: str, half_life: object
):
    assert read(tmp_path, f"half_life = {text}").half_life == half_life


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("holdout = 0.9", "holdout"),
        ("holdout = 0", "holdout"),
        ('holdout = "a fifth"', "holdout"),
        ("holdout = true", "holdout"),
        ("holdout = nan", "holdout"),
        ('half_life = "long"', "half_life"),
        ("half_life = -3", "half_life"),
        ("half_life = 0", "half_life"),
        ("half_life = nan", "half_life"),
        ("half_life = true", "half_life"),
        ("half_life = [90]", "half_life"),
        ('seed = "x"', "seed"),
        ("seed = -1", "seed"),
        ("seed = 1.5", "seed"),
        ("name = 3", "name"),
        ("depth = 3", "depth"),
        ("adapt = 1", "adapt"),
        ('tune = "hard"', "tune"),
        ('tune = "supervised"\nepochs = 0', "epochs must be"),
        ('tune = "supervised"\nlearning_rate = 1.0', "learning_rate must be"),
        ("adapt = true\nadaptation = 1", "adaptation must be"),
        ("[head]\nc = 3", "head"),
    ],
)
def test_refusal_names_the_key(tmp_path: Path, text: str, key: str):
    with pytest.raises(RecipeRefused, match=key):
        read(tmp_path, text)


def test_what_is_not_toml_is_refused(tmp_path: Path):
    with pytest.raises(RecipeRefused, match="cannot be read"):
        read(tmp_path, "holdout: 0.2")


def test_absent_file_is_refused(tmp_path: Path):
    with pytest.raises(RecipeRefused, match=r"none\.toml cannot be read"):
        Recipe.read(tmp_path / "none.toml")
