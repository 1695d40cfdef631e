"""A repository's labels, predictions and corrections for other programs: CSV, or one SQLite file.

Row by row from pages of the store, so that a large repository needs no more memory than a small
one. No login is in it, nothing of deleted issues, and a text only where it is asked for. What the
columns mean is in docs/api.md.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal, get_args

from bot.feedback import NOTHING, derive, kind_today
from bot.repo_config import RepoConfig
from bot.store.export_file import new_export
from bot.times import from_epoch
from bot.trust import Hearing

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store import Store
    from bot.store.exporting import ExportedIssue
    from bot.store.rows import AppliedLabel, LabelEvent, Repository

Kind = Literal["issues", "labels", "predictions", "corrections"]
Cell = str | int | float | None
Row = tuple[Cell, ...]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""The issues come first: the other tables of a SQLite file refer to them."""
FORMAT = "1"
"""The version of the columns: it changes when a column goes or means something else."""
COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    "labels": ("number", "label_id", "label", "put_on_by", "since"),
    "predictions": (
        "number", "label_id", "label", "version", "probability", "verdict", "reason", "at",
    ),
    "corrections": (
        "number", "label_id", "label", "kind", "replaced_by", "version", "actor_kind", "at",
    ),
    "issues": ("number", "state", "is_pull_request", "created_at", "updated_at", "closed_at"),
}  # fmt: skip
TEXTS = ("title", "body")
"""The columns that the issues have as well, where texts are asked for."""
FOLDER = "exports"
"""Where the console makes files, below the home folder; none stays longer than it is sent."""
PAGE = 500
CHUNK = 32_768
"""Characters of CSV that are handed on at once."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Source:
    """What is exported: a repository's issues, a `page` at a time."""

    store: Store
    repository: Repository
    text: bool = False
    page: int = PAGE

    def columns(self, kind: Kind) -> tuple[str, ...]:
        """The names of the columns."""
        texts = TEXTS if kind == "issues" and self.text else ()
        return COLUMNS[kind] + texts

    def rows(self, kind: Kind) -> Iterator[Row]:
        """The rows by number of the issue."""
        after = 0
        of_page = _OF[kind]
        while issues := self.store.exporting.issues(
            self.repository.id, after, self.page, text=self.text and kind == "issues"
        ):
            yield from of_page(self, issues)
            after = issues[-1].number


def csv_of(source: Source, kind: Kind) -> Iterator[str]:
    """The CSV (RFC 4180, lines end with \\n) in pieces; the first line names the columns.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(source.columns(kind))
    for row in source.rows(kind):
        writer.writerow([_harmless(cell) for cell in row])
        if buffer.tell() >= CHUNK:
            yield _taken(buffer)
    yield _taken(buffer)


def write_sqlite(source: Source, path: Path, *, now: float) -> None:
    """Everything in a new SQLite file; none is left where that fails.

    Raises FileExistsError, sqlite3.Error, OSError.
    """
    facts = {
        "format": FORMAT,
        "repository": source.repository.full_name,
        "made_at": from_epoch(now),
        "labelwright": version("labelwright"),
    }
    made = False
    try:
        with new_export(path) as file:
            made = True
            file.note(facts)
            for kind in KINDS:
                file.fill(kind, source.columns(kind), source.rows(kind))
    except BaseException:
        if made:
            path.unlink(missing_ok=True)
        raise


def _labels(source: Source, issues: Sequence[ExportedIssue]) -> Iterator[Row]:
    """A row for each label that is on an issue now."""
    store, row = source.store, source.repository
    span = (row.id, issues[0].number, issues[-1].number)
    names = {label.id: label.name for label in store.labels.all(row.id)}
    events, applied = store.exporting.events(*span), store.exporting.applied(*span)
    config = RepoConfig.from_dict(row.config)
    for issue in issues:
        for id in issue.labels:
            if id in names:
                name = names[id]
                by, since = _put_on(
                    id, name, events.get(issue.number, ()), applied.get(issue.number, ()), config
                )
                yield issue.number, id, name, by, since


def _put_on(
    id: int,
    name: str,
    events: Sequence[LabelEvent],
    applied: Sequence[AppliedLabel],
    config: RepoConfig,
) -> tuple[str, str | None]:
    """Who put a label on that is on, and when; unknown where neither event nor record tells."""
    known = name.casefold()
    for event in reversed(events):
        about = event.label_id == id if event.label_id else event.label_name.casefold() == known
        if about and event.action == "labeled":
            return kind_today(event, config), event.at
    for label in reversed(applied):
        if label.label_id == id:
            return "us", from_epoch(label.applied_at or label.intended_at)
    return "unknown", None


def _predictions(source: Source, issues: Sequence[ExportedIssue]) -> Iterator[Row]:
    """A row for each label of the newest decision on an issue."""
    span = (source.repository.id, issues[0].number, issues[-1].number)
    decided = source.store.exporting.decided(*span)
    for issue in issues:
        _, newest = decided.get(issue.number, (None, None))
        for said in newest.verdicts if newest else ():
            yield (
                issue.number,
                said.get("label_id"),
                str(said.get("label", "")),
                newest.version if newest else "",
                said.get("probability"),
                str(said.get("verdict", "none")),
                said.get("reason"),
                from_epoch(newest.at if newest else 0.0),
            )


def _corrections(source: Source, issues: Sequence[ExportedIssue]) -> Iterator[Row]:
    """A row for each label about which a person said something, after we had decided."""
    store, row = source.store, source.repository
    span = (row.id, issues[0].number, issues[-1].number)
    read = store.exporting
    events, applied, answers = read.events(*span), read.applied(*span), read.answers(*span)
    decided, config = read.decided(*span), RepoConfig.from_dict(row.config)
    heard = Hearing(
        frozenset(x.actor_id for x in store.actors.all(row.id) if x.stance == "excluded")
    )
    for issue in issues:
        first = decided[issue.number][0] if issue.number in decided else None
        found = derive(
            heard.mark(events.get(issue.number, ())),
            applied.get(issue.number, ()),
            config,
            decided_at=first.at if first else None,
            version=first.version if first else "",
            suggested=first.suggested if first else NOTHING,
            answers=answers.get(issue.number, ()),
        )
        for each in found:
            if each.at is not None:
                yield (
                    each.number,
                    each.label_id,
                    each.label,
                    each.kind,
                    each.replaced_by,
                    each.version,
                    "person",
                    each.at,
                )


def _issues(source: Source, issues: Sequence[ExportedIssue]) -> Iterator[Row]:
    for issue in issues:
        texts = (issue.title, issue.body) if source.text else ()
        yield (
            issue.number,
            issue.state,
            int(issue.is_pull_request),
            issue.created_at,
            issue.updated_at,
            issue.closed_at,
            *texts,
        )


_OF: Mapping[Kind, Callable[[Source, Sequence[ExportedIssue]], Iterator[Row]]] = {
    "labels": _labels,
    "predictions": _predictions,
    "corrections": _corrections,
    "issues": _issues,
}


def _harmless(cell: Cell) -> Cell:
    """A text that no spreadsheet runs. Source: owasp.org, "CSV Injection"."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
