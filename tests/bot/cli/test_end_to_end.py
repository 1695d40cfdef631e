"""Import, train, predict: the sample issues through the real commands, one real training."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.cli.learning import CONTRACT
from bot.store import Store
from tests.bot.cli.conftest import REPO, SAMPLE, Command, Trained

CRASH = ("--title", "Android app crashes while uploading", "--body", "IOException in BackupWorker")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_train_prints_the_figures_of_the_contract(trained: Trained):
    figures = trained.figures
    assert tuple(figures)[: len(CONTRACT)] == CONTRACT
    assert figures["n_train"] > 300 and figures["n_holdout"] > 80
    assert figures["micro_f1"] > 0.7
    wanted = {"precision", "recall", "f1", "support", "threshold", "mode"}
    assert wanted <= set(figures["labels"]["bug"])


def test_train_reports_its_progress_in_plain_lines(trained: Trained):
    assert re.search(r"^encode: \d+ of \d+$", trained.log, re.MULTILINE)
    assert "trained on 434 issues" in trained.log


def test_evaluate_prints_what_train_printed(with_model: Trained, labelwright: Command):
    found = labelwright("evaluate", REPO, "--json").json()
    assert found.pop("seconds") <= with_model.figures["seconds"]
    assert set(with_model.figures) - set(found) == {"seconds", "published"}
    of_training = ("seconds", "published", "gate")
    assert all(found[k] == v for k, v in with_model.figures.items() if k not in of_training)


def test_evaluate_has_a_table_for_people(with_model: Trained, labelwright: Command):
    said = labelwright("evaluate", REPO).out
    assert with_model.figures["version"] in said
    assert "area/mobile" in said and "applied by itself: precision" in said


def test_vectors_are_cached_for_the_next_training(with_model: Trained, home: Path):
    store = Store.open(home / "labelwright.db")
    encoder = store.meta.get("encoder_version:all-MiniLM-L6-v2:256")
    assert encoder is not None and store.vectors.count(encoder) > 400
    store.close()


def test_predict_shows_labels_scores_and_neighbours(with_model: Trained, labelwright: Command):
    said = labelwright("predict", REPO, *CRASH).out
    first = said.splitlines()[2]
    assert first.startswith("area/mobile") and "apply" in first and "like #" in first
    assert "nearest:" in said


def test_predict_as_json_says_why(with_model: Trained, labelwright: Command):
    found = labelwright("predict", REPO, *CRASH, "--json").json()
    assert found["version"] == with_model.figures["version"]
    assert "area/mobile" in found["apply"]
    assert "from where it is applied" in found["reasons"]["area/mobile"]
    assert {"number", "title", "labels", "similarity"} == set(found["neighbours"][0])


def test_a_batch_gives_a_line_for_each_line(
    with_model: Trained, labelwright: Command, tmp_path: Path
):
    target = tmp_path / "out.jsonl"
    assert (
        labelwright("predict", REPO, "--batch", SAMPLE / "new.jsonl", "--out", target).status == 0
    )
    found, given = lines(target), lines(SAMPLE / "new.jsonl")
    assert [each["number"] for each in found] == [each["number"] for each in given]
    assert all(list(each) == ["number", "scores", "apply", "suggest"] for each in found)
    assert all(len(each["scores"]) == 11 for each in found)
    hits = sum(len(set(f["apply"]) & set(g["expected"])) for f, g in zip(found, given, strict=True))
    applied = sum(len(each["apply"]) for each in found)
    assert applied >= 15 and hits / applied >= 0.8


def test_a_batch_goes_through_a_pipe(
    with_model: Trained, labelwright: Command, monkeypatch: pytest.MonkeyPatch
):
    class Stdin:
        buffer = io.BytesIO(b'{"title": "crash", "body": null}\n{"body": "text", "number": "x1"}\n')

    monkeypatch.setattr(sys, "stdin", Stdin)
    said = labelwright("predict", REPO, "--batch", "-", "--out", "-")
    assert [json.loads(line)["number"] for line in said.out.splitlines()] == [None, "x1"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("{", "not valid JSON"),
        ('{"number": 3}', "it has neither title nor body"),
        ('{"title": 5}', "title and body must be text"),
    ],
)
def test_a_broken_batch_writes_nothing(
    with_model: Trained, labelwright: Command, tmp_path: Path, bad: str, why: str
):
    source = tmp_path / "in.jsonl"
    source.write_text('{"title": "fine"}\n' + bad)
    said = labelwright("predict", REPO, "--batch", source, "--out", tmp_path / "out.jsonl")
    assert said.status == 1 and f"in.jsonl line 2: {why}" in said.err
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


@pytest.mark.parametrize("text", ["", "🎉🎉🎉", "שלום עולם", "x" * 65_536, "a\x00b"])
def test_any_text_gets_an_answer(with_model: Trained, labelwright: Command, text: str):
    assert set(labelwright("predict", REPO, "--title", text, "--json").json()["scores"])


def test_without_a_model_labels_are_suggested_from_their_names(labelwright: Command):
    labelwright("import", SAMPLE / "history.jsonl", "--repo", REPO)
    found = labelwright("predict", REPO, "--title", "documentation is missing", "--json").json()
    assert (found["version"], found["apply"]) == ("zero-shot", [])
    assert max(found["scores"], key=found["scores"].get) == "documentation"
    assert labelwright("evaluate", REPO).err.endswith(f"`labelwright train {REPO}`\n")


def test_a_damaged_model_is_refused_by_name(with_model: Trained, labelwright: Command, home: Path):
    head = next(home.glob("models/*/*/head.safetensors"))
    head.write_bytes(head.read_bytes()[:-1] + b"x")
    said = labelwright("predict", REPO, "--title", "x")
    assert said.status == 1
    assert "head.safetensors was changed after it was written" in said.err


def test_too_little_to_learn_from_is_explained(labelwright: Command, tmp_path: Path):
    few = (SAMPLE / "history.jsonl").read_text().splitlines()[:10]
    (tmp_path / "few.jsonl").write_text("\n".join(few))
    labelwright("import", tmp_path / "few.jsonl", "--repo", REPO)
    said = labelwright("train", REPO)
    assert said.status == 1
    assert "labeled issues, 20 are needed: until then labels are suggested" in said.err


def test_a_wrong_recipe_is_refused(with_model: Trained, labelwright: Command, tmp_path: Path):
    (tmp_path / "r.toml").write_text("colour = 1")
    said = labelwright("train", REPO, "--recipe", tmp_path / "r.toml")
    assert said.status == 1
    assert "r.toml: unknown key 'colour'" in said.err.splitlines()[-1]


def test_versions_are_listed_shown_published_and_rolled_back(
    with_model: Trained, labelwright: Command, home: Path
):
    first = with_model.figures["version"]
    folder = next(home.glob(f"models/*/{first}"))
    second = "0002" + first[4:]
    shutil.copytree(folder, folder.with_name(second))
    assert labelwright("models", REPO, "publish", second, "--json").json() == {"current": second}
    listed = labelwright("models", REPO, "--json").json()
    assert [(each["version"], each["current"]) for each in listed] == [
        (first, False),
        (second, True),
    ]
    assert f"{first} is current now" in labelwright("models", REPO, "rollback").out
    shown = labelwright("models", REPO, "show", first, "--json").json()
    assert shown["card"]["repository"]["full_name"] == REPO
    assert "bug" in labelwright("models", REPO, "show", first).out
    assert labelwright("models", REPO, "rollback").status == 1
    assert labelwright("models", REPO, "publish", "0009-00000000").status == 1


def test_a_replay_with_the_current_model_compares(with_model: Trained, labelwright: Command):
    said = labelwright("replay", REPO, "--last", "12", "--current", "--json")
    found = said.json()
    assert found["issues"] == len(found["rows"]) == 12
    assert found["applied"] >= found["right"] > 0
    assert "may have learned from these issues" in said.err


def test_a_replay_trains_on_the_past_alone(with_model: Trained, labelwright: Command, home: Path):
    before = len(list(home.glob("models/*/*-*")))
    said = labelwright("replay", REPO, "--last", "40")
    assert said.status == 0, said.err
    learned = re.search(r"trained on (\d+) issues", said.err)
    assert learned is not None and int(learned[1]) < 434
    assert f"{REPO}: the last 40 issues" in said.out and "precision" in said.out
    assert len(list(home.glob("models/*/*-*"))) == before
