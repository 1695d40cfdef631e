"""What is wrong with the settings, in words: one line for each problem, with what to set."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError


@dataclass(frozen=True)
class Problems:
    """Finds the words. `meanings` are the descriptions of the settings by their names.

    The values of the `secrets` are never quoted.
    """

    prefix: str
    meanings: Mapping[str, str]
    secrets: tuple[str, ...]

    def say(self, name: str, what: str) -> str:
        """A line about one setting."""
        hint = self.meanings.get(name)
        return f"{self.prefix}{name.upper()}: {what}" + (f" (set: {hint})" if hint else "")

    def found(self, error: ValidationError | OSError | ValueError, file: Path) -> list[str]:
        """A line for each problem of settings that could not be read or do not hold.

        `file` is where settings may come from; a ValueError is about its TOML.
        """
        if isinstance(error, ValidationError):
            return [self._of(dict(each), file) for each in error.errors(include_url=False)]
        if isinstance(error, OSError):
            return [f"{error.filename}: {error.strerror}"]
        return [f"{file}: not valid TOML: {error}"]

    def _of(self, error: Mapping[str, Any], file: Path) -> str:
        name = str(error["loc"][0]) if error["loc"] else ""
        if error["type"] == "extra_forbidden":
            close = difflib.get_close_matches(name, self.meanings, n=1)
            hint = f": did you mean {close[0]}?" if close else ": remove it"
            return f"{name} in {file} is not a setting{hint}"
        cause = error.get("ctx", {}).get("error")
        text = str(cause) if cause is not None else error["msg"].replace("Input should", "should")
        if name not in self.secrets and error["type"] != "value_error":
            text += f", not {str(error['input'])[:60]!r}"
        return self.say(name, text)

    def misspelled(self, environ: Iterable[str]) -> list[str]:
        """Variables that look like a setting's name but are none (others may share the prefix)."""
        known = [self.prefix + name.upper() for name in (*self.meanings, "config")]
        problems = []
        for name in sorted(environ):
            if not name.startswith(self.prefix) or name in known:
                continue
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
            problems += [f"{name} is not a setting: did you mean {near}?" for near in close]
        return problems
