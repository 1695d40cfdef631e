"""What the web process refuses gets a clear answer, and tells nothing that is not the sender's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.signature import sign
from bot.web import MAX_BODY_BYTES
from tests.bot.intake_world import SECRET, Intake, issue_event, make_intake

EVENT = issue_event("opened")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"X_Hub_Signature_256": ""}, "signature_missing"),
        ({"X_Hub_Signature_256": "", "X_Hub_Signature": "sha1=" + "0" * 40}, "signature_sha1_only"),
        ({"X_Hub_Signature_256": "sha256=abc"}, "signature_truncated"),
        ({"X_Hub_Signature_256": sign("another secret", b"{}")}, "signature_wrong"),
    ],
)
def test_a_bad_signature_is_401_unparsed_and_counted(
    intake: Intake, headers: dict[str, str], reason: str
) -> None:
    answer = intake.post("issues", b"{not even json", **headers)
    assert answer.status_code == 401
    assert answer.json is not None and answer.json["error"] == reason
    assert intake.refused(reason) == 1
    assert intake.store.deliveries.get("guid-0") is None and intake.waiting() == []


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b"{", {}, 400, "not_json"),
        (b"[]", {}, 400, "not_json"),
        (b"", {}, 400, "not_json"),
        (b"{}", {}, 400, "missing_field"),
        (b"{}", {"X_GitHub_Event": ""}, 400, "missing_header"),
        (b"{}", {"X_GitHub_Delivery": ""}, 400, "missing_header"),
        (b"<xml/>", {"Content_Type": "text/xml"}, 415, "wrong_content_type"),
    ],
)
def test_what_is_signed_but_wrong_gets_a_clear_answer(
    intake: Intake, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    answer = intake.post("issues", body, **headers)
    assert answer.status_code == status
    assert answer.json is not None and answer.json["error"] == reason and answer.json["message"]
    assert intake.refused(reason) == 1
    assert intake.waiting() == []


def test_a_form_is_told_what_to_change_in_the_settings(intake: Intake) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    answer = intake.post("issues", b"payload=%7B%7D", **form)
    assert answer.status_code == 415
    assert answer.json is not None
    assert "set the content type to application/json" in answer.json["message"]


def test_a_body_over_the_limit_is_413_and_one_at_the_limit_is_not(intake: Intake) -> None:
    padding = b" " * (MAX_BODY_BYTES - 2)
    assert intake.post("ping", b"{}" + padding).status_code == 202
    answer = intake.post("ping", b"{}" + padding + b" ")
    assert answer.status_code == 413
    assert answer.json is not None and "25 MB" in answer.json["message"]
    assert intake.refused("too_large") == 1


@pytest.mark.parametrize(
    ("accounts", "status"), [((), 202), (("ACME", "other"), 202), (("other",), 403)]
)
def test_only_accounts_of_the_allow_list_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accounts: tuple[str, ...], status: int
) -> None:
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    intake = make_intake(tmp_path, allowed_accounts=accounts)
    answer = intake.post("issues", EVENT)
    assert answer.status_code == status
    if status == 403:
        assert answer.json is not None and "the account acme" in answer.json["message"]
        assert intake.refused("account_not_allowed") == 1
    assert intake.post("ping", {"zen": "Hi."}).status_code == 202
    assert (
        intake.post("issues", {"issue": {"number": 1}, "repository": {"id": 1}}).status_code != 500
    )
    intake.store.close()


def test_an_event_of_no_account_is_refused_where_there_is_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    intake = make_intake(tmp_path, allowed_accounts=("acme",))
    payload = EVENT | {"repository": {"id": 7}}
    assert intake.post("issues", payload).status_code == 403
    intake.store.close()


def test_a_crash_gives_no_stack_trace_but_a_number_that_the_log_knows(intake: Intake) -> None:
    raw = sqlite3.connect(intake.store.path)
    raw.execute("DROP TABLE deliveries")
    raw.close()
    answer = intake.post("issues", EVENT)
    assert answer.status_code == 500
    text = answer.get_data(as_text=True)
    assert "Traceback" not in text and "sqlite" not in text
    assert answer.json is not None
    assert answer.json["message"].rsplit(" ", 1)[-1] in intake.log.getvalue()
    assert "no such table" in intake.log.getvalue()
    assert intake.waiting() == []  # the job did not survive alone


def test_neither_secret_nor_text_of_an_issue_is_logged(intake: Intake) -> None:
    intake.post("issues", EVENT)
    intake.post("issues", EVENT, X_Hub_Signature_256="sha256=abc")
    log = intake.log.getvalue()
    assert "guid-0" in log and "signature_truncated" in log
    assert SECRET not in log and "It breaks" not in log


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/webhook", 405), ("GET", "/nothing", 404)]
)
def test_other_errors_are_json_too(intake: Intake, method: str, path: str, status: int) -> None:
    answer = intake.client.open(path, method=method)
    assert answer.status_code == status
    assert answer.json is not None and answer.json["error"]
