"""What /metrics tells anybody: counts by kinds and states, no name of anything or anybody."""

from __future__ import annotations

import re

from bot.store.rows import Actor, LabelEvent, LiveState
from tests.bot.console.test_trainings import begin
from tests.bot.console.world import NOW, PRIVATE, Console

LABELED = re.compile(r"(\w+)=\"([^\"]*)\"")
KEYS = {
    "action", "alarm", "event", "implementation", "lane", "le", "outcome", "process", "reason",
    "result", "state", "version",
}  # fmt: skip


def busy(console: Console) -> None:
    """A private repository where everything that is counted has happened."""
    row = console.repository(PRIVATE)
    console.open(1, "A telling title", "bug", name=PRIVATE)
    console.decide(1, name=PRIVATE, bug="apply")
    bug = next(each for each in console.store.labels.all(row.id) if each.name == "bug")
    at = "2026-05-02T00:00:00Z"
    event = LabelEvent(row.id, 1, bug.id, "bug", "labeled", 5, "lovelace", "person", at, "webhook")
    console.store.events.add([event])
    state = LiveState(bug.id, "raised", 0.9, f"bug of {PRIVATE}", 9, 3, NOW)
    console.store.live.keep(row.id, [state], [])
    console.store.actors.set_capped(row.id, [Actor(row.id, 5, "lovelace", capped=9)])
    begin(console, PRIVATE)
    console.store.jobs.enqueue("label", repository_id=row.id, number=1, max_attempts=1)
    job = console.store.jobs.claim("lovelace", lane="fast")
    assert job is not None
    console.store.jobs.bury(job, f"{PRIVATE} does not answer")


def test_no_metric_names_a_repository_a_label_or_a_person(console: Console) -> None:
    busy(console)
    text = console.app.test_client().get("/metrics").text
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert 'labelwright_live_labels{state="raised"} 1.0' in samples
    assert 'labelwright_jobs{lane="fast",state="dead"} 1.0' in samples
    names = {key for line in samples for key, _ in LABELED.findall(line)}
    assert names <= KEYS
    for private in ("acme", "secret", "bug", "docs", "area/ui", "lovelace", "telling"):
        assert not any(private in value for line in samples for _, value in LABELED.findall(line))
