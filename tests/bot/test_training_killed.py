"""kill -9 at any step of export, training, gate and publish: nothing is lost, nothing is half."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot import launcher
from bot.launcher import Launch
from bot.launchers.identity import is_alive
from tests.bot.training_world import REPO, World, make_world
from tests.models.encoders import write_encoder
from tests.waiting import DEADLINE

MOST_KILLS = 250
STAGES = (
    "Trainings.begin",
    "Trainer._folder",
    "write_snapshot",
    "Plan.write",
    "Local.start",
    "Record.launched",
    "Trainer.keep_vectors",
    "Record.gating",
    "Registry.store",
    "Gates.record",
    "Registry.advance",
    "Record.end",
    "clear",
    "Jobs.finish",
)
"""Where at least one worker must have died."""
PHASES = ("encode", "evaluation fit", "evaluate", "deployed fit", "gate", "save")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("made") / "tiny")


@pytest.fixture
def world(tmp_path: Path, encoder: Path) -> Iterator[World]:
    with make_world(tmp_path / "var", encoder) as made:
        yield made


@pytest.fixture
def workers(world: World, encoder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.bot.training_process", world.settings.home, encoder]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.stdin.close()
        assert process.wait(DEADLINE) == 0


def test_a_worker_killed_at_any_step_publishes_one_whole_version_in_the_end(
    world: World, workers: subprocess.Popen[str]
):
    job, before = world.ask(max_attempts=MOST_KILLS), world.before
    steps: list[str] = []
    for _ in range(MOST_KILLS):
        assert workers.stdin is not None and workers.stdout is not None
        print(file=workers.stdin, flush=True)
        step = workers.stdout.readline().strip()
        steps += [step] if step else []
        world.require_whole()
        if world.job(job).state == "done":
            break
    assert world.job(job).state == "done", steps[-1]
    assert [stage for stage in STAGES if not any(stage in step for step in steps)] == []
    first, new = (version.name for version in world.registry.list(REPO))
    assert (first, world.require_whole()) == (before, new)
    assert (world.row.state, world.row.attempt, world.left()) == ("published", 1, [])
    assert sorted(path.name for path in (world.registry.root / str(REPO)).iterdir()) == [
        *(".lock", first, new, "current.json")
    ]
    assert world.row.handle is not None and not is_alive(world.row.handle)


@pytest.fixture
def die_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, int], Callable[[], list[str]]]:
    """Have trainings killed when they begin a phase, so many times; tells where they were."""
    monkeypatch.setattr(launcher, "_SHUTDOWN_SECONDS", 0.05)

    def die(phase: str, times: int) -> Callable[[], list[str]]:
        note = tmp_path / f"{phase}-{times}"

        def command(launch: Launch) -> list[str]:
            program = [sys.executable, "-P", "-m", "tests.bot.killed_training"]
            return [*program, str(note), phase, str(times), *launch.arguments]

        monkeypatch.setattr(launcher, "command", command)
        return lambda: note.read_text().splitlines()

    return die


def test_a_training_killed_at_any_phase_is_begun_again_once_and_published(
    world: World, die_at: Callable[[str, int], Callable[[], list[str]]]
):
    for phase in PHASES:
        deaths, before, job = die_at(phase, 1), world.require_whole(), world.ask()
        assert world.work()
        assert deaths() == [phase]
        assert world.job(job).state == "done", world.job(job).error
        assert (world.row.state, world.row.attempt) == ("published", 2)
        assert world.require_whole() != before
        assert world.left() == []
    assert len(world.registry.list(REPO)) == 1 + len(PHASES)


def test_a_training_killed_twice_has_failed_and_the_version_before_serves(
    world: World, die_at: Callable[[str, int], Callable[[], list[str]]]
):
    deaths, job = die_at("begin", 2), world.ask()
    assert world.work()
    assert deaths() == ["begin"] * 2
    done = world.job(job)
    assert done.state == "dead" and "killed by SIGKILL" in str(done.error)
    assert (world.row.state, world.row.attempt) == ("failed", 2)
    assert "killed by SIGKILL" in world.row.reason
    assert (world.require_whole(), world.left()) == (world.before, [])
