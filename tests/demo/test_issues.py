"""Issues, labels and events behave as on GitHub."""

from __future__ import annotations

import base64

import pytest

from tests.demo.world import REPO, World

ISSUES = f"/repos/{REPO}/issues"


def names(response: object) -> list[str]:
    return [label["name"] for label in response.json()]  # type: ignore[attr-defined]


def test_added_label_that_does_not_exist_is_made(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    response = world.call("POST", f"{ISSUES}/1/labels", json=["BUG", "brand new"])
    assert names(response) == ["bug", "brand new"]
    made = world.call("GET", f"/repos/{REPO}/labels/Brand%20New").json()
    assert (made["color"], made["description"]) == ("ededed", None)


def test_label_that_is_there_already_makes_no_event(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks", labels=["bug"])
    world.call("POST", f"{ISSUES}/1/labels", json={"labels": ["bug"]})
    assert world.control.label_history(REPO, 1) == [["labeled", "bug", "reporter"]]


def test_suggested_label_is_not_put_on(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    item = {"name": "bug", "suggest": True, "rationale": "like #3", "confidence": "high"}
    assert names(world.call("POST", f"{ISSUES}/1/labels", json={"labels": [item]})) == []
    assert world.control.suggestions(REPO, 1) == [item]


def test_removing_a_label_that_is_not_on_it_is_404(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks", labels=["bug"])
    assert names(world.call("DELETE", f"{ISSUES}/1/labels/Bug")) == []
    response = world.call("DELETE", f"{ISSUES}/1/labels/bug")
    assert (response.status_code, response.json()["message"]) == (404, "Label does not exist")


def test_event_of_an_app_names_its_bot_and_itself(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.call("POST", f"{ISSUES}/1/labels", json=["area/ui"])
    world.control.unlabel(REPO, 1, "area/ui", by="ann")
    ours, hers = world.call("GET", f"{ISSUES}/1/events").json()
    assert (ours["actor"]["login"], ours["actor"]["type"]) == ("labelwright[bot]", "Bot")
    assert ours["performed_via_github_app"]["slug"] == "labelwright"
    assert (hers["event"], hers["actor"]["type"]) == ("unlabeled", "User")
    assert hers["performed_via_github_app"] is None


def test_deleted_label_leaves_issues_without_an_event(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks", labels=["bug"])
    world.control.delete_label(REPO, "bug")
    assert world.control.labels_on(REPO, 1) == []
    assert world.control.label_history(REPO, 1) == [["labeled", "bug", "reporter"]]


def test_renamed_label_keeps_its_id_and_its_old_name_in_events(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks", labels=["bug"])
    before = world.call("GET", f"/repos/{REPO}/labels/bug").json()["id"]
    world.control.edit_label(REPO, "bug", {"name": "defect"})
    assert world.call("GET", f"/repos/{REPO}/labels/defect").json()["id"] == before
    assert world.control.label_history(REPO, 1)[0][1] == "bug"


def test_pages_are_linked(world: World) -> None:
    for number in range(5):
        world.control.open_issue(REPO, title=f"Issue {number}")
    first = world.call("GET", ISSUES, params={"per_page": 2, "direction": "asc"})
    assert [issue["number"] for issue in first.json()] == [1, 2]
    assert set(first.links) == {"next", "last"}
    third = world.call("GET", first.links["last"]["url"])
    assert [issue["number"] for issue in third.json()] == [5]
    assert set(third.links) == {"prev", "first"}


def test_page_holds_a_hundred_at_most(world: World) -> None:
    world.control.plant_issues(REPO, [{"title": f"Issue {n}"} for n in range(101)])
    assert len(world.call("GET", ISSUES, params={"per_page": 500}).json()) == 100


def test_list_is_filtered_and_sorted(world: World) -> None:
    times = ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]
    world.control.plant_issues(
        REPO,
        [
            {"title": "a", "created_at": times[0], "updated_at": times[2], "labels": ["bug"]},
            {"title": "b", "created_at": times[1], "state": "closed"},
            {"title": "c", "created_at": times[2], "labels": ["bug", "area/ui"]},
        ],
    )

    def titles(**query: str) -> str:
        return "".join(issue["title"] for issue in world.call("GET", ISSUES, params=query).json())

    assert titles() == "ca"
    assert titles(state="all") == "cba"
    assert titles(state="all", sort="updated", direction="asc") == "bac"
    assert titles(state="all", since="2026-02-15T00:00:00Z") == "ca"
    assert titles(labels="bug,AREA/UI") == "c"


def test_unchanged_answer_is_304_and_costs_nothing(world: World) -> None:
    token = world.token()
    first = world.call("GET", ISSUES, token=token)
    headers = {"If-None-Match": first.headers["ETag"]}
    again = world.call("GET", ISSUES, token=token, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    left = "X-RateLimit-Remaining"
    assert again.headers[left] == first.headers[left]
    world.control.open_issue(REPO, title="It breaks")
    assert world.call("GET", ISSUES, token=token, headers=headers).status_code == 200


def test_file_comes_as_base64(world: World) -> None:
    text = "version: 1\n" * 30
    world.control.put_file(REPO, ".github/labelwright.yml", text)
    file = world.call("GET", f"/repos/{REPO}/contents/.github/labelwright.yml").json()
    assert base64.b64decode(file["content"]).decode() == text


@pytest.mark.parametrize(
    ("role", "permission"),
    [("triage", "read"), ("maintain", "write"), ("admin", "admin"), ("read", "read")],
)
def test_role_name_is_exact_where_permission_is_not(
    world: World, role: str, permission: str
) -> None:
    world.control.set_role(REPO, "ann", role)
    answer = world.call("GET", f"/repos/{REPO}/collaborators/ann/permission").json()
    assert (answer["role_name"], answer["permission"]) == (role, permission)


def test_transferred_issue_redirects_every_request(world: World) -> None:
    world.control.add_repository("acme/else", organization=True)
    world.control.change_repositories(world.installation, added=["acme/else"])
    world.control.open_issue(REPO, title="It breaks", labels=["bug"])
    moved = world.control.transfer_issue(REPO, 1, "acme/else")
    response = world.call("POST", f"{ISSUES}/1/labels", json=["bug"])
    assert (response.status_code, response.json()["message"]) == (301, "Moved Permanently")
    assert response.json()["url"] == response.headers["Location"]
    there = world.call("GET", response.headers["Location"].removesuffix("/labels"))
    assert there.json()["number"] == moved["number"] == 1
    assert world.control.label_history("acme/else", 1) == [["labeled", "bug", "reporter"]]


def test_deleted_issue_is_gone(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.control.delete_issue(REPO, 1)
    response = world.call("POST", f"{ISSUES}/1/labels", json=["bug"])
    assert (response.status_code, response.json()["message"]) == (410, "This issue was deleted")
    assert world.call("GET", ISSUES).json() == []


def test_locked_issue_takes_labels_and_no_comments(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.control.lock(REPO, 1)
    assert world.call("POST", f"{ISSUES}/1/labels", json=["bug"]).status_code == 200
    assert world.call("POST", f"{ISSUES}/1/comments", json={"body": "x"}).status_code == 403


def test_archived_repository_is_read_only(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks")
    world.control.archive(REPO)
    response = world.call("POST", f"{ISSUES}/1/labels", json=["bug"])
    assert (response.status_code, "read-only" in response.json()["message"]) == (403, True)


def test_renamed_repository_redirects_by_id(world: World) -> None:
    world.control.rename_repository(REPO, "store")
    response = world.call("GET", f"{ISSUES}?state=all")
    assert response.status_code == 301
    assert world.call("GET", response.headers["Location"]).status_code == 200
    assert world.call("POST", ISSUES, json={"title": "x"}).status_code == 307


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"name": "bug"}, 422, {"resource": "Label", "field": "name", "code": "already_exists"}),
        ({"name": " "}, 422, {"resource": "Label", "field": "name", "code": "missing_field"}),
        ({"name": "x", "color": "red"}, 422, {"field": "color", "code": "invalid"}),
        ({"name": "x" * 51}, 422, {"field": "name", "code": "custom"}),
        ([], 400, None),
    ],
)
def test_bad_label_is_refused_in_githubs_shape(
    world: World, body: object, status: int, error: dict[str, str] | None
) -> None:
    response = world.call("POST", f"/repos/{REPO}/labels", json=body)
    assert response.status_code == status
    assert {"message", "documentation_url", "status"} <= set(response.json())
    if error:
        assert error.items() <= response.json()["errors"][0].items()


def test_body_that_is_not_json_is_400(world: World) -> None:
    response = world.call("POST", f"/repos/{REPO}/labels", content=b"{oops")
    assert (response.status_code, response.json()["message"]) == (400, "Problems parsing JSON")


def test_planted_history_keeps_its_times_and_actors(world: World) -> None:
    at = "2025-05-05T05:05:05Z"
    events = [["labeled", "bug", "ann", at], ["unlabeled", "bug", "labelwright[bot]", at]]
    world.control.plant_issues(REPO, [{"number": 7, "title": "Old", "events": events}])
    shown = world.call("GET", f"{ISSUES}/7/events").json()
    assert [(e["event"], e["actor"]["login"], e["created_at"]) for e in shown] == [
        ("labeled", "ann", at),
        ("unlabeled", "labelwright[bot]", at),
    ]
    assert world.control.open_issue(REPO, title="New")["number"] == 8
    assert world.control.deliveries("issues") == []
