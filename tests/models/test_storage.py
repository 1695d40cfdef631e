"""Folders go to a storage and come back as they were; what does not answer says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.storage import Storage, StorageFailed


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "share")).under("run")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "source"
    (found / "below").mkdir(parents=True)
    (found / "a.txt").write_text("one")
    (found / "below" / "b.bin").write_bytes(b"\0\1")
    return found


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_folder_comes_back_as_it_was(storage: Storage, folder: Path, tmp_path: Path):
    sizes = storage.put(folder, "inputs/0/source")
    assert sizes == {"inputs/0/source/a.txt": 3, "inputs/0/source/below/b.bin": 2}
    storage.get(sizes, "inputs", tmp_path / "back")
    assert contents(tmp_path / "back" / "0" / "source") == contents(folder)


def test_a_single_file_comes_back_too(storage: Storage, folder: Path, tmp_path: Path):
    sizes = storage.put(folder / "a.txt", "inputs/0/a.txt")
    storage.get(sizes, "inputs", tmp_path / "back")
    assert (tmp_path / "back" / "0" / "a.txt").read_text() == "one"


def test_a_file_that_is_cut_short_or_missing_is_a_failure(
    storage: Storage, folder: Path, tmp_path: Path
):
    sizes = storage.put(folder, "out")
    with pytest.raises(StorageFailed, match="3 bytes, not 4"):
        storage.get({**sizes, "out/a.txt": 4}, "out", tmp_path / "short")
    with pytest.raises(StorageFailed):
        storage.get({"out/c.txt": 1}, "out", tmp_path / "missing")


@pytest.mark.parametrize("name", ["out/../../evil", "/etc/evil", "elsewhere/evil"])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    storage: Storage, tmp_path: Path, name: str
):
    with pytest.raises(StorageFailed, match="is not under 'out'"):
        storage.get({name: 1}, "out", tmp_path / "back")
    assert not (tmp_path / "evil").exists()


def test_values_are_kept_and_half_of_one_is_none(storage: Storage, tmp_path: Path):
    assert storage.read("status.json") is None
    storage.write("status.json", {"step": 3})
    assert storage.read("status.json") == {"step": 3}
    (tmp_path / "share" / "run" / "status.json").write_text('{"step"')
    assert storage.read("status.json") is None


def test_what_is_removed_is_gone_with_all_below(storage: Storage, folder: Path):
    storage.put(folder, "inputs/0/source")
    storage.write("job.json", {})
    assert storage.names() == ["inputs", "job.json"]
    storage.remove("inputs")
    storage.remove("inputs")
    assert storage.names() == ["job.json"]
    assert storage.names("inputs") == []


def test_a_storage_that_cannot_be_used_says_why():
    with pytest.raises(StorageFailed, match="Protocol not known: nowhere"):
        Storage("nowhere://bucket")
    with pytest.raises(StorageFailed, match="the storage /proc/version"):
        Storage("/proc/version").write("a", 1)
