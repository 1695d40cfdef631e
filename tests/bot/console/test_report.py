"""The replay report: asked for, watched, read, and trusted no further than it goes."""

from __future__ import annotations

import pytest

from tests.bot.console.planted import keep, publish, replay
from tests.bot.console.world import PUBLIC, Browser, Console

PAGE = f"/r/{PUBLIC}/report"


@pytest.fixture
def made(console: Console) -> str:
    """A report on three issues, of the version in force."""
    console.open(1, "It crashes", "bug")
    console.open(2, "It crashes again", "bug")
    console.open(3, "The manual crashes", "docs")
    return keep(console, "replay", replay(), version=publish(console))


@pytest.mark.usefixtures("made")
def test_it_says_what_would_have_been_applied(operator: Browser) -> None:
    page = operator.page(PAGE)
    assert "On the last 3 issues" in page and "66.7 %" in page
    assert "2 of 3 labels right, so 21 % to 94 %" in page
    assert "2026-05" in page and "The manual crashes" in page


@pytest.mark.usefixtures("made")
def test_it_says_how_it_kept_to_the_past(console: Console, operator: Browser) -> None:
    page = operator.page(PAGE)
    assert "From past data only" in page and "learned only from older ones" in page
    assert "only three issues are labeled" in page


def test_it_does_not_claim_a_past_that_it_had_not(console: Console, operator: Browser) -> None:
    keep(console, "replay", replay(past_only=False, method="Interleaved: too good."))
    page = operator.page(PAGE)
    assert "Not from past data only" in page and "Interleaved: too good." in page


def test_it_stays_under_the_address_of_its_version(
    console: Console, operator: Browser, made: str
) -> None:
    keep(console, "replay", replay(issues=77), version="0000-00000000")
    assert f'href="{PAGE}/0000-00000000"' in operator.page(PAGE)
    assert "On the last 77 issues" in operator.page(f"{PAGE}/0000-00000000")
    assert "On the last 3 issues" in operator.page(f"{PAGE}/{made}")
    assert "is in force now" in operator.page(f"{PAGE}/0000-00000000")


def test_a_report_that_is_not_there_is_not_found(operator: Browser) -> None:
    assert "no replay report of version" in operator.page(f"{PAGE}/9999-ffffffff", 404)


@pytest.mark.usefixtures("made")
def test_an_issue_that_is_deleted_leaves_the_report(console: Console, operator: Browser) -> None:
    console.store.issues.delete(console.repository().id, 3)
    page = operator.page(PAGE)
    assert "The manual crashes" not in page and f"/r/{PUBLIC}/issues/3" not in page


@pytest.mark.usefixtures("made")
def test_titles_of_an_attacker_are_shown_as_text(console: Console, operator: Browser) -> None:
    console.open(4, "<script>alert(1)</script>\u202e" + "x" * 10_000)
    wrong = {"number": 4, "created_at": "2026-05-20T12:00:00Z", "labels": [], "apply": ["bug"],
             "suggest": [], "right": [], "wrong": ["<img src=x>"]}  # fmt: skip
    keep(console, "replay", replay(rows=[wrong]), version=console.desk.registry.current(
        console.repository().id) or "")  # fmt: skip
    page = operator.page(PAGE)
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page
    assert "\u202e" not in page and "<img" not in page and "x" * 200 not in page


def test_it_is_asked_for_and_its_progress_is_watched(console: Console) -> None:
    publish(console)
    console.role("helper", "triage")
    helper = console.browser("helper")
    assert "No report yet" in helper.page(PAGE)
    assert helper.post(PAGE).status_code == 303
    assert "waiting for the worker" in helper.page(PAGE)
    job = console.store.jobs.claim("w", lane="slow", kinds=["replay_report"])
    assert job is not None
    console.store.progress.note(job, 120, 500)
    page = helper.page(PAGE)
    assert "120 of 500 issues replayed" in page and 'hx-trigger="every 2s"' in page


def test_asked_for_twice_it_is_made_once(console: Console, operator: Browser) -> None:
    publish(console)
    operator.post(PAGE)
    operator.post(PAGE)
    assert console.store.jobs.counts()[("slow", "waiting")] == 1


def test_a_report_that_failed_says_why(console: Console, operator: Browser) -> None:
    publish(console)
    operator.post(PAGE)
    job = console.store.jobs.claim("w", lane="slow", kinds=["replay_report"])
    assert job is not None
    console.store.jobs.bury(job, "the disk is <b>full</b>")
    page = operator.page(PAGE)
    assert "the disk is &lt;b&gt;full" in page and "Make the report" in page


def test_who_only_reads_cannot_have_it_made(console: Console) -> None:
    publish(console)
    reader = console.browser("reader")
    assert f'action="{PAGE}"' not in reader.page(PAGE)
    assert reader.post(PAGE).status_code == 403
    assert console.store.jobs.counts() == {}


def test_without_scores_it_says_what_to_do(console: Console, operator: Browser) -> None:
    keep(console, "replay", {"problem": "Train a newer version: this one keeps no scores."})
    assert "this one keeps no scores" in operator.page(PAGE)
