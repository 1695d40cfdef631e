"""The schema's history. A migration and the record that it ran commit together (sqlite-utils)."""

from __future__ import annotations

import fcntl
import sqlite3
import time
import uuid
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from bot.errors import SchemaTooNew
from bot.store.comments_schema import COMMENTS
from bot.store.connection import connect
from bot.store.console_schema import REPORTS, SESSIONS
from bot.store.schema import SCHEMA
from bot.store.training_schema import TRAININGS, TRIALS

migrations = Migrations("labelwright")


@migrations()
def m001_first_schema(db: Database) -> None:
    """Every table, and the identity by which processes know that they share one database."""
    db.executescript(SCHEMA)
    db.execute("INSERT INTO meta VALUES ('identity', ?)", [str(uuid.uuid4())])


@migrations()
def m002_no_titles_of_neighbours(db: Database) -> None:
    """Titles leave the decisions on other issues; two indexes for what asks by repository."""
    db.execute(
        "UPDATE decisions SET neighbours = (SELECT json_group_array(json_remove(value, '$.title'))"
        " FROM json_each(decisions.neighbours))"
    )
    db.execute("CREATE INDEX deliveries_by_repository ON deliveries (repository_id, event)")
    db.execute("CREATE INDEX decisions_in_order ON decisions (repository_id, id)")


@migrations()
def m003_answers(db: Database) -> None:
    """What a person said here about an issue's labels, which GitHub does not know of."""
    db.execute(
        """
        CREATE TABLE answers (
          repository_id INTEGER NOT NULL
            REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
          number INTEGER NOT NULL,
          label_id INTEGER NOT NULL,
          belongs INTEGER NOT NULL,
          at TEXT NOT NULL,
          PRIMARY KEY (repository_id, number, label_id)
        ) STRICT
        """
    )


@migrations()
def m004_forgotten(db: Database) -> None:
    """What is forgotten does not come back; and since when we may not work in a repository."""
    db.execute("ALTER TABLE repositories ADD COLUMN removed_at REAL")
    db.execute("ALTER TABLE repositories ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0")
    db.execute(
        "UPDATE repositories SET removed_at = CAST(strftime('%s', 'now') AS REAL) WHERE removed"
    )
    # `who` is a user's number, or the hash of a login; `at` is GitHub's time.
    db.execute(
        "CREATE TABLE forgotten_users (who TEXT PRIMARY KEY, at TEXT NOT NULL)"
        " STRICT, WITHOUT ROWID"
    )


@migrations()
def m005_actors(db: Database) -> None:
    """Who labels in a repository: the role as GitHub told it, and what the operator decided."""
    # `actor_id` is the user's number; below zero where GitHub gave none (see `rows.local_id`).
    db.execute(
        """
        CREATE TABLE actors (
          repository_id INTEGER NOT NULL
            REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
          actor_id INTEGER NOT NULL,
          login TEXT NOT NULL,
          role TEXT,
          role_at REAL,
          stance TEXT CHECK (stance IN ('trusted', 'excluded')),
          capped INTEGER NOT NULL DEFAULT 0,
          PRIMARY KEY (repository_id, actor_id)
        ) STRICT, WITHOUT ROWID
        """
    )


@migrations()
def m006_announcements(db: Database) -> None:
    """What the operator is still to be told, oldest first; and an index for what looks by kind."""
    # It is tried from `next_at` (epoch seconds) on; the body is JSON.
    db.execute(
        """
        CREATE TABLE announcements (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          made_at REAL NOT NULL,
          body TEXT NOT NULL,
          attempts INTEGER NOT NULL DEFAULT 0,
          next_at REAL NOT NULL
        ) STRICT
        """
    )
    db.execute("CREATE INDEX jobs_by_kind ON jobs (kind, created_at)")


@migrations()
def m007_live_labels(db: Database) -> None:
    """What live precision says of each label now, and when that changed."""
    # A bar of NULL: nowhere is it applied by itself.
    db.execute(
        """
        CREATE TABLE live_labels (
          repository_id INTEGER NOT NULL
            REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
          label_id INTEGER NOT NULL,
          state TEXT NOT NULL,
          bar REAL,
          reason TEXT NOT NULL,
          judged INTEGER NOT NULL,
          right INTEGER NOT NULL,
          since REAL NOT NULL,
          PRIMARY KEY (repository_id, label_id)
        ) STRICT, WITHOUT ROWID
        """
    )
    db.execute(
        """
        CREATE TABLE live_changes (
          id INTEGER PRIMARY KEY,
          repository_id INTEGER NOT NULL
            REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
          label_id INTEGER NOT NULL,
          at REAL NOT NULL,
          state TEXT NOT NULL,
          reason TEXT NOT NULL,
          version TEXT
        ) STRICT
        """
    )
    db.execute("CREATE INDEX live_changes_in_order ON live_changes (repository_id, id)")
    db.execute("DELETE FROM meta WHERE key LIKE 'live_precision:%'")


@migrations()
def m008_gates(db: Database) -> None:
    """What the gate said of each version: whether it may be published, and why."""
    # `champion` was in force then, `best` the best so far; `is_best`: this one is from then on.
    db.execute(
        """
        CREATE TABLE gates (
          repository_id INTEGER NOT NULL
            REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
          version TEXT NOT NULL,
          at REAL NOT NULL,
          passed INTEGER NOT NULL,
          reason TEXT NOT NULL,
          champion TEXT,
          best TEXT,
          is_best INTEGER NOT NULL,
          report TEXT NOT NULL,
          PRIMARY KEY (repository_id, version)
        ) STRICT
        """
    )


@migrations()
def m009_trainings(db: Database) -> None:
    """Trainings, from the snapshot to what became of it."""
    db.executescript(TRAININGS)


@migrations()
def m010_trials(db: Database) -> None:
    """Refused versions that score new issues in the shadow, and what they said of each."""
    db.executescript(TRIALS)


@migrations()
def m011_live_days(db: Database) -> None:
    """How each repository's labels did, night by night; and why a training was asked for."""
    db.execute(
        """
        CREATE TABLE live_days (
          repository_id INTEGER NOT NULL
            REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
          day TEXT NOT NULL,
          version TEXT,
          applied INTEGER NOT NULL,
          judged INTEGER NOT NULL,
          right INTEGER NOT NULL,
          missed INTEGER NOT NULL,
          held INTEGER NOT NULL,
          PRIMARY KEY (repository_id, day)
        ) STRICT, WITHOUT ROWID
        """
    )
    db.execute("ALTER TABLE trainings ADD COLUMN why TEXT NOT NULL DEFAULT ''")


@migrations()
def m012_sessions(db: Database) -> None:
    """Who is signed in to the console, and the tokens by which programs read for a person."""
    db.executescript(SESSIONS)


@migrations()
def m013_reports(db: Database) -> None:
    """What the worker works out for the console to read."""
    db.execute(REPORTS)


@migrations()
def m014_comments(db: Database) -> None:
    """Our comments, people's commands in theirs, and the labels that GitHub shows as suggested."""
    db.executescript(COMMENTS)


@migrations()
def m015_issues_in_a_list(db: Database) -> None:
    """What a list of issues shows and is searched by, without reading their texts."""
    db.execute(
        "CREATE INDEX issues_in_list ON issues"
        " (repository_id, number, deleted, is_pull_request, state, title)"
    )


@migrations()
def m016_decisions_that_suggest(db: Database) -> None:
    """Which decisions suggest something, without reading what they say."""
    db.execute(
        "CREATE INDEX decisions_that_suggest ON decisions (repository_id, id, number)"
        """ WHERE instr(verdicts, '"verdict":"suggest"')"""
    )


def migrate(
    path: Path, *, steps: Migrations = migrations, now: Callable[[], float] = time.time
) -> Path | None:
    """Bring the database at `path` to the newest schema, creating it where there is none.

    One process migrates, the others wait for it. A database that already holds something is
    copied first, and the copy's path is returned. Raises SchemaTooNew where the database knows a
    migration that `steps` lacks; whatever a failing migration raises, after rolling it back.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with one_migrator(path):
        path.touch(mode=0o600)
        with closing(connect(path)) as db:
            applied = [migration.name for migration in steps.applied(db)]
            refuse_newer(path, applied, steps)
            pending = [migration.name for migration in steps.pending(db)]
            if not pending:
                return None
            backup = _backup(db, path, pending[0], now()) if applied else None
            steps.apply(db)
            return backup


def refuse_newer(path: Path, applied: Iterable[str], steps: Migrations = migrations) -> None:
    """Raise SchemaTooNew where a database has seen a migration that `steps` lacks."""
    with closing(Database(memory=True)) as empty:
        known = {migration.name for migration in steps.pending(empty)}
    unknown = [name for name in applied if name not in known]
    if unknown:
        raise SchemaTooNew(path, unknown)


def _backup(db: Database, path: Path, before: str, now: float) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    target = path.with_name(f"{path.name}.before-{before}.{stamp}")
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with closing(sqlite3.connect(partial)) as copy:
        db.conn.backup(copy)
    return partial.replace(target)


@contextmanager
def one_migrator(path: Path) -> Generator[None, None, None]:
    """Nobody else opens the database at `path` for the first time meanwhile: they wait."""
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
