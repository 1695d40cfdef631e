"""What a made-up database has beside issues: work done, nights, trainings, versions, people."""

from __future__ import annotations

import json
from collections import defaultdict
from random import Random
from typing import Any

from benchmarks.console_words import TOPICS
from bot.times import from_epoch

COLUMNS = {
    "jobs": "kind lane priority installation_id repository_id number payload state run_at attempts"
    " max_attempts error result created_at finished_at",
    "deliveries": "guid event action repository_id received_at payload job_id",
    "live_days": "repository_id day version applied judged right missed held",
    "live_labels": "repository_id label_id state bar reason judged right since",
    "live_changes": "repository_id label_id at state reason version",
    "trainings": "kind repository_id owner launcher state phase step total loss started_at"
    " updated_at ended_at reason why",
    "gates": "repository_id version at passed reason is_best report",
    "actors": "repository_id actor_id login role role_at",
}
INSTALLATIONS = 5
DAY = 86_400.0
NIGHTS = 365
JOBS_PER_ISSUE = 0.2
"""Done jobs and their deliveries are kept for a week."""
TRAININGS = 12
PAYLOAD = b'{"action": "opened", "issue": {"body": "' + b"words " * 300 + b'"}}'
_ROLES = ("admin", "maintain", "write", "triage", "read")

Rows = dict[str, list[tuple[Any, ...]]]


def installations() -> Rows:
    """The accounts that have the App."""
    permissions = json.dumps({"issues": "write", "metadata": "read"})
    found = [
        (n, 100 + n, f"team-{n - 1}", "Organization", permissions)
        for n in range(1, INSTALLATIONS + 1)
    ]
    return {"installations": found}


def rows(repository: int, issues: int, rng: Random, now: float) -> Rows:
    """All of one repository, by table."""
    made: Rows = defaultdict(list)
    _work(made, repository, issues, rng, now)
    _nights(made, repository, issues, rng, now)
    _labels(made, repository, rng, now)
    _trainings(made, repository, rng, now)
    for n in range(20):
        made["actors"].append((repository, 1000 + n, f"person-{n}", _ROLES[n % 5], now - DAY))
    return made


def _work(made: Rows, repository: int, issues: int, rng: Random, now: float) -> None:
    owner = repository % INSTALLATIONS + 1
    for n in range(max(1, int(issues * JOBS_PER_ISSUE))):
        at, number = now - rng.uniform(0, 7 * DAY), rng.randint(1, max(1, issues))
        state = "dead" if n % 400 == 399 else "waiting" if n % 300 == 299 else "done"
        error = "GitHub answered 502 eight times" if state == "dead" else None
        done = state != "waiting"
        asked = ("label", "fast", 5, owner, repository, number, "{}", state, at, int(done), 8)
        result = "labeled" if state == "done" else None
        made["jobs"].append((*asked, error, result, at, at + 2 if done else None))
        if n % 4 == 0:
            guid = f"{repository:08}-{n:08}"
            made["deliveries"].append((guid, "issues", "opened", repository, at, PAYLOAD, 0))


def _nights(made: Rows, repository: int, issues: int, rng: Random, now: float) -> None:
    applied = max(1, issues // 20)
    for n in range(NIGHTS):
        day, judged = from_epoch(now - n * DAY)[:10], rng.randint(0, applied)
        right, missed = int(judged * rng.uniform(0.8, 1)), rng.randint(0, applied)
        figures = (applied, judged, right, missed, rng.randint(0, 5))
        made["live_days"].append((repository, day, "0003-00000000", *figures))


def _labels(made: Rows, repository: int, rng: Random, now: float) -> None:
    states = ("as trained", "as trained", "as trained", "raised", "suggested only")
    for i in range(len(TOPICS)):
        label, state, judged = repository * 1000 + i, rng.choice(states), rng.randint(5, 38)
        bar = {"as trained": 0.0, "raised": 0.9}.get(state)
        right = int(judged * rng.uniform(0.7, 1))
        record = (state, bar, f"{right} of {judged} were right", judged, right)
        made["live_labels"].append((repository, label, *record, now - 20 * DAY))
        for n in range(5):
            change = (now - n * 20 * DAY, state, "made up", "0003-00000000")
            made["live_changes"].append((repository, label, *change))


def _trainings(made: Rows, repository: int, rng: Random, now: float) -> None:
    for n in range(TRAININGS):
        began = now - (TRAININGS - n) * 10 * DAY
        state = rng.choice(("published", "refused", "done", "failed"))
        figures = ("fit", 100, 100, rng.uniform(0.1, 0.9), began, began + 600, began + 600)
        facts = ("head", repository, "worker", "local", state, *figures)
        made["trainings"].append((*facts, f"it was {state}", "it was Monday"))
    for n in range(1, 4):
        passed = n != 2
        reason = "better than the champion" if passed else "worse than the champion"
        made["gates"].append(
            (repository, f"{n:04}-00000000", now - (4 - n) * 30 * DAY, passed, reason, passed, "{}")
        )
