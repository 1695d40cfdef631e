"""What a training reads here travels under a name that stands for it."""

from __future__ import annotations

from pathlib import Path

from bot.launchers.packing import packed, run_of

PYTHON = ["python", "-P", "-m", "training.adapt"]


def test_files_and_folders_that_exist_travel_and_the_rest_stays_as_it_is(tmp_path: Path):
    snapshot, recipe, out = tmp_path / "snapshot", tmp_path / "r.toml", tmp_path / "encoder"
    snapshot.mkdir()
    recipe.touch()
    line = ["--snapshot", str(snapshot), "--recipe", str(recipe), "--out", str(out), "--resume"]
    what = packed([*PYTHON, *line, "--encoder", "all-MiniLM-L6-v2"], out)
    assert what.module == "training.adapt"
    assert what.inputs == {"0/snapshot": snapshot, "1/r.toml": recipe}
    assert what.arguments == (
        *("--snapshot", {"input": "0/snapshot"}, "--recipe", {"input": "1/r.toml"}),
        *("--out", {"out": "encoder"}, "--resume", "--encoder", "all-MiniLM-L6-v2"),
    )


def test_two_folders_of_one_name_are_two_and_one_given_twice_is_one(tmp_path: Path):
    first, second = tmp_path / "1" / "bundle", tmp_path / "2" / "bundle"
    for folder in (first, second):
        folder.mkdir(parents=True)
    line = ["--champion", str(first), "--best", str(second), "--snapshot", str(first)]
    what = packed([*PYTHON, *line], tmp_path / "out")
    assert what.inputs == {"0/bundle": first, "1/bundle": second}
    assert what.arguments[-1] == {"input": "0/bundle"}


def test_a_relative_path_is_a_name_and_does_not_travel(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert packed([*PYTHON, "--encoder", "mine"], tmp_path / "out").inputs == {}


def test_a_training_has_one_name_and_another_folder_has_another(tmp_path: Path):
    one, other = tmp_path / "adapt.1" / "encoder", tmp_path / "x" / "adapt.1" / "encoder"
    assert run_of(one) == run_of(one)
    assert run_of(one).startswith("adapt.1-encoder-")
    assert run_of(one) != run_of(other)
