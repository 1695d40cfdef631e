"""What an attacker may try on the console beside its pages, and what no log tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.console.keys import KEY, OPERATOR
from bot.console.people import begin
from tests.bot.console.test_signin import allow, path_of
from tests.bot.console.world import Console, make_console

OUTSIDE = (
    "/static/../keys.py",
    "/static/%2e%2e/keys.py",
    "/static/..%2fkeys.py",
    "/static/..%5ckeys.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/console.css%00.png",
    "/static/.",
)


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_folder_of_files(console: Console, path: str) -> None:
    answer = console.app.test_client().get(path, follow_redirects=True)
    assert answer.status_code == 404
    assert b"root:" not in answer.data and b"Fernet" not in answer.data


@pytest.mark.parametrize("path", ["/", "/signin", "/nothing", "/jobs", "/api/v1/openapi.json"])
def test_no_other_site_may_put_an_answer_into_a_frame(console: Console, path: str) -> None:
    for browser in (console.browser(), console.browser("operator")):
        headers = browser.get(path).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_cookie_that_was_known_before_the_sign_in_opens_nothing(console: Console) -> None:
    victim, attacker = console.browser(), console.browser()
    victim.get("/signin?next=/jobs")
    planted = victim.client.get_cookie("labelwright")
    assert planted is not None
    attacker.client.set_cookie("labelwright", planted.value)
    victim.sign_in_as_operator()
    assert victim.get("/jobs").status_code == 200
    assert attacker.get("/jobs").status_code == 302


def test_signing_in_again_ends_in_another_session(console: Console) -> None:
    secrets = set()
    for _ in range(2):
        with console.app.test_request_context():
            secrets.add(begin(console.desk, person_id=1, login="ada", token=None).secret)
    assert len(secrets) == 2


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(tmp_path: Path) -> None:
    with make_console(tmp_path, public_url="https://labels.example") as console:
        sent = console.browser().get("/signin").headers["Set-Cookie"]
    assert all(each in sent for each in ("Secure", "HttpOnly", "SameSite=Lax"))


def test_no_log_holds_a_secret_of_whoever_signs_in(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    caplog.set_level("DEBUG")
    with make_console(tmp_path, with_client=True, log_level="debug") as site:
        site.role("member", "triage")
        browser, operator = site.browser(), site.browser()
        back = path_of(allow(site, "member", browser.post("/signin/github")))
        assert browser.get(back).status_code == 302
        operator.post("/signin/token", {"token": "a wrong token of somebody"})
        operator.sign_in_as_operator()
        made = operator.post("/tokens", {"name": "ci", "days": "7"}).text
        with browser.client.session_transaction() as session:
            held = [session["_user_id"], made.partition("lw_")[2][:43]]
        files = [(tmp_path / name).read_text().strip() for name in (KEY, OPERATOR)]
        tokens = [token for token in site.github.state.tokens if token.startswith("gh")]
        secrets = [*held, *files, *tokens, *site.settings.secrets, "a wrong token of somebody"]
    logged = capsys.readouterr().err + caplog.text
    assert '"signed in"' in logged and '"token made"' in logged and "token refused" in logged
    assert len(secrets) > 7 and all(len(each) > 7 for each in secrets)
    assert [each for each in secrets if each in logged] == []
