"""A home with two repositories, their models and their trainings: for tests of forgetting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bot.forgetting import Forgetter
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Installation, Issue, Label, LabelEvent
from models import bundle, snapshot
from models.neighbours import PastIssue
from models.registry import Registry
from models.snapshot import SnapshotIssue, SnapshotRepository
from models.text import prepare
from tests.models.builders import make_bundle, make_vectors

APP, WEB = 5, 6
NAMES = {APP: "octo/app", WEB: "octo/web"}
NOW = 1_800_000_000.0
PLANTED = "the planted sentence about a silver teapot"
KEPT = "a sentence that nobody forgets"
OPENED = "2026-01-01T00:00:00Z"
ENCODER = "tiny-1"


@dataclass
class Home:
    """Two repositories: each with issue 1 by ann, which holds PLANTED, and issue 2 by bob."""

    settings: Settings
    store: Store
    registry: Registry
    clock: list[float]

    @property
    def forgetter(self) -> Forgetter:
        return Forgetter(self.settings, self.store, self.registry)

    def publish(self, repository_id: int, *numbers: int) -> str:
        """A model that learned from these issues."""
        count = sum(1 for _ in self.settings.home.glob("made-*"))
        target = self.settings.home.parent / f"made-{repository_id}-{count}-{len(numbers)}"
        made = make_bundle(repository=repository_id, encoder=ENCODER, seed=len(numbers))
        rows = make_vectors(max(1, len(numbers)), 16)
        past = tuple(PastIssue(n, text_of(n), ("bug",)) for n in numbers)
        hashes = [prepare(text_of(n), text_of(n)).hash for n in numbers] or ["none"]
        vectors = dict(zip(hashes, rows, strict=True))
        bundle.write(target, replace(made, past=past, vectors=vectors))
        return self.registry.publish(repository_id, target)

    def begin_training(self, repository_id: int) -> Path:
        """The folder of a training that has not ended."""
        folder = self.settings.runs / f"train.{repository_id}.20270115T080000Z.abc"
        facts = SnapshotRepository(repository_id, NAMES[repository_id], ())
        issues = [SnapshotIssue(n, text_of(n), text_of(n), OPENED) for n in (1, 2)]
        snapshot.write(folder / "snapshot", facts, issues)
        (folder / "training.log").write_text("phase 1\n")
        return folder

    def holds(self, text: str) -> list[str]:
        """The files under the home that hold a text, the journal of the database included."""
        files = (path for path in self.settings.home.rglob("*") if path.is_file())
        found = [path for path in files if text.encode() in path.read_bytes()]
        return [str(path.relative_to(self.settings.home)) for path in found]

    def jobs(self, kind: str) -> list[int | None]:
        """The repositories of the waiting jobs of a kind."""
        return [job.repository_id for job in self.store.jobs.list("waiting", kind)]


def text_of(number: int) -> str:
    return f"{PLANTED} {number}" if number % 2 else f"{KEPT} {number}"


@contextmanager
def make_home(folder: Path) -> Iterator[Home]:
    clock = [NOW]
    settings = Settings(home=folder)
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(settings.database, now=lambda: clock[0])
    home = Home(settings, store, Registry(settings.models), clock)
    try:
        _fill(home)
        yield home
    finally:
        store.close()


def _fill(home: Home) -> None:
    store = home.store
    store.installations.upsert(Installation(7, 70, "octo", "Organization"))
    for id, name in NAMES.items():
        store.repositories.upsert(id, name, False, 7)
        store.labels.upsert(Label(id, 10 * id, "bug"))
        for number, author in ((1, "ann"), (2, "bob")):
            issue = Issue(id, number, number, text_of(number), text_of(number), created_at=OPENED)
            author_id = 1 if author == "ann" else 2
            store.issues.upsert(replace(issue, author_login=author, author_id=author_id))
            store.events.add(
                [
                    LabelEvent(
                        *(id, number, 10 * id, "bug", "labeled"),
                        *(author_id, author, "person", OPENED, "webhook"),
                    )
                ]
            )
            user = {"login": author, "id": author_id}
            body = {"issue": {"number": number, "title": text_of(number), "user": user}}
            payload = json.dumps(body).encode()
            store.deliveries.accept(f"{id}-{number}", "issues", "opened", 7, id, payload)
    half = np.ones(4, dtype=np.float16)
    hashes = [prepare(text_of(n), text_of(n)).hash for n in (1, 2)]
    store.vectors.put_many(ENCODER, dict.fromkeys(hashes, half))
