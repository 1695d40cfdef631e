"""Once an hour it is kept who is over the cap, and what GitHub says that people may do."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest

from bot.hearing import heard_since
from bot.store.rows import Actor, Decision, LabelEvent
from bot.tasks import actors
from bot.times import from_epoch
from tests.bot.world import REPO, World

DAY = 86_400.0
assert actors.look_at_actors is not None


def look(world: World) -> str:
    """Run the job; returns its result."""
    repository = world.repository
    world.store.jobs.enqueue_for(repository, "actors", lane="slow")
    assert world.worker("actors").work_once(world.context, "slow")
    job = world.store.jobs.list(kind="actors")[0]
    return job.result or f"{job.state}: {job.error}"


def label_by(
    world: World, login: str, id: int, *, numbers: Iterable[int] = (1,), kind: str = "person"
) -> None:
    """Somebody labels issues, now."""
    bug = world.store.labels.by_name(world.repository_id, "bug")
    assert bug is not None
    at = from_epoch(time.time())
    who = (id, login, kind, at, "webhook")
    world.store.events.add(
        LabelEvent(world.repository_id, n, bug.id, "bug", "labeled", *who)  # type: ignore[arg-type]
        for n in numbers
    )


def roles(world: World) -> dict[str, str | None]:
    return {x.login: x.role for x in world.store.actors.all(world.repository_id)}


def asked(world: World) -> int:
    return sum("/permission" in entry["path"] for entry in world.site.requests())


def came(world: World, ago: float) -> None:
    """We made our first decision so many seconds ago."""
    at = time.time() - ago
    world.store.decisions.record(Decision(world.repository_id, 1, "v1", "apply", (), at=at))
    assert heard_since(world.store, world.repository_id) is not None


def test_the_roles_of_people_who_label_are_asked_for(world: World):
    for number, (login, role) in enumerate((("t", "triage"), ("m", "maintain"), ("r", "read"))):
        world.site.set_role(REPO, login, role)
        label_by(world, login, 10 + number)
    assert look(world) == "0 actors over the cap; 3 roles asked for"
    assert roles(world) == {"t": "triage", "m": "maintain", "r": "read"}


def test_a_role_is_asked_for_once_a_week(world: World):
    label_by(world, "ada", 10)
    world.site.set_role(REPO, "ada", "write")
    look(world)
    assert look(world) == "0 actors over the cap"
    actor = world.store.actors.all(world.repository_id)[0]
    world.store.actors.set_role(actor, "write", time.time() - 8 * DAY)
    world.site.set_role(REPO, "ada", "read")
    assert look(world) == "0 actors over the cap; 1 roles asked for"
    assert roles(world) == {"ada": "read"}


@pytest.mark.parametrize("kind", ["bot", "template", "us"])
def test_nobody_asks_about_what_is_no_person(world: World, kind: str):
    label_by(world, "ada", 10, kind=kind)
    assert look(world) == "0 actors over the cap"
    assert asked(world) == 0


def test_where_github_does_not_know_the_account_its_role_is_unknown(world: World):
    label_by(world, "renamed-since", 10)
    assert look(world) == "0 actors over the cap; 1 roles asked for"
    assert roles(world) == {"renamed-since": "unknown"}
    assert look(world) == "0 actors over the cap"


def test_where_github_refuses_the_role_is_unknown(world: World):
    label_by(world, "ada", 10)
    world.site.set_role(REPO, "ada", "write")
    world.site.fail("status", status=403, path="/permission")
    assert look(world) == "0 actors over the cap; 1 roles asked for"
    assert roles(world) == {"ada": "unknown"}


def test_a_github_that_is_down_is_asked_again(world: World):
    label_by(world, "ada", 10)
    world.site.fail("status", status=502, times=20, path="/permission")
    look(world)
    assert world.store.jobs.list("waiting", "actors")[0].attempts == 1
    assert roles(world) == {}


def test_who_comes_to_be_over_the_cap_is_logged_once(world: World):
    came(world, DAY)
    world.site.set_role(REPO, "mallory", "triage")
    label_by(world, "mallory", 66, numbers=range(100))
    assert look(world).startswith("0 actors over the cap")
    label_by(world, "mallory", 66, numbers=(100,))
    for _ in range(2):
        assert look(world).startswith("1 actors over the cap")
    assert world.log.getvalue().count("actor over the cap: not heard") == 1
    [capped] = world.store.actors.capped()
    assert (capped.login, capped.capped, capped.role) == ("mallory", 101, "triage")


def test_of_whom_the_operator_decided_nobody_is_told_any_more(world: World):
    came(world, DAY)
    label_by(world, "mallory", 66, numbers=range(101))
    look(world)
    world.store.actors.set_stance(Actor(world.repository_id, 66, "mallory"), "excluded")
    assert world.store.actors.capped() == []
    assert look(world).startswith("0 actors over the cap")


def test_a_repository_that_left_is_left_alone(world: World):
    world.store.repositories.remove(world.repository_id)
    assert look(world).startswith("left alone")


def test_a_role_that_comes_after_its_user_was_forgotten_is_not_kept(world: World):
    world.store.actors.set_role(Actor(world.repository_id, 66, "mallory"), "write", 0.0)
    assert roles(world) == {}
