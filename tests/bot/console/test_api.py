"""The JSON interface says what the pages say, as its description promises."""

from __future__ import annotations

from typing import Any

import pytest

from bot.console.api.description import description
from bot.console.api.table import OPERATIONS
from bot.store.live_days import LiveDay
from bot.store.reports import Report
from bot.store.rows import LabelEvent
from tests.bot.console.api_world import AT, Program, conforms, described, program
from tests.bot.console.test_trainings import begin
from tests.bot.console.versions import add_version, refuse
from tests.bot.console.world import NOW, PRIVATE, PUBLIC, Browser, Console


@pytest.fixture
def operate(console: Console) -> Program:
    return program(console)


def filled(console: Console) -> tuple[str, str]:
    """Two issues with decisions, an event, a night, two versions; their names."""
    row = console.repository()
    console.open(1, "It crashes", "bug", body="As soon as I look at it.")
    console.open(2, "Where is the manual?")
    console.decide(1, bug="apply", docs="suggest", area_ui="none")
    bug = next(each for each in console.store.labels.all(row.id) if each.name == "bug")
    event = LabelEvent(
        row.id, 1, bug.id, "bug", "labeled", 7, "ada", "person", "2026-05-02T13:00:00Z", "webhook"
    )
    console.store.events.add([event])
    console.store.live_days.keep(LiveDay(row.id, "2026-05-03", None, 4, 2, 1, 1, 0))
    first, second = add_version(console), add_version(console, force=False)
    refuse(console, second, first)
    console.store.reports.keep(Report(row.id, "replay", first, NOW, {"problem": None, "rows": []}))
    return first, second


def test_the_description_is_valid_and_open_to_all(console: Console) -> None:
    answer = console.app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json == description()
    described().check_spec()


def test_the_description_and_the_routes_are_the_same(console: Console) -> None:
    rules = {
        (method, rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}"))
        for rule in console.app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    paths = description()["paths"]
    said = {(m.upper(), f"/api/v1{path}") for path, each in paths.items() for m in each}
    assert rules == said and len(said) == len(OPERATIONS)


def test_every_operation_answers_as_it_is_described(console: Console, operate: Program) -> None:
    first, second = filled(console)
    training = begin(console)
    console.store.jobs.enqueue("label", repository_id=console.repository().id, number=1)
    values = {
        "number": 1, "version": second, "kind": "replay", "id": training.id, "job": 1,
        "file": "labels.csv",
    }  # fmt: skip
    owner, _, name = PUBLIC.partition("/")
    for each in OPERATIONS:
        if each.method == "GET" and not each.open:
            answer = operate.ask(each.path.format(owner=owner, name=name, **values))
            assert answer.status_code == 200, f"{each.path}: {answer.text}"
    assert operate.get(f"{AT}/models/{first}")["current"] is True


def test_a_repository_has_its_mode_its_version_and_its_nights(
    console: Console, operate: Program
) -> None:
    first, _ = filled(console)
    found = operate.get(AT)
    assert (found["mode"], found["mode_override"], found["version"]) == ("suggest", None, first)
    assert found["issues"] == 2 and found["applied"] == 1
    assert found["nights"][0] | {"precision": 0.5, "coverage": 0.5} == found["nights"][0]


def test_repositories_are_paged_by_name(operate: Program) -> None:
    first = operate.get("/repositories?limit=1")
    assert [each["full_name"] for each in first["items"]] == [PUBLIC]
    second = operate.get(f"/repositories?limit=1&cursor={first['next']}")
    assert [each["full_name"] for each in second["items"]] == [PRIVATE]
    assert second["next"] is None
    assert operate.get("/repositories?q=SECRET")["items"][0]["private"] is True


def test_a_label_has_its_thresholds_and_what_is_done_with_it(
    console: Console, operate: Program
) -> None:
    filled(console)
    labels = {each["name"]: each for each in operate.get(f"{AT}/labels")}
    assert set(labels) == {"bug", "docs", "area/ui"}
    assert labels["bug"]["id"] > 0 and labels["bug"]["does"] in ("applies", "suggests", "off")


def test_issues_are_filtered_and_paged_by_a_cursor(console: Console, operate: Program) -> None:
    for number in range(1, 8):
        console.open(number, f"Issue {number}", *(["bug"] if number % 2 else []))
    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        page = operate.get(f"{AT}/issues?limit=3{f'&cursor={cursor}' if cursor else ''}")
        seen += [each["number"] for each in page["items"]]
        cursor = page["next"]
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    bug = next(x for x in operate.get(f"{AT}/labels") if x["name"] == "bug")["id"]
    page = operate.get(f"{AT}/issues?label={bug}&limit=2&cursor=7")
    assert [each["number"] for each in page["items"]] == [5, 3] and page["next"] == "3"
    assert operate.get(f"{AT}/issues?q=no-such-title")["items"] == []
    assert operate.get(f"{AT}/issues?label=12345678")["items"] == []


def test_an_issue_has_its_decision_and_its_history(console: Console, operate: Program) -> None:
    filled(console)
    found = operate.get(f"{AT}/issues/1")
    verdicts = [(each["label"], each["verdict"]) for each in found["decision"]["verdicts"]]
    assert verdicts == [("bug", "apply"), ("docs", "suggest"), ("area/ui", "none")]
    assert found["decision"]["verdicts"][0]["reason"] == "the test says apply"
    assert {each["who"] for each in found["history"]} >= {"ada"}
    assert operate.get(f"{AT}/issues/2")["decision"] is None


def test_a_deleted_issue_is_gone(console: Console, operate: Program) -> None:
    console.open(1, "a secret")
    console.store.issues.delete(console.repository().id, 1)
    said = operate.get(f"{AT}/issues/1", 404)
    assert said["error"] == "not_found" and "a secret" not in str(said)
    assert operate.get(f"{AT}/issues")["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/repositories/acme/nothing",
        f"{AT}/issues/99",
        f"{AT}/issues/99999999999999999999999",
        f"{AT}/models/0009-none",
        f"{AT}/reports/curves",
        f"{AT}/reports/nonsense",
        f"{AT}/export/secrets.csv",
        "/trainings/99999999999999999999999",
    ],
)
def test_what_is_not_there_is_said_in_json(operate: Program, path: str) -> None:
    assert operate.get(path, 404)["error"] == "not_found"


@pytest.mark.parametrize("path", ["/nothing", "/repositories/acme"])
def test_an_address_that_does_not_exist_is_said_in_json(console: Console, path: str) -> None:
    answer = console.app.test_client().get(f"/api/v1{path}", headers={"Accept": "text/html"})
    assert answer.status_code == 404 and answer.json["error"] == "not_found"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=999", "limit=x", "cursor=-1", "label=bug", "state=lost", "limit=²"]
)
def test_a_query_that_makes_no_sense_is_refused(operate: Program, query: str) -> None:
    assert operate.get(f"{AT}/issues?{query}", 400)["error"] == "bad_request"


def test_a_huge_cursor_is_an_empty_page(operate: Program) -> None:
    assert operate.get("/trainings?cursor=999999999999999")["items"] == []


def test_the_mode_is_set_and_taken_back(console: Console, operate: Program) -> None:
    assert operate.send("PUT", f"{AT}/mode", {"mode": "off"})["mode"] == "off"
    assert console.repository().mode == "off"
    assert operate.send("PUT", f"{AT}/mode", {"mode": None})["mode_override"] is None
    assert console.repository().mode is None


def test_applying_needs_a_replay_report_first(console: Console, operate: Program) -> None:
    said = operate.send("PUT", f"{AT}/mode", {"mode": "apply"}, 409)
    assert "replay report" in said["message"] and console.repository().mode is None
    filled(console)
    assert operate.send("PUT", f"{AT}/mode", {"mode": "apply"})["mode"] == "apply"


@pytest.mark.parametrize("body", [{}, {"mode": "fast"}, {"mode": 1}, [], "off"])
def test_a_mode_that_makes_no_sense_changes_nothing(
    console: Console, operate: Program, body: Any
) -> None:
    operate.send("PUT", f"{AT}/mode", body, 400)
    assert console.repository().mode is None


def test_a_version_is_put_in_force_once_and_rolled_back_once(
    console: Console, operate: Program
) -> None:
    first, second = add_version(console), add_version(console, force=False)
    path = f"{AT}/models/{second}/publish"
    assert operate.send("POST", path, {"seen": None}, 409)["error"] == "conflict"
    assert operate.send("POST", path, {"seen": first}) == {"version": second}
    assert operate.send("POST", f"{AT}/rollback", {"seen": second}) == {"version": first}
    operate.send("POST", f"{AT}/rollback", {"seen": second}, 409)
    operate.send("POST", f"{AT}/models/0009-none/publish", {"seen": first}, 404)
    assert operate.get(AT)["version"] == first


def test_a_training_is_cancelled_with_a_reason(console: Console, operate: Program) -> None:
    row = begin(console)
    found = operate.send("POST", f"/trainings/{row.id}/cancel", {"reason": "a mistake"})
    assert found["state"] in ("cancelled", "failed") and found["repository"] == PUBLIC
    operate.send("POST", f"/trainings/{row.id}/cancel", {}, 409)


def test_what_a_program_says_of_a_label_is_kept_here(console: Console) -> None:
    console.open(1, "It crashes")
    console.role("helper", "triage")
    helper = program(console, "helper")
    id = helper.get(f"{AT}/labels")[0]["id"]
    helper.send("POST", f"{AT}/issues/1/answers", {"label_id": id, "belongs": True})
    kept = console.store.answers.for_issue(console.repository().id, 1)
    assert [(each.label_id, each.belongs) for each in kept] == [(id, True)]
    helper.send("POST", f"{AT}/issues/1/answers", {"label_id": 5, "belongs": True}, 400)


def test_a_text_is_tried_by_the_worker_and_only_its_owner_reads_the_answer(
    console: Console, operate: Program
) -> None:
    asked = operate.send("POST", f"{AT}/try", {"title": "It crashes", "body": ""}, 202)
    path = f"{AT}/try/{asked['job']}"
    assert operate.get(path)["state"] == "waiting"
    assert program(console, "stranger").get(path)["state"] == "gone"
    operate.send("POST", f"{AT}/try", {"title": " ", "body": ""}, 400)


def test_too_many_texts_at_once_are_refused(console: Console, operate: Program) -> None:
    row = console.repository()
    for person in range(20):
        console.store.tries.ask(row, 1000 + person, "a title", "")
    said = operate.send("POST", f"{AT}/try", {"title": "one more", "body": ""}, 429)
    assert said["error"] == "too_many_requests"


def test_jobs_are_for_operators_and_tell_nothing_of_their_payload(
    console: Console, operate: Program
) -> None:
    console.store.tries.ask(console.repository(), 5, "a private text", "")
    found = operate.get("/jobs?state=waiting")
    assert found["items"][0]["kind"] == "try" and "a private text" not in str(found)
    assert program(console, "somebody").get("/jobs", 403)["error"] == "forbidden"


def test_a_browser_reads_with_its_session_and_writes_with_the_token_of_the_forms(
    console: Console, operator: Browser
) -> None:
    path = f"/api/v1{AT}/mode"
    assert operator.client.get(f"/api/v1{AT}").status_code == 200
    forged = operator.client.put(path, json={"mode": "off"})
    assert forged.status_code == 400 and console.repository().mode is None
    conforms(forged, {"mode": "off"})
    done = operator.client.put(path, json={"mode": "off"}, headers={"X-CSRFToken": operator.csrf()})
    assert done.status_code == 200 and console.repository().mode == "off"
