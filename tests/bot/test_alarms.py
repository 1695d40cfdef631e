"""Each condition: raised, cleared, and not raised a moment too early. Nothing but facts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from bot import alarms
from bot.alarms import CONDITIONS, Facts, State, in_words, look_at, unreadable, worst
from bot.github.errors import (
    RateLimited,
    Unauthorized,
    Unavailable,
    from_graphql,
    from_response,
)
from bot.health import LEAST_FREE_BYTES
from bot.reactions import OUTLASTING, describe
from bot.survey import ABOUT_ISSUES
from models.errors import ModelError
from tests.source import ROOT

NOW = 1_780_000_000.0
DAY = 86_400.0
WELL = Facts(
    now=NOW,
    watched_since=NOW - DAY,
    beats={"web": NOW - 2, "worker": NOW - 3, "clock": NOW - 4},
    last_delivery=NOW - 60,
    newest_backup=NOW - 3600,
    backup_due=NOW + 20 * 3600,
    free_bytes=10 * 2**30,
)
DOWN = "GET /repos/acme/limitless/issues/1: 503 Service Unavailable"
LIMIT = "POST /repos/acme/rocket/issues/1/labels: 403 API rate limit exceeded for installation 7"


def state(key: str, **facts: Any) -> State:
    [found] = [each for each in look_at(replace(WELL, **facts)) if each.key == key]
    return found


def severity(key: str, **facts: Any) -> str:
    return state(key, **facts).severity


def test_of_a_server_that_is_well_nothing_is_raised():
    states = look_at(WELL)
    assert [each.key for each in states] == [condition.key for condition in CONDITIONS]
    assert [each for each in states if each.severity != "ok"] == []
    assert worst(states) == "ok"


@pytest.mark.parametrize("process", ["web", "worker", "clock"])
def test_a_process_without_a_sign_of_life_is_an_alarm(process: str):
    beats = dict(WELL.beats)
    assert severity(process, beats=beats | {process: NOW - alarms.SILENCE}) == "ok"
    found = state(process, beats=beats | {process: NOW - alarms.SILENCE - 1})
    assert (found.severity, found.since) == ("alarm", NOW - alarms.SILENCE - 1)
    assert f"labelwright {process}" in found.message
    beats.pop(process)
    assert state(process, beats=beats).message.startswith("was never seen: start")
    assert severity(process, beats=beats, watched_since=None) == "alarm"


def test_a_process_has_time_to_start():
    beats = {"web": NOW, "clock": NOW, "worker": NOW - 3 * DAY}
    assert severity("worker", beats=beats, watched_since=NOW - alarms.START) == "ok"
    assert state("worker", beats=beats, watched_since=NOW - alarms.START).open
    assert severity("worker", beats=beats, watched_since=NOW - alarms.START - 1) == "alarm"
    beats.pop("worker")
    assert state("worker", beats=beats, watched_since=NOW - 9).message == "is starting"


def test_where_github_is_polled_no_web_process_and_no_delivery_is_needed():
    silent = {"webhooks": False, "last_delivery": None, "found_late": (NOW - DAY / 2,)}
    assert severity("web", beats={}, **silent) == "ok"
    assert severity("web", beats={"web": NOW - DAY}, **silent) == "warning"
    assert severity("deliveries", **silent) == "ok"


def test_no_delivery_for_hours_although_issues_were_opened_is_an_alarm():
    quiet = NOW - WELL.quiet_seconds
    opened = {"found_late": (NOW - 3600, NOW - 1800)}
    assert severity("deliveries", last_delivery=quiet - 1) == "ok"
    assert severity("deliveries", last_delivery=quiet + 1, **opened) == "ok"
    found = state("deliveries", last_delivery=quiet, **opened)
    assert (found.severity, found.since) == ("alarm", NOW - 3600)
    assert "the last came 2 hours ago, without a word of 2 issues" in found.message
    assert severity("deliveries", last_delivery=NOW - 1799, **opened) == "ok"


def test_an_issue_that_was_just_opened_is_no_sign_yet():
    settled = NOW - alarms.SETTLED
    assert severity("deliveries", last_delivery=NOW - DAY, found_late=(settled + 1,)) == "ok"
    assert severity("deliveries", last_delivery=NOW - DAY, found_late=(settled,)) == "alarm"


def test_what_was_opened_while_the_server_was_down_is_no_sign():
    facts = {"last_delivery": NOW - DAY, "found_late": (NOW - 7200,)}
    assert severity("deliveries", watched_since=NOW - 7100, **facts) == "ok"
    assert state("deliveries", watched_since=NOW - 7100, **facts).open
    assert severity("deliveries", watched_since=NOW - 7300, **facts) == "alarm"


def test_a_webhook_that_never_led_here_is_an_alarm_after_the_same_time():
    never: dict[str, Any] = {"last_delivery": None}
    assert severity("deliveries", found_late=(NOW - WELL.quiet_seconds + 1,), **never) == "ok"
    found = state("deliveries", found_late=(NOW - WELL.quiet_seconds,), **never)
    assert found.severity == "alarm" and "none came yet" in found.message


def test_a_job_that_waits_for_long_is_an_alarm_in_the_fast_lane_and_a_warning_in_the_slow_one():
    late = {lane: NOW - seconds for lane, seconds in alarms.LONGEST_QUEUE.items()}
    assert severity("queue", overdue={lane: at + 1 for lane, at in late.items()}) == "ok"
    assert severity("queue", overdue={"slow": late["slow"]}) == "warning"
    found = state("queue", overdue=late)
    assert (found.severity, found.since) == ("alarm", late["slow"])


def test_new_dead_letters_are_a_warning_and_old_ones_are_not():
    new, old = ("label", NOW - DAY), ("label", NOW - DAY - 1)
    found = state("dead_letters", dead=(new, ("poll", NOW - 60), old))
    assert (found.severity, found.since) == ("warning", NOW - DAY)
    assert found.message.startswith("2 jobs given up in the last day")
    assert severity("dead_letters", dead=(old,)) == "ok"
    assert severity("dead_letters", dead=(("train", NOW),)) == "ok"


def test_a_github_that_fails_jobs_for_long_is_an_alarm():
    at = NOW - alarms.LONGEST_REFUSAL
    assert severity("github", put_off=((DOWN, at + 1),)) == "ok"
    found = state("github", put_off=((DOWN, at), (DOWN, NOW)))
    assert (found.severity, found.since) == ("alarm", at)
    assert "keeps 2 jobs waiting for 10 minutes" in found.message
    assert severity("github", put_off=(("OperationalError: disk I/O error", at),)) == "ok"


def test_what_waited_while_the_server_was_down_has_time_to_be_done():
    at = NOW - DAY
    old: dict[str, Any] = {"overdue": {"fast": at}, "put_off": ((DOWN, at),), "backup_due": at}
    for key, grace in (("queue", 900), ("github", 600), ("backup", 3601)):
        started = state(key, watched_since=NOW - grace + 1, **old)
        assert (started.severity, started.open) == ("ok", True)
        assert severity(key, watched_since=NOW - grace, **old) != "ok"


def test_a_rate_limit_is_a_warning_only_after_its_hour():
    at = NOW - alarms.LONGEST_LIMIT
    assert severity("github", put_off=((LIMIT, at + 1),)) == "ok"
    found = state("github", put_off=((LIMIT, at),))
    assert (found.severity, found.since) == ("warning", at)


@pytest.mark.parametrize(
    ("error", "is_limit"),
    [
        (Unavailable(0, "no answer: refused", "token for acme"), False),
        (Unauthorized(401, "Bad credentials", "GET /app"), False),
        (from_graphql({}, [{"message": "oops"}], "POST https://x/graphql", now=NOW), False),
        (RateLimited(0, "4 of 5000 requests left, kept", "installation 7", retry_at=NOW), True),
        (RateLimited(0, "our own limit on writes is reached", "POST /x", retry_at=NOW), True),
        (RateLimited(0, "not sent: asked to stay away", "GET /x", retry_at=NOW), True),
        (from_response(403, {"retry-after": "60"}, {"message": LIMIT}, "GET /x", now=NOW), True),
    ],
)
def test_the_words_of_githubs_errors_are_known(error: Exception, is_limit: bool):
    facts = replace(WELL, put_off=((describe(error), NOW - DAY),))
    assert {each.key: each.severity for each in look_at(facts)}["github"] == (
        "warning" if is_limit else "alarm"
    )


@pytest.mark.parametrize("error", [ModelError("no such file: x"), ZeroDivisionError("GET /x: 1")])
def test_other_errors_are_not_githubs(error: Exception):
    assert severity("github", put_off=((describe(error), NOW - DAY),)) == "ok"


def test_a_last_training_that_failed_is_a_warning():
    found = state("trainings", failed_trainings=(NOW - 60, NOW - DAY))
    assert (found.severity, found.since) == ("warning", NOW - DAY)
    assert "of 2 repositories failed" in found.message


def test_a_backup_that_is_too_old_is_a_warning():
    due = NOW - alarms.BACKUP_GRACE
    assert severity("backup", backup_due=due) == "ok"
    found = state("backup", backup_due=due - 1)
    assert (found.severity, found.since) == ("warning", due - 1)
    assert severity("backup", backup_due=due - 1, watched_since=NOW - alarms.START_GRACE) == "ok"
    assert severity("backup", backup_due=None, newest_backup=None) == "ok"
    assert state("backup", backup_due=due - 1, newest_backup=None).message.startswith("there is no")


def test_a_disk_that_fills_up_is_a_warning_and_then_an_alarm():
    assert severity("disk", free_bytes=alarms.FEW_FREE_BYTES) == "ok"
    assert severity("disk", free_bytes=alarms.FEW_FREE_BYTES - 1) == "warning"
    assert severity("disk", free_bytes=LEAST_FREE_BYTES - 1) == "alarm"
    assert severity("disk", free_bytes=None) == "alarm"


def test_an_operator_who_does_not_listen_is_a_warning():
    since = NOW - alarms.LONGEST_UNTOLD
    assert severity("announcements", untold_since=since + 1) == "ok"
    assert severity("announcements", untold_since=since) == "warning"


def test_a_database_that_cannot_be_read_is_an_alarm():
    assert worst(unreadable()) == "alarm"


def test_one_of_something_is_not_many():
    assert "1 job given up" in state("dead_letters", dead=(("label", NOW),)).message
    assert "of 1 repository failed" in state("trainings", failed_trainings=(NOW,)).message


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 seconds"),
        (1.2, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7200, "2 hours"),
        (2 * DAY, "2 days"),
    ],
)
def test_spans_of_time_are_said_in_words(seconds: float, words: str):
    assert in_words(seconds) == words


def test_all_jobs_that_outlast_an_outage_show_whether_github_answers():
    assert ABOUT_ISSUES > OUTLASTING


def test_no_message_holds_what_a_chat_would_take_for_markup():
    worse = replace(
        WELL,
        beats={},
        found_late=(NOW - DAY / 2,),
        last_delivery=NOW - DAY,
        overdue={"fast": 0.0},
        dead=(("label", NOW),),
        put_off=((DOWN, 0.0),),
        failed_trainings=(0.0,),
        backup_due=0.0,
        free_bytes=0,
        untold_since=0.0,
    )
    bad = [each for each in look_at(worse) if each.severity != "ok"]
    assert {each.key for each in bad} == {c.key for c in CONDITIONS} - {"database"}
    assert [each for each in bad if re.search("[<>&*~]", each.message)] == []
    assert [each for each in bad if "acme" in each.message] == []


def test_every_condition_is_described():
    page = (ROOT / "docs/operations.md").read_text().partition("## The outage alarm")[2]
    described = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", page.partition("\n## ")[0], re.M)
    assert described == [condition.key for condition in CONDITIONS]
