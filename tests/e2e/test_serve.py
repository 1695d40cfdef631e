"""`serve` from an empty home: learn, label, suggest, poll, undo, survive, stop."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bot.launchers.identity import pid_of
from bot.settings import Settings
from models.registry import Registry
from tests.e2e import trained
from tests.e2e.server import command_of
from tests.e2e.site import BOT, CONFIG, Repo, Site, connected

LEARNING_SECONDS = 120.0
"""Seconds in which the history is read and a model trained, on a busy machine."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """GitHub, and `serve` on a home that was empty."""
    with connected(tmp_path_factory.mktemp("served"), bundle) as made:
        made.server.start("serve")
        yield made


@pytest.fixture(scope="module")
def learned(site: Site) -> Repo:
    """A repository with a history that the server has read and learned from by itself."""
    repo = site.install_on("harbor", issues=trained.samples())
    site.server.eventually(lambda: version_of(repo), LEARNING_SECONDS)
    site.server.eventually(site.server.is_quiet)
    return repo


def version_of(repo: Repo) -> str | None:
    """The version of a repository's model that is published now."""
    return Registry(repo.site.server.home / "models").current(repo.id)


def test_an_installation_is_read_and_learned_and_its_next_issue_labeled(learned: Repo):
    store = learned.site.server.store
    assert store.issues.count(learned.id) == trained.SIZE
    backfill = learned.site.server.jobs("backfill", repository=learned.id)[0]
    assert str(backfill.result).startswith(f"read: {trained.SIZE} of {trained.SIZE} issues")
    number = learned.open()
    learned.labeled_once(number)
    decision = learned.decision(number)
    assert decision is not None
    assert (decision.version, decision.mode) == (version_of(learned), "apply")
    assert all(neighbour["number"] for neighbour in decision.neighbours)
    assert decision.neighbours


def test_a_repository_without_a_labeled_issue_gets_suggestions_on_day_one(site: Site):
    repo = site.install_on("fresh")
    number = repo.open(title="Backup from the Android phone", body="The iOS app can do it.")
    assert str(repo.settled(number).result).startswith("nothing applied; suggested: ")
    decision = repo.decision(number)
    assert decision is not None and decision.version.startswith("zero-shot")
    assert "area/mobile" in [v["label"] for v in decision.verdicts if v["verdict"] == "suggest"]
    assert repo.labels_on(number) == []


def test_undo_takes_back_what_we_added_and_nobody_confirmed(learned: Repo):
    github, server = learned.github, learned.site.server
    untouched, confirmed, by_ada = learned.open(), learned.open(), learned.open()
    for number in (untouched, confirmed, by_ada):
        learned.labeled_once(number)
    github.label(learned.name, confirmed, "area/web", by="ada")
    github.unlabel(learned.name, by_ada, "bug", by="ada")
    github.label(learned.name, by_ada, "bug", by="ada")
    assert github.drain()
    server.eventually(server.is_quiet)

    planned = server.command("undo", learned.name)
    assert planned["dry_run"] is True
    assert learned.labels_on(untouched) == ["bug"]
    server.command("undo", learned.name, "--yes")
    assert learned.labels_on(untouched) == []
    assert learned.labels_on(confirmed) == ["area/web", "bug"]
    assert learned.labels_on(by_ada) == ["bug"]
    assert learned.outcomes(untouched) == [("bug", "undone")]


def killed(site: Site, kind: str) -> None:
    """Kill one child of `serve`, and wait for the next one."""
    before = site.server.children()[kind]
    before.kill()
    site.server.eventually(
        lambda: (
            site.server.children().get(kind, before).pid != before.pid
            and site.server.is_alive(kind)
        )
    )


def test_children_that_are_killed_come_back_and_go_on(learned: Repo):
    before = {kind: child.pid for kind, child in learned.site.server.children().items()}
    for kind in ("clock", "worker", "web"):
        killed(learned.site, kind)
    after = {kind: child.pid for kind, child in learned.site.server.children().items()}
    assert set(before) == set(after) == {"web", "worker", "clock"}
    assert set(before.values()).isdisjoint(after.values())
    learned.labeled_once(learned.open())


def test_a_training_outlives_the_worker_and_is_found_again_by_the_next(learned: Repo):
    server, before = learned.site.server, version_of(learned)
    asked = server.store.jobs.enqueue(
        "train", lane="slow", installation_id=learned.installation_id, repository_id=learned.id
    )
    assert asked is not None
    training = server.eventually(lambda: trainings(server.children()["worker"]))[0]
    server.eventually(lambda: server.store.trainings.of_job(asked.id).phase)  # it has begun
    killed(learned.site, "worker")
    server.eventually(lambda: version_of(learned) != before, LEARNING_SECONDS)
    row = server.store.trainings.of_job(asked.id)
    assert (row.attempt, pid_of(row.handle)) == (1, training.pid)  # it was not begun again
    server.eventually(lambda: server.store.jobs.counts().get(("slow", "running"), 0) == 0)


def trainings(worker: psutil.Process) -> list[psutil.Process]:
    """The trainings that a worker runs now."""
    children = worker.children(recursive=True)
    return [child for child in children if "training.run" in command_of(child)]


def test_a_stop_leaves_no_process(site: Site):
    server = site.server
    group = server.processes["serve"].pid
    assert len(in_group(group)) == 4
    assert server.terminate("serve") == 0
    assert in_group(group) == []
    assert server.store.heartbeats.all() == [] or all(
        not psutil.pid_exists(beat.pid) for beat in server.store.heartbeats.all()
    )


def in_group(group: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for process in psutil.process_iter(["status"]):
        try:
            if os.getpgid(process.pid) == group and process.info["status"] != "zombie":
                found.append(process.pid)
        except ProcessLookupError:
            continue
    return found


# Polling

POLL_SECONDS = 4.0
WORK_SECONDS = 14.0
"""Seconds from a poll that sees an issue to its labels, on a busy machine."""


@pytest.fixture
def polled(tmp_path: Path, bundle: Path) -> Iterator[Repo]:
    """A repository whose server has no webhook: it has to ask."""
    options = {"intake": "poll", "poll_seconds": POLL_SECONDS}
    with connected(tmp_path, bundle, **options) as made:
        del made.server.settings["webhook_secret"]
        made.github.control.set_webhook("labelwright", None)
        repo = made.install_on("asked", model=True, wait=False)
        made.server.start("serve")
        made.server.eventually(lambda: made.is_known(repo))
        yield repo


def test_without_a_webhook_a_new_issue_is_labeled_within_a_minute(polled: Repo):
    github, server = polled.github, polled.site.server
    first = polled.open()
    polled.labeled_once(first)  # the model is in memory now
    server.eventually(server.is_quiet)

    github.clear_log()
    opened_at = time.monotonic()
    number = polled.open()
    server.eventually(lambda: polled.labels_on(number) == ["bug"])
    took = time.monotonic() - opened_at
    assert took < 1.5 * POLL_SECONDS + WORK_SECONDS
    assert 1.5 * Settings.model_fields["poll_seconds"].default + WORK_SECONDS < 60

    polls = r"/issues$"
    server.eventually(lambda: len(polled.requests("GET", polls)) >= 4)
    requests = github.requests()
    for_issue = [r for r in requests if f"/issues/{number}" in r["path"]]
    assert len(for_issue) <= 4, [(r["method"], r["path"]) for r in for_issue]
    asked = len(polled.requests("GET", polls))
    assert len(requests) - len(for_issue) - asked <= 6, [r["path"] for r in requests]
    free = [r for r in polled.requests("GET", polls) if r["status"] == 304]
    assert free, "a look that finds nothing costs nothing"
    assert polled.history(number) == [["labeled", "bug", BOT]]
    assert github.deliveries() == []


def test_the_configuration_is_read_where_no_webhook_tells_of_it(polled: Repo):
    found = polled.site.server.store.repositories.get(polled.id)
    assert found is not None and found.config is not None
    assert found.config["mode"] == "apply", CONFIG
