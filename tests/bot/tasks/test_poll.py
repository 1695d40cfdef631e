"""The intake without webhooks, against the stand-in for GitHub."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from bot.github.errors import RateLimited, Suspended, Unavailable
from bot.store.rows import Job
from bot.tasks import TASKS, poll
from bot.times import from_epoch
from tests.bot.world import REPO, World


def run(world: World) -> str:
    """Poll the repository once."""
    poll.enqueue(world.store, world.repository)
    job = world.store.jobs.claim("test", lane="fast", kinds=["poll"])
    assert job is not None
    try:
        result = TASKS["poll"].run(world.context, job)
    except BaseException as error:
        world.store.jobs.bury(job, str(error))
        raise
    world.store.jobs.finish(job, result)
    return result


def to_label(world: World) -> list[int | None]:
    return [job.number for job in world.store.jobs.list("waiting", "label")]


def label(world: World) -> Job:
    """Run the one job for labels that waits."""
    return world.work()


def test_a_new_issue_is_kept_as_opened_and_asked_to_be_labeled(world: World):
    assert run(world) == "0 new, 0 changed, 0 known"
    number = world.site.open_issue(REPO, title="crash", body="text")["number"]
    assert run(world) == "1 new, 0 changed, 0 known"
    assert to_label(world) == [number]
    issue = world.store.issues.get(world.repository_id, number)
    assert issue is not None
    assert (issue.opened_title, issue.opened_body) == ("crash", "text")


def test_a_look_that_finds_nothing_costs_nothing(world: World):
    world.site.open_issue(REPO, title="crash")
    run(world)
    run(world)
    used = world.site.limits()["used"]
    assert run(world) == "nothing changed"
    assert world.site.limits()["used"] == used


def test_the_same_issue_is_asked_for_once(world: World):
    world.site.open_issue(REPO, title="crash")
    run(world)
    label(world)
    run(world)
    assert to_label(world) == []


def test_an_old_issue_that_changes_is_kept_and_not_labeled(world: World):
    old = "2020-01-01T00:00:00Z"
    world.site.plant_issues(REPO, [{"title": "old crash", "created_at": old}])
    run(world)
    world.site.comment(REPO, 1, "still happens")
    assert run(world) == "0 new, 1 changed, 0 known"
    assert to_label(world) == []
    issue = world.store.issues.get(world.repository_id, 1)
    assert issue is not None
    assert issue.opened_body is None


def test_a_persons_removal_is_noticed(world: World):
    number = world.site.open_issue(REPO, title="crash")["number"]
    run(world)
    assert label(world).result == "labelled: bug"
    world.site.unlabel(REPO, number, "bug", by="grace")
    run(world)
    events = world.store.events.for_issue(world.repository_id, number)
    assert [(e.action, e.actor_login, e.actor_kind) for e in events] == [
        ("labeled", "labelwright[bot]", "us"),
        ("unlabeled", "grace", "person"),
    ]


def test_label_events_are_asked_for_only_where_labels_may_have_changed(world: World):
    number = world.site.open_issue(REPO, title="hello")["number"]
    run(world)
    world.github.state.skew += 5
    world.site.comment(REPO, number, "hi")
    run(world)
    assert world.site.count("GET", "/events$") == 0
    world.github.state.skew += 5
    world.site.label(REPO, number, "docs", by="grace")
    run(world)
    assert world.site.count("GET", "/events$") == 1


def test_a_person_who_labels_may_end_the_wait_of_the_fallback(world: World):
    world.configure(mode="apply", fallback="needs-triage")
    number = world.site.open_issue(REPO, title="hello")["number"]
    run(world)
    world.site.label(REPO, number, "docs", by="grace")
    world.github.state.repository(REPO).issues[number].updated_at = "2999-01-01T00:00:00Z"
    run(world)
    assert [job.number for job in world.store.jobs.list("waiting", "triage")] == [number]


def test_pull_requests_are_left_alone_unless_they_are_wanted(world: World):
    world.site.open_issue(REPO, title="crash", pull_request=True)
    run(world)
    assert to_label(world) == []
    assert world.store.issues.count(world.repository_id) == 0


def test_what_was_opened_while_the_server_was_down_is_found(world: World):
    run(world)
    for number in range(3):
        world.github.state.skew += 60
        world.site.open_issue(REPO, title=f"crash {number}")
    assert run(world) == "3 new, 0 changed, 0 known"
    assert len(to_label(world)) == 3


def test_an_interrupted_look_loses_nothing_and_asks_nothing_twice(world: World):
    run(world)
    for _ in range(3):
        world.site.open_issue(REPO, title="crash", labels=["bug"])
    world.site.fail("status", path="/events$", status=500, skip=1, times=3)
    with pytest.raises(Exception, match="500"):
        run(world)
    assert to_label(world) == [1]
    assert run(world) == "2 new, 0 changed, 1 known"
    assert sorted(n or 0 for n in to_label(world)) == [1, 2, 3]


def test_a_nearly_spent_quota_is_left_to_labeling(world: World):
    run(world)
    world.site.set_limits(primary=100)
    world.site.limits()
    world.site.forget_usage()
    for _ in range(97):
        world.context.app.installation(world.installation_id).labels(REPO)
    with pytest.raises(RateLimited, match="kept for new issues"):
        run(world)


def test_a_repository_that_vanished_makes_no_dead_letters(world: World):
    world.site.delete_repository(REPO)
    assert run(world).startswith("left alone:")


def test_a_suspension_pauses_the_job(world: World):
    world.site.suspend(world.installation_id)
    with pytest.raises(Suspended):
        run(world)


def test_a_renamed_repository_is_polled_under_its_new_name(world: World):
    run(world)
    world.site.rename_repository(REPO, "shuttle")
    world.site.open_issue("acme/shuttle", title="crash")
    assert run(world) == "1 new, 0 changed, 0 known"
    assert world.repository.full_name == "acme/shuttle"


def test_a_spent_quota_does_not_hide_a_new_issue_behind_an_old_one(world: World):
    run(world)
    old = world.site.open_issue(REPO, title="crash old", labels=["docs"])["number"]
    run(world)
    world.store.jobs.discard_of_issue(world.repository_id, old, "done")
    world.github.state.skew += 5
    world.site.label(REPO, old, "bug", by="grace")
    world.github.state.skew += 5
    bare = world.site.open_issue(REPO, title="crash new")["number"]
    labeled = world.site.open_issue(REPO, title="crash labeled", labels=["docs"])["number"]
    mark = world.repository.watermark
    world.site.set_limits(primary=100)
    client = world.context.app.installation(world.installation_id)
    client.labels(REPO)
    while client.transport.quotas["core"].remaining > 15:
        client.labels(REPO)
    assert run(world).startswith("2 new, 0 changed, 0 known; the rest is asked for again")
    assert sorted(n or 0 for n in to_label(world)) == [bare, labeled]
    assert world.repository.watermark == mark
    world.site.set_limits(primary=5000)
    world.site.forget_usage()
    client.labels(REPO)
    assert run(world) == "0 new, 1 changed, 2 known"


def test_an_issue_of_months_ago_is_history_however_late_we_see_it(world: World):
    run(world)
    poll.Memory("2020-01-01T00:00:00Z").save(world.store, world.repository_id)
    world.store.repositories.set_watermark(world.repository_id, "2024-01-01T00:00:00Z")
    old = {"title": "old crash", "created_at": "2024-06-01T00:00:00Z"}
    world.site.plant_issues(REPO, [old])
    assert run(world) == "0 new, 1 changed, 0 known"
    assert to_label(world) == []


def test_an_issue_that_was_closed_when_it_was_found_is_labeled_once_it_is_open(world: World):
    run(world)
    number = world.site.open_issue(REPO, title="crash")["number"]
    world.site.close(REPO, number)
    run(world)
    assert to_label(world) == []
    world.github.state.skew += 5
    world.site.reopen(REPO, number)
    run(world)
    assert label(world).result == "labelled: bug"
    for change in (world.site.close, world.site.reopen):
        world.github.state.skew += 5
        change(REPO, number)
        run(world)
    assert to_label(world) == []


def test_the_dead_label_job_of_a_new_issue_is_tried_again_after_an_hour(world: World):
    run(world)
    number = world.site.open_issue(REPO, title="crash")["number"]
    run(world)
    job = world.store.jobs.claim("test", lane="fast", kinds=["label"])
    assert job is not None
    world.store.jobs.bury(job, "no luck")
    run(world)
    assert to_label(world) == []
    hour = poll.LOST_SECONDS + 1
    world.context = replace(world.context, now=lambda: time.time() + hour)
    assert run(world).endswith("; 1 dead letters queued again")
    assert to_label(world) == [number]
    assert label(world).result == "labelled: bug"
    assert run(world).endswith("known")


def test_a_persons_word_on_what_we_decided_is_looked_at_soon(world: World):
    run(world)
    number = world.site.open_issue(REPO, title="crash")["number"]
    run(world)
    assert label(world).result == "labelled: bug"
    run(world)
    assert world.store.jobs.list("waiting", "review") == []
    world.github.state.skew += 5
    world.site.unlabel(REPO, number, "bug", by="ada")
    run(world)
    [job] = world.store.jobs.list("waiting", "review")
    assert job.repository_id == world.repository_id
    assert job.run_at > world.store.now()


# Commands in comments, which no webhook brings


def commands(world: World) -> list[tuple[int | None, object]]:
    jobs = world.store.jobs.list("waiting", "command")
    return [(job.number, job.payload["comment"]) for job in jobs]


def test_a_command_in_a_new_comment_is_found_once(world: World):
    run(world)
    number = world.site.open_issue(REPO, title="hello")["number"]
    world.site.comment(REPO, number, "just words", by="ada")
    made = world.site.comment(REPO, number, "/label why", by="ada")
    assert run(world) == "1 new, 0 changed, 0 known, 1 commands"
    assert commands(world) == [(number, made["id"])]
    world.site.comment(REPO, number, "more words", by="ada")
    run(world)
    assert commands(world) == [(number, made["id"])]


def test_a_command_from_before_we_came_is_not_obeyed(world: World):
    number = world.site.open_issue(REPO, title="hello")["number"]
    world.site.comment(REPO, number, "/label off", by="ada")
    later = from_epoch(time.time() + 1800)
    poll.Memory(start=later).save(world.store, world.repository_id)
    run(world)
    assert commands(world) == []


def test_a_bots_command_is_not_found(world: World):
    run(world)
    number = world.site.open_issue(REPO, title="hello")["number"]
    world.site.comment(REPO, number, "/label why", by="stale[bot]")
    run(world)
    assert commands(world) == []


def test_where_no_issue_changed_no_comment_is_asked_for(world: World):
    run(world)
    run(world)
    assert world.site.count("GET", "/issues/comments") == 0


def test_a_command_is_found_though_the_look_for_it_was_interrupted(world: World):
    run(world)
    number = world.site.open_issue(REPO, title="hello")["number"]
    world.site.comment(REPO, number, "/label why", by="ada")
    world.site.fail("html", path="/issues/comments$", times=10)
    with pytest.raises(Unavailable):
        run(world)
    world.site.clear_faults()
    run(world)
    assert len(commands(world)) == 1
