"""The webhook's secret and the private key change, and no delivery is lost meanwhile."""

from __future__ import annotations

import io
import json
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from bot.console.desk import EXTENSION
from bot.log import make_logger
from bot.signature import sign
from bot.web import create_app
from tests.bot.console.world import Browser, Console, make_console

OLD = "a secret"
BASE = f'# ours\nwebhook_secret = "{OLD}"\nport = 9000\n'


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """A console whose webhook secret stands in the settings' file."""
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    (tmp_path / "labelwright.toml").write_text(BASE)
    with make_console(tmp_path) as made:
        made.github.control.set_webhook_secret("labelwright", OLD)
        yield made


def held(console: Console) -> dict[str, object]:
    return tomllib.loads((console.settings.home / "labelwright.toml").read_text())


def deliver(client: FlaskClient, secret: object) -> int:
    """Send a delivery that is signed with a secret; returns the status."""
    body = json.dumps({"zen": "Keep it logically awesome."}).encode()
    headers = {
        "X-GitHub-Event": "ping", "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": sign(str(secret), body), "Content-Type": "application/json",
    }  # fmt: skip
    return client.post("/webhook", data=body, headers=headers).status_code


def told(console: Console) -> str | None:
    """The secret with which GitHub signs."""
    found: str | None = console.github.state.app_by_slug("labelwright").webhook_secret  # type: ignore[union-attr]
    return found


def test_deliveries_of_both_secrets_arrive_during_and_after_the_change(
    console: Console, operator: Browser
) -> None:
    other = create_app(console.settings, console.store, now=lambda: console.clock[0]).test_client()
    console.github.control.fail("status", path="/app/hook/config", method="PATCH", times=1)
    assert operator.post("/checks/secrets/webhook").status_code == 303
    new = held(console)["webhook_secret"]
    assert new != OLD and told(console) == OLD  # GitHub was not told, and signs with the old one
    for client in (operator.client, other):
        assert [deliver(client, each) for each in (OLD, new, "wrong")] == [202, 202, 401]
    assert "Tell GitHub again" in operator.page("/checks/secrets")

    assert operator.post("/checks/secrets/webhook").status_code == 303
    assert held(console)["webhook_secret"] == new == told(console)
    for client in (operator.client, other):
        assert [deliver(client, each) for each in (OLD, new)] == [202, 202]


def test_the_secret_before_is_forgotten_on_demand(console: Console, operator: Browser) -> None:
    operator.post("/checks/secrets/webhook")
    assert "Forget the one before" in operator.page("/checks/secrets")
    assert operator.post("/checks/secrets/webhook/forget").status_code == 303
    new = held(console)["webhook_secret"]
    assert [deliver(operator.client, each) for each in (OLD, new)] == [401, 202]
    assert held(console) == {"webhook_secret": new, "port": 9000}


def test_it_is_not_forgotten_while_github_may_sign_with_it(
    console: Console, operator: Browser
) -> None:
    console.github.control.fail("status", path="/app/hook/config", method="PATCH", times=1)
    operator.post("/checks/secrets/webhook")
    assert operator.post("/checks/secrets/webhook/forget").status_code == 400
    assert held(console)["webhook_secret_previous"] == OLD


def test_the_file_stays_for_its_owner_and_the_secret_out_of_page_and_log(
    console: Console, operator: Browser
) -> None:
    log = io.StringIO()
    logged = replace(console.desk, log=make_logger("debug", "json", stream=log))
    console.app.extensions[EXTENSION] = logged
    operator.post("/checks/secrets/webhook")
    file = console.settings.home / "labelwright.toml"
    assert file.stat().st_mode & 0o777 == 0o600 and file.read_text().startswith("# ours\n")
    new = str(held(console)["webhook_secret"])
    assert "webhook secret changed" in log.getvalue()
    assert new not in operator.page("/checks/secrets") + log.getvalue()
    assert new.encode() not in (console.settings.home / "labelwright.db").read_bytes()


def test_a_secret_of_the_environment_is_left_to_the_operator(
    console: Console, operator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELWRIGHT_WEBHOOK_SECRET", OLD)
    assert "comes from the environment" in operator.page("/checks/secrets")
    assert operator.post("/checks/secrets/webhook").status_code == 400
    assert told(console) == OLD


def test_a_file_that_is_gone_leaves_the_last_secrets_in_force(
    console: Console, operator: Browser
) -> None:
    (console.settings.home / "labelwright.toml").unlink()
    assert deliver(operator.client, OLD) == 202


def with_key(console: Console) -> Path:
    key = console.settings.home / "private-key.pem"
    key.write_text("the key before")
    config = console.settings.home / "labelwright.toml"
    config.write_text(f'{BASE}private_key_file = "private-key.pem"\n')
    return key


def test_a_new_key_is_tried_before_it_is_kept(console: Console, operator: Browser) -> None:
    kept = with_key(console)
    pem = console.github.control.add_key("labelwright")
    file = (io.BytesIO(pem.encode()), "key.pem")
    assert operator.post("/checks/secrets/key", {"file": file}).status_code == 303
    assert kept.read_text() == pem and kept.stat().st_mode & 0o777 == 0o600
    again = console.github.control.add_key("labelwright")
    assert operator.post("/checks/secrets/key", {"key": again}).status_code == 303
    assert kept.read_text() == again


@pytest.mark.parametrize("kind", ["another App's", "damaged", "none"])
def test_what_is_no_key_of_the_app_changes_nothing(
    console: Console, operator: Browser, kind: str
) -> None:
    kept = with_key(console)
    pem = console.github.control.add_app("another")["pem"]
    sent = {"another App's": pem, "damaged": f"{pem[:40]}\n{pem[-40:]}", "none": "hello"}[kind]
    answer = operator.post("/checks/secrets/key", {"key": sent})
    assert answer.status_code == 400 and "was not changed" in answer.text
    assert kept.read_text() == "the key before" and pem[50:80] not in answer.text


def test_only_operators_may_change_them(console: Console) -> None:
    ada = console.browser("ada")
    assert ada.get("/checks/secrets").status_code == 403
    for path in ("/webhook", "/webhook/forget", "/key"):
        assert ada.post(f"/checks/secrets{path}").status_code == 403
    assert held(console)["webhook_secret"] == OLD
