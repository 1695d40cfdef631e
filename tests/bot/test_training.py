"""Train and publish: what little is refused, what is kept, what is thrown away."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bot import launcher
from bot.launcher import Launch, TrainingFailed
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Issue, Label, Repository
from bot.training import NothingToLearn, Trainer
from models.encoders import Encoders
from models.registry import Registry
from models.snapshot import read, save_vectors
from tests.models.encoders import own_encoder

REPO = 9
OLD = 800_000
"""Seconds: more than a week."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db")
    opened.repositories.upsert(REPO, "octo/app")
    opened.labels.upsert(Label(REPO, 1, "bug"))
    yield opened
    opened.close()


@pytest.fixture
def trainer(store: Store, tmp_path: Path) -> Trainer:
    return Trainer(Settings(home=tmp_path), store, Registry(tmp_path / "models"), now=lambda: 1e9)


def repository(store: Store, issues: int) -> Repository:
    for number in range(1, issues + 1):
        at = f"2025-01-01T00:00:{number:02}Z"
        store.issues.upsert(
            Issue(REPO, number, number, f"t{number}", "b", created_at=at, labels=(1,))
        )
    found = store.repositories.get(REPO)
    assert found is not None
    return found


def pretend(
    monkeypatch: pytest.MonkeyPatch,
    seen: list[object],
    launches: list[Launch] | None = None,
    *,
    own: bool = False,
) -> None:
    """A training that notes what it was given and writes one vector, and an encoder if asked."""

    def run(launch: Launch, **how: object) -> float:
        if launches is not None:
            launches.append(launch)
        seen.append(read(launch.log.parent / "snapshot"))
        (launch.out / "encoder" if own else launch.out).mkdir(parents=True)
        (launch.out / "card.json").write_text(json.dumps({"encoder": {"version": "mini-1"}}))
        save_vectors(launch.out / "vectors.safetensors", {"a" * 32: np.ones(3)})
        return 0.0

    monkeypatch.setattr(launcher, "run", run)


def test_too_few_labeled_issues_start_no_process(trainer: Trainer, store: Store, tmp_path: Path):
    with pytest.raises(NothingToLearn, match="has 19 labeled issues, 20 are needed"):
        trainer.train(repository(store, 19))
    assert not list(tmp_path.glob("runs/*/training.log"))


def test_vectors_are_kept_for_the_next_training(
    trainer: Trainer, store: Store, monkeypatch: pytest.MonkeyPatch
):
    pretend(monkeypatch, [])
    with trainer.bundle(repository(store, 20)):
        pass
    assert list(store.vectors.get_many("mini-1", ["a" * 32])) == ["a" * 32]


def test_a_training_takes_the_published_encoder_and_the_vectors_that_are_known_of_it(
    trainer: Trainer, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    launches: list[Launch] = []
    pretend(monkeypatch, [], launches)
    published = Encoders(trainer.settings.encoders)
    folder = published.path(published.publish(own_encoder(tmp_path / "own")))
    for _ in range(2):
        with trainer.bundle(repository(store, 20)):
            pass
    named = [x.arguments[x.arguments.index("--encoder") + 1] for x in launches]
    assert named == [str(folder)] * 2
    assert store.meta.get(f"encoder_version:{folder}:256") == "mini-1"
    assert store.meta.get("encoder_version:all-MiniLM-L6-v2:256") is None


def test_vectors_of_an_encoder_that_only_one_bundle_has_are_not_kept(
    trainer: Trainer, store: Store, monkeypatch: pytest.MonkeyPatch
):
    pretend(monkeypatch, [], own=True)
    with trainer.bundle(repository(store, 20)):
        pass
    assert store.vectors.count("mini-1") == 0
    assert store.meta.get("encoder_version:all-MiniLM-L6-v2:256") is None


def test_no_issue_text_outlives_a_run(
    trainer: Trainer, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pretend(monkeypatch, [])
    with trainer.bundle(repository(store, 20)) as bundle:
        assert bundle.exists()
    assert [path.name for path in tmp_path.glob("runs/*/*")] == []


def test_no_issue_text_outlives_a_run_that_fails(
    trainer: Trainer, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        launcher, "command", lambda launch: ["/bin/sh", "-c", "echo 'training: no'; exit 1"]
    )
    with pytest.raises(TrainingFailed, match=r"^no$"):
        trainer.train(repository(store, 20))
    assert [path.name for path in tmp_path.glob("runs/*/*")] == ["training.log"]
    assert trainer.registry.current(REPO) is None


def test_what_a_killed_run_left_is_swept_later(
    trainer: Trainer, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pretend(monkeypatch, [])
    for name, age in (
        ("train.9.old", OLD),
        ("adapt.old", OLD),
        ("train.9.young", 10),
        ("mine", OLD),
    ):
        (tmp_path / "runs" / name).mkdir(parents=True)
        os.utime(tmp_path / "runs" / name, (1e9 - age, 1e9 - age))
    with trainer.bundle(repository(store, 20)):
        pass
    kept = {path.name for path in tmp_path.glob("runs/*")}
    assert not {"train.9.old", "adapt.old"} & kept and {"train.9.young", "mine"} <= kept


def test_the_past_can_be_trained_on(
    trainer: Trainer, store: Store, monkeypatch: pytest.MonkeyPatch
):
    seen: list[object] = []
    pretend(monkeypatch, seen)
    with trainer.bundle(repository(store, 30), as_of="2025-01-01T00:00:25Z"):
        pass
    assert len(seen[0].issues) == 24  # type: ignore[attr-defined]


def test_what_is_swept_is_the_text_and_logs_stay(
    trainer: Trainer, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pretend(monkeypatch, [])
    for name in ("killed", "going"):
        folder = tmp_path / "runs" / f"train.9.{name}"
        (folder / "snapshot").mkdir(parents=True)
        (folder / "training.log").touch()
        os.utime(folder, (1e9 - OLD, 1e9 - OLD))
    going = store.trainings.begin("head", "1 another-boot:x:5", repository_id=REPO)
    store.trainings.change(going.id, folder=str(tmp_path / "runs" / "train.9.going"))
    with trainer.bundle(repository(store, 20)):
        pass
    left = [path.relative_to(tmp_path / "runs") for path in tmp_path.glob("runs/train.9.[kg]*/*")]
    assert sorted(map(str, left)) == [
        *("train.9.going/snapshot", "train.9.going/training.log"),
        "train.9.killed/training.log",
    ]
