"""Signing in through an App: the page, the code, the token, and what a person may with it."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from tests.demo.world import REPO, Inbox, World

BACK = "http://127.0.0.1:8000/signin/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
AUTHORIZE = "/login/oauth/authorize"
JSON = {"Accept": "application/json"}


@pytest.fixture
def signing(world: World) -> World:
    """A world whose App takes people back to BACK, where `ann` may triage."""
    world.control.set_app_urls("labelwright", [BACK])
    world.control.set_role(REPO, "ann", "triage")
    return world


def wish(world: World, **changes: str) -> dict[str, str]:
    asked = {"client_id": world.app["client_id"], "redirect_uri": BACK, "state": "a b&c"}
    asked |= {"code_challenge": CHALLENGE.decode(), "code_challenge_method": "S256"}
    return asked | changes


def press(world: World, button: dict[str, str], **changes: str) -> httpx.Response:
    return world.client.post(AUTHORIZE, data={**wish(world, **changes), **button})


def came_back(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 302, response.text
    address, _, query = response.headers["Location"].partition("?")
    assert address == BACK
    return dict(parse_qsl(query))


def code_of(world: World, login: str = "ann") -> str:
    return came_back(press(world, {"login": login}))["code"]


def fetch(world: World, code: str, **changes: str) -> dict[str, Any]:
    asked = {"client_id": world.app["client_id"], "client_secret": world.app["client_secret"]}
    asked |= {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **changes}
    response = world.client.post("/login/oauth/access_token", data=asked, headers=JSON)
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


def labels(world: World, token: str, method: str = "POST", tail: str = "") -> httpx.Response:
    body = {"json": ["bug"]} if method == "POST" else {}
    path = f"/repos/{REPO}/issues/1/labels{tail}"
    response: httpx.Response = world.call(method, path, token=token, **body)
    return response


def test_page_has_a_button_for_every_person_and_keeps_the_request(signing: World) -> None:
    signing.control.add_account("zoe")
    page = signing.client.get(AUTHORIZE, params=wish(signing))
    found = re.findall(r'name="login" value="([^"]+)"', page.text)
    assert found == ["ann", "owner", "zoe"]
    assert 'name="state" value="a b&amp;c"' in page.text


def test_button_leads_back_with_a_code_and_the_state(signing: World) -> None:
    answered = came_back(press(signing, {"login": "ann"}))
    assert answered.keys() == {"code", "state"} and answered["state"] == "a b&c"


def test_cancel_leads_back_with_access_denied(signing: World) -> None:
    answered = came_back(press(signing, {"cancel": "1"}))
    assert (answered["error"], answered["state"]) == ("access_denied", "a b&c")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"redirect_uri": f"{BACK}/below"}, 200),
        ({"redirect_uri": "http://127.0.0.1:9/signin/back"}, 200),
        ({"redirect_uri": "http://127.0.0.1:8000/signin/backwards"}, 400),
        ({"redirect_uri": f"{BACK}/../../elsewhere"}, 400),
        ({"redirect_uri": "http://evil.example/signin/back"}, 400),
        ({"redirect_uri": "https://127.0.0.1:8000/signin/back"}, 400),
        ({"redirect_uri": "http://evil@127.0.0.1:8000/signin/back"}, 400),
        ({"client_id": "Iv23unknown"}, 400),
        ({"code_challenge_method": "plain"}, 400),
    ],
)
def test_page_is_shown_for_a_callback_url_and_what_lies_below(
    signing: World, changes: dict[str, str], status: int
) -> None:
    response = signing.client.get(AUTHORIZE, params=wish(signing, **changes))
    assert response.status_code == status and "Location" not in response.headers


def test_forged_form_is_not_led_anywhere(signing: World) -> None:
    refused = press(signing, {"login": "ann"}, redirect_uri="http://evil.example/")
    assert refused.status_code == 400
    assert press(signing, {"login": "nobody"}).status_code == 404
    assert press(signing, {"login": "labelwright[bot]"}).status_code == 404


def test_without_a_redirect_uri_the_first_callback_url_counts(signing: World) -> None:
    asked = {"client_id": signing.app["client_id"], "login": "ann"}
    assert "code" in came_back(signing.client.post(AUTHORIZE, data=asked))


def test_code_gives_a_token_once(signing: World) -> None:
    code = code_of(signing)
    made = fetch(signing, code)
    assert made["access_token"].startswith("ghu_")
    assert (made["token_type"], made["scope"], made["expires_in"]) == ("bearer", "", 28800)
    assert fetch(signing, code)["error"] == "bad_verification_code"
    me = signing.call("GET", "/user", token=made["access_token"])
    assert me.json()["login"] == "ann"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "incorrect_client_credentials"),
        ({"client_secret": "wröng"}, "incorrect_client_credentials"),
        ({"code": "0" * 20}, "bad_verification_code"),
        ({"code_verifier": "w" * 43}, "bad_verification_code"),
        ({"code_verifier": ""}, "bad_verification_code"),
        ({"redirect_uri": f"{BACK}/below"}, "redirect_uri_mismatch"),
    ],
)
def test_token_is_refused_in_githubs_way(
    signing: World, changes: dict[str, str], error: str
) -> None:
    answered = fetch(signing, **{"code": code_of(signing), **changes})
    assert answered.keys() == {"error", "error_description"} and answered["error"] == error


def test_code_is_good_for_ten_minutes(signing: World) -> None:
    code = code_of(signing)
    signing.control.advance(600)
    assert fetch(signing, code)["error"] == "bad_verification_code"


def test_code_of_one_app_is_nothing_to_another(signing: World) -> None:
    other = signing.control.add_app("other", private_key=signing.app["pem"])
    secrets = {"client_id": other["client_id"], "client_secret": other["client_secret"]}
    code = code_of(signing)
    assert fetch(signing, code, **secrets)["error"] == "bad_verification_code"
    assert "access_token" in fetch(signing, code)


def test_secret_may_come_by_the_basic_scheme_and_the_answer_as_a_form(signing: World) -> None:
    auth = (signing.app["client_id"], signing.app["client_secret"])
    asked = {"code": code_of(signing), "redirect_uri": BACK, "code_verifier": VERIFIER}
    response = signing.client.post("/login/oauth/access_token", json=asked, auth=auth)
    assert dict(parse_qsl(response.text))["access_token"].startswith("ghu_")


def test_refresh_token_works_once(signing: World) -> None:
    made = fetch(signing, code_of(signing))
    asked = {"grant_type": "refresh_token", "refresh_token": made["refresh_token"]}
    again = fetch(signing, "", **asked)
    assert signing.call("GET", "/user", token=again["access_token"]).status_code == 200
    assert fetch(signing, "", **asked)["error"] == "bad_refresh_token"


def test_token_ends_after_eight_hours(signing: World) -> None:
    token = signing.control.user_token("labelwright", "ann")
    signing.control.advance(8 * 3600 - 1)
    assert signing.call("GET", "/user", token=token).status_code == 200
    signing.control.advance(1)
    assert signing.call("GET", "/user", token=token).status_code == 401


def test_signins_can_be_expired_at_will(signing: World) -> None:
    token, own = signing.control.user_token("labelwright", "ann"), signing.token()
    assert signing.control.expire_user_tokens("ann") == 1
    assert signing.call("GET", "/user", token=token).status_code == 401
    assert signing.call("GET", f"/repos/{REPO}", token=own).status_code == 200


@pytest.mark.parametrize(
    ("role", "status"), [("none", 404), ("read", 403), ("triage", 200), ("admin", 200)]
)
def test_person_labels_a_private_repository_from_triage_up(
    signing: World, role: str, status: int
) -> None:
    signing.control.open_issue(REPO, title="It breaks")
    signing.control.set_role(REPO, "ann", role)
    token = signing.control.user_token("labelwright", "ann")
    assert labels(signing, token).status_code == status


def test_stranger_reads_a_public_repository_and_writes_nothing(signing: World) -> None:
    signing.control.open_issue(REPO, title="It breaks")
    signing.control.privatize(REPO, private=False)
    token = signing.control.user_token("labelwright", "stranger")
    assert signing.call("GET", f"/repos/{REPO}", token=token).status_code == 200
    assert labels(signing, token).status_code == 403


def test_person_may_no_more_than_the_app(signing: World) -> None:
    signing.control.open_issue(REPO, title="It breaks")
    token = signing.control.user_token("labelwright", "ann")
    signing.control.set_permissions(signing.installation, {"issues": "read", "metadata": "read"})
    assert labels(signing, token).status_code == 403
    signing.control.change_repositories(signing.installation, removed=[REPO])
    assert labels(signing, token).status_code == 404
    signing.control.add_repository("ann/open")
    signing.control.open_issue("ann/open", title="It breaks")
    path = "/repos/ann/open/issues/1/labels"
    assert signing.call("POST", path, token=token, json=["bug"]).status_code == 403


def test_suspended_installation_stops_people_too(signing: World) -> None:
    token = signing.control.user_token("labelwright", "ann")
    signing.control.suspend(signing.installation)
    response = signing.call("GET", f"/repos/{REPO}", token=token)
    assert response.json()["message"] == "This installation has been suspended"


def test_person_reads_the_single_file_only(signing: World) -> None:
    token = signing.control.user_token("labelwright", "ann")
    for path in (".github/labelwright.yml", "README.md"):
        signing.control.put_file(REPO, path, "x")
    contents = f"/repos/{REPO}/contents"
    named = signing.call("GET", f"{contents}/.github/labelwright.yml", token=token)
    assert named.status_code == 200
    assert signing.call("GET", f"{contents}/README.md", token=token).status_code == 403


def test_writes_name_the_person_and_the_app(signing: World, inbox: Inbox) -> None:
    signing.control.set_webhook("labelwright", inbox.url)
    signing.control.open_issue(REPO, title="It breaks")
    token = signing.control.user_token("labelwright", "ann")
    assert labels(signing, token).status_code == 200
    assert labels(signing, token, "DELETE", "/bug").status_code == 200
    assert signing.control.drain()
    assert [hook["sender"]["login"] for hook in inbox.payloads("issues")[1:]] == ["ann", "ann"]
    events = signing.call("GET", f"/repos/{REPO}/issues/1/events").json()
    told = [(e["event"], e["actor"]["login"], e["actor"]["type"]) for e in events]
    assert told == [("labeled", "ann", "User"), ("unlabeled", "ann", "User")]
    assert {e["performed_via_github_app"]["slug"] for e in events} == {"labelwright"}


def test_person_finds_the_installations_that_they_have_a_role_in(signing: World) -> None:
    for login, expected in (("ann", [signing.installation]), ("stranger", [])):
        token = signing.control.user_token("labelwright", login)
        body = signing.call("GET", "/user/installations", token=token).json()
        assert [found["id"] for found in body["installations"]] == expected


def test_person_finds_the_repositories_that_they_may_read(signing: World) -> None:
    signing.control.add_repository("acme/secret", private=True)
    signing.control.add_repository("acme/open")
    signing.control.change_repositories(signing.installation, added=["acme/secret", "acme/open"])
    token = signing.control.user_token("labelwright", "ann")
    path = f"/user/installations/{signing.installation}/repositories"
    found = signing.call("GET", path, token=token).json()["repositories"]
    assert {r["full_name"]: r["role_name"] for r in found} == {REPO: "triage", "acme/open": "read"}
    rights = {r["full_name"]: r["permissions"]["triage"] for r in found}
    assert rights == {REPO: True, "acme/open": False}
    stranger = signing.control.user_token("labelwright", "stranger")
    assert signing.call("GET", path, token=stranger).status_code == 404


def test_only_people_who_signed_in_have_installations(signing: World) -> None:
    personal = signing.control.personal_token("ann")
    assert signing.call("GET", "/user", token=personal).json()["login"] == "ann"
    for token in (personal, signing.token()):
        assert signing.call("GET", "/user/installations", token=token).status_code == 403
    assert signing.client.get("/user").status_code == 401


def test_revoking_ends_the_tokens_and_is_told_unasked(signing: World, inbox: Inbox) -> None:
    signing.control.set_webhook("labelwright", inbox.url)
    made, code = fetch(signing, code_of(signing)), code_of(signing)
    other = signing.control.user_token("labelwright", "bob")
    assert signing.control.revoke_authorization("labelwright", "ann") == 1
    assert signing.call("GET", "/user", token=made["access_token"]).status_code == 401
    assert fetch(signing, code)["error"] == "bad_verification_code"
    asked = {"grant_type": "refresh_token", "refresh_token": made["refresh_token"]}
    assert fetch(signing, "", **asked)["error"] == "bad_refresh_token"
    assert signing.call("GET", "/user", token=other).status_code == 200
    assert signing.control.drain()
    assert inbox.events() == ["github_app_authorization.revoked"]
    assert inbox.payloads("github_app_authorization")[0]["sender"]["login"] == "ann"


def test_pages_cost_nothing_of_the_hour(signing: World) -> None:
    signing.control.set_limits(anonymous=1)
    for _ in range(3):
        page = signing.client.get(AUTHORIZE, params=wish(signing))
        assert page.status_code == 200 and "ETag" not in page.headers
    assert fetch(signing, code_of(signing))["token_type"] == "bearer"


def test_custom_role_has_a_name_and_a_base(signing: World) -> None:
    signing.control.set_role(REPO, "ann", "triage", name="Gardener")
    permission = signing.call("GET", f"/repos/{REPO}/collaborators/ann/permission").json()
    assert (permission["permission"], permission["role_name"]) == ("read", "Gardener")
    assert permission["user"]["permissions"]["triage"] is True
    token = signing.control.user_token("labelwright", "ann")
    signing.control.open_issue(REPO, title="It breaks")
    assert labels(signing, token).status_code == 200
