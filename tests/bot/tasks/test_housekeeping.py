"""The jobs that back up and prune: done with what they did, failed with why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.store.rows import Job
from bot.tasks import load
from models.registry import Registry
from tests.bot.world import World


def run(world: World, kind: str) -> Job:
    """Ask for a job as the clock does, and let the worker do it."""
    load()
    asked = world.store.jobs.enqueue(kind, lane="slow", key=kind)
    assert asked is not None
    assert world.worker(kind).work_once(world.context, "slow")
    found = world.store.jobs.get(asked.id)
    assert found is not None
    return found


def set_up(world: World, **settings: object) -> None:
    chosen = world.context.settings.model_copy(update=settings)
    world.context = replace(world.context, settings=chosen, registry=Registry(chosen.models))


def test_a_backup_is_made_by_a_job_that_says_where(world: World):
    job = run(world, "backup")
    [file] = world.context.settings.backups.glob("*.db")
    assert job.state == "done"
    assert str(job.result).startswith(f"backed up to {file} (")


def test_a_backup_that_fails_is_tried_again_and_says_why(world: World, tmp_path: Path):
    (tmp_path / "file").touch()
    set_up(world, backup_folder=tmp_path / "file" / "backups")
    job = run(world, "backup")
    assert (job.state, job.attempts) == ("waiting", 1)
    assert "no backup was made" in str(job.error)
    assert "LABELWRIGHT_BACKUP_FOLDER names another" in str(job.error)


def test_a_backup_that_goes_on_failing_is_a_dead_letter(world: World, tmp_path: Path):
    (tmp_path / "file").touch()
    set_up(world, backup_folder=tmp_path / "file" / "backups")
    world.store.jobs.enqueue("backup", lane="slow", max_attempts=1)
    load()
    assert world.worker("backup").work_once(world.context, "slow")
    [dead] = world.store.jobs.list("dead")
    assert dead.kind == "backup" and "no backup was made" in str(dead.error)


def test_pruning_is_done_by_a_job_that_says_what_went(world: World, tmp_path: Path):
    set_up(world, encoder=str(tmp_path / "nothing"))
    job = run(world, "prune")
    assert job.state == "done"
    assert str(job.result).startswith("nothing to remove; left alone: ")


def test_a_pruning_that_is_stopped_with_the_process_is_done_again(world: World):
    set_up(world)
    (world.context.registry.root / "1").mkdir(parents=True)
    world.context.stop.set()
    job = run(world, "prune")
    assert (job.state, job.attempts) == ("waiting", 0)
