"""A database as a large server has it after years, made up from a seed: what the console reads.

Fifty repositories of very different sizes, one label set. Of every repository the newest issues
have decisions; what became of the labels follows from the events, so that pages agree with one
another. Nothing of it is real, and no text is anybody's.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import console_rest, console_words
from benchmarks.console_words import TOPICS
from bot.store import Store
from bot.times import from_epoch

YEARS = 3 * 365 * 86_400.0
DECIDED_SHARE = 0.3
"""Of the issues, the newest: reasons are kept for half a year."""
SURE, LIKELY = 0.8, 0.4
VERSIONS = ("0001-00000000", "0002-00000000", "0003-00000000")
"""Names for decisions where no model was trained."""
BOT = (999, "labelwright[bot]", "us")
PEOPLE = 40
LABELS_PER_REPOSITORY = 1000

Rows = dict[str, list[tuple[Any, ...]]]

COLUMNS = {
    "installations": "id account_id account_login account_type permissions",
    "repositories": "id full_name private installation_id mode watermark labels_synced_at",
    "labels": "repository_id id name description color",
    "issues": "repository_id number id title body opened_title opened_body state locked"
    " is_pull_request author_login author_id author_type author_association created_at"
    " updated_at closed_at imported",
    "issue_labels": "repository_id number label_id",
    "label_events": "repository_id number label_id label_name action actor_id actor_login"
    " actor_kind at source",
    "decisions": "id repository_id number version at mode verdicts neighbours trigger",
    "applied_labels": "repository_id number label_id label version decision_id intended_at"
    " applied_at outcome",
    "answers": "repository_id number label_id belongs at",
    **console_rest.COLUMNS,
}
"""Table -> the columns that are written, in the order in which tables refer to one another."""


@dataclass(frozen=True)
class Size:
    """How much is made."""

    repositories: int = 50
    issues: int = 100_000
    events: int = 500_000


@dataclass(frozen=True)
class Place:
    """One repository, with how many issues and label events it gets."""

    id: int
    name: str
    issues: int
    events: int

    def label_id(self, topic: int) -> int:
        """The id of its label for a topic, by its place in TOPICS."""
        return self.id * LABELS_PER_REPOSITORY + topic


def fill(path: Path, size: Size, *, seed: int, now: float) -> list[Place]:
    """Make the database; returns the repositories, the largest first. `now` is epoch seconds."""
    Store.open(path).close()
    rng = Random(seed)
    places = layout(size, rng)
    with closing(sqlite3.connect(path)) as db:
        # It is thrown away if this process ends early.
        db.execute("PRAGMA synchronous = OFF")
        _insert(db, console_rest.installations())
        for place in places:
            _insert(db, _repository(place, Random(f"{seed} {place.id}"), now))
        db.execute("ANALYZE")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return places


def layout(size: Size, rng: Random) -> list[Place]:
    """Repositories of which the n-th is 1/n as large as the first; the sums are exact."""
    shares = [1 / (n + 1) for n in range(size.repositories)]
    issues = parts(size.issues, shares)
    events = parts(size.events, [float(n) for n in issues])
    return [
        Place(n + 1, f"team-{n % 5}/{rng.choice(('tool', 'lib', 'app'))}-{n + 1:02}", i, e)
        for n, (i, e) in enumerate(zip(issues, events, strict=True))
    ]


def parts(whole: int, weights: list[float]) -> list[int]:
    """Whole numbers in the proportion of the weights whose sum is `whole`."""
    total = sum(weights)
    ends = [round(whole * reached / total) for reached in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _insert(db: sqlite3.Connection, rows: Rows) -> None:
    with db:
        for table in COLUMNS:
            names = COLUMNS[table].split()
            marks = ", ".join("?" * len(names))
            sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
            db.executemany(sql, rows.get(table, ()))


def _repository(place: Place, rng: Random, now: float) -> Rows:
    rows: Rows = defaultdict(list)
    private, mode = place.id % 10 == 0, ("apply", "suggest", None)[place.id % 3]
    owner = place.id % console_rest.INSTALLATIONS + 1
    rows["repositories"].append((place.id, place.name, private, owner, mode, from_epoch(now), now))
    for i, topic in enumerate(TOPICS):
        label = (place.id, place.label_id(i), topic.name, topic.description, topic.color)
        rows["labels"].append(label)
    each = parts(place.events, [rng.random() + 0.1 for _ in range(place.issues)])
    first_decided = place.issues - int(place.issues * DECIDED_SHARE)
    for number, events in enumerate(each, 1):
        at = now - YEARS * (1 - number / (place.issues + 1))
        _Issue(place, number, at, rng, rows).make(events, decided=number > first_decided)
    for table, found in console_rest.rows(place.id, place.issues, rng, now).items():
        rows[table] += found
    return rows


@dataclass
class _Issue:
    """One issue in the making: what happens to it goes into the rows."""

    place: Place
    number: int
    at: float
    rng: Random
    rows: Rows

    def make(self, events: int, *, decided: bool) -> None:
        weights = [topic.weight for topic in TOPICS]
        topics = sorted(set(self.rng.choices(range(len(TOPICS)), weights, k=2)))
        ours = topics[0] if decided and events and self.rng.random() < 0.6 else None
        labels = set(self._events(events, topics, ours))
        self._text([TOPICS[i] for i in topics])
        for i in sorted(labels):
            self.rows["issue_labels"].append((*self._key, self.place.label_id(i)))
        if decided:
            self._decision(topics, ours, labels)

    @property
    def _key(self) -> tuple[int, int]:
        return self.place.id, self.number

    def _text(self, topics: list[console_words.Topic]) -> None:
        title = console_words.title(self.rng, topics)
        body = console_words.body(self.rng, topics)
        opened, person = from_epoch(self.at), self.rng.randrange(PEOPLE)
        closed = from_epoch(self.at + 86_400) if self.rng.random() < 0.7 else None
        pull = self.rng.random() < 0.1
        texts = (self.place.id * 10**6 + self.number, title, body, title, body)
        state = ("closed" if closed else "open", 0, pull)
        author = (f"person-{person}", 1000 + person, "User", "NONE")
        times = (opened, closed or opened, closed, 0)
        self.rows["issues"].append((*self._key, *texts, *state, *author, *times))

    def _events(self, count: int, topics: list[int], ours: int | None) -> Iterator[int]:
        """Make the events; gives the labels that are there after the last of them."""
        on: list[int] = []
        at = self.at
        for n in range(count):
            at += self.rng.randint(20, 90_000)
            mine = n == 0 and ours is not None
            topic = ours if mine and ours is not None else self._turn(topics, on)
            action = "unlabeled" if topic in on else "labeled"
            (on.remove if topic in on else on.append)(topic)
            person = self.rng.randrange(PEOPLE)
            who = BOT if mine else (1000 + person, f"person-{person}", "person")
            label = self.place.label_id(topic), TOPICS[topic].name
            happened = (*self._key, *label, action, *who, from_epoch(at), "webhook")
            self.rows["label_events"].append(happened)
        yield from on

    def _turn(self, topics: list[int], on: list[int]) -> int:
        """The label that is put on or taken off next; what belongs stays, mostly."""
        missing = [i for i in topics if i not in on]
        if missing:
            return missing[0]
        foreign = [i for i in on if i not in topics]
        if foreign and self.rng.random() < 0.9:
            return foreign[0]
        return self.rng.randrange(len(TOPICS))

    def _decision(self, topics: list[int], ours: int | None, labels: set[int]) -> None:
        id = self.place.id * 10**6 + self.number
        version = VERSIONS[self.number * len(VERSIONS) // (self.place.issues + 1)]
        verdicts = [self._verdict(i, topics, ours) for i in range(len(TOPICS))]
        verdicts.sort(key=lambda verdict: -verdict["probability"])
        near = [self._neighbour(i) for i in range(3)]
        facts = version, self.at + 5, "apply", json.dumps(verdicts), json.dumps(near), "opened"
        self.rows["decisions"].append((id, *self._key, *facts))
        if ours is not None:
            label = self.place.label_id(ours), TOPICS[ours].name
            done = (*self._key, *label, version, id, self.at + 5, self.at + 6, "applied")
            self.rows["applied_labels"].append(done)
        if self.rng.random() < 0.1:
            belongs = topics[-1] in labels
            answer = (*self._key, self.place.label_id(topics[-1]), belongs, from_epoch(self.at))
            self.rows["answers"].append(answer)

    def _verdict(self, topic: int, topics: list[int], ours: int | None) -> dict[str, Any]:
        likely = topic in topics
        low, high = (LIKELY, SURE) if likely else (0.0, LIKELY)
        probability = self.rng.uniform(low, high) if topic != ours else self.rng.uniform(SURE, 1.0)
        verdict = "apply" if topic == ours else "suggest" if likely else "none"
        reasons = {"apply": "over", "suggest": "between the thresholds", "none": "under"}
        return {
            "label_id": self.place.label_id(topic),
            "label": TOPICS[topic].name,
            "probability": round(probability, 4),
            "reason": f"its probability is {reasons[verdict]} what its threshold asks for",
            "shadow": False,
            "verdict": verdict,
        }

    def _neighbour(self, rank: int) -> dict[str, Any]:
        names = [TOPICS[self.rng.randrange(len(TOPICS))].name]
        number = self.rng.randint(1, self.number)
        return {"number": number, "labels": names, "similarity": round(0.9 - rank / 20, 3)}
