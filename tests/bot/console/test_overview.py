"""The first page shows what one may see."""

from __future__ import annotations

from bot.store.reports import Report
from tests.bot.console.planted import publish
from tests.bot.console.world import NOW, PRIVATE, PUBLIC, Browser, Console


def test_without_a_sign_in_the_way_leads_there(console: Console) -> None:
    answer = console.browser().get("/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/signin?next=/"


def test_the_operator_sees_every_repository_and_what_happened(
    console: Console, operator: Browser
) -> None:
    console.open(1, "It crashes", "bug")
    console.decide(1, bug="apply", docs="suggest")
    page = operator.page("/")
    assert PUBLIC in page and PRIVATE in page
    assert f'href="/r/{PUBLIC}/issues/1"' in page


def test_a_private_repository_is_shown_to_those_who_have_access(console: Console) -> None:
    console.role("member", "triage", PRIVATE)
    console.role("stranger", "triage", PUBLIC)
    assert PRIVATE in console.browser("member").page("/")
    page = console.browser("stranger").page("/")
    assert PUBLIC in page and PRIVATE not in page


def test_a_filter_that_matches_nothing_says_so(operator: Browser) -> None:
    page = operator.page("/?q=no-such-thing")
    assert "No repository matches" in page and PUBLIC not in page


def test_a_huge_page_number_is_an_empty_page(operator: Browser) -> None:
    assert "No repository" in operator.page("/?page=99999999999999999999999")


def test_a_repository_is_turned_on_by_one_click_after_its_replay_report(console: Console) -> None:
    console.role("keeper", "maintain")
    row = console.repository()
    publish(console)
    keeper = console.browser("keeper")
    assert "replay report first" in keeper.page("/") and "Turn on" not in keeper.page("/")
    body = {"precision": 0.92, "coverage": 0.5, "problem": None}
    console.store.reports.keep(Report(row.id, "replay", "0001-abcd", NOW, body))
    assert "replay: 92 % right, 50 % found" in keeper.page("/")
    assert keeper.post(f"/r/{PUBLIC}/mode", {"mode": "apply"}).status_code == 303
    assert 'class="mode apply"' in keeper.page("/")


def test_who_may_not_turn_a_repository_on_is_not_offered_it(console: Console) -> None:
    console.role("member", "write")
    publish(console)
    assert "replay report first" not in console.browser("member").page("/")


def test_the_list_goes_on_over_the_page(console: Console, operator: Browser) -> None:
    for i in range(40):
        console.store.repositories.upsert(1000 + i, f"acme/many-{i:02d}")
    first, second = operator.page("/"), operator.page("/?page=2")
    assert "acme/many-00" in first and "acme/many-39" not in first and 'rel="next"' in first
    assert "acme/many-39" in second and 'rel="prev"' in second
