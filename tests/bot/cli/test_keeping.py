"""`labelwright backup`, `restore` and `prune`: a round trip by hand, and what they print."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import Store
from tests.bot.cli.conftest import Command
from tests.models.encoders import write_encoder


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    made = Store.open(home / "labelwright.db")
    made.meta.set("title", "old")
    yield made
    made.close()


def test_a_backup_comes_back(store: Store, home: Path, labelwright: Command):
    said = labelwright("backup")
    [file] = (home / "backups").glob("*.db")
    assert said.out.startswith(f"backed up to {file} (0.") and said.err == ""
    store.meta.set("title", "new")
    store.close()
    said = labelwright("restore", file)
    first, second = said.out.splitlines()
    assert first == f"{store.path} is {file} now"
    assert second.startswith("the database before is kept as ")
    assert store.meta.get("title") == "old"


def test_both_print_json(store: Store, home: Path, tmp_path: Path, labelwright: Command):
    out = tmp_path / "mine.db"
    made = labelwright("backup", "--out", out, "--json").json()
    assert made == {"path": str(out), "bytes": out.stat().st_size, "removed": []}
    store.close()
    done = labelwright("restore", out, "--json").json()
    assert done["database"] == str(store.path) and Path(done["previous"]).is_file()


def test_a_running_server_keeps_its_database(store: Store, labelwright: Command, tmp_path: Path):
    labelwright("backup", "--out", tmp_path / "mine.db")
    store.heartbeats.beat("worker", 123)
    store.close()
    said = labelwright("restore", tmp_path / "mine.db")
    assert (said.status, said.out) == (1, "")
    assert "worker (process 123): stop it first" in said.err and said.err.count("\n") == 1


def test_what_cannot_be_done_is_said_in_one_line(
    store: Store, labelwright: Command, tmp_path: Path
):
    (tmp_path / "mine.db").touch()
    for words in (("backup", "--out", tmp_path / "mine.db"), ("restore", tmp_path / "mine.db")):
        said = labelwright(*words)
        assert said.status == 1 and said.err.startswith("labelwright: ")
        assert said.err.count("\n") == 1


def test_pruning_says_what_goes_and_a_dry_run_what_would(
    store: Store, labelwright: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    encoder = write_encoder(tmp_path / "encoder")
    monkeypatch.setenv("LABELWRIGHT_ENCODER", str(encoder))
    past = Store(store.path, now=lambda: time.time() - 8 * 86_400)
    for guid in ("g1", "g2"):
        past.deliveries.accept(guid, "ping", None, None, None, b"{}")
        job = past.jobs.claim("test", lane="fast")
        assert job is not None
        past.jobs.finish(job, "done")
    past.close()

    assert labelwright("prune", "--dry-run").out == "would have removed 2 deliveries, 2 jobs\n"
    planned = labelwright("prune", "--dry-run", "--json").json()
    assert (planned["dry_run"], planned["removed"]["jobs"], planned["left_alone"]) == (True, 2, [])
    assert len(store.jobs.list()) == 2
    assert labelwright("prune").out == "removed 2 deliveries, 2 jobs\n"
    assert store.jobs.list() == []
    assert labelwright("prune", "--dry-run").out == "nothing to remove\n"
