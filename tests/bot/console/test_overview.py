"""The first page shows what one may see."""

from __future__ import annotations

from tests.bot.console.world import PRIVATE, PUBLIC, Browser, Console


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
