"""Labels, configuration and installations, read again from the stand-in for GitHub."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.github.errors import RateLimited
from bot.repo_config import FILE
from bot.tasks import TASKS, sync
from demo.github import StandIn
from tests.bot.world import REPO, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=time.time)
        made.store.repositories.set_config(made.repository_id, None, None)
        yield made
        made.context.app.close()
        made.store.close()


def run(world: World, kind: str) -> str:
    row = world.repository
    owner = {"installation_id": row.installation_id, "repository_id": row.id}
    world.store.jobs.enqueue(kind, **({} if kind == "discover" else owner))
    job = world.store.jobs.claim("test", lane="fast", kinds=[kind])
    assert job is not None
    result = TASKS[kind].run(world.context, job)
    world.store.jobs.finish(job, result)
    return result


def put(world: World, text: str | None, repo: str = REPO) -> None:
    world.site.put_file(repo, FILE, text)


def test_all_labels_are_taken_over_and_lost_ones_marked(world: World):
    for number in range(150):
        world.site.create_label(REPO, f"area/{number}")
    world.site.delete_label(REPO, "docs")
    assert run(world, "sync_labels") == "153 labels"
    assert world.store.labels.by_name(world.repository_id, "docs") is None
    assert world.store.labels.by_name(world.repository_id, "area/149") is not None


def test_without_a_file_the_defaults_hold(world: World):
    world.store.repositories.set_config(world.repository_id, {"mode": "apply"}, "x y")
    assert run(world, "sync_config") == "no configuration: the defaults hold"
    assert world.repository.config is None


def test_a_configuration_comes_into_force(world: World):
    put(world, "version: 1\nmode: apply\n")
    assert run(world, "sync_config") == f"the configuration of {REPO} is in force"
    assert world.repository.config is not None
    assert world.repository.config["mode"] == "apply"


def test_an_unchanged_configuration_costs_nothing(world: World):
    put(world, "version: 1\nmode: apply\n")
    run(world, "sync_config")
    used = world.site.limits()["used"]
    assert run(world, "sync_config") == f"the configuration of {REPO} is unchanged"
    assert world.site.limits()["used"] == used


def test_a_wrong_configuration_is_reported_and_the_last_valid_one_stays(world: World):
    put(world, "version: 1\nmode: apply\n")
    run(world, "sync_config")
    put(world, "version: 1\nmode: sometimes\n")
    assert f"{REPO}/{FILE}: line 2" in run(world, "sync_config")
    assert world.repository.config is not None
    assert world.repository.config["mode"] == "apply"
    assert len(world.repository.config_errors) == 1
    put(world, "version: 1\nmode: off\n")
    run(world, "sync_config")
    assert world.repository.config_errors == ()


def test_the_owners_repository_is_the_fallback_until_there_is_an_own_file(world: World):
    world.site.add_repository("acme/.github")
    world.site.change_repositories(world.installation_id, added=["acme/.github"])
    put(world, "version: 1\nmode: apply\n", "acme/.github")
    assert run(world, "sync_config") == "the configuration of acme/.github is in force"
    assert run(world, "sync_config") == "the configuration of acme/.github is unchanged"
    put(world, "version: 1\nmode: off\n")
    assert run(world, "sync_config") == f"the configuration of {REPO} is in force"
    put(world, None)
    assert run(world, "sync_config") == "the configuration of acme/.github is in force"


def test_a_file_that_we_may_not_read_is_a_problem_to_report(world: World):
    put(world, "version: 1\n")
    forbidden = "Resource not accessible by integration"
    world.site.fail("status", path="/contents/", status=403, message=forbidden)
    assert "refused" in run(world, "sync_config")
    assert "not accessible" in world.repository.config_errors[0]


def test_what_no_webhook_told_is_discovered(world: World):
    world.site.lose_webhooks()
    world.site.add_repository("acme/second")
    world.site.rename_repository(REPO, "shuttle")
    world.site.change_repositories(world.installation_id, added=["acme/second"])
    world.site.add_repository("zoo/animals")
    world.site.install("labelwright", "zoo")
    assert run(world, "discover") == "3 repositories, 0 installations gone"
    names = [row.full_name for row in world.store.repositories.all()]
    assert names == ["acme/second", "acme/shuttle", "zoo/animals"]
    taken_up = {job.repository_id for job in world.store.jobs.list("waiting", "backfill")}
    assert len(taken_up) == 2


def test_what_went_away_is_discovered(world: World):
    world.site.add_repository("acme/second")
    world.site.change_repositories(world.installation_id, added=["acme/second"])
    run(world, "discover")
    world.site.change_repositories(world.installation_id, removed=[REPO])
    run(world, "discover")
    assert [row.full_name for row in world.store.repositories.all()] == ["acme/second"]
    world.site.uninstall(world.installation_id)
    assert run(world, "discover") == "0 repositories, 1 installations gone"
    assert world.store.repositories.all() == []


def test_a_suspension_is_discovered_and_its_end(world: World):
    for suspended in (True, False):
        world.site.suspend(world.installation_id, suspended)
        run(world, "discover")
        row = world.store.installations.get(world.installation_id)
        assert row is not None
        assert row.suspended is suspended


def test_accounts_that_are_not_allowed_are_left_out(world: World):
    world.site.add_repository("zoo/animals")
    world.site.install("labelwright", "zoo")
    settings = world.context.settings.model_copy(update={"allowed_accounts": ("Acme",)})
    world.context = replace(world.context, settings=settings)
    assert run(world, "discover") == "1 repositories, 0 installations gone"


def test_only_one_look_at_the_installations_waits(world: World):
    assert sync.enqueue_discover(world.store) is not None
    assert sync.enqueue_discover(world.store) is None


def test_an_owners_repository_that_was_renamed_is_no_fallback(world: World):
    world.site.add_repository("acme/.github")
    world.site.rename_repository("acme/.github", "dot")
    assert run(world, "sync_config") == "no configuration: the defaults hold"


def test_the_owners_file_is_read_once_for_all_of_its_repositories(world: World):
    world.site.add_repository("acme/.github")
    world.site.change_repositories(world.installation_id, added=["acme/.github"])
    put(world, "version: 1\nmode: apply\n", "acme/.github")
    second = world.site.add_repository("acme/second")
    world.site.change_repositories(world.installation_id, added=["acme/second"])
    run(world, "sync_config")
    world.store.repositories.upsert(second["id"], "acme/second", False, world.installation_id)
    owner = {"installation_id": world.installation_id, "repository_id": second["id"]}
    world.store.jobs.enqueue("sync_config", **owner)
    assert world.work().result == "the configuration of acme/.github is in force"
    assert world.site.count("GET", r"acme/\.github/contents") == 1
    later = time.time() + sync.CONFIG_SECONDS
    world.context = replace(world.context, now=lambda: later)
    assert run(world, "sync_config") == "the configuration of acme/.github is unchanged"
    assert world.site.count("GET", r"acme/\.github/contents") == 2


@pytest.mark.parametrize("kind", ["sync_labels", "sync_config"])
def test_a_nearly_spent_quota_is_left_to_other_work(world: World, kind: str):
    world.site.set_limits(primary=100)
    client = world.context.app.installation(world.installation_id)
    client.labels(REPO)
    while client.transport.quotas["core"].remaining > 8:
        client.labels(REPO)
    with pytest.raises(RateLimited, match="kept for new issues"):
        run(world, kind)


def test_a_forgotten_repository_is_not_discovered_again(world: World):
    world.store.erasure.erase(world.store.erasure.repository(world.repository_id))
    run(world, "discover")
    assert world.repository.forgotten and world.store.jobs.list("waiting") == []
