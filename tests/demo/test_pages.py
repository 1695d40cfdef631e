"""The pages that set-up sends a browser to, and the secrets that change once an App runs."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
import pytest

from bot.manifest import Site
from tests.demo.world import REPO, Inbox, World, loaded

PATH = ".github/labelwright.yml"
SETUP = "http://127.0.0.1:8000/setup/installed?from=github"
MANIFEST = {
    "name": "My labels",
    "url": "https://example.com",
    "redirect_url": "http://127.0.0.1:8000/setup/back",
    "callback_urls": ["http://127.0.0.1:8000/signin/back"],
    "setup_url": SETUP,
    "hook_attributes": {"url": "http://127.0.0.1:9/webhook", "active": False},
    "default_permissions": {"issues": "write", "metadata": "read", "single_file": "read"},
    "default_events": ["issues"],
}


def made(world: World, owner: str = "acme") -> dict[str, Any]:
    """The App of the manifest, as its conversion answers."""
    code = world.control.manifest_code(MANIFEST, owner=owner)
    response = world.client.post(f"/app-manifests/{code}/conversions")
    body: dict[str, Any] = response.json()
    return body


def install(world: World, **form: Any) -> httpx.Response:
    return world.client.post("/apps/my-labels/installations/new", data=form)


def went_on(response: httpx.Response) -> dict[str, str]:
    address, _, query = response.headers["Location"].partition("?")
    assert (response.status_code, address) == (303, SETUP.partition("?")[0])
    return dict(parse_qsl(query))


def reached(world: World) -> list[str]:
    state = world.stand_in.state
    app = state.app_by_slug("my-labels")
    mine = [i for i in state.installations.values() if app and i.app_id == app.id]
    return [repo.name for each in mine for repo in state.of_installation(each)]


def test_app_of_a_manifest_signs_people_in_where_it_says(world: World) -> None:
    app = made(world)
    asked = {"client_id": app["client_id"], "login": "ann"}
    world.control.add_account("ann")
    back = world.client.post("/login/oauth/authorize", data=asked).headers["Location"]
    code = dict(parse_qsl(back.partition("?")[2]))["code"]
    secret = {"client_secret": app["client_secret"], "code": code}
    answer = world.client.post("/login/oauth/access_token", data={**asked, **secret})
    assert "access_token=ghu_" in answer.text


def test_install_page_lists_the_repositories_of_the_owner(world: World) -> None:
    made(world)
    world.control.add_repository("somebody/else")
    page = world.client.get("/apps/my-labels/installations/new")
    assert 'value="shop"' in page.text and 'value="else"' not in page.text
    assert world.client.get("/apps/no-such/installations/new").status_code == 404


def test_install_button_installs_on_all_and_goes_on_to_the_setup_url(world: World) -> None:
    made(world)
    told = went_on(install(world, selection="all", state="s"))
    assert (told["setup_action"], told["state"], told["from"]) == ("install", "s", "github")
    world.control.add_repository("acme/later")
    assert reached(world) == ["shop", "later"]


def test_installation_on_chosen_repositories_can_be_changed(world: World) -> None:
    for name in ("acme/one", "acme/two"):
        world.control.add_repository(name)
    made(world)
    went_on(install(world, selection="selected", repository=["one"]))
    assert reached(world) == ["one"]
    told = went_on(install(world, selection="selected", repository=["two"]))
    assert (told["setup_action"], reached(world)) == ("update", ["two"])
    assert install(world, selection="selected").status_code == 422


def test_without_a_setup_url_the_installation_is_shown(world: World) -> None:
    form = {"selection": "all"}
    page = world.client.post(
        "/apps/labelwright/installations/new", data=form, follow_redirects=True
    )
    assert "Labelwright is installed" in page.text


@pytest.mark.parametrize("organization", [None, "acme"])
def test_single_file_is_typed_in_on_the_page_the_product_links_to(
    world: World, organization: str | None
) -> None:
    made(world, organization or "owner")
    install(world, selection="all")
    address = Site(world.stand_in.url, world.stand_in.url).permissions(organization, "my-labels")
    assert f'value="{PATH}"' not in world.client.get(address).text
    saved = world.client.post(address, data={"single_file": PATH}, follow_redirects=True)
    assert "Saved." in saved.text and f'value="{PATH}"' in saved.text
    state = world.stand_in.state
    assert list(state.installations.values())[-1].single_file_paths == [PATH]


def test_permissions_page_is_that_of_its_owner(world: World) -> None:
    made(world)
    assert "my-labels" in world.client.get("/organizations/acme/settings/apps").text
    assert "my-labels" not in world.client.get("/settings/apps").text
    assert world.client.get("/settings/apps/my-labels/permissions").status_code == 404


def test_names_are_shown_as_text(world: World) -> None:
    world.control.add_repository("acme/x", description="")
    world.control.add_account('<b onclick="x">')
    world.control.set_app_urls("labelwright", ["http://127.0.0.1/"])
    asked = {"client_id": world.app["client_id"]}
    page = world.client.get("/login/oauth/authorize", params=asked)
    assert "<b onclick" not in page.text and "&lt;b onclick" in page.text


def test_second_key_works_beside_the_first_until_that_is_removed(world: World) -> None:
    pem = world.control.add_key("labelwright")
    now = int(world.stand_in.state.now())
    claims = {"iat": now - 60, "exp": now + 300, "iss": str(world.app["id"])}
    headers = {"Authorization": f"Bearer {jwt.encode(claims, loaded(pem), algorithm='RS256')}"}
    assert world.client.get("/app", headers=headers).status_code == 200
    assert world.as_app("GET", "/app").status_code == 200
    world.control.remove_key("labelwright", world.app["pem"])
    assert world.as_app("GET", "/app").status_code == 401
    assert world.client.get("/app", headers=headers).status_code == 200
    with pytest.raises(ValueError, match="at least one key"):
        world.control.remove_key("labelwright", pem)


def test_new_webhook_secret_signs_what_is_sent_from_then_on(world: World, listening: Inbox) -> None:
    world.control.set_webhook_secret("labelwright", "newer")
    world.control.open_issue(REPO, title="It breaks")
    assert world.control.drain()
    headers, body = listening.received[0]
    expected = hmac.new(b"newer", body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
