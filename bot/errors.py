"""The server's errors, beside those of GitHub's edge. A subclass means a different reaction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class BotError(Exception):
    """Base of the server's errors; the message is one line or a list, and says what to do next."""


class SettingsError(BotError):
    """The settings are wrong or incomplete: nothing starts. `problems` holds one line for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        many = len(self.problems) > 1
        head = f"{len(self.problems)} problems in the settings:" if many else "settings:"
        super().__init__("\n  ".join([head, *self.problems]) if many else f"{head} {problems[0]}")


class SetupError(BotError):
    """The first run did not come to its end: nothing was written; it can be started again."""


class StoreError(BotError):
    """The database cannot be used: the process refuses to start."""


class StoreMissing(StoreError):
    """There is no database at `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: no database there: start the server, or run `labelwright setup`")
        self.path = path


class SchemaTooNew(StoreError):
    """A newer Labelwright has migrated the database; this one does not know its tables."""

    def __init__(self, path: Path, unknown: Sequence[str]) -> None:
        super().__init__(
            f"{path} belongs to a newer Labelwright (migrations {', '.join(unknown)}):"
            " upgrade, or put the backup that lies beside it back"
        )
        self.path = path
        self.unknown = tuple(unknown)


class NetworkFileSystem(StoreError):
    """The database lies where several hosts can write, and SQLite's locks do not hold there."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(
            f"{path} lies on a network file system ({kind}), where SQLite loses data:"
            " set LABELWRIGHT_HOME to a folder on a local disk"
        )
        self.path = path
        self.kind = kind


class OtherDatabase(StoreError):
    """The database is not the one that the other processes of this server work with."""

    def __init__(self, path: Path, found: str | None, expected: str) -> None:
        what = "no database is there" if found is None else f"this is database {found}"
        super().__init__(
            f"{path}: {what}, but the other processes work with {expected}: give all of them the"
            " same LABELWRIGHT_HOME on the same disk, and restart them together"
        )
        self.path = path
        self.found = found
        self.expected = expected


class LeaseLost(BotError):
    """The job is no longer ours: its lease ran out and it was claimed again, or it was discarded.

    The reaction is to stop working on it: whoever holds it now does the work.
    """

    def __init__(self, job_id: int, worker: str | None) -> None:
        super().__init__(f"job {job_id} is no longer leased by {worker}: its new owner does it")
        self.job_id = job_id


class AdaptationFailed(BotError):
    """A step of an adaptation failed; nothing was published."""
