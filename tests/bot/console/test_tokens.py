"""Tokens: made on a page, shown once, theirs alone, and good for what their person may."""

from __future__ import annotations

import re

import pytest

from bot.console.access import BELIEVED
from bot.console.tokens import MOST
from bot.store.erasure import of_user
from tests.bot.console.api_world import AT, Program, program
from tests.bot.console.world import NOW, PRIVATE, PUBLIC, Browser, Console

SECRET = re.compile(r"lw_[\w-]{43}")
HIDDEN = f"/repositories/{PRIVATE}"


def make(browser: Browser, **form: object) -> str:
    """A token made on the page; what the page shows of it."""
    answer = browser.post("/tokens", {"name": "a script", "days": "30", **form})
    assert answer.status_code == 200, answer.text
    found = SECRET.search(answer.text)
    assert found is not None
    return found[0]


def test_a_token_is_shown_once_and_kept_as_a_hash(console: Console, operator: Browser) -> None:
    secret = make(operator)
    page = operator.page("/tokens")
    assert "a script" in page and "never" in page and secret not in page
    rows = list(console.store._connections.rows("SELECT * FROM api_tokens"))
    assert len(rows) == 1 and secret not in str([dict(row) for row in rows])
    assert secret not in console.log.getvalue()


def test_a_token_works_until_it_is_removed(console: Console, operator: Browser) -> None:
    script = Program(console.app.test_client(), make(operator))
    assert script.get(AT)["full_name"] == PUBLIC
    assert "never" not in operator.page("/tokens")
    number = console.store.sessions.tokens(0)[0].id
    assert operator.post(f"/tokens/{number}/remove").status_code == 303
    assert script.get(AT, 401)["error"] == "unauthorized"


def test_nobody_removes_the_token_of_somebody_else(console: Console, operator: Browser) -> None:
    make(operator)
    number = console.store.sessions.tokens(0)[0].id
    other = console.browser("somebody")
    assert other.post(f"/tokens/{number}/remove").status_code == 404
    assert "a script" not in other.page("/tokens")
    assert other.post("/tokens/99999999999999999999999/remove").status_code == 404
    assert len(console.store.sessions.tokens(0)) == 1


@pytest.mark.parametrize(
    "form",
    [
        {"name": " "},
        {"name": "x" * 81},
        {"days": "0"},
        {"days": "366"},
        {"days": "²"},
        {"days": ""},
    ],
)
def test_a_form_that_makes_no_sense_makes_no_token(
    console: Console, operator: Browser, form: dict[str, str]
) -> None:
    answer = operator.post("/tokens", {"name": "a script", "days": "30", **form})
    assert answer.status_code == 400
    assert console.store.sessions.tokens(0) == []


def test_a_token_is_made_only_by_a_form_of_ours(console: Console, operator: Browser) -> None:
    answer = operator.client.post("/tokens", data={"name": "forged", "days": "30"})
    assert answer.status_code == 400 and console.store.sessions.tokens(0) == []


def test_there_is_an_end_to_how_many_tokens_one_has(console: Console, operator: Browser) -> None:
    for number in range(MOST):
        console.store.sessions.add_token(
            f"lw_{number}", person_id=0, login="operator", name="x", expires_at=NOW + 1
        )
    assert operator.post("/tokens", {"name": "one more", "days": "1"}).status_code == 409


def test_the_name_of_a_token_is_text(operator: Browser) -> None:
    make(operator, name="<script>alert(1)</script>\u202e")
    page = operator.page("/tokens")
    assert "<script>alert" not in page and "\u202e" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer lw_wrong", "Basic YTpi", "lw_x", "Bearer ²"]
)
def test_without_a_good_token_the_answer_says_how_one_is_sent(
    console: Console, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = console.app.test_client().get(f"/api/v1{AT}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert set(answer.json) == {"error", "message"} and "/tokens" in answer.json["message"]
    assert answer.headers["Cache-Control"] == "no-store" and "Location" not in answer.headers


def test_an_expired_token_is_refused(console: Console) -> None:
    script = program(console, days=1)
    console.clock[0] += 86_401
    assert script.get(AT, 401)["error"] == "unauthorized"


def test_a_wrong_token_is_not_helped_by_a_session(operator: Browser) -> None:
    headers = {"Authorization": "Bearer lw_wrong"}
    assert operator.client.get(f"/api/v1{AT}", headers=headers).status_code == 401


def test_a_token_opens_no_page(console: Console) -> None:
    script = program(console)
    headers = {"Authorization": f"Bearer {script.secret}", "Accept": "text/html"}
    assert script.client.get("/", headers=headers).status_code == 302
    assert script.client.get(f"/r/{PRIVATE}", headers=headers).status_code == 302


def test_a_token_sees_what_its_person_may_see(console: Console) -> None:
    console.role("member", "read", PRIVATE)
    seen = {}
    for who in ("member", "stranger", "operator"):
        found = program(console, who).get("/repositories")["items"]
        seen[who] = {each["full_name"] for each in found}
    assert seen["member"] == seen["operator"] == {PUBLIC, PRIVATE}
    assert seen["stranger"] == {PUBLIC}


@pytest.mark.parametrize(
    "path", ["", "/labels", "/issues", "/models", "/export/labels.csv", "/try/1"]
)
def test_a_private_repository_is_not_there_for_others(console: Console, path: str) -> None:
    stranger = program(console, "stranger")
    said = stranger.get(f"{HIDDEN}{path}", 404)
    missing = stranger.get(f"/repositories/acme/nothing{path}", 404)
    assert said["message"].replace("secret", "nothing") == missing["message"]


def test_access_that_is_lost_ends_within_minutes(console: Console) -> None:
    console.role("member", "read", PRIVATE)
    member = program(console, "member")
    assert member.get(HIDDEN)["private"] is True
    console.role("member", "none", PRIVATE)
    console.clock[0] += BELIEVED + 1
    member.get(HIDDEN, 404)
    assert PRIVATE not in str(member.get("/repositories"))


def test_whoever_takes_a_login_over_gets_nothing_by_an_old_token(console: Console) -> None:
    console.role("renamed", "admin", PRIVATE)
    before = program(console, "renamed")
    assert before.get(HIDDEN)["private"] is True
    console.store.sessions.add_token(
        "lw_of_the_old_one", person_id=987_654, login="renamed", name="x", expires_at=NOW + 9e5
    )
    Program(console.app.test_client(), "lw_of_the_old_one").get(HIDDEN, 404)


@pytest.mark.parametrize(("role", "status"), [("read", 403), ("triage", 403), ("maintain", 200)])
def test_writing_needs_the_role_that_the_pages_need(
    console: Console, role: str, status: int
) -> None:
    console.role("somebody", role)
    program(console, "somebody").send("PUT", f"{AT}/mode", {"mode": "off"}, status)
    assert (console.repository().mode == "off") is (status == 200)


def test_an_export_needs_triage(console: Console) -> None:
    console.role("reader", "read")
    assert program(console, "reader").get(f"{AT}/export/labels.csv", 403)["error"] == "forbidden"


def test_tokens_end_with_the_authorization(console: Console) -> None:
    script = program(console, "somebody")
    script.get(AT)
    number = int(console.github.control.add_account("somebody")["id"])
    console.store.sessions.end_of_person(number)
    script.get(AT, 401)


def test_a_user_who_is_forgotten_has_no_token_any_more(console: Console) -> None:
    script = program(console, "somebody")
    number = int(console.github.control.add_account("somebody")["id"])
    console.store.erasure.erase(of_user("Somebody", []))
    script.get(AT, 401)
    assert console.store.sessions.tokens(number) == []
