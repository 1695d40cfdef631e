"""The comparison where something goes wrong: what is finished is kept, and the status tells."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import encoder_card
from models.encoder_card import EncoderCard
from tests.training.compare_world import CHEAP, World, constant, make_world, read_cells, results
from training import cells, compare, document
from training.methods.base import Fitted, Resources, Task
from training.methods.table import Row


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("compare"))


def failing(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    raise RuntimeError("out of luck")


def stopping(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    raise KeyboardInterrupt


def replace_row(monkeypatch: pytest.MonkeyPatch, key: str, fit: Any) -> None:
    """One row's method is another one."""
    original = Row.fit.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Row, "fit", property(lambda row: fit if row.key == key else original(row)))


def test_a_cell_that_fails_does_not_stop_the_others_but_the_status_tells(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    replace_row(monkeypatch, "naive-bayes", failing)
    more = ("--methods", *CHEAP, "--slices", "8", "--seeds", "0")
    assert compare.main(world.arguments(tmp_path, *more)) == 1
    status = {cell.place.row: (cell.status, cell.why) for cell in read_cells(tmp_path)}
    assert status["naive-bayes"] == ("failed", "RuntimeError: out of luck")
    assert status["zero-shot-embedding"][0] == "ok"
    assert "out of luck" in capsys.readouterr().err
    monkeypatch.undo()
    assert compare.main(world.arguments(tmp_path, *more)) == 0


def test_probabilities_that_are_no_numbers_fail_the_cell(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
        fitted = constant(tasks, resources)
        return [Fitted(lambda texts, f=f: f.predict(texts) * float("nan")) for f in fitted]  # type: ignore[misc]

    replace_row(monkeypatch, "naive-bayes", broken)
    more = ("--methods", "naive-bayes", "--slices", "8", "--seeds", "0")
    assert compare.main(world.arguments(tmp_path, *more)) == 1


def test_an_interrupt_keeps_what_is_finished(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_row(monkeypatch, "zero-shot-embedding", stopping)
    more = ("--methods", *CHEAP, "--slices", "8", "--seeds", "0")
    assert compare.main(world.arguments(tmp_path, *more)) == compare.INTERRUPTED
    assert [cell.place.row for cell in read_cells(tmp_path)] == ["naive-bayes"]
    assert [row["key"] for row in results(tmp_path)[0]["rows"]] == ["naive-bayes"]


def test_rows_of_earlier_runs_are_shown_whatever_is_run_now(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = ("--slices", "8", "--seeds", "0")
    page = tmp_path / "page.md"
    page.write_text(f"{document.BEGIN}\n{document.END}\n")
    arguments = world.arguments(tmp_path, *grid, "--document", str(page))
    assert compare.main([*arguments, "--methods", "nearest"]) == 0
    replace_row(monkeypatch, "naive-bayes", stopping)
    before = page.read_text()
    assert compare.main([*arguments, "--methods", "naive-bayes"]) == compare.INTERRUPTED
    assert [row["key"] for row in results(tmp_path)[0]["rows"]] == ["nearest"]
    assert page.read_text() == before
    monkeypatch.undo()
    assert compare.main([*arguments, "--methods", "naive-bayes"]) == 0
    assert [row["key"] for row in results(tmp_path)[0]["rows"]] == ["naive-bayes", "nearest"]
    assert "Nearest neighbours" in page.read_text()


def test_an_encoder_that_was_adapted_from_another_is_refused(
    world: World, tmp_path: Path, capsys: Any
) -> None:
    card = EncoderCard(
        name="other-adapted",
        origin="other",
        parent="other-1",
        corpus={},
        recipe={},
        share=1.0,
        shares=(),
        why="",
        losses={},
        software={},
        created_at="2025-01-01T00:00:00Z",
        seconds=1.0,
    )
    folder = tmp_path / "adapted"
    shutil.copytree(world.adapted, folder)
    encoder_card.seal(folder, card)
    given = world.arguments(tmp_path / "out", "--methods", "naive-bayes", "--slices", "8")
    assert compare.main([*given, "--adapted", str(folder)]) == 1
    assert "was adapted from other" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--adapted", "unknown=somewhere"], "no --encoder does"),
        (["--encoder", "no/such"], "neither a folder"),
        (["--document", "no/page.md"], "no/page.md"),
    ],
)
def test_a_wrong_argument_is_one_line(
    more: list[str], said: str, world: World, tmp_path: Path, capsys: Any
) -> None:
    cheap = ("--methods", "naive-bayes", "--slices", "8", "--seeds", "0")
    assert compare.main(world.arguments(tmp_path, *cheap, *more)) == 1
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_a_cell_that_is_no_cell_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "8-0.json"
    assert cells.read(path) is None
    path.write_text("{}")
    with pytest.raises(cells.CellRefused, match=r"8-0\.json"):
        cells.read(path)
