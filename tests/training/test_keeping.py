"""What a training elsewhere leaves in the storage: its status, and checkpoints that are whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.storage import Storage, StorageFailed
from tests.waiting import eventually
from training import keeping
from training.keeping import Keeper


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "share"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "host").mkdir()
    return tmp_path / "host" / "encoder"


def checkpoint(out: Path, step: int, *, complete: bool = True) -> Path:
    folder = keeping.beside(out) / "head" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_text(f"weights of {step}")
    state = json.dumps({"stateful_callbacks": {"labelwright": {"epochs": step}}})
    (folder / "trainer_state.json").write_text(state if complete else state[:9])
    return folder


def restored(storage: Storage, folder: Path, workers: int = 1) -> set[str]:
    keeping.restore(storage, folder, workers)
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_the_status_is_stored_when_it_changes(storage: Storage, out: Path):
    keeper, status = Keeper(storage, out, 1), out.with_name("encoder.status.json")
    keeper.look()
    assert storage.read("status.json") is None
    status.write_text('{"step": 1}')
    keeper.look()
    assert storage.read("status.json") == {"step": 1}
    storage.remove("status.json")
    keeper.look()
    assert storage.read("status.json") is None


def test_the_newest_complete_checkpoint_is_found_again(storage: Storage, out: Path, tmp_path: Path):
    checkpoint(out, 1)
    newest = checkpoint(out, 2)
    checkpoint(out, 3, complete=False)
    (keeping.beside(out) / "settings.json").write_text("{}")
    (keeping.beside(out) / "head" / "best.safetensors.part").write_text("half")
    Keeper(storage, out, 1).look()
    found = tmp_path / "again"
    assert restored(storage, found) == {
        "settings.json",
        "head/checkpoint-2/model.safetensors",
        "head/checkpoint-2/trainer_state.json",
    }
    assert (found / "head/checkpoint-2/model.safetensors").read_text() == (
        newest / "model.safetensors"
    ).read_text()


def test_newer_checkpoints_take_the_place_of_older_ones(
    storage: Storage, out: Path, tmp_path: Path
):
    keeper = Keeper(storage, out, 1)
    for step in (1, 2):
        checkpoint(out, step)
        keeper.look()
        keeper.look()
    assert storage.names("checkpoints") == ["2"]
    assert "head/checkpoint-2/model.safetensors" in restored(storage, tmp_path / "again")


def test_checkpoints_of_another_number_of_workers_are_left_alone(
    storage: Storage, out: Path, tmp_path: Path
):
    checkpoint(out, 1)
    Keeper(storage, out, 2).look()
    assert restored(storage, tmp_path / "one", workers=1) == set()
    assert restored(storage, tmp_path / "two", workers=2)


def test_one_who_is_killed_while_storing_leaves_the_checkpoints_before(
    storage: Storage, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    keeper = Keeper(storage, out, 1)
    checkpoint(out, 1)
    keeper.look()
    checkpoint(out, 2)

    def cut(source: Path, name: str) -> dict[str, int]:
        Storage.put(storage, source / "head/checkpoint-2/model.safetensors", f"{name}/half")
        raise StorageFailed("the network is gone")

    monkeypatch.setattr(storage, "put", cut)
    with pytest.raises(StorageFailed):
        keeper.look()
    assert "head/checkpoint-1/model.safetensors" in restored(storage, tmp_path / "again")


def test_a_storage_that_fails_meanwhile_does_not_end_the_training(
    storage: Storage, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    failures = list[str]()

    def fail(name: str, value: object) -> None:
        failures.append(name)
        raise StorageFailed("the storage is full")

    out.with_name("encoder.status.json").write_text("{}")
    monkeypatch.setattr(storage, "write", fail)
    with Keeper(storage, out, 1).running(0.01):
        eventually(lambda: len(failures) > 1)
    assert "not stored this time: the storage is full" in capsys.readouterr().err
