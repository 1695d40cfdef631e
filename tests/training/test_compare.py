"""The comparison from snapshots to tables and figures, on issues and checkpoints that are tiny."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models import snapshot
from tests.training.compare_world import CHEAP, World, constant, make_world, read_cells, results
from training import compare
from training.methods import naive_bayes
from training.methods.table import BY_KEY, ROWS, Row


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("compare"))


@pytest.fixture(scope="module")
def compared(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All rows at one slice of one repository."""
    out = tmp_path_factory.mktemp("compared") / "out"
    more = ("--adapted", str(world.adapted), "--nli", str(world.nli))
    grid = ("--slices", "16", "--seeds", "0", "--encoder", str(world.encoder))
    # Meta-learning needs another repository.
    data = ("tidepool", "twins/one")
    assert compare.main(world.arguments(out, *more, *grid, data=data)) == 0
    return out


@pytest.mark.parametrize("key", BY_KEY)
def test_every_row_learns_a_slice_and_is_judged(key: str, compared: Path) -> None:
    found = [cell for cell in read_cells(compared) if cell.place.row == key]
    assert [(cell.place.dataset, cell.status) for cell in found] == [
        ("tidepool", "ok"),
        ("twins", "ok"),
    ]
    for cell in found:
        assert cell.issues == 16
        assert 0 <= cell.micro_f1 <= 1 and 0 <= cell.macro_f1 <= 1
        assert cell.seconds > 0 and cell.speed and cell.peak_mb > 0


def test_every_row_is_in_the_table_and_the_figure(compared: Path) -> None:
    table = (compared / "results.md").read_text()
    figure = compared / "tidepool-time.svg"
    assert all(f"| {row.title} |" in table for row in ROWS)
    assert [row["key"] for row in results(compared)[0]["rows"]] == list(BY_KEY)
    assert figure.exists() and figure.with_suffix(".png").exists()


def test_adaptation_and_the_choice_are_judged(compared: Path) -> None:
    found = results(compared)[0]
    assert [each["what"] for each in found["differences"]] == [
        "Frozen encoder + head, adapted − Frozen encoder + head",
        "Fine-tuning, adapted − Fine-tuning",
    ]
    assert [each["slice"] for each in found["auto"]] == [16]


# The grid


def test_a_method_without_its_checkpoint_says_so_and_the_rest_goes_on(
    world: World, tmp_path: Path
) -> None:
    more = ("--methods", "zero-shot-nli", "frozen-adapted", "naive-bayes", "--slices", "8")
    assert compare.main(world.arguments(tmp_path, *more, "--seeds", "0")) == 0
    status = {cell.place.row: cell.status for cell in read_cells(tmp_path)}
    assert status == {
        "naive-bayes": "ok",
        "zero-shot-nli": "needs a checkpoint",
        "frozen-adapted": "needs a checkpoint",
    }
    assert "| Zero-shot, inference | needs a checkpoint |" in (tmp_path / "results.md").read_text()


def test_repositories_of_one_data_set_are_learned_together_and_averaged(
    world: World, tmp_path: Path
) -> None:
    more = ("--methods", "naive-bayes", "--slices", "8", "all", "--seeds", "0")
    data = ("twins/one", "twins/two")
    assert compare.main(world.arguments(tmp_path, *more, data=data)) == 0
    assert "### twins: a stratified fifth as the test set" in (tmp_path / "results.md").read_text()
    for cell in read_cells(tmp_path):
        each = [r["micro_f1"] for r in cell.repositories.values()]
        assert list(cell.repositories) == ["twins/one", "twins/two"]
        assert cell.micro_f1 == pytest.approx(sum(each) / 2)


def test_a_finished_cell_is_not_run_again_and_a_changed_one_is(
    world: World, tmp_path: Path
) -> None:
    more = ("--methods", *CHEAP, "--slices", "8", "--seeds", "0")
    assert compare.main(world.arguments(tmp_path, *more)) == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/**/*.json")}
    assert compare.main(world.arguments(tmp_path, *more)) == 0
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert compare.main(world.arguments(tmp_path, *more, "--unlabeled", "5")) == 0
    assert all(path.stat().st_mtime_ns > before[path] for path in before)


def test_a_cell_from_before_an_input_was_written_down_counts_and_an_old_method_does_not(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--methods", *CHEAP, "--slices", "8", "--seeds", "0")
    assert compare.main(world.arguments(tmp_path, *more)) == 0
    for path in tmp_path.glob("cells/**/*.json"):
        cell = json.loads(path.read_text())
        kept = ("data", "encoder", "adapted", "max_tokens", "effort")
        inputs = {"nli": "None", **{key: cell["inputs"][key] for key in kept}}
        path.write_text(json.dumps({**cell, "inputs": inputs}))
    assert changed(tmp_path, world.arguments(tmp_path, *more)) == set()
    monkeypatch.setattr(naive_bayes, "VERSION", 2, raising=False)
    assert changed(tmp_path, world.arguments(tmp_path, *more)) == {("tidepool", "naive-bayes")}
    assert changed(tmp_path, world.arguments(tmp_path, *more)) == set()


def test_a_change_reruns_the_rows_that_it_matters_to(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Row, "fit", property(lambda row: constant))
    more = ("--methods", "naive-bayes", "zero-shot-nli", "meta", "--slices", "8", "--seeds", "0")
    one, two = ("tidepool", "twins/one"), ("tidepool", "twins/one", "twins/two")
    assert compare.main(world.arguments(tmp_path, *more, data=one)) == 0
    named = world.arguments(tmp_path, *more, "--nli", str(world.nli), data=one)
    assert changed(tmp_path, named) == {(x, "zero-shot-nli") for x in ("tidepool", "twins")}
    more = (*more, "--nli", str(world.nli))
    found = changed(tmp_path, world.arguments(tmp_path, *more, data=two))
    assert found == {("tidepool", "meta"), *(("twins", key) for key in more[1:4])}
    described = described_otherwise(world.snapshots["tidepool"], tmp_path / "described")
    elsewhere = replace(world, snapshots={**world.snapshots, "tidepool": described})
    found = changed(tmp_path, elsewhere.arguments(tmp_path, *more, data=two))
    assert found == {*(("tidepool", key) for key in more[1:4]), ("twins", "meta")}


def changed(out: Path, arguments: list[str]) -> set[tuple[str, str]]:
    """Data set and row of each cell that this comparison ran."""
    before = {path: path.stat().st_mtime_ns for path in out.glob("cells/**/*.json")}
    assert compare.main(arguments) == 0
    again = [path for path in before if path.stat().st_mtime_ns > before[path]]
    return {(path.parts[-4], path.parts[-2]) for path in again}


def described_otherwise(folder: Path, out: Path) -> Path:
    """The same snapshot with other words about its labels."""
    found = snapshot.read(folder)
    labels = tuple(replace(label, description="another") for label in found.repository.labels)
    snapshot.write(out, replace(found.repository, labels=labels), found.issues)
    return out


def test_vectors_are_kept_for_the_next_run(world: World, tmp_path: Path) -> None:
    more = ("--methods", "zero-shot-embedding", "--slices", "8", "--seeds", "0")
    assert compare.main(world.arguments(tmp_path, *more)) == 0
    (kept,) = tmp_path.glob("vectors/*.safetensors")
    assert len(snapshot.load_vectors(kept)) > 40


def test_two_encoders_give_two_rows_of_what_needs_one(world: World, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(world.adapted, other)
    more = ("--methods", *CHEAP, "--slices", "8", "--seeds", "0")
    both = ("--encoder", str(world.encoder), str(other))
    assert compare.main(world.arguments(tmp_path / "out", *more, *both)) == 0
    titles = [row["title"] for row in results(tmp_path / "out")[0]["rows"]]
    assert titles == [
        "Naive Bayes",
        "Zero-shot, similarity (encoder)",
        "Zero-shot, similarity (other)",
    ]


def test_both_protocols_have_tables_of_their_own(world: World, tmp_path: Path) -> None:
    more = ("--methods", "naive-bayes", "--slices", "8", "--seeds", "0")
    both = ("--protocol", "time", "chapter")
    assert compare.main(world.arguments(tmp_path, *more, *both)) == 0
    assert [each["protocol"] for each in results(tmp_path)] == ["time", "chapter"]
    assert results(tmp_path)[1]["validation"] > 0
    assert (tmp_path / "tidepool-chapter.svg").exists()


def test_costly_rows_have_slices_and_seeds_of_their_own(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Row, "fit", property(lambda row: constant))
    grid = ("--slices", "8", "all", "--seeds", "0", "1", "--tuned-slices", "all")
    more = ("--methods", "naive-bayes", "finetune", *grid, "--tuned-seeds", "0")
    assert compare.main(world.arguments(tmp_path, *more)) == 0
    found = [(c.place.row, c.place.size, c.place.seed) for c in read_cells(tmp_path)]
    assert sorted(found, key=str) == [
        ("finetune", "all", 0),
        ("naive-bayes", "all", 0),
        ("naive-bayes", "all", 1),
        ("naive-bayes", 8, 0),
        ("naive-bayes", 8, 1),
    ]


def test_after_the_hours_given_no_costly_cell_is_begun(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(Row, "fit", property(lambda row: constant))
    more = ("--methods", "naive-bayes", "finetune", "--slices", "8", "--seeds", "0", "--hours", "0")
    assert compare.main(world.arguments(tmp_path, *more)) == 0
    assert [cell.place.row for cell in read_cells(tmp_path)] == ["naive-bayes"]
    assert "1 cells left out" in capsys.readouterr().err
