"""Undo in the browser: a plan, and the worker that carries it out."""

from __future__ import annotations

from tests.bot.console.world import PUBLIC, Browser, Console

PAGE = f"/r/{PUBLIC}/undo"


def test_the_plan_says_what_would_come_off_and_changes_nothing(
    console: Console, operator: Browser
) -> None:
    console.open(1, "It crashes", "bug")
    console.decide(1, bug="apply")
    page = operator.page(f"{PAGE}?all=1")
    assert "1 labels would come off, 0 stay" in page
    assert console.store.jobs.list("waiting") == []


def test_doing_it_takes_maintain(console: Console) -> None:
    console.role("member", "triage")
    console.role("keeper", "maintain")
    console.open(1, "It crashes", "bug")
    console.decide(1, bug="apply")
    assert console.browser("member").post(PAGE).status_code == 403
    keeper = console.browser("keeper")
    assert keeper.post(PAGE).status_code == 303
    [job] = console.store.jobs.list("waiting")
    assert (job.kind, job.payload["by"]) == ("undo", "keeper")
    assert keeper.post(PAGE).status_code == 409
    assert "Waiting for the worker" in keeper.page(PAGE)


def test_there_is_nothing_to_take_back(operator: Browser) -> None:
    assert operator.post(PAGE).status_code == 409
    assert "Nothing to take back" in operator.page(f"{PAGE}?all=1")


def test_a_day_or_a_number_that_is_none_is_refused(operator: Browser) -> None:
    for wrong in ("since=yesterday", "number=1e9", "number=99999999999999999999"):
        assert operator.get(f"{PAGE}?{wrong}").status_code == 400
