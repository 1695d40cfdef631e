"""After the set-up: the link that signs in once, and the page that shows how far it is."""

from __future__ import annotations

from dataclasses import replace

from bot.console import tickets
from bot.tasks.backfill import Progress
from tests.bot.console.world import PUBLIC, Browser, Console


def ticket(console: Console, age: float = 0.0) -> str:
    return tickets.issue(console.desk.keys, console.clock[0] - age)


def test_the_link_of_the_set_up_signs_in_once(console: Console) -> None:
    link = f"{tickets.ENTER}?ticket={ticket(console)}"
    browser = console.browser()
    assert browser.get(link).headers["Location"] == "/welcome"
    assert "Install it" in browser.page("/welcome")
    assert browser.get(link).status_code == 303  # a reload of who is in already
    assert console.browser().get(link).status_code == 403


def test_a_link_that_is_old_or_forged_does_not(console: Console) -> None:
    for given in (ticket(console, tickets.GOOD_SECONDS + 1), ticket(console)[:-1], "", "a.b"):
        answer = console.browser().get(f"{tickets.ENTER}?ticket={given}")
        assert answer.status_code == 403 and "operator-token" in answer.text


def test_a_link_of_a_later_set_up_works_again(console: Console) -> None:
    console.browser().get(f"{tickets.ENTER}?ticket={ticket(console)}")
    console.clock[0] += 5
    answer = console.browser().get(f"{tickets.ENTER}?ticket={ticket(console)}")
    assert answer.status_code == 303


def test_others_are_led_to_their_repositories(console: Console) -> None:
    assert console.browser().get("/welcome").headers["Location"].startswith("/signin")
    assert console.browser("ada").get("/welcome").headers["Location"] == "/"


def test_the_single_file_is_checked_on_github(console: Console, operator: Browser) -> None:
    console.github.control.set_single_file("labelwright", "")
    page = operator.page("/welcome")
    assert "missing</span> on <bdi>acme" in page
    assert f"{console.github.url}/settings/apps/labelwright/permissions" in page
    console.github.control.set_single_file("labelwright", ".github/labelwright.yml")
    console.clock[0] += 10
    assert "missing" not in operator.page("/welcome")


def test_a_history_is_shown_as_far_as_it_is_read(console: Console, operator: Browser) -> None:
    row = console.repository(PUBLIC)
    read = Progress(started="2026-05-01T00:00:00Z", issues=40, total=120)
    read.save(console.store, row.id)
    page = operator.page("/welcome")
    assert "40 of 120 issues read" in page and 'max="120" value="40"' in page
    replace(read, issues=120, done=True).save(console.store, row.id)
    page = operator.page("/welcome")
    assert "history read" in page and "40 of 120" not in page


def test_an_installation_that_no_webhook_told_of_is_looked_for(
    console: Console, operator: Browser
) -> None:
    site = console.github.control
    site.add_repository("other/thing", labels=["bug"])
    site.install("labelwright", "other", ["other/thing"])
    page = operator.page("/welcome")
    assert "has not reached this server yet" in page
    assert [job.kind for job in console.store.jobs.list(kind="discover", limit=9)] == ["discover"]


def test_a_github_that_is_silent_does_not_hide_the_page(
    console: Console, operator: Browser
) -> None:
    console.github.control.fail("status", path="/app", times=9)
    page = operator.page("/welcome")
    assert "GitHub could not be asked" in page and PUBLIC in page
