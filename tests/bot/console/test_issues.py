"""The list of a repository's issues."""

from __future__ import annotations

import re

import pytest

from bot.store.rows import Issue
from tests.bot.console.world import PUBLIC, Browser, Console

PAGE = f"/r/{PUBLIC}/issues"


def numbers(page: str) -> list[int]:
    """The issues on a page, in their order."""
    return [int(each) for each in re.findall(rf'<a href="{PAGE}/(\d+)">#', page)]


@pytest.fixture
def four(console: Console) -> None:
    """Four issues: two decided on, one of them closed."""
    console.open(1, "It crashes at 100%", "bug")
    console.open(2, "The manual is wrong", "docs")
    console.open(3, "Crash in the manual", "bug", "docs")
    console.open(4, "A new icon")
    console.decide(3, bug="apply", docs="suggest")
    console.decide(4, area_ui="none")
    row = console.repository()
    old = Issue(row.id, 5, 1005, "Crash of old", "", state="closed", updated_at="2026", labels=())
    console.store.issues.upsert(old)


@pytest.mark.usefixtures("four")
def test_the_newest_issue_comes_first_with_what_was_decided(operator: Browser) -> None:
    page = operator.page(PAGE)
    assert numbers(page) == [5, 4, 3, 2, 1]
    assert "nothing fits" in page and "not yet" in page


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=crash", [5, 3, 1]),
        ("q=100%25", [1]),
        ("q=_", []),
        ("q=%233", [3]),
        ("q=4", [4]),
        ("q=" + "9" * 40, []),
        ("label=docs", [3, 2]),
        ("label=DOCS&q=crash", [3]),
        ("label=no-such", []),
        ("state=closed", [5]),
        ("state=everything", [5, 4, 3, 2, 1]),
        ("decided=yes", [4, 3]),
        ("decided=no", [5, 2, 1]),
        ("decided=yes&label=bug", [3]),
        ("page=99999999999999999999", []),
        ("page=-1", [5, 4, 3, 2, 1]),
    ],
)
def test_filters_narrow_the_list(operator: Browser, query: str, found: list[int]) -> None:
    assert numbers(operator.page(f"{PAGE}?{query}")) == found


@pytest.mark.usefixtures("four")
def test_a_filter_that_matches_nothing_and_a_page_past_the_end_say_so(operator: Browser) -> None:
    assert "No issue matches" in operator.page(f"{PAGE}?q=zebra")
    assert "go back to its beginning" in operator.page(f"{PAGE}?page=7")


def test_a_repository_without_issues_says_so(operator: Browser) -> None:
    assert "No issue is known yet" in operator.page(PAGE)


def test_pages_follow_each_other_and_keep_the_filter(console: Console, operator: Browser) -> None:
    for number in range(1, 61):
        console.open(number, f"Issue {number}")
    page = operator.page(f"{PAGE}?q=issue")
    assert numbers(page) == list(range(60, 10, -1))
    assert f'href="{PAGE}?q=issue&amp;page=2"' in page
    assert numbers(operator.page(f"{PAGE}?q=issue&page=2")) == list(range(10, 0, -1))


def test_deleted_issues_and_pull_requests_are_not_listed(
    console: Console, operator: Browser
) -> None:
    console.open(1, "Deleted soon")
    row = console.repository()
    console.store.issues.delete(row.id, 1)
    console.store.issues.upsert(Issue(row.id, 2, 1002, "A pull", "", is_pull_request=True))
    assert numbers(operator.page(PAGE)) == []


def test_titles_of_an_attacker_are_shown_as_text(console: Console, operator: Browser) -> None:
    console.open(1, "<script>alert(1)</script>\u202e\x1b[31m" + "x" * 10_000)
    page = operator.page(f"{PAGE}?q=%3Cscript%3E")
    assert numbers(page) == [1]
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page
    assert "\u202e" not in page and "\x1b" not in page and len(page) < 20_000
