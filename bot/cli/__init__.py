"""The command line. Status 0: success; 1: a failure explained on standard error; 2: wrong usage.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence

from bot.errors import BotError
from bot.github.errors import GitHubError
from models.errors import ModelError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; the boundary at which our own errors end."""
    from bot.cli.application import app

    try:
        app(args=None if argv is None else list(argv), prog_name="labelwright")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (BotError, ModelError, GitHubError, sqlite3.Error, OSError) as error:
        print(f"labelwright: {_said(error)}", file=sys.stderr)
        return 1
    return 0


def _said(error: Exception) -> str:
    """The error in its own words; those of the system and of SQLite want their kind beside them."""
    own = isinstance(error, BotError | ModelError | GitHubError)
    return str(error) if own else f"{type(error).__name__}: {error}"
