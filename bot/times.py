"""GitHub's times are ISO-8601 text in UTC, ours are epoch seconds: from one to the other."""

from __future__ import annotations

from datetime import UTC, datetime


def to_epoch(text: str) -> float:
    """Epoch seconds of "2026-01-31T12:00:00Z"; raises ValueError for text that is no time."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def from_epoch(seconds: float) -> str:
    """GitHub's text for a moment, cut to whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_github(value: object) -> str:
    """A time as GitHub writes it, cut to whole seconds, so that texts compare; "" for none.

    Some servers give fractions of a second in one place and not in another.
    """
    try:
        seconds = to_epoch(value) if isinstance(value, str) else 0.0
        return from_epoch(seconds) if seconds > 0 else ""
    except (ValueError, OverflowError):
        return ""
