"""What live precision does by itself is told to the operator's webhook, without a name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot import announce, news
from bot.context import Context
from bot.settings import Settings
from bot.store.rows import LiveChange
from bot.tasks import review as review_task
from tests.bot.receiver import receiving
from tests.bot.test_review import taken_off
from tests.bot.world import REPO, World


def told_to(world: World, url: str | None) -> Context:
    settings = Settings(home=world.context.settings.home, alarm_url=url)  # type: ignore[arg-type]
    return replace(world.context, settings=settings)


def look_back(world: World, context: Context) -> None:
    world.store.jobs.enqueue("review", lane="slow", repository_id=world.repository_id)
    (job,) = world.store.jobs.list("waiting", "review")
    review_task.look_back(context, job)


def test_a_label_that_is_held_back_is_told_once_by_number_and_not_by_name(world: World) -> None:
    taken_off(world, 6)
    with receiving() as receiver:
        context = told_to(world, receiver.url)
        look_back(world, context)
        assert announce.deliver(context) == 1
        review_task.look_back(context, world.store.jobs.list("waiting", "review")[0])
        assert announce.deliver(context) == 0
        (told,) = receiver.told
    said: dict[str, Any] = told["news"][0]
    assert said["key"] == "live_precision"
    assert said["message"].startswith(f"repository {world.repository_id}: 1 label is now only")
    assert told["text"].endswith(f"NEWS live_precision: {said['message']}")
    assert REPO not in str(told) and "bug" not in str(told)


def test_a_version_that_is_rolled_back_is_told(world: World) -> None:
    for _ in range(20):
        number = world.open("crash")
        world.work()
        world.site.label(REPO, number, "docs", by="ada")
        world.ask(number, "edited")
        world.work()
    world.become("v2")
    taken_off(world, 20)
    with receiving() as receiver:
        context = told_to(world, receiver.url)
        look_back(world, context)
        assert announce.deliver(context) >= 1
        told = [each["news"][0] for each in receiver.told]
    (said,) = [each["message"] for each in told if each["key"] == "rollback"]
    assert said.startswith(f"repository {world.repository_id}: v2 was rolled back to v1: 0 of 20")


def test_without_an_address_nothing_waits_to_be_told(world: World) -> None:
    taken_off(world, 6)
    look_back(world, told_to(world, None))
    assert world.store.announcements.oldest() is None
    assert "live precision" in world.log.getvalue()


def test_changes_are_counted_by_what_became_of_the_labels() -> None:
    states = ("raised", "raised", "retired", "as trained")
    changes = [LiveChange(9, n, 0.0, state, "why", "v1") for n, state in enumerate(states)]
    assert news.of_changes(9, changes) == (
        "repository 9: 1 label is now applied as trained again,"
        " 2 labels are now applied only from a higher probability on,"
        " 1 label is now retired, because nobody uses it any more;"
        " `labelwright live` says which, and why"
    )
