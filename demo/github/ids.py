"""Numbers and node ids that look like GitHub's."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

FIRST = {
    "account": 9_100_001,
    "repository": 712_000_001,
    "label": 6_300_000_001,
    "issue": 2_400_000_001,
    "event": 14_500_000_001,
    "edit": 880_000_001,
    "comment": 2_900_000_001,
    "suggestion": 1_001,
    "app": 410_001,
    "installation": 52_000_001,
    "delivery": 171_000_000_001,
}


def counters() -> dict[str, Iterator[int]]:
    """One counter per kind of thing, each starting where GitHub's ids are by now."""
    return {kind: itertools.count(first) for kind, first in FIRST.items()}


def node_id(prefix: str, *numbers: int) -> str:
    """GitHub's global id: the prefix and a msgpack array `[0, *numbers]` in URL-safe base64."""
    packed = bytes([0x90 + len(numbers) + 1, 0]) + b"".join(map(_pack, numbers))
    return f"{prefix}_{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def _pack(number: int) -> bytes:
    if number < 2**32:
        return b"\xce" + number.to_bytes(4, "big")
    return b"\xcf" + number.to_bytes(8, "big")


def timestamp(seconds: float) -> str:
    """Epoch seconds as GitHub writes times: UTC, whole seconds, `Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(text: str) -> float:
    """A time as GitHub writes it (or any ISO-8601 text with an offset) as epoch seconds.

    Raises ValueError for anything else.
    """
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
