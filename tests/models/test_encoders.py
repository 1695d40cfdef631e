import shutil
from pathlib import Path

import pytest

from models.encoder import Encoder
from models.encoders import Encoders
from models.errors import ArtifactRefused, EncoderRefused, UnknownVersion
from tests.models.encoders import own_encoder, seal_encoder, write_encoder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two encoder versions."""
    made = tmp_path_factory.mktemp("made")
    return [own_encoder(made / f"e{i}", name=f"adapted-{i}", seed=i) for i in range(2)]


@pytest.fixture
def encoders(tmp_path: Path) -> Encoders:
    return Encoders(tmp_path / "encoders")


def test_nothing_is_current_before_the_first(encoders: Encoders):
    assert (encoders.current(), encoders.list()) == (None, [])


def test_a_published_encoder_is_current_and_whole(encoders: Encoders, folders: list[Path]):
    name = encoders.publish(folders[0])
    assert name.startswith("0001-") and encoders.current() == name
    assert [(v.card["name"], v.current) for v in encoders.list()] == [("adapted-0", True)]
    assert Encoder.load(str(encoders.path(name))).version.startswith("adapted-0-")


def test_an_encoder_is_found_by_its_version_whichever_is_current(
    encoders: Encoders, folders: list[Path]
):
    names = [encoders.publish(folder) for folder in folders]
    for folder, name in zip(folders, names, strict=True):
        for max_tokens in (32, 64):
            version = Encoder.load(str(folder), max_tokens=max_tokens).version
            assert encoders.find(version, max_tokens) == encoders.path(name)
    assert encoders.find(version, 32) is None


def test_a_damaged_encoder_keeps_none_from_finding_theirs(encoders: Encoders, folders: list[Path]):
    first, second = (encoders.publish(folder) for folder in folders[:2])
    (encoders.path(second) / "model.safetensors").unlink()
    version = Encoder.load(str(encoders.path(first)), max_tokens=32).version
    assert encoders.find(version, 32) == encoders.path(first)


def test_rollback_goes_back_to_the_version_before_and_then_to_the_settings(
    encoders: Encoders, folders: list[Path]
):
    first, _ = (encoders.publish(folder) for folder in folders)
    assert (encoders.rollback(), encoders.current()) == (first, first)
    assert (encoders.rollback(), encoders.current()) == (None, None)
    with pytest.raises(UnknownVersion):
        encoders.rollback()
    assert len(encoders.list()) == 2


def test_after_a_rollback_to_the_settings_the_next_is_published_as_ever(
    encoders: Encoders, folders: list[Path]
):
    encoders.publish(folders[0])
    encoders.rollback()
    name = encoders.publish(folders[1])
    assert name.startswith("0002-") and encoders.current() == name
    assert encoders.rollback() is None


def test_a_changed_encoder_is_refused_and_the_one_before_stays(
    encoders: Encoders, folders: list[Path], tmp_path: Path
):
    name = encoders.publish(folders[0])
    copy = Path(shutil.copytree(folders[1], tmp_path / "copy"))
    (copy / "config.json").write_text("{}")
    with pytest.raises(ArtifactRefused, match=r"config\.json was changed"):
        encoders.publish(copy)
    assert (encoders.current(), len(encoders.list())) == (name, 1)


def test_what_is_no_encoder_version_is_refused(encoders: Encoders, tmp_path: Path):
    with pytest.raises(ArtifactRefused, match=r"it has no card\.json"):
        encoders.publish(write_encoder(tmp_path / "plain"))
    empty = tmp_path / "empty"
    empty.mkdir()
    seal_encoder(empty)
    with pytest.raises(EncoderRefused, match="holds no encoder"):
        encoders.publish(empty)
    assert encoders.current() is None


def test_old_encoders_go_but_for_those_that_are_needed(encoders: Encoders, folders: list[Path]):
    names = [encoders.publish(folders[n % 2]) for n in range(5)]
    gone = encoders.prune(2, lambda folder: folder.name == names[1])
    assert gone == (names[0], names[2])
    assert [version.name for version in encoders.list()] == [names[1], *names[3:]]
