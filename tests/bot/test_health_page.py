"""`GET /health`: a page for people, JSON for programs, and nothing that strangers may not see."""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3

import pytest
from werkzeug.test import TestResponse

from bot.alarms import CONDITIONS
from bot.survey import WATCHED_SINCE
from tests.bot.intake_world import Intake

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def get(intake: Intake, accept: str | None) -> TestResponse:
    return intake.client.get("/health", headers={} if accept is None else {"Accept": accept})


def page(intake: Intake) -> str:
    answer = get(intake, BROWSER)
    assert answer.content_type == "text/html; charset=utf-8"
    return answer.get_data(as_text=True)


@pytest.fixture
def well(intake: Intake) -> Intake:
    """A server of which every process lives."""
    for process in ("web", "worker", "clock"):
        intake.store.heartbeats.beat(process, 1)
    return intake


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/plain", "nonsense"])
def test_who_does_not_ask_for_a_page_gets_json(well: Intake, accept: str | None):
    answer = get(well, accept)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json is not None and answer.json["status"] == "ok"
    assert [each["key"] for each in answer.json["checks"]] == [c.key for c in CONDITIONS]
    assert "Accept" in answer.headers["Vary"].split(", ")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_browser_gets_a_page_with_every_condition(well: Intake):
    text = page(well)
    assert "<h1>All is well</h1>" in text
    assert re.findall(r"<h2>(.*?)</h2>", text) == [c.title for c in CONDITIONS]


def test_an_alarm_is_503_and_comes_first(well: Intake):
    well.clock[0] += 3600
    for process in ("web", "clock"):
        well.store.heartbeats.beat(process, 1)
    answer = get(well, None)
    assert answer.status_code == 503
    assert answer.json is not None and answer.json["status"] == "alarm"
    text = page(well)
    assert "<h1>One thing needs attention</h1>" in text
    assert re.findall(r"<h2>(.*?)</h2>", text)[0] == "Worker"
    assert "<code>labelwright worker</code>" in text and ", 60 minutes ago</p>" in text


def test_a_warning_is_200(well: Intake):
    job = well.store.jobs.enqueue("label")
    claimed = well.store.jobs.claim("test", lane="fast")
    assert job is not None and claimed is not None
    well.store.jobs.bury(claimed, "it is no use")
    answer = get(well, None)
    assert (answer.status_code, answer.json and answer.json["status"]) == (200, "warning")


def test_the_page_may_load_and_run_nothing_and_its_style_is_the_one_that_may_apply(well: Intake):
    answer = get(well, BROWSER)
    policy = answer.headers["Content-Security-Policy"]
    text = answer.get_data(as_text=True)
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "<script" not in text and "prefers-color-scheme: dark" in style
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)


@pytest.mark.parametrize("accept", [BROWSER, "application/json"])
def test_strangers_learn_no_name_and_no_text(well: Intake, accept: str):
    secret = "acme/<b>hidden</b>"
    well.store.repositories.upsert(7, secret, True, 11)
    for kind, lane in (("label", "fast"), ("train", "slow")):
        well.store.jobs.enqueue(kind, lane=lane, repository_id=7)  # type: ignore[arg-type]
        claimed = well.store.jobs.claim("test", lane=lane)  # type: ignore[arg-type]
        assert claimed is not None
        well.store.jobs.bury(claimed, f"GET /repos/{secret}: 500 {secret}")
    well.store.jobs.enqueue("label", repository_id=7)
    claimed = well.store.jobs.claim("test", lane="fast")
    assert claimed is not None
    well.store.jobs.retry(claimed, f"GET /repos/{secret}: 500 {secret}", delay=1.0)
    well.store.meta.set(WATCHED_SINCE, repr(well.clock[0]))
    well.clock[0] += 86_000
    text = get(well, accept).get_data(as_text=True)
    assert "GitHub" in text or '"github"' in text
    for hidden in ("acme", "hidden", "<b>", str(well.settings.home), well.store.identity):
        assert hidden not in text


@pytest.mark.parametrize("accept", [BROWSER, "application/json"])
def test_a_database_that_cannot_be_read_is_said_as_such(well: Intake, accept: str):
    raw = sqlite3.connect(well.store.path)
    raw.executescript("DROP TABLE heartbeats;")
    raw.close()
    answer = get(well, accept)
    assert answer.status_code == 503 and "labelwright doctor" in answer.get_data(as_text=True)


def test_metrics_say_for_each_condition_whether_it_needs_somebody(well: Intake):
    well.clock[0] += 3600
    well.store.heartbeats.beat("web", 1)
    lines = well.client.get("/metrics").get_data(as_text=True).splitlines()
    for condition in CONDITIONS:
        bad = condition.key in ("worker", "clock")
        assert f'labelwright_alarm{{alarm="{condition.key}"}} {float(bad)}' in lines
    assert "labelwright_failed_trainings 0.0" in lines


def test_metrics_of_a_database_that_cannot_be_read_say_that(well: Intake):
    raw = sqlite3.connect(well.store.path)
    raw.executescript("DROP TABLE heartbeats;")
    raw.close()
    answer = well.client.get("/metrics")
    assert answer.status_code == 200
    assert 'labelwright_alarm{alarm="database"} 1.0' in answer.get_data(as_text=True)
