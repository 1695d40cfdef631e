"""Limits and faults: what GitHub does when it does not do what was asked."""

from __future__ import annotations

import httpx
import pytest

from tests.demo.world import REPO, World

ISSUES = f"/repos/{REPO}/issues"


def test_headers_count_down(world: World) -> None:
    token = world.token()
    left = [
        int(world.call("GET", f"/repos/{REPO}", token=token).headers["X-RateLimit-Remaining"])
        for _ in range(2)
    ]
    assert left == [4999, 4998]
    shown = world.call("GET", "/rate_limit", token=token).json()["resources"]["core"]
    assert (shown["remaining"], shown["used"]) == (4998, 2)


def test_what_has_not_changed_is_304_costs_nothing_and_is_logged_so(world: World) -> None:
    token = world.token()
    first = world.call("GET", f"/repos/{REPO}", token=token)
    again = world.call(
        "GET", f"/repos/{REPO}", token=token, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    assert [r["status"] for r in world.control.requests("GET", f"^/repos/{REPO}$")] == [200, 304]


def test_primary_limit_holds_until_its_reset(world: World) -> None:
    world.control.set_limits(primary=1)
    token = world.token()
    assert world.call("GET", f"/repos/{REPO}", token=token).status_code == 200
    refused = world.call("GET", f"/repos/{REPO}", token=token)
    assert refused.status_code == 403
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.json()["message"].startswith("API rate limit exceeded for installation ID")
    reset = int(refused.headers["X-RateLimit-Reset"])
    world.control.advance(reset - world.stand_in.state.now() + 1)
    assert world.call("GET", f"/repos/{REPO}").status_code == 200


def test_graphql_tells_the_primary_limit_with_status_200(world: World) -> None:
    world.control.set_limits(graphql=0)
    response = world.call("POST", "/graphql", json={"query": "{ rateLimit { cost } }"})
    assert response.status_code == 200
    assert response.json()["errors"][0]["type"] == "RATE_LIMITED"


def test_eighty_first_write_in_a_minute_is_refused(world: World) -> None:
    world.control.set_limits(writes_per_minute=2)
    world.control.open_issue(REPO, title="It breaks")
    token = world.token()

    def write(label: str) -> httpx.Response:
        return world.call("POST", f"{ISSUES}/1/labels", token=token, json=[label])

    assert [write(label).status_code for label in "abc"] == [200, 200, 403]
    refused = write("c")
    assert refused.headers["Retry-After"] == "60"
    assert "secondary rate limit" in refused.json()["message"]
    assert world.control.limits()["refused"] == 2
    world.control.advance(61)
    assert write("c").status_code == 200


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("retry_after", [7, None])
def test_secondary_limit_on_demand(world: World, status: int, retry_after: int | None) -> None:
    world.control.fail("secondary", path="/issues", status=status, retry_after=retry_after)
    response = world.call("GET", ISSUES)
    assert response.status_code == status
    assert response.headers.get("Retry-After") == (retry_after and str(retry_after))
    assert world.call("GET", ISSUES).status_code == 200


@pytest.mark.parametrize("status", [403, 429])
def test_primary_limit_on_demand(world: World, status: int) -> None:
    world.control.fail("primary", path="/issues", status=status)
    response = world.call("GET", ISSUES)
    assert (response.status_code, response.headers["X-RateLimit-Remaining"]) == (status, "0")


def test_fault_strikes_what_it_names_as_often_as_it_says(world: World) -> None:
    world.control.fail("status", method="GET", path="/issues$", times=2, skip=1, status=503)
    token = world.token()
    found = [world.call("GET", ISSUES, token=token).status_code for _ in range(4)]
    assert found == [200, 503, 503, 200]
    assert [entry["fault"] for entry in world.control.requests(path="/issues$")] == [
        None,
        "status",
        "status",
        None,
    ]


def test_connection_is_cut(world: World) -> None:
    world.control.fail("cut", path="/issues")
    token = world.token()
    with pytest.raises(httpx.RemoteProtocolError):
        world.call("GET", ISSUES, token=token)
    assert world.call("GET", ISSUES, token=token).status_code == 200


def test_answer_can_be_lost_after_the_effect(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.control.fail("cut", method="POST", path="/labels", after=True)
    token = world.token()
    with pytest.raises(httpx.RemoteProtocolError):
        world.call("POST", f"{ISSUES}/1/labels", token=token, json=["bug"])
    assert world.control.labels_on(REPO, 1) == ["bug"]


def test_hanging_request_times_out_and_ends_with_the_server(world: World) -> None:
    world.control.fail("hang", path="/issues", seconds=600)
    token = world.token()
    with pytest.raises(httpx.ReadTimeout):
        world.call("GET", ISSUES, token=token, timeout=0.05)


@pytest.mark.parametrize("kind", ["bad_json", "truncated", "html"])
def test_body_does_not_parse(world: World, kind: str) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.control.fail(kind, path="/issues")
    response = world.call("GET", ISSUES)
    assert response.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        response.json()


def test_unknown_fault_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="no fault of kind 'earthquake'"):
        world.control.fail("earthquake")


def test_request_without_a_user_agent_is_refused(world: World) -> None:
    response = world.call("GET", ISSUES, headers={"User-Agent": ""})
    assert response.status_code == 403


def test_unknown_version_of_the_api_is_refused(world: World) -> None:
    headers = {"X-GitHub-Api-Version": "2012-12-21"}
    assert world.call("GET", ISSUES, headers=headers).status_code == 400


def test_log_keeps_requests_without_their_credentials(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.call("POST", f"{ISSUES}/1/labels", json=["bug"])
    entry = world.control.requests("POST", "/labels$")[0]
    assert (entry["body"], entry["status"]) == (["bug"], 200)
    assert entry["caller"] == f"installation {world.installation}"
    assert "Authorization" not in entry["headers"]
    assert world.control.count("POST") == 2
