"""A simulation's process: what it is told, what it leaves, and one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot import launcher
from bot.launcher import Launch
from bot.repo_config import parse
from bot.settings import Settings
from bot.simulating import REPORT, NotSimulated, copy_report, held_back, simulation
from bot.store import Store
from bot.store.rows import Issue, Label, Repository
from bot.training import NothingToLearn, Trainer
from models.registry import Registry
from models.snapshot import save_vectors

REPO = 9
NAMES = ("bug", "docs", "area/ui", "wontfix", "needs-triage")
LABELS = {number: Label(REPO, number, name) for number, name in enumerate(NAMES, start=1)}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db")
    opened.repositories.upsert(REPO, "octo/app")
    for label in LABELS.values():
        opened.labels.upsert(label)
    yield opened
    opened.close()


@pytest.fixture
def trainer(store: Store, tmp_path: Path) -> Trainer:
    return Trainer(Settings(home=tmp_path), store, Registry(tmp_path / "models"), now=lambda: 1e9)


def repository(store: Store, issues: int = 20) -> Repository:
    for number in range(1, issues + 1):
        at = f"2025-01-01T00:00:{number:02}Z"
        store.issues.upsert(
            Issue(REPO, number, number, f"t{number}", "b", created_at=at, labels=(1,))
        )
    found = store.repositories.get(REPO)
    assert found is not None
    return found


def pretend(monkeypatch: pytest.MonkeyPatch, *, interrupted: bool = False) -> list[Launch]:
    """A simulation that begins, and comes to its end unless it is interrupted."""
    launches: list[Launch] = []

    def run(launch: Launch, **how: object) -> float:
        launches.append(launch)
        assert (launch.log.parent / "snapshot" / "issues.jsonl").exists()
        unfinished = launch.out.with_name("simulation.unfinished")
        unfinished.mkdir(exist_ok=True)
        (unfinished / "answers.jsonl").write_text("[0, 0, [], []]\n")
        launch.out.mkdir()
        if interrupted:
            raise KeyboardInterrupt
        for name in REPORT:
            (launch.out / name).write_text("{}")
        save_vectors(launch.out / "vectors.safetensors", {"a" * 32: np.ones(3)})
        (launch.out / "card.json").write_text(json.dumps({"encoder": {"version": "mini-1"}}))
        return 0.0

    monkeypatch.setattr(launcher, "run", run)
    return launches


def options(launch: Launch, name: str) -> list[str]:
    given = list(launch.arguments)
    pairs = [given[i + 1] for i, each in enumerate(given) if each == name]
    return pairs + [x.partition("=")[2] for x in given if x.startswith(f"{name}=")]


def test_it_is_told_what_the_repositorys_own_file_says(
    trainer: Trainer, store: Store, monkeypatch: pytest.MonkeyPatch
):
    launches = pretend(monkeypatch)
    config = parse("version: 1\nretrain_after: 40\nlabels: {deny: [docs]}").config
    store.repositories.set_config(REPO, config.to_dict(), None)
    with simulation(trainer, repository(store)):
        pass
    (launch,) = launches
    assert launch.module == "training.simulate"
    assert options(launch, "--retrain-after") == ["40"]
    assert options(launch, "--off") == ["docs"]
    assert options(launch, "--suggest-only") == ["wontfix"]


@pytest.mark.parametrize(
    ("text", "suggested", "off"),
    [
        ("version: 1", ["wontfix"], []),
        ("version: 1\nmode: 'off'", ["wontfix"], []),
        ("version: 1\nlabels: {allow: ['area/*', wontfix]}", [], ["bug", "docs", "needs-triage"]),
        ("version: 1\nlabels: {overrides: {bug: {mode: suggest}}}", ["bug", "wontfix"], []),
        ("version: 1\nfallback: needs-triage", ["wontfix"], ["needs-triage"]),
        ("version: 1\nskip: {associations: [NONE]}", ["wontfix"], []),
    ],
)
def test_labels_are_held_back_as_the_policy_does(text: str, suggested: list[str], off: list[str]):
    found = parse(text)
    assert not found.problems
    assert held_back(found.config, LABELS) == (suggested, off)


def test_labels_that_come_late_are_only_suggested():
    assert held_back(parse("version: 1").config, LABELS, frozenset({1}))[0] == ["bug", "wontfix"]


def test_vectors_are_kept_and_no_text_is(
    trainer: Trainer, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pretend(monkeypatch)
    with simulation(trainer, repository(store)) as found:
        copy_report(found, tmp_path / "deep" / "out")
    assert list(store.vectors.get_many("mini-1", ["a" * 32])) == ["a" * 32]
    assert {path.name for path in (tmp_path / "deep" / "out").iterdir()} == set(REPORT)
    assert not [p for p in tmp_path.glob("runs/*/*") if p.name in ("snapshot", "simulation")]


def test_what_was_worked_out_outlives_an_interruption(
    trainer: Trainer, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pretend(monkeypatch, interrupted=True)
    row = repository(store)
    again = "interrupted; `labelwright simulate octo/app` goes on from here"
    with pytest.raises(NotSimulated, match=again), simulation(trainer, row):
        pass
    (folder,) = tmp_path.glob("runs/simulate.*")
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"simulation.unfinished"}
    pretend(monkeypatch)
    with simulation(trainer, row) as found:
        assert found == folder / "simulation"


def test_two_simulations_of_a_repository_do_not_meet(
    trainer: Trainer, store: Store, monkeypatch: pytest.MonkeyPatch
):
    pretend(monkeypatch)
    row = repository(store)
    with simulation(trainer, row) as found:
        with pytest.raises(NotSimulated, match="octo/app is under way"), simulation(trainer, row):
            pass
        assert found.is_dir()


def test_too_few_labeled_issues_start_no_process(
    trainer: Trainer, store: Store, monkeypatch: pytest.MonkeyPatch
):
    launches: list[Any] = pretend(monkeypatch)
    few = repository(store, 19)
    with pytest.raises(NothingToLearn, match="19 labeled"), simulation(trainer, few):
        pass
    assert launches == []
