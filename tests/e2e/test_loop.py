"""The loop closes by itself: from an installation to a better model, and back from a bad one.

One repository, `serve` from an empty home, and what people do on GitHub. Nobody asks for a
training: corrections do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models import bundle as bundles
from models.registry import Registry
from tests.e2e.site import Repo, connected

THINGS = ("timeline", "album", "viewer", "map", "search", "slideshow", "login page", "upload")
SINCE = ("yesterday", "the update", "version 2", "last week", "Monday", "the move", "March")
CRASH = ("Crash when I open the {thing}", "It crashes with an error since {since}.")
MANUAL = ("Typo in the manual, {thing}", "The chapter misspells it since {since}, please correct.")
BACKUP = (
    "Crash when the backup reads the {thing}",
    "The backup crashes since {since}, with an error.",
)
"""A kind of which the first version knows that it is a bug, and nothing of `area/storage`."""
HISTORY, RETRAIN_AFTER, CONFIRMED, MISTAKES = 12, 25, 11, 20
LEARNING_SECONDS = 120.0
"""Seconds from the last correction to the new version, on a busy machine."""


class Loop:
    """The repository, the maintainer Ada, and the versions as they come into force."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.server = repo.site.server
        self.opened = HISTORY

    @property
    def version(self) -> str | None:
        return Registry(self.server.home / "models").current(self.repo.id)

    def open(self, kinds: Sequence[tuple[str, str]], labels: Sequence[str] = ()) -> list[int]:
        """Open an issue of each kind, no two alike; returns their numbers once all are decided."""
        numbers = []
        for kind in kinds:
            text = written(kind, self.opened)
            numbers.append(self.repo.open(**text, labels=list(labels)))
            self.opened += 1
        for number in numbers:
            self.repo.settled(number)
        return numbers

    def one(self, kind: tuple[str, str]) -> list[str]:
        """The labels that a new issue gets."""
        return self.repo.labels_on(*self.open([kind]))

    def say(self, action: str, numbers: Sequence[int], label: str) -> None:
        """Ada puts a label on these issues (`label`) or takes it off (`unlabel`).

        The webhooks come together, so that one look sees all of them on a busy machine too.
        """
        github = self.repo.github
        github.pause_webhooks()
        for number in numbers:
            getattr(github, action)(self.repo.name, number, label, by="ada")
        github.resume_webhooks()

    def next_version(self, before: str | None) -> str:
        """The version that comes into force by itself in the place of `before`."""

        def look() -> str | None:
            return self.version if self.version != before else None

        return str(self.server.eventually(look, LEARNING_SECONDS))

    def results(self, kind: str) -> list[str]:
        """What became of the repository's jobs of a kind, oldest first."""
        return [str(job.result) for job in self.server.jobs(kind, None, self.repo.id)]


def written(kind: tuple[str, str], n: int) -> dict[str, str]:
    """The text of issue `n`."""
    words = {"thing": THINGS[n % len(THINGS)], "since": SINCE[n % len(SINCE)]}
    title, body = (part.format(**words) for part in kind)
    return {"title": f"{title} ({n})", "body": body}


def past() -> list[dict[str, Any]]:
    """Fewer labeled issues than a model needs."""
    kinds = ((CRASH, "bug"), (MANUAL, "documentation")) * (HISTORY // 2)
    return [
        {**written(kind, n), "labels": [label], "created_at": f"2026-01-{n + 1:02}T00:00:00Z"}
        for n, (kind, label) in enumerate(kinds)
    ]


@pytest.fixture
def loop(tmp_path: Path, bundle: Path) -> Iterator[Loop]:
    with connected(tmp_path, bundle) as site:
        site.server.start("serve")
        repo = site.install_on("harbor", issues=past())
        site.server.eventually(site.server.is_quiet)
        yield Loop(repo)


def applies_everywhere(loop: Loop, good: str, label: str) -> str:
    """Keep a copy of a version that applies one label to every issue, and none of the others."""
    registry, folder = Registry(loop.server.home / "models"), loop.server.home / "runs" / "bad"
    found = bundles.read(registry.path(loop.repo.id, good))
    rules = [replace(x, apply_at=0.0 if x.name == label else None) for x in found.labels]
    bundles.write(folder, replace(found, labels=found.labels.with_rules(rules)))
    return registry.store(loop.repo.id, folder)


def test_corrections_become_a_better_version_and_a_bad_one_is_taken_back(loop: Loop):
    # Cold start: the history was read, and is too short to learn from.
    assert loop.results("backfill")[0].startswith(f"read: {HISTORY} of {HISTORY} issues")
    assert loop.results("train") == [
        f"nothing to learn: harbor/rocket has {HISTORY} labeled issues, 20 are needed:"
        " until then labels are suggested from their names"
    ]
    crashes, manuals = loop.open([CRASH] * 16), loop.open([MANUAL] * 9)
    for number in (*crashes, *manuals):
        decision = loop.repo.decision(number)
        assert decision is not None and decision.version.startswith("zero-shot")
        assert loop.repo.labels_on(number) == []

    # Ada labels them herself: the first version comes of it.
    loop.say("label", crashes, "bug")
    loop.say("label", manuals, "documentation")
    first = loop.next_version(None)
    assert loop.one(CRASH) == ["bug"]

    # A new kind, of which that version knows half. 25 corrections, and nobody asks for anything.
    backups = loop.open([BACKUP] * RETRAIN_AFTER)
    assert [loop.repo.labels_on(number) for number in backups] == [["bug"]] * RETRAIN_AFTER
    loop.say("label", backups, "area/storage")
    second = loop.next_version(first)
    gated = loop.server.store.gates.get(loop.repo.id, second)
    assert gated is not None and gated.passed and gated.champion == first
    assert loop.one(BACKUP) == ["area/storage", "bug"]
    assert loop.one(CRASH) == ["bug"]

    # It earns a record: Ada triages what it labeled, and leaves its labels.
    triaged = loop.open([BACKUP] * CONFIRMED, ["needs-triage"])
    loop.say("unlabel", triaged, "needs-triage")

    # A bad version is forced in. Ada takes its labels off, and live precision takes it back.
    bad = applies_everywhere(loop, second, "documentation")
    name = loop.repo.name
    assert loop.server.command("models", name, "publish", bad) == {"current": bad}
    wrong = loop.open([BACKUP] * MISTAKES)
    assert [loop.repo.labels_on(number) for number in wrong] == [["documentation"]] * MISTAKES
    loop.say("unlabel", wrong, "documentation")
    assert loop.next_version(bad) == second
    said = f"rolled back from {bad} to {second}: 0 of {MISTAKES} labels were right, 90% wanted"
    loop.server.eventually(lambda: any(said in result for result in loop.results("review")))
    assert loop.one(BACKUP) == ["area/storage", "bug"]
