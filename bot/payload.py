"""Reading JSON that others wrote: what is missing, null or of the wrong type becomes None or "".

GitHub's payloads do not always match GitHub's own schema, so nothing here ever raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]

_LARGEST_ID = 2**63 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def section(data: Json, key: str) -> Json:
    """The object under `key`, an empty one where there is none."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def sections(data: Json, key: str) -> list[Json]:
    """The objects in the list under `key`; whatever else is in it is passed over."""
    value = data.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def number(data: Json, key: str) -> int | None:
    """A positive integer that fits 63 bits, as ids and issue numbers are; None for the rest."""
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 < value <= _LARGEST_ID else None


def text(data: Json, key: str) -> str:
    """The string under `key`, as `storable` gives it."""
    return storable(data.get(key))


def storable(value: Any) -> str:
    """A string without NUL bytes and lone surrogates, which SQLite cannot keep; "" for null."""
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else ""


def flag(data: Json, key: str) -> bool:
    """Whether the value is `true`."""
    return data.get(key) is True
