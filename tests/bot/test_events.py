"""Any body gives an event or a refusal, never another error."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events import (
    Event,
    InstallationEvent,
    IssueEvent,
    LabelChanged,
    PingEvent,
    decode,
    parse,
    require_json,
)
from bot.github import remote
from bot.refusals import (
    MissingField,
    MissingHeader,
    NotJson,
    Refusal,
    UnknownEvent,
    WrongContentType,
)
from tests.bot.handlers.payloads import KEYS, PAYLOADS

NAMES = (
    "ping",
    "installation",
    "installation_repositories",
    "installation_target",
    "repository",
    "label",
    "issues",
    "pull_request",
)
REPOSITORY = {"id": 7, "full_name": "acme/rocket", "private": False, "owner": {"login": "acme"}}
ISSUE = {
    "id": 70,
    "number": 3,
    "title": "It breaks",
    "body": "Here.",
    "user": {"login": "ada", "id": 5, "type": "User"},
    "labels": [{"id": 1, "name": "bug", "color": "ff0000", "description": None}],
    "created_at": "2026-01-31T12:00:00Z",
    "updated_at": "2026-01-31T12:00:00Z",
}


def read(name: str, payload: Any) -> Event:
    return decode(name, "guid", json.dumps(payload).encode())


def read_issue(**changes: Any) -> IssueEvent:
    payload = {"action": "opened", "repository": REPOSITORY, "issue": ISSUE | changes}
    event = read("issues", payload)
    assert isinstance(event, IssueEvent)
    return event


def headers(**changes: str) -> dict[str, str]:
    known = {
        "content-type": "application/json",
        "x-github-event": "ping",
        "x-github-delivery": "abc",
    }
    return known | {key.replace("_", "-"): value for key, value in changes.items()}


def test_headers_and_body_give_a_typed_event() -> None:
    event = parse(headers(), b'{"zen": "Keep it simple."}', received_at=12.5)
    assert isinstance(event, PingEvent)
    assert (event.zen, event.guid, event.action, event.received_at) == (
        "Keep it simple.",
        "abc",
        "",
        12.5,
    )


def test_an_issue_is_read_with_its_labels_author_and_repository() -> None:
    event = read_issue()
    assert (event.repository.id, event.repository.full_name, event.account) == (
        7,
        "acme/rocket",
        "acme",
    )
    assert (event.issue.number, event.issue.author_login, event.issue.author_id) == (3, "ada", 5)
    assert [(label.id, label.name) for label in event.issue.labels] == [(1, "bug")]
    assert event.issue.state == "open" and not event.issue.is_pull_request


def test_a_pull_request_is_an_issue_with_a_mark() -> None:
    event = read("pull_request", {"repository": REPOSITORY, "pull_request": ISSUE})
    assert isinstance(event, IssueEvent)
    assert event.issue.is_pull_request


def test_a_form_is_refused_with_what_to_change_in_the_settings() -> None:
    with pytest.raises(WrongContentType, match="set the content type to application/json"):
        parse(headers(content_type="application/x-www-form-urlencoded"), b"payload=%7B%7D")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/jsonp", "json"])
def test_other_content_types_are_refused(kind: str) -> None:
    with pytest.raises(WrongContentType):
        require_json(kind)


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_recognised_with_parameters(kind: str) -> None:
    require_json(kind)


@pytest.mark.parametrize("name", ["x_github_event", "x_github_delivery"])
@pytest.mark.parametrize("value", ["", "  ", "x" * 201, "é"])
def test_a_missing_or_odd_header_is_refused(name: str, value: str) -> None:
    with pytest.raises(MissingHeader):
        parse(headers(**{name: value}), b"{}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"payload=%7B%7D",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id":' + b"9" * 5000 + b"}",
    ],
    ids=range(11),
)
def test_what_is_not_a_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        decode("ping", "guid", body)


def test_an_event_that_no_feature_listens_to_is_named() -> None:
    with pytest.raises(UnknownEvent, match="gollum"):
        read("gollum", {})


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ping"])
def test_a_payload_without_its_ids_is_refused(name: str) -> None:
    with pytest.raises(MissingField, match="the payload lacks"):
        read(name, {"action": "opened"})


@pytest.mark.parametrize("value", [None, 0, -1, True, "7", 7.0, [], {}, 2**63, float("nan")])
def test_only_a_positive_whole_number_is_an_id(value: Any) -> None:
    with pytest.raises(MissingField):
        read_issue(number=value)


def test_an_issue_with_a_number_and_nothing_else_is_enough() -> None:
    event = read("issues", {"repository": {"id": 7}, "issue": {"number": 3}})
    assert isinstance(event, IssueEvent)
    assert (event.issue.title, event.issue.body, event.issue.labels) == ("", "", ())
    assert event.issue.author_login is None and event.repository.full_name == ""


@pytest.mark.parametrize("body", [None, "", 17, ["a"]])
def test_a_body_that_is_not_text_is_empty(body: Any) -> None:
    assert read_issue(body=body, title="").issue.body == ""


@pytest.mark.parametrize("text", ["🚀🔥", "مرحبا بالعالم", "x" * 65_536, "\u202eabc", "\r\n"])
def test_unusual_text_is_kept_as_it_is(text: str) -> None:
    assert read_issue(body=text, title=text).issue.body == text


def test_nul_bytes_and_lone_surrogates_are_taken_out() -> None:
    event = read_issue(title="a\x00b\ud800c", body="\udfff🚀\x00")
    assert (event.issue.title, event.issue.body) == ("abc", "🚀")


@pytest.mark.parametrize(
    ("given_time", "read_time"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T14:00:00.250+02:00", "2026-01-31T12:00:00Z"),
        ("yesterday", ""),
        (1557933591, ""),
        (None, ""),
        ("0001-01-01T00:00:00+14:00", ""),
        ("9999-12-31T23:59:59-14:00", ""),
    ],
)
def test_times_are_githubs_or_nothing(given_time: Any, read_time: str) -> None:
    assert read_issue(created_at=given_time).issue.created_at == read_time


def test_malformed_labels_are_passed_over() -> None:
    odd = [None, "bug", 3, {"id": None, "name": "a"}, {"id": 2}, {"id": 4, "name": "ok"}]
    assert [label.name for label in read_issue(labels=odd).issue.labels] == ["ok"]


def test_a_label_without_a_description_is_normal() -> None:
    event = read("label", {"repository": REPOSITORY, "label": {"id": 1, "name": "bug"}})
    assert isinstance(event, LabelChanged)
    assert event.label.description == ""


def test_an_opened_issue_that_had_another_number_has_arrived_by_transfer() -> None:
    payload = {"action": "opened", "repository": REPOSITORY, "issue": ISSUE}
    moved = read("issues", payload | {"changes": {"old_issue": {"number": 9}}})
    assert isinstance(moved, IssueEvent)
    assert moved.issue.arrived_by_transfer
    assert not read_issue().issue.arrived_by_transfer


def test_an_installation_names_its_account_or_takes_the_owner() -> None:
    full = {"id": 1, "account": {"login": "acme", "id": 9, "type": "Organization"}}
    event = read("installation", {"installation": full, "repositories": [REPOSITORY, None]})
    assert isinstance(event, InstallationEvent)
    assert (event.account, event.installation.account_id) == ("acme", 9)
    assert [repository.id for repository in event.added] == [7]
    bare = read(
        "label",
        {"installation": {"id": 1}, "repository": REPOSITORY, "label": {"id": 1, "name": "a"}},
    )
    assert bare.installation is not None and bare.account == "acme"


def test_a_renamed_account_is_read_from_the_event_itself() -> None:
    account = {"login": "new-name", "id": 9, "type": "Organization"}
    event = read("installation_target", {"installation": {"id": 1}, "account": account})
    assert isinstance(event, InstallationEvent)
    assert (event.installation.account_login, event.account) == ("new-name", "new-name")


@given(name=st.sampled_from(NAMES), payload=PAYLOADS)
def test_any_json_gives_an_event_or_a_refusal(name: str, payload: Any) -> None:
    with contextlib.suppress(Refusal):
        event = read(name, payload)
        assert event.name == name


@given(name=st.sampled_from(NAMES), data=st.data())
def test_any_payload_with_its_ids_gives_an_event_that_can_be_stored(name: str, data: Any) -> None:
    whole = data.draw(st.dictionaries(KEYS, PAYLOADS, max_size=5))
    part = data.draw(st.dictionaries(KEYS, PAYLOADS, max_size=8))
    ids = {"id": 1, "number": 1, "name": "bug"}
    for key in ("repository", "installation", "issue", "pull_request", "label"):
        whole[key] = part | ids
    event = read(name, whole)
    stored = json.dumps(asdict(event), ensure_ascii=False)
    stored.encode()  # raises where a lone surrogate is left
    assert "\\u0000" not in stored


@given(body=st.binary(), name=st.text(), guid=st.text(), kind=st.text())
def test_any_bytes_give_an_event_or_a_refusal(body: bytes, name: str, guid: str, kind: str) -> None:
    given_headers = {"content-type": kind, "x-github-event": name, "x-github-delivery": guid}
    with contextlib.suppress(Refusal):
        parse(given_headers, body)


def test_a_time_is_the_same_in_a_webhook_and_in_an_answer():
    data = {
        "id": 1,
        "number": 1,
        "created_at": "2026-01-01T00:00:05.100Z",
        "updated_at": "2026-01-01T00:00:05.900Z",
        "closed_at": "2026-01-01T01:00:05+01:00",
    }
    event = read("issues", {"action": "edited", "repository": REPOSITORY, "issue": data})
    assert isinstance(event, IssueEvent)
    assert event.issue == remote.issue(data)
    times = {event.issue.created_at, event.issue.updated_at, event.issue.closed_at}
    assert times == {"2026-01-01T00:00:05Z"}
