"""Who may see and do what follows GitHub; and what goes wrong is a page that says what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.console.access import BELIEVED
from bot.store import connection
from tests.bot.console.planted import keep, publish
from tests.bot.console.world import PRIVATE, PUBLIC, Browser, Console, make_console

MODE = f"/r/{PUBLIC}/mode"
OFF = {"mode": "off"}


def test_a_role_that_an_organization_made_counts_as_the_strongest_in_it(console: Console) -> None:
    console.github.control.set_role(PUBLIC, "keeper", "maintain", name="Release crew")
    console.github.control.set_role(PUBLIC, "member", "triage", name="Triage crew")
    assert console.browser("keeper").post(MODE, OFF).status_code == 303
    refused = console.browser("member").post(MODE, OFF)
    assert refused.status_code == 403 and "maintain" in refused.text


def test_what_github_said_is_believed_for_minutes(console: Console) -> None:
    console.role("keeper", "maintain")
    keeper = console.browser("keeper")
    assert keeper.post(MODE, OFF).status_code == 303
    console.github.control.set_role(PUBLIC, "keeper", "read")
    console.github.control.clear_log()
    assert keeper.post(MODE, OFF).status_code == 303
    assert console.github.control.count(path="/permission") == 0
    console.clock[0] += BELIEVED + 1
    assert keeper.post(MODE, OFF).status_code == 403


def test_an_operator_is_named_in_the_settings(tmp_path: Path) -> None:
    with make_console(tmp_path, operators=("Ada",)) as console:
        assert console.browser("ada").get("/jobs").status_code == 200
        assert console.browser("bob").get("/jobs").status_code == 403


def test_a_private_repository_does_not_exist_for_a_stranger(console: Console) -> None:
    console.role("stranger", "admin", PUBLIC)
    stranger = console.browser("stranger")
    for page in ("", "/issues", "/issues/1", "/review", "/models", "/report", "/try", "/undo"):
        answer = stranger.get(f"/r/{PRIVATE}{page}")
        assert (answer.status_code, PRIVATE in answer.text.split("There is no")[0]) == (404, False)


def test_while_github_is_silent_private_repositories_are_hidden(console: Console) -> None:
    console.role("member", "admin", PRIVATE)
    member = console.browser("member")
    console.github.control.fail("status", status=500, times=50, path="/user|/permission")
    assert PRIVATE not in member.page("/")
    assert member.get(f"/r/{PRIVATE}").status_code == 503


def test_a_repository_that_the_app_was_taken_off_is_gone(
    console: Console, operator: Browser
) -> None:
    console.store.repositories.remove(console.repository().id)
    page = operator.page(f"/r/{PUBLIC}", 404)
    assert "There is no repository" in page and "To the repositories" in page


def test_a_page_that_there_is_not_says_so(operator: Browser) -> None:
    assert "Nothing here" in operator.page("/no/such/page", 404)


def test_a_locked_database_is_a_page_that_says_to_try_again(
    console: Console, operator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(console)
    keep(console, "replay", {"problem": None, "precision": 0.9, "coverage": 0.5})
    form = {"csrf_token": operator.csrf(), **OFF}
    console.store.close()
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
    other = sqlite3.connect(console.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = operator.client.post(MODE, data=form, headers={"Accept": "text/html"})
    assert answer.status_code == 503 and "The database is busy" in answer.text
    assert answer.headers["Retry-After"] == "5"
    assert operator.get("/").status_code == 200  # reading goes on
    other.rollback()
    other.close()
    assert operator.client.post(MODE, data=form).status_code == 303


def test_a_mistake_of_ours_is_a_page_with_a_number_and_no_trace(
    console: Console, operator: Browser
) -> None:
    with console.store.transaction() as db:
        db.execute("DROP TABLE reports")
    page = operator.page(f"/r/{PUBLIC}/report", 500)
    assert "Our mistake" in page and "Traceback" not in page and "no such table" not in page


def test_no_public_page_tells_a_path_or_a_private_name(console: Console) -> None:
    for path in ("/signin", "/health", "/metrics", "/healthz", "/readyz", "/nothing"):
        text = console.browser().get(path).text
        assert str(console.settings.home) not in text and PRIVATE not in text


def test_pages_allow_no_script_but_our_own(operator: Browser) -> None:
    answer = operator.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "<script>" not in answer.text and " style=" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
