"""Who may ask for what: App JWTs, installation tokens, permissions."""

from __future__ import annotations

import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from demo.github import StandIn
from tests.demo.world import REPO, World

NOW = 1_790_000_000


def jwt_answer(world: World, token: str) -> tuple[int, str]:
    response = world.client.get("/app", headers={"Authorization": f"Bearer {token}"})
    return response.status_code, response.json().get("message", "")


@pytest.mark.parametrize("issuer", ["id", "client_id"])
def test_app_is_known_by_its_id_and_its_client_id(world: World, issuer: str) -> None:
    assert jwt_answer(world, world.jwt(iss=str(world.app[issuer])))[0] == 200


@pytest.mark.parametrize(
    ("claims", "status", "message"),
    [
        ({"exp": NOW - 1}, 401, "'Expiration time' claim ('exp') must be a numeric value"),
        ({"exp": NOW + 601}, 401, "'Expiration time' claim ('exp') is too far in the future"),
        ({"exp": None}, 401, "'Expiration time' claim"),
        ({"iat": NOW + 30}, 401, "'Issued at' claim ('iat')"),
        ({"iss": None}, 401, "Missing 'issuer' claim"),
        ({"iss": "999"}, 404, "Integration not found"),
    ],
)
def test_jwt_with_wrong_claims_is_refused(
    world: World, claims: dict[str, int], status: int, message: str
) -> None:
    got = jwt_answer(world, world.jwt(**claims))
    assert got[0] == status and got[1].startswith(message)


def test_jwt_signed_with_another_key_is_refused(world: World) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    claims = {"iat": NOW, "exp": NOW + 60, "iss": str(world.app["id"])}
    assert jwt_answer(world, jwt.encode(claims, pem, algorithm="RS256"))[0] == 401


def test_jwt_signed_by_a_shared_secret_is_refused(world: World) -> None:
    claims = {"iat": NOW, "exp": NOW + 60, "iss": str(world.app["id"])}
    forged = jwt.encode(claims, "x" * 64, algorithm="HS256")
    assert jwt_answer(world, forged) == (401, "A JSON web token could not be decoded")


def test_token_expires_after_an_hour(world: World) -> None:
    token = world.token()
    world.control.advance(3599)
    assert world.call("GET", f"/repos/{REPO}", token=token).status_code == 200
    world.control.advance(2)
    response = world.call("GET", f"/repos/{REPO}", token=token)
    assert (response.status_code, response.json()["message"]) == (401, "Bad credentials")


def test_tokens_can_be_expired_at_will(world: World) -> None:
    token = world.token()
    assert world.control.expire_tokens() == 1
    assert world.call("GET", f"/repos/{REPO}", token=token).status_code == 401


def test_token_has_no_more_than_what_was_asked_for(world: World) -> None:
    token = world.token(permissions={"issues": "read"})
    world.control.open_issue(REPO, title="It breaks")
    labels = f"/repos/{REPO}/issues/1/labels"
    assert world.call("GET", labels, token=token).status_code == 200
    response = world.call("POST", labels, token=token, json=["bug"])
    assert response.status_code == 403
    assert response.json()["message"] == "Resource not accessible by integration"


@pytest.mark.parametrize(
    "asked", [{"permissions": {"contents": "write"}}, {"repositories": ["secret"]}]
)
def test_token_for_more_than_was_granted_is_refused(world: World, asked: dict[str, object]) -> None:
    path = f"/app/installations/{world.installation}/access_tokens"
    assert world.as_app("POST", path, json=asked).status_code == 422


def test_permission_taken_back_is_gone_from_tokens_in_use(world: World) -> None:
    token = world.token()
    world.control.open_issue(REPO, title="It breaks")
    world.control.set_permissions(world.installation, {"issues": "read", "metadata": "read"})
    path = f"/repos/{REPO}/issues/1/labels"
    assert world.call("POST", path, token=token, json=["bug"]).status_code == 403


def test_private_repository_outside_the_installation_is_not_there(world: World) -> None:
    world.control.add_repository("acme/secret", private=True)
    assert world.call("GET", "/repos/acme/secret").status_code == 404


def test_public_repository_outside_the_installation_is_read_only(world: World) -> None:
    world.control.add_repository("other/open", labels=["bug"])
    world.control.open_issue("other/open", title="It breaks")
    path = "/repos/other/open/issues/1/labels"
    assert world.call("GET", path).status_code == 200
    assert world.call("POST", path, json=["bug"]).status_code == 403
    assert world.client.get("/repos/other/open").status_code == 200


def test_suspended_installation_gets_nothing(world: World) -> None:
    token = world.token()
    world.control.suspend(world.installation)
    path = f"/app/installations/{world.installation}/access_tokens"
    for response in (
        world.as_app("POST", path),
        world.call("GET", f"/repos/{REPO}", token=token),
    ):
        assert response.status_code == 403
        assert response.json()["message"] == "This installation has been suspended"


def test_single_file_permission_opens_that_file_only(world: World) -> None:
    for path in (".github/labelwright.yml", "README.md"):
        world.control.put_file(REPO, path, "x")
    contents = f"/repos/{REPO}/contents"
    assert world.call("GET", f"{contents}/.github/labelwright.yml").status_code == 200
    assert world.call("GET", f"{contents}/README.md").status_code == 403


@pytest.mark.parametrize(("role", "status"), [("read", 403), ("triage", 200), ("write", 200)])
def test_person_labels_issues_from_triage_up(world: World, role: str, status: int) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.control.set_role(REPO, "ann", role)
    token, path = world.control.personal_token("ann"), f"/repos/{REPO}/issues/1/labels"
    assert world.call("POST", path, token=token, json=["bug"]).status_code == status


def test_app_key_can_be_brought_along(world: World) -> None:
    again = world.control.add_app("second", private_key=world.app["pem"])
    assert again["pem"] == world.app["pem"]
    assert jwt_answer(world, world.jwt(iss=str(again["id"])))[0] == 200


def test_default_clock_is_the_real_one() -> None:
    with StandIn() as stand_in:
        assert abs(stand_in.state.now() - time.time()) < 60
