"""Try it: the text goes to the worker and is not kept."""

from __future__ import annotations

from bot.store.rows import Job
from tests.bot.console.world import PUBLIC, Browser, Console

PAGE = f"/r/{PUBLIC}/try"
ANSWER = {
    "problem": None, "version": "0001-abcd", "zero_shot": False, "caution": None,
    "labels": [
        {"label": "<b>bug", "id": 1, "probability": 0.93, "verdict": "apply", "reason": "why"}
    ],
    "neighbours": [{"number": 7, "labels": ["docs"], "similarity": 0.8}],
}  # fmt: skip


def answer(console: Console) -> Job:
    """What the worker does with a text."""
    job = console.store.jobs.claim("test", lane="fast", kinds=["try"])
    assert job is not None
    console.store.tries.keep(job, ANSWER)
    console.store.jobs.finish(job, "said")
    return job


def test_without_a_script_the_answer_has_a_page(console: Console, operator: Browser) -> None:
    console.open(7, "An older <i>one")
    went = operator.post(PAGE, {"title": "It crashes", "body": "now"})
    assert went.status_code == 303
    assert 'http-equiv="refresh"' in operator.page(went.headers["Location"])
    job = answer(console)
    assert job.payload["title"] == "It crashes"
    page = operator.page(went.headers["Location"])
    assert "&lt;b&gt;bug" in page and "93 %" in page and "An older &lt;i&gt;one" in page
    assert console.store.jobs.get(job.id) is None
    assert "is not kept" in operator.page(went.headers["Location"])


def test_a_script_gets_only_the_answer(console: Console, operator: Browser) -> None:
    asked = operator.post(PAGE, {"title": "It crashes"}, HX_Request="true")
    assert "<html" not in asked.text and "The worker looks at it" in asked.text


def test_nobody_reads_what_another_tried(console: Console, operator: Browser) -> None:
    console.role("member", "triage")
    path = operator.post(PAGE, {"title": "A secret"}).headers["Location"]
    answer(console)
    assert "93 %" not in console.browser("member").page(path)


def test_an_empty_text_is_not_looked_at(console: Console, operator: Browser) -> None:
    assert operator.post(PAGE, {"title": " "}).status_code == 400
    assert console.store.jobs.list("waiting") == []
