"""Forget a repository, an issue or a user: the rows in one transaction, then the files.

With the rows commits a job that does the rest, so that a crash between leaves nothing for good.
Every step may be done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot import traces
from bot.cancelling import process_of
from bot.errors import BotError
from bot.hearing import hearing_of
from bot.snapshots import opened_text
from bot.store import erasure
from bot.store.rows import Issue
from bot.times import from_epoch
from bot.traces import Backups, Texts
from bot.trust import Cap
from models.text import prepare
from models.zero_shot import label_text

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store
    from bot.store.erasure import Part
    from bot.store.rows import Job
    from models.registry import Registry

OWN_SECONDS = 120.0
"""How long the job that finishes waits: whoever erased the rows is at it."""


class NothingToForget(BotError):
    """There is no such repository here."""


@dataclass(frozen=True)
class Subject:
    """What is forgotten: repositories by id, issues by repository, and a user's name."""

    repositories: tuple[int, ...] = ()
    issues: Mapping[int, Sequence[int]] = field(default_factory=dict)
    login: str = ""
    ids: tuple[int, ...] = ()

    def each_issue(self) -> Iterator[tuple[int, int]]:
        """(repository id, number) of every issue."""
        for repository_id, numbers in self.issues.items():
            yield from ((repository_id, number) for number in numbers)


@dataclass(frozen=True)
class Remains:
    """What is to be looked for outside of the rows, as a job's payload keeps it.

    `issues` and `since` are by repository id, as text; `since` is GitHub's time of the first issue.
    `trainings` are the repositories that are to be trained without it.
    """

    repositories: Sequence[int] = ()
    issues: Mapping[str, Sequence[int]] = field(default_factory=dict)
    since: Mapping[str, str] = field(default_factory=dict)
    hashes: Sequence[str] = ()
    trainings: Sequence[int] = ()

    @property
    def partly(self) -> tuple[int, ...]:
        """The repositories of which only issues go."""
        return tuple(map(int, self.issues))

    def texts(self, repository_id: int) -> Texts:
        """What is to be looked for in the files of one repository."""
        key = str(repository_id)
        return Texts(self.issues.get(key, ()), self.hashes, self.since.get(key))


@dataclass(frozen=True)
class Found:
    """What goes, or went: rows by table, versions by repository id, folders of trainings.

    What stays: `encoders` may have learned from it, and so may versions of other repositories that
    were `tuned_with` its; `backups` were made while it was there. `trainings`: the repositories
    that are to be trained without it.
    """

    rows: Counter[str] = field(default_factory=Counter)
    versions: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    trainings: tuple[int, ...] = ()
    encoders: tuple[str, ...] = ()
    tuned_with: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    backups: Backups = field(default_factory=Backups)


def repository(store: Store, full_name: str) -> Subject:
    """Everything of that name, removed or not. Raises NothingToForget."""
    return Subject(repositories=tuple(_named(store, full_name)))


def issue(store: Store, full_name: str, number: int) -> Subject:
    """One issue, known or not. Raises NothingToForget where the repository is not known."""
    return Subject(issues=dict.fromkeys(_named(store, full_name), (number,)))


def user(store: Store, login: str) -> Subject:
    """The issues that a user opened, and the login in what others' issues hold."""
    ids = tuple(store.erasure.ids_of(login))
    return Subject(issues=store.erasure.opened_by(login, ids), login=login, ids=ids)


def _named(store: Store, full_name: str) -> list[int]:
    found = [row.id for row in store.repositories.named(full_name)]
    if not found:
        known = ", ".join(row.full_name for row in store.repositories.all()[:5])
        raise NothingToForget(f"no repository {full_name} here{known and f' (there is {known})'}")
    return found


class CameBack(BotError):
    """The App is on the repository again: nothing was forgotten."""


class Forgetter:
    """Plans and does it, over one store and its files; `store.now` gives the time."""

    def __init__(self, settings: Settings, store: Store, registry: Registry) -> None:
        self.settings = settings
        self.store = store
        self.registry = registry

    def plan(self, subject: Subject) -> Found:
        """What would go, and what would stay; changes nothing."""
        remains = self._remains(subject)
        return replace(
            self._files(remains), rows=self.store.erasure.count(self._parts(subject, remains))
        )

    def carry_out(self, subject: Subject, *, only_removed: bool = False) -> Found:
        """Forget it. When this returns, no file of the server holds its text.

        With `only_removed` nothing is done, and CameBack raised, where the App is on a repository.
        What else it raises (OSError, StillRead, ArtifactRefused) leaves a job that goes on.
        """
        remains = self._remains(subject)
        found = self._files(remains)
        remains = replace(remains, trainings=found.trainings)
        self._end_trainings(self._runs(remains))
        with self.store.transaction():
            for each in subject.repositories if only_removed else ():
                self._require_removed(each)
            rows = self._erase(subject, remains)
            job = self._leave_job(remains)
        self.finish(remains)
        self.store.erasure.settle(job.id)
        return replace(found, rows=rows)

    def finish(self, remains: Remains) -> str:
        """Remove the files of what the rows do not hold any more, and ask for trainings without it.

        The database's journal last: it held the rows. Returns what it did in one line. Raises
        OSError, StillRead, ArtifactRefused.
        """
        folders = self._runs(remains)
        traces.remove_runs(self.settings, folders)
        traces.remove_exports(self.settings)
        gone = self._remove_versions(remains)
        for repository_id in {*remains.trainings, *gone}:
            self._ask_for_training(repository_id)
        # Once more: a training may have kept vectors between the rows and its folder's end.
        self.store.erasure.erase(erasure.of_vectors(remains.hashes))
        self.store.erasure.leave_nothing_behind()
        versions = sum(len(names) for names in gone.values())
        return (
            f"{len(remains.repositories)} repositories and {versions} other versions of models"
            f" removed, {len(folders)} folders of trainings"
        )

    def _erase(self, subject: Subject, remains: Remains) -> Counter[str]:
        if subject.login:
            self.store.tombstones.add(subject.login, subject.ids, from_epoch(self.store.now()))
            self._silence(subject)
        rows = self.store.erasure.erase(self._parts(subject, remains))
        for repository_id, number in subject.each_issue():
            if self.store.issues.get(repository_id, number) is None:
                gone = Issue(repository_id, number, 0, "", "", state="closed", deleted=True)
                self.store.issues.upsert(gone)
        return rows

    def _silence(self, subject: Subject) -> None:
        """What did not count must not count either once nobody knows who said it."""
        said = self.store.events.of_actor(subject.login, subject.ids)
        for repository_id, events in said.items():
            row = self.store.repositories.get(repository_id)
            if row is not None:
                found = hearing_of(self.store, row, Cap.of(self.settings))
                self.store.events.silence(e.id for e in events if not found.is_heard(e))

    def _require_removed(self, repository_id: int) -> None:
        row = self.store.repositories.get(repository_id)
        if row is None or not row.removed:
            raise CameBack(f"the App is on repository {repository_id} again")

    def _leave_job(self, remains: Remains) -> Job:
        job = self.store.jobs.enqueue(
            "forget",
            lane="slow",
            priority=1,
            run_at=self.store.now() + OWN_SECONDS,
            payload=asdict(remains),
        )
        assert job is not None  # a job without a key is always added
        return job

    def _parts(self, subject: Subject, remains: Remains) -> list[Part]:
        of = self.store.erasure
        parts = [part for each in subject.repositories for part in of.repository(each)]
        parts += [part for each in subject.issues.items() for part in of.issues(*each)]
        if subject.login:
            parts += erasure.of_user(subject.login, subject.ids)
        return [*parts, *erasure.of_vectors(remains.hashes)]

    def _files(self, remains: Remains) -> Found:
        """What is found outside of the database, and what of it stays."""
        ids = (*remains.repositories, *remains.partly)
        versions = {each: names for each in ids if (names := self._versions(remains, each))}
        others = {row.id for row in self.store.repositories.all()} - {*ids}
        return Found(
            versions=versions,
            runs=_names(self._runs(remains)),
            trainings=tuple(x for x in remains.partly if self._wants_training(x, versions)),
            encoders=traces.encoders(self.settings, min(remains.since.values(), default=None)),
            tuned_with=traces.tuned_with(self.registry, versions, others),
            backups=traces.backups(self.settings, self.store.now()),
        )

    def _versions(self, remains: Remains, repository_id: int) -> tuple[str, ...]:
        if repository_id in remains.repositories:
            return tuple(each.name for each in self.registry.list(repository_id))
        holds = traces.holding(remains.texts(repository_id))
        return traces.versions_of(self.registry, repository_id, holds)

    def _remove_versions(self, remains: Remains) -> dict[int, tuple[str, ...]]:
        """Of whole repositories all, of others those that hold a text; returns these by id."""
        for repository_id in remains.repositories:
            self.registry.forget(repository_id)
        erased = {
            each: self.registry.erase(each, traces.holding(remains.texts(each)))
            for each in remains.partly
        }
        return {each: names for each, names in erased.items() if names}

    def _runs(self, remains: Remains) -> list[Path]:
        whole = traces.runs(self.settings, remains.repositories, logs=True)
        return sorted({*whole, *traces.runs(self.settings, remains.partly)})

    def _end_trainings(self, folders: Sequence[Path]) -> None:
        """End the processes that read what is to go: once the rows are gone nobody finds them."""
        for row in self.store.trainings.live():
            if row.folder is not None and Path(row.folder) in folders:
                work = process_of(self.settings, row)
                if work is not None:
                    work.end(abruptly=True)

    def _wants_training(self, repository_id: int, versions: Mapping[int, object]) -> bool:
        """Whether a model goes, or a training is stopped."""
        return repository_id in versions or bool(traces.runs(self.settings, [repository_id]))

    def _ask_for_training(self, repository_id: int) -> None:
        row = self.store.repositories.get(repository_id)
        if row is not None and not row.removed:
            why = {"trigger": "forgotten"}
            self.store.jobs.enqueue_for(row, "train", lane="slow", payload=why)

    def _remains(self, subject: Subject) -> Remains:
        since: dict[str, str] = {}
        hashes: set[str] = set()
        for repository_id, issue in self._issues(subject):
            key = str(repository_id)
            since[key] = min(since.get(key, issue.created_at), issue.created_at)
            hashes |= {prepare(issue.title, issue.body).hash, prepare(*opened_text(issue)).hash}
        for repository_id in subject.repositories:
            labels = self.store.labels.all(repository_id, include_deleted=True)
            hashes |= {label_text(x.name, x.description).hash for x in labels}
        for repository_id, numbers in subject.issues.items():
            hashes |= traces.hashes_of(self.registry, repository_id, numbers)
        issues = {str(key): sorted(numbers) for key, numbers in subject.issues.items()}
        return Remains(subject.repositories, issues, since, sorted(hashes - {prepare("", "").hash}))

    def _issues(self, subject: Subject) -> Iterator[tuple[int, Issue]]:
        for repository_id in subject.repositories:
            after = 0
            while page := self.store.issues.page(repository_id, after):
                after = page[-1].number
                yield from ((repository_id, each) for each in page)
        for repository_id, number in subject.each_issue():
            found = self.store.issues.get(repository_id, number)
            if found is not None:
                yield repository_id, found


def _names(folders: Sequence[Path]) -> tuple[str, ...]:
    return tuple(folder.name for folder in folders)
