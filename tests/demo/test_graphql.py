"""The backfill by GraphQL, with GitHub's limits and errors."""

from __future__ import annotations

from typing import Any

from tests.demo.world import REPO, World

QUERY = """
query($owner: String!, $name: String!, $first: Int!, $after: String) {
  rateLimit { cost nodeCount remaining }
  repository(owner: $owner, name: $name) {
    issues(first: $first, after: $after) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        number title body fullDatabaseId
        author { __typename login ... on User { databaseId } }
        labels(first: 100) { nodes { name } }
        userContentEdits(last: 1) { nodes { diff editedAt } }
        timelineItems(
          first: 100, itemTypes: [LABELED_EVENT, UNLABELED_EVENT, RENAMED_TITLE_EVENT]
        ) {
          nodes {
            __typename
            ... on LabeledEvent { actor { __typename login } label { name } createdAt }
            ... on UnlabeledEvent { actor { __typename login } label { name } }
            ... on RenamedTitleEvent { previousTitle }
          }
        }
      }
    }
  }
}
"""


def ask(world: World, first: int = 100, after: str | None = None, **kwargs: Any) -> dict[str, Any]:
    owner, name = REPO.split("/")
    variables = {"owner": owner, "name": name, "first": first, "after": after}
    body = {"query": QUERY, "variables": variables}
    answer: dict[str, Any] = world.call("POST", "/graphql", json=body, **kwargs).json()
    return answer


def issues(answer: dict[str, Any]) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = answer["data"]["repository"]["issues"]["nodes"]
    return nodes


def test_issue_comes_with_its_label_events_and_their_actors(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks", labels=["bug"], by="ann")
    world.call("POST", f"/repos/{REPO}/issues/1/labels", json=["area/ui"])
    world.control.unlabel(REPO, 1, "bug", by="bob")
    items = issues(ask(world))[0]["timelineItems"]["nodes"]
    assert [(i["__typename"], i["actor"]["login"], i["label"]["name"]) for i in items] == [
        ("LabeledEvent", "ann", "bug"),
        ("LabeledEvent", "labelwright", "area/ui"),
        ("UnlabeledEvent", "bob", "bug"),
    ]
    assert [item["actor"]["__typename"] for item in items] == ["User", "Bot", "User"]


def test_text_as_it_was_opened_is_the_oldest_version(world: World) -> None:
    world.control.open_issue(REPO, title="It breaks", body="first")
    world.control.edit_issue(REPO, 1, title="It broke", body="second")
    world.control.edit_issue(REPO, 1, body="third")
    issue = issues(ask(world))[0]
    assert issue["body"] == "third"
    assert [edit["diff"] for edit in issue["userContentEdits"]["nodes"]] == ["first"]
    assert issue["timelineItems"]["nodes"][0]["previousTitle"] == "It breaks"


def test_pages_follow_the_cursor_without_pull_requests(world: World) -> None:
    for number in range(1, 6):
        world.control.open_issue(REPO, title=f"{number}", pull_request=number == 3)
    seen, cursor, more = [], None, True
    while more:
        page = ask(world, first=2, after=cursor)["data"]["repository"]["issues"]
        seen += [node["number"] for node in page["nodes"]]
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == [1, 2, 4, 5]
    assert page["totalCount"] == 4


def test_query_costs_what_github_says(world: World) -> None:
    limit = ask(world)["data"]["rateLimit"]
    # One connection, and three in each of 100 issues: 301 reads, 3 points.
    assert limit == {"cost": 3, "nodeCount": 20_200, "remaining": 4997}


def test_more_than_a_hundred_at_once_is_refused(world: World) -> None:
    error = ask(world, first=101)["errors"][0]
    assert error["type"] == "EXCESSIVE_PAGINATION"


def test_page_without_a_size_is_refused(world: World) -> None:
    query = '{ repository(owner: "acme", name: "shop") { issues { totalCount } } }'
    errors = world.call("POST", "/graphql", json={"query": query}).json()["errors"]
    assert errors[0]["type"] == "MISSING_PAGINATION_BOUNDARIES"


def test_unknown_cursor_is_refused(world: World) -> None:
    assert ask(world, after="bm9uZQ==")["errors"][0]["type"] == "INVALID_CURSOR_ARGUMENTS"


def test_unknown_field_and_broken_query_are_errors_with_status_200(world: World) -> None:
    for query in ("{ weather }", "{ oops"):
        response = world.call("POST", "/graphql", json={"query": query})
        assert (response.status_code, "errors" in response.json()) == (200, True)


def test_repository_that_cannot_be_seen_is_not_found(world: World) -> None:
    world.control.change_repositories(world.installation, removed=[REPO])
    answer = ask(world)
    assert answer["data"]["repository"] is None
    assert answer["errors"][0]["type"] == "NOT_FOUND"


def test_issues_need_their_permission(world: World) -> None:
    world.control.set_permissions(world.installation, {"metadata": "read"})
    answer = ask(world)
    assert answer["errors"][0]["type"] == "FORBIDDEN"


def test_renamed_repository_is_followed(world: World) -> None:
    world.control.rename_repository(REPO, "store")
    assert ask(world)["data"]["repository"]["issues"]["totalCount"] == 0


def test_nobody_asks_anonymously(world: World) -> None:
    assert (
        world.client.post("/graphql", json={"query": "{ rateLimit { cost } }"}).status_code == 401
    )
