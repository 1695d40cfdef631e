"""The job that labels one issue, against the stand-in for GitHub and a real store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.store.rows import Issue, Repository
from demo.github import StandIn
from tests.bot.world import LABELS, REPO, Clock, OneVersion, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with StandIn(seed=1) as github:
        made = make_world(github, tmp_path, now=time.time)
        yield made
        made.context.app.close()
        made.store.close()


def test_an_issue_gets_its_labels_in_two_requests(world: World):
    world.context.bot  # noqa: B018 - asked once per App, not once per issue
    number = world.open("crash when I click the button")
    world.site.clear_log()
    job = world.work()
    assert job.result == "labelled: area/ui, bug"
    assert world.labels_on(number) == ["area/ui", "bug"]
    asked = [e for e in world.site.requests() if "access_tokens" not in e["path"]]
    assert [e["method"] for e in asked] == ["GET", "POST"]


def test_the_decision_is_kept_with_a_reason_for_every_label(world: World):
    number = world.open("crash")
    world.work()
    decision = world.store.decisions.latest(world.repository_id, number)
    assert decision is not None
    assert (decision.version, decision.mode, decision.trigger) == ("v1", "apply", "opened")
    assert {v["label"] for v in decision.verdicts} == {*LABELS, "defect"}
    assert all(v["reason"] for v in decision.verdicts)
    assert world.outcomes(number) == [("bug", "applied")]


def test_an_issue_that_nothing_fits_gets_nothing(world: World):
    number = world.open("hello")
    assert world.work().result == "nothing applied, nothing suggested"
    assert world.site.count("POST", "/labels$") == 0
    assert world.labels_on(number) == []


def test_in_mode_suggest_nothing_is_written(world: World):
    world.configure(mode="suggest")
    number = world.open("crash")
    assert world.work().result == "nothing applied; suggested: bug"
    assert world.labels_on(number) == []


def test_the_text_of_this_moment_counts(world: World):
    number = world.open("hello")
    world.store.issues.upsert(stored(world, number, title="crash"))
    world.site.edit_issue(REPO, number, title="typo in the readme")
    assert world.work().result == "labelled: docs"


def stored(world: World, number: int, **changes: object) -> Issue:
    issue = Issue(world.repository_id, number, 900 + number, "hello", "", created_at="")
    return replace(issue, **changes)


# What a person did


def test_a_label_that_a_person_took_off_is_not_put_back(world: World):
    number = world.open("crash")
    world.work()
    world.site.unlabel(REPO, number, "bug")
    world.ask(number, "edited")
    assert world.work().result == "nothing applied, nothing suggested"
    assert world.labels_on(number) == []


def test_a_renamed_label_that_a_person_took_off_is_not_put_back(world: World):
    number = world.open("crash")
    world.work()
    world.site.unlabel(REPO, number, "bug")
    world.ask(number, "edited")
    world.work()
    world.site.edit_label(REPO, "bug", {"name": "defect"})
    label = world.store.labels.by_name(world.repository_id, "bug")
    assert label is not None
    world.store.labels.upsert(replace(label, name="defect"))
    world.ask(number, "edited")
    world.work()
    assert world.labels_on(number) == []


def test_the_persons_events_are_recorded(world: World):
    number = world.open("crash")
    world.work()
    world.site.unlabel(REPO, number, "bug", by="ada")
    world.ask(number, "edited")
    world.work()
    events = world.store.events.for_issue(world.repository_id, number)
    assert [(e.action, e.actor_kind) for e in events] == [
        ("labeled", "us"),
        ("unlabeled", "person"),
    ]


def test_in_the_time_of_grace_a_person_is_first(tmp_path: Path):
    with StandIn(seed=1) as github:
        clock = Clock(time.time())
        world = make_world(github, tmp_path, now=clock)
        world.configure(mode="apply", grace_seconds=60)
        number = world.open("crash")
        opened = world.site.issue(REPO, number)["created_at"]
        world.store.issues.upsert(stored(world, number, title="crash", created_at=opened))
        result = world.work().result
        assert result is not None and result.startswith("waits until")
        world.site.label(REPO, number, "docs", by="ada")
        clock.seconds += 61
        world.site.advance(61)
        assert world.work().result == "left alone: ada was first"
        assert world.labels_on(number) == ["docs"]
        world.context.app.close()
        world.store.close()


# A crash between the write and its record


def crash_after_the_write(world: World, title: str = "crash") -> int:
    """The labels reach the issue, and we never hear of it."""
    number = world.open(title)
    world.site.fail("cut", method="POST", path="/labels$", after=True)
    job = world.work()
    assert job.state == "waiting"
    assert world.outcomes(number) == [("bug", "intended")]
    return number


def make_due(world: World) -> None:
    """Let the retry come now: its delay is a test of the worker's."""
    job = world.store.jobs.list("waiting")[0]
    world.store.jobs.discard(job.id, "asked for again at once")
    assert job.number is not None
    world.ask(job.number)


def test_a_write_that_did_happen_is_recorded_and_not_repeated(world: World):
    number = crash_after_the_write(world)
    make_due(world)
    job = world.work()
    assert job.result == "recorded after a crash: bug; nothing applied, nothing suggested"
    assert world.outcomes(number) == [("bug", "applied")]
    assert world.site.count("POST", "/labels$") == 1
    assert world.labels_on(number) == ["bug"]


def test_what_a_person_took_off_before_the_retry_is_not_put_back(world: World):
    number = crash_after_the_write(world)
    world.site.unlabel(REPO, number, "bug", by="ada")
    make_due(world)
    job = world.work()
    assert job.result is not None and job.result.startswith("recorded after a crash: bug")
    assert world.labels_on(number) == []
    assert world.site.count("POST", "/labels$") == 1
    assert world.outcomes(number) == [("bug", "applied")]


def test_a_write_that_did_not_happen_is_done_again(world: World):
    number = world.open("crash")
    world.site.fail("cut", method="POST", path="/labels$")
    assert world.work().state == "waiting"
    make_due(world)
    assert world.work().result == "labelled: bug"
    assert world.outcomes(number) == [("bug", "abandoned"), ("bug", "applied")]


def test_a_label_that_a_person_put_on_meanwhile_is_not_claimed_as_ours(world: World):
    number = world.open("crash")
    world.site.fail("cut", method="POST", path="/labels$")
    world.work()
    world.site.label(REPO, number, "bug", by="ada")
    make_due(world)
    world.work()
    assert world.outcomes(number) == [("bug", "abandoned")]


# A label that does not exist any more


def test_a_label_deleted_a_second_ago_is_not_made_again(world: World):
    number = world.open("crash")
    world.site.delete_label(REPO, "bug")
    job = world.work()
    assert job.result == "nothing applied, nothing suggested"
    assert world.labels_on(number) == []
    assert [label["name"] for label in world.site.labels(REPO)] == [
        "docs",
        "area/ui",
        "needs-triage",
    ]
    assert world.outcomes(number) == [("bug", "abandoned")]


def test_a_label_renamed_a_second_ago_is_added_by_its_new_name(world: World):
    number = world.open("crash")
    bug = world.store.labels.by_name(world.repository_id, "bug")
    assert bug is not None
    world.site.edit_label(REPO, "bug", {"name": "defect"})
    world.work()
    assert world.labels_on(number) == ["defect"]
    assert "bug" not in [label["name"] for label in world.site.labels(REPO)]
    renamed = world.store.labels.get(world.repository_id, bug.id)
    assert renamed is not None and renamed.name == "defect"


def test_a_label_that_a_person_made_anew_is_taken_off_but_not_deleted(world: World):
    number = world.open("crash")
    world.site.delete_label(REPO, "bug")
    world.site.create_label(REPO, "bug", color="d73a4a", description="Something is broken")
    world.work()
    assert world.labels_on(number) == []
    assert "bug" in [label["name"] for label in world.site.labels(REPO)]


def test_a_label_made_in_a_crash_is_found_and_undone(world: World):
    number = world.open("crash")
    world.site.delete_label(REPO, "bug")
    world.site.fail("cut", method="POST", path="/labels$", after=True)
    world.work()
    assert world.labels_on(number) == ["bug"]
    make_due(world)
    world.work()
    assert world.labels_on(number) == []
    assert "bug" not in [label["name"] for label in world.site.labels(REPO)]


# The issue, the repository or the installation is not as it was


def test_a_deleted_issue_is_done_and_its_text_forgotten(world: World):
    number = world.open("crash")
    world.store.issues.upsert(stored(world, number, title="crash"))
    world.site.delete_issue(REPO, number)
    job = world.work()
    assert job.state == "done"
    assert job.result is not None and job.result.startswith("left alone: GitHub says")
    kept = world.store.issues.get(world.repository_id, number)
    assert kept is not None and kept.deleted and kept.title == ""


def test_an_issue_that_never_was_is_done_with_a_reason(world: World):
    world.ask(77)
    assert world.work().result == "left alone: GitHub has no such issue, or we may not see it"


def test_a_transferred_issue_is_not_followed(world: World):
    world.site.add_repository("acme/moon", labels=["bug"])
    number = world.open("crash")
    moved = world.site.transfer_issue(REPO, number, "acme/moon")
    job = world.work()
    assert job.result is not None
    assert job.result.startswith("left alone: the issue was transferred")
    assert world.site.labels_on("acme/moon", moved["number"]) == []


def test_a_renamed_repository_is_found_under_its_new_name(world: World):
    number = world.open("crash")
    world.site.rename_repository(REPO, "shuttle")
    assert world.work().result == "labelled: bug"
    assert world.repository.full_name == "acme/shuttle"
    assert world.site.labels_on("acme/shuttle", number) == ["bug"]


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        ("lock", "left alone: the conversation is locked"),
        ("close", "left alone: the issue is closed"),
    ],
)
def test_an_issue_locked_or_closed_before_us_is_left_alone(world: World, happens: str, reason: str):
    number = world.open("crash")
    getattr(world.site, happens)(REPO, number)
    assert world.work().result == reason
    assert world.labels_on(number) == []


def test_mode_off_and_an_archived_repository_cost_no_request(world: World):
    world.open("crash")
    world.store.repositories.set_mode(world.repository_id, "off")
    assert world.work().result == "left alone: labelling is turned off for this repository"
    world.store.repositories.set_mode(world.repository_id, None)
    world.store.repositories.upsert(world.repository_id, REPO, archived=True)
    world.open("crash")
    assert world.work().result == "left alone: the repository is archived"
    assert world.site.count("GET", "/issues/") == 0


def test_a_removed_repository_is_done(world: World):
    world.open("crash")
    repository: Repository = world.repository
    job = world.store.jobs.list("waiting")[0]
    world.store.repositories.remove(repository.id)
    found = world.store.jobs.get(job.id)
    assert found is not None and found.state == "done"


def test_a_suspended_installation_pauses_the_job(world: World):
    number = world.open("crash")
    world.site.suspend(world.installation_id)
    job = world.work()
    assert (job.state, job.attempts) == ("waiting", 0)
    assert not world.worker().work_once(world.context, "fast")
    world.site.suspend(world.installation_id, False)
    world.store.installations.suspend(world.installation_id, False)
    make_due(world)
    world.work()
    assert world.labels_on(number) == ["bug"]


def test_a_missing_permission_is_a_dead_letter_that_says_what_to_grant(world: World):
    world.site.set_permissions(world.installation_id, {"metadata": "read", "issues": "read"})
    world.open("crash")
    job = world.work()
    assert job.state == "dead"
    assert job.error is not None and "accept the App's permissions" in job.error


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_outage_is_waited_for(world: World, status: int):
    number = world.open("crash")
    world.site.fail("status", method="POST", path="/labels$", status=status)
    assert world.work().state == "waiting"
    make_due(world)
    world.work()
    assert world.labels_on(number) == ["bug"]


@pytest.mark.parametrize(
    ("status", "method", "state"),
    [
        (401, "GET", "waiting"),
        (403, "GET", "dead"),
        (404, "POST", "done"),
        (410, "POST", "done"),
        (422, "POST", "dead"),
        (429, "GET", "waiting"),
        (500, "GET", "waiting"),
    ],
)
def test_every_refusal_of_github_has_its_result(world: World, status: int, method: str, state: str):
    number = world.open("crash")
    world.site.fail("status", method=method, path="/issues/", status=status, times=9)
    job = world.work()
    assert job.state == state
    assert job.result or job.error
    assert world.labels_on(number) == []
    if state == "done":
        assert world.outcomes(number) == [("bug", "abandoned")]


@pytest.mark.parametrize("kind", ["cut", "bad_json", "truncated", "html"])
def test_an_answer_that_cannot_be_read_is_asked_for_again(world: World, kind: str):
    number = world.open("crash")
    world.site.fail(kind, method="POST", path="/labels$", after=True)
    assert world.work().state == "waiting"
    make_due(world)
    assert world.work().state == "done"
    assert world.outcomes(number) == [("bug", "applied")]
    assert world.site.count("POST", "/labels$") == 1


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("crash", None),
        ("\u200b", "crash"),
        ("\U0001f4a5" * 40, "crash"),
        ("\u202e\u0627\u0644\u062e\u0637\u0623 crash", ""),
        ("crash", "x " * 32_768),
        ("cra\0sh", "nul\0 crash"),
    ],
)
def test_any_text_is_read(world: World, title: str, body: str | None):
    number = world.open(title, body=body)
    assert world.work().result == "labelled: bug"
    assert world.labels_on(number) == ["bug"]


def test_a_rate_limit_costs_no_attempt(world: World):
    world.open("crash")
    world.site.fail("secondary", method="POST", path="/labels$", retry_after=60)
    job = world.work()
    assert (job.state, job.attempts) == ("waiting", 0)
    assert 50 < job.run_at - time.time() < 70


def test_a_repository_whose_labels_were_never_read_reads_them_first(world: World):
    number = world.open("crash")
    world.store.repositories.upsert(world.repository_id, REPO, False, world.installation_id)
    with world.store.transaction() as db:
        db.execute("UPDATE repositories SET labels_synced_at = NULL")
        db.execute("DELETE FROM labels")
    world.work()
    assert world.labels_on(number) == ["bug"]


def test_a_repository_without_labels_is_left_alone(world: World):
    world.open("crash")
    world.store.labels.sync(world.repository_id, [])
    assert world.work().result == "left alone: the repository has no labels"


def test_without_a_version_zero_shot_predicts(world: World):
    assert isinstance(world.context.registry, OneVersion)
    world.context.registry.version = None
    number = world.open("crash")
    world.work()
    assert world.labels_on(number) == ["bug"]


# The fallback label


def test_the_fallback_label_comes_and_goes_when_a_person_triages(world: World):
    world.configure(mode="apply", fallback="needs-triage")
    number = world.open("hello")
    assert world.work().result == "labelled: needs-triage"
    world.site.label(REPO, number, "docs", by="ada")
    world.ask(number, "triaged")
    assert world.work().result == "taken off: needs-triage (triaged: ada added docs)"
    assert world.labels_on(number) == ["docs"]
    assert world.outcomes(number) == [("needs-triage", "undone")]


def test_the_fallback_label_goes_when_a_better_one_comes(world: World):
    world.configure(mode="apply", fallback="needs-triage")
    number = world.open("hello")
    world.work()
    world.site.edit_issue(REPO, number, title="crash")
    world.ask(number, "edited")
    assert world.work().result == "labelled: bug; taken off: needs-triage"
    assert world.labels_on(number) == ["bug"]


def test_a_fallback_label_that_a_person_put_on_stays(world: World):
    world.configure(mode="apply", fallback="needs-triage")
    number = world.open("hello")
    world.site.label(REPO, number, "needs-triage", by="ada")
    world.work()
    world.site.label(REPO, number, "docs", by="ada")
    world.ask(number, "triaged")
    assert world.work().result == "nothing to do: we put no fallback label on this issue"
    assert world.labels_on(number) == ["docs", "needs-triage"]
