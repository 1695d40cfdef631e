import json
from pathlib import Path

import pytest

from models import manifest
from models.errors import ArtifactRefused

NAME, KIND = "manifest.json", "thing/1"


def write(folder: Path) -> Path:
    with manifest.writing(folder) as aside:
        (aside / "a.txt").write_text("a")
        (aside / "b.txt").write_text("b")
        manifest.seal(aside, NAME, {"kind": KIND, "count": 2})
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(ArtifactRefused) as caught:
        manifest.verify(folder, NAME, kind=KIND)
    assert str(folder) in str(caught.value)
    return caught.value.reason


def test_whole_artifact_is_verified_and_gives_its_facts(tmp_path: Path):
    facts = manifest.verify(write(tmp_path / "thing"), NAME, kind=KIND)
    assert facts["count"] == 2
    assert sorted(facts["files"]) == ["a.txt", "b.txt"]


def test_half_written_artifact_is_refused(tmp_path: Path):
    (tmp_path / "a.txt").write_text("a")
    assert "not written to the end" in refusal(tmp_path)


def test_absent_artifact_is_refused(tmp_path: Path):
    assert "not written to the end" in refusal(tmp_path / "nothing")


def test_tampered_file_is_refused_by_name(tmp_path: Path):
    folder = write(tmp_path / "thing")
    (folder / "b.txt").write_text("B")
    assert refusal(folder) == "b.txt was changed after it was written"


def test_missing_file_is_refused_by_name(tmp_path: Path):
    folder = write(tmp_path / "thing")
    (folder / "a.txt").unlink()
    assert refusal(folder) == "a.txt is missing"


def test_foreign_file_is_refused_by_name(tmp_path: Path):
    folder = write(tmp_path / "thing")
    (folder / "c.pkl").write_text("c")
    assert refusal(folder) == "c.pkl is not in its manifest"


def test_artifact_of_another_kind_is_refused(tmp_path: Path):
    folder = write(tmp_path / "thing")
    with pytest.raises(ArtifactRefused, match="its kind is 'thing/1', not 'other/1'"):
        manifest.verify(folder, NAME, kind="other/1")


def test_foreign_folder_is_refused_by_name(tmp_path: Path):
    folder = write(tmp_path / "thing")
    (folder / "code").mkdir()
    assert refusal(folder) == "code is not in its manifest"


def nested(folder: Path) -> Path:
    with manifest.writing(folder) as aside:
        (aside / "encoder" / "1_Pooling").mkdir(parents=True)
        (aside / "encoder" / "1_Pooling" / "config.json").write_text("{}")
        (aside / "encoder" / NAME).write_text("of its own")
        manifest.seal(aside, NAME, {"kind": KIND})
    return folder


def test_files_in_folders_are_listed_by_their_path(tmp_path: Path):
    facts = manifest.verify(nested(tmp_path / "thing"), NAME, kind=KIND)
    assert sorted(facts["files"]) == ["encoder/1_Pooling/config.json", f"encoder/{NAME}"]


@pytest.mark.parametrize("path", ["encoder/1_Pooling/config.json", f"encoder/{NAME}"])
def test_a_changed_file_in_a_folder_is_refused_by_its_path(tmp_path: Path, path: str):
    folder = nested(tmp_path / "thing")
    (folder / path).write_text("changed")
    assert refusal(folder) == f"{path} was changed after it was written"


@pytest.mark.parametrize("path", ["encoder/code.py", "encoder/1_Pooling/deep/code.py"])
def test_a_foreign_file_in_a_folder_is_refused(tmp_path: Path, path: str):
    folder = nested(tmp_path / "thing")
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text("print()")
    assert refusal(folder).endswith("is not in its manifest")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"kind": "thing/1", "files": ["a.txt"]}']
)
def test_damaged_manifest_is_refused(tmp_path: Path, content: bytes):
    folder = write(tmp_path / "thing")
    (folder / NAME).write_bytes(content)
    assert refusal(folder)


def test_manifest_without_files_is_refused(tmp_path: Path):
    folder = write(tmp_path / "thing")
    (folder / NAME).write_text(json.dumps({"kind": KIND}))
    assert refusal(folder) == "a.txt is not in its manifest"


def test_manifest_is_a_file_too_and_may_not_be_a_folder(tmp_path: Path):
    (tmp_path / NAME).mkdir()
    assert "cannot be read" in refusal(tmp_path)


def test_interrupted_write_leaves_nothing(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt), manifest.writing(tmp_path / "thing") as aside:
        (aside / "a.txt").write_text("a")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_there_until_everything_is(tmp_path: Path):
    with manifest.writing(tmp_path / "deep" / "thing") as aside:
        (aside / "a.txt").write_text("a")
        assert not (tmp_path / "deep" / "thing").exists()
    assert (tmp_path / "deep" / "thing" / "a.txt").read_text() == "a"


def test_artifact_is_never_written_twice(tmp_path: Path):
    folder = write(tmp_path / "thing")
    with pytest.raises(FileExistsError):
        write(folder)
    assert manifest.verify(folder, NAME, kind=KIND)


def test_others_may_read_what_was_written(tmp_path: Path):
    assert write(tmp_path / "thing").stat().st_mode & 0o777 == 0o755
