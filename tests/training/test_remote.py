"""A training that came through a storage: done there like any other, and gone without a trace."""

from __future__ import annotations

import fcntl
import tempfile
from pathlib import Path
from typing import Any

import pytest

from models import encoder_card
from models.storage import Storage
from tests.training.small import write_recipe, write_small
from tests.training.tiny import tiny_encoder
from training import remote, spread
from training.remote import Job, main


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The host's folder for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process keeps its own way to end."""
    monkeypatch.setattr(remote.signal, "signal", lambda number, handler: None)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "share"))


def ask(storage: Storage, source: Path, **more: Any) -> None:
    """Store what an adaptation needs, and what is to be done with it."""
    source.mkdir()
    inputs = {
        "0/snapshot": write_small(source),
        "1/tiny": tiny_encoder(source / "tiny"),
        "2/small.toml": write_recipe(source),
    }
    sizes: dict[str, int] = {}
    for name, path in inputs.items():
        sizes |= storage.put(path, f"inputs/{name}")
    names = ("--snapshot", "--encoder", "--recipe")
    arguments: list[Any] = []
    for option, name in zip(names, inputs, strict=True):
        arguments += [option, {"input": name}]
    arguments += ["--out", {"out": "encoder"}, "--resume"]
    job = {"module": "training.adapt", "arguments": arguments, "inputs": sizes, **more}
    storage.write("job.json", job)


def test_an_adaptation_is_done_and_what_it_made_is_stored_last(
    storage: Storage, tmp_path: Path, temporary: Path
):
    ask(storage, tmp_path / "source", every=0.5)
    assert main([storage.url]) == 0
    storage.get(storage.read("done.json"), "out", tmp_path / "back")
    card = encoder_card.read(tmp_path / "back")
    assert Path(card.origin).name == "tiny"
    assert storage.read("status.json")["phase"]
    assert list(temporary.glob("labelwright.*")) == []


def test_one_that_is_refused_says_why_and_stores_nothing(
    storage: Storage, tmp_path: Path, temporary: Path, capsys: pytest.CaptureFixture[str]
):
    ask(storage, tmp_path / "source")
    job = storage.read("job.json")
    storage.write("job.json", {**job, "arguments": [*job["arguments"], "--encoder", "nobody/has"]})
    assert main([storage.url]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("training: ")
    assert storage.read("done.json") is None
    assert list(temporary.glob("labelwright.*")) == []


def test_a_host_that_does_not_see_the_storage_says_so(
    storage: Storage, capsys: pytest.CaptureFixture[str]
):
    assert main([storage.url]) == 1
    assert "does this machine see the same storage?" in capsys.readouterr().err


def test_only_trainings_are_done(storage: Storage):
    job = Job(module="os", arguments=(), inputs={})
    with pytest.raises(AssertionError, match="os is no training"):
        remote.work(storage, job)


def test_what_killed_workers_left_goes_and_what_lives_stays(
    storage: Storage, tmp_path: Path, temporary: Path
):
    for name in ("labelwright.dead", "labelwright.alive", "other"):
        (temporary / name).mkdir()
        (temporary / name / ".lock").touch()
    ask(storage, tmp_path / "source")
    storage.write("job.json", {**storage.read("job.json"), "inputs": {"inputs/nothing": 1}})
    with (temporary / "labelwright.alive" / ".lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert main([storage.url]) == 1
    assert sorted(path.name for path in temporary.iterdir()) == ["labelwright.alive", "other"]


def test_each_worker_asks_for_what_the_settings_say():
    job = Job("training.adapt", (), {}, workers=2, cpus=4, gpus=1, resources={"memory": 16e9})
    assert spread.resources(job) == {"CPU": 4, "GPU": 1, "memory": 16e9}
    assert spread.resources(Job("training.adapt", (), {}, cpus=2)) == {"CPU": 2}


def test_the_last_line_of_a_stream_is_kept_and_all_of_it_handed_on(
    capsys: pytest.CaptureFixture[str],
):
    import sys

    stream = spread.LastLine(sys.stderr)
    print("noise\ntraining: too few", file=stream)
    print("", file=stream)
    assert stream.line == "training: too few"
    assert capsys.readouterr().err == "noise\ntraining: too few\n\n"
