"""Issues as GitHub's REST API gives them, from a file into the store. The same file twice changes
nothing.

Who put a label on is known only where the source says so (label events); otherwise a label's
provenance stays unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bot.actors import Opening, actor_kind, opening
from bot.errors import BotError
from bot.github import remote
from bot.handlers import adopt
from bot.json_rows import Progress, Row, read_rows
from bot.payload import storable
from bot.repo_config import RepoConfig
from bot.store.rows import Issue, Label, LabelEvent, Repository, local_id
from bot.times import from_epoch, to_epoch

if TYPE_CHECKING:
    from bot.store import Store

T = TypeVar("T")
BATCH = 500
"""Rows that commit together: a server that runs beside is kept waiting no longer than that."""
_LARGEST = 2**63 - 1


class NothingImported(BotError):
    """No row of the file is an issue."""


@dataclass
class Report:
    """What an import did. `broken` says line by line what was skipped, and why."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    pull_requests: int = 0
    labels: int = 0
    events: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows were issues or pull requests."""
        return self.new + self.changed + self.unchanged


def import_issues(
    store: Store, repository: Repository, path: Path, *, progress: Progress | None = None
) -> Report:
    """Bring the issues of a file into the store.

    A row that is older than what the store knows changes nothing. Raises FileRefused for a file
    that cannot be read to its end (what came before is kept), NothingImported for one without
    any issue.
    """
    report = Report()
    labels = _Labels(store, repository)
    for batch in _batches(read_rows(path, progress=progress)):
        with store.transaction():
            for row in batch:
                _take(store, labels, row, report)
    labels.bring_up_to_date()
    report.labels = len(labels.seen)
    if not report.rows:
        reason = f" ({report.broken[0]})" if report.broken else ""
        raise NothingImported(f"{path}: no issue in it{reason}")
    return report


def import_events(
    store: Store,
    repository: Repository,
    path: Path,
    report: Report,
    *,
    progress: Progress | None = None,
) -> None:
    """Bring GitHub's issue events (labeled, unlabeled) of a file into the store, and count them.

    Other kinds of event are passed over. Raises FileRefused.
    """
    reader = _Events(store, repository)
    for batch in _batches(read_rows(path, progress=progress)):
        found: list[LabelEvent] = []
        for row in batch:
            try:
                found += reader.read(row)
            except _Broken as broken:
                report.broken.append(f"{path.name} line {row.line}: {broken}")
        report.events += store.events.add(found)


class _Broken(Exception):
    """A row that cannot be used."""


def _take(store: Store, labels: _Labels, row: Row, report: Report) -> None:
    try:
        issue = _issue(labels, row)
    except _Broken as broken:
        report.broken.append(f"line {row.line}: {broken}")
        return
    change = store.issues.upsert(issue)
    report.new += change == "new"
    report.changed += change == "changed"
    report.unchanged += change in ("same", "stale", "deleted")
    report.pull_requests += issue.is_pull_request


def _issue(labels: _Labels, row: Row) -> Issue:
    data = _usable(row)
    created = _time(data, "created_at")
    updated = _time(data, "updated_at") if data.get("updated_at") else created
    if not isinstance(data.get("title"), str):
        raise _Broken("title is missing")
    author = data.get("user") or {}
    if not isinstance(author, dict):
        raise _Broken("not an issue as GitHub's REST API gives it: user is not an object")
    parsed = remote.issue({**data, "labels": ()})
    untouched = updated == created
    author_id, closed_at = author.get("id"), data.get("closed_at")
    return replace(
        adopt.issue_row(labels.repository, parsed, labels.ids(data.get("labels"), updated)),
        id=_number(data.get("id") or 0, "id"),
        opened_title=parsed.title if untouched else None,
        opened_body=parsed.body if untouched else None,
        author_id=None if author_id is None else _number(author_id, "user.id"),
        created_at=created,
        updated_at=updated,
        closed_at=_time(data, "closed_at") if closed_at else None,
        imported=True,
    )


def _usable(row: Row) -> dict[str, Any]:
    if row.problem is not None:
        raise _Broken(row.problem)
    number = row.data.get("number")
    if number is None:
        raise _Broken("number is missing")
    if _number(number, "number") == 0:
        raise _Broken("number must be above 0")
    return row.data


def _number(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise _Broken(f"{name} must be a whole number, not {value!r:.40}")
    return value


def _time(data: dict[str, Any], name: str) -> str:
    """GitHub's text for a time, whatever zone the source wrote it in."""
    value = data.get(name)
    try:
        return from_epoch(to_epoch(value)) if isinstance(value, str) else _missing(name)
    except (ValueError, OverflowError):
        raise _Broken(f"{name} is not a time: {value!r:.40}") from None


def _missing(name: str) -> str:
    raise _Broken(f"{name} is missing")


class _Labels:
    """The labels that the rows carry: known by id, or by name where the source gives no id.

    Rows come in any order, so the newest row that carries a label knows its name best.
    """

    def __init__(self, store: Store, repository: Repository) -> None:
        self.store = store
        self.repository = repository
        self.known = {x.id: x for x in store.labels.all(repository.id, include_deleted=True)}
        self.names = {x.name.casefold(): x.id for x in self.known.values() if not x.deleted}
        self.seen: dict[int, tuple[str, Label]] = {}

    def ids(self, entries: Any, updated_at: str) -> tuple[int, ...]:
        """The ids of a row's labels; one that was unknown becomes known."""
        if entries is not None and not isinstance(entries, list | tuple):
            raise _Broken("labels is not a list")
        given = [self._label(entry) for entry in entries or ()]
        for label in given:
            if label.id not in self.known:
                self.store.labels.upsert(label)
                self.known[label.id] = label
                self.names[label.name.casefold()] = label.id
            if label.id not in self.seen or self.seen[label.id][0] < updated_at:
                self.seen[label.id] = (updated_at, label)
        return tuple(sorted({label.id for label in given}))

    def bring_up_to_date(self) -> None:
        """Take over names and descriptions, unless GitHub itself is asked for them."""
        if self.repository.installation_id is not None:
            return
        with self.store.transaction():
            for _, label in self.seen.values():
                known = self.known[label.id]
                newer = replace(
                    known,
                    name=label.name,
                    description=label.description or known.description,
                    color=label.color or known.color,
                )
                if newer != known:
                    self.store.labels.upsert(newer)

    def _label(self, entry: Any) -> Label:
        facts = {"name": entry} if isinstance(entry, str) else entry
        name = storable(facts.get("name")) if isinstance(facts, dict) else ""
        if not name:
            raise _Broken(f"a label without a name: {entry!r:.40}")
        given = facts.get("id")
        number = self._local(name) if given is None else _number(given, "labels.id")
        description, color = storable(facts.get("description")), storable(facts.get("color"))
        return Label(self.repository.id, number, name, description, color)

    def _local(self, name: str) -> int:
        return self.names.get(name.casefold()) or local_id(self.repository.full_name, name)


class _Events:
    """Label events with the kind of their actor: the issue's opening tells a template's apart."""

    def __init__(self, store: Store, repository: Repository) -> None:
        self.store = store
        self.repository = repository
        self.config = RepoConfig.from_dict(repository.config)
        self.ids = {x.name.casefold(): x.id for x in store.labels.all(repository.id)}
        self.openings: dict[int, Opening | None] = {}

    def read(self, row: Row) -> list[LabelEvent]:
        """The event of a row; none where it is of another kind."""
        if row.problem is not None:
            raise _Broken(row.problem)
        data = row.data
        if data.get("event") not in ("labeled", "unlabeled"):
            return []
        issue = data.get("issue")
        number = data.get("number", issue.get("number") if isinstance(issue, dict) else None)
        number = _number(number, "number")
        opened = self._opening(number)
        if opened is None:
            raise _Broken(f"there is no issue #{number}: import the issues first")
        return [self._event(number, data, opened)]

    def _event(self, number: int, data: dict[str, Any], opened: Opening) -> LabelEvent:
        at = _time(data, "created_at")
        try:
            event = remote.label_event(number, {**data, "created_at": at})
        except (AttributeError, TypeError) as error:
            raise _Broken(f"not an event as GitHub's REST API gives it: {error!r}") from error
        if event is None or not event.label_name:
            raise _Broken("label.name is missing")
        config = self.config
        kind = actor_kind(event, us=None, people=config.people, bots=config.bots, opened=opened)
        actor = event.actor_id
        return LabelEvent(
            repository_id=self.repository.id,
            number=number,
            label_id=self.ids.get(event.label_name.casefold()),
            label_name=event.label_name,
            action=event.action,
            actor_id=None if actor is None else _number(actor, "actor.id"),
            actor_login=storable(event.actor_login) or None,
            actor_kind=kind,
            at=opened.at if kind == "template" else at,
            source="import",
        )

    def _opening(self, number: int) -> Opening | None:
        if number not in self.openings:
            issue = self.store.issues.get(self.repository.id, number)
            self.openings[number] = None if issue is None else opening(issue)
        return self.openings[number]


def summary(report: Report) -> str:
    """What an import did, in one line."""
    kinds = Counter(issues=report.rows - report.pull_requests, pulls=report.pull_requests)
    text = (
        f"{report.rows} rows ({kinds['issues']} issues, {kinds['pulls']} pull requests):"
        f" {report.new} new, {report.changed} changed, {report.unchanged} unchanged;"
        f" {report.labels} labels"
    )
    return text + (f"; {report.events} new label events" if report.events else "")


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch
