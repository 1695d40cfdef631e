"""Logs: one JSON object a line, or plain lines on a terminal. Secrets never get into them.

Issue text does not belong in a log either: log ids and numbers.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

import structlog
from structlog.typing import Processor

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

REDACTED = "[redacted]"
Format = Literal["auto", "json", "console"]

_SECRET_NAME = re.compile(
    r"secret|token|password|authorization|cookie|private_?key|credential|signature", re.IGNORECASE
)
_COUNTS = frozenset({"tokens", "max_tokens", "n_tokens"})
# GitHub's tokens, JSON web tokens, bearer headers, PEM keys, credentials in URLs.
_SECRET_TEXT = re.compile(
    r"\bgh[a-z]_[A-Za-z0-9_]{16,}|\bgithub_pat_\w{16,}|\bv1\.[0-9a-f]{40}\b"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|(?i:\b(?:bearer|token|basic) +[\w.~+/=-]{16,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    re.DOTALL,
)


def make_logger(
    level: str = "info",
    format: Format = "auto",
    *,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> FilteringBoundLogger:
    """A logger that writes to `stream` (standard error when None) and changes nothing global.

    "auto" is console on a terminal and json elsewhere. `secrets` are values to leave out wherever
    they turn up, beside what looks like one by its name or its form.
    """
    out = sys.stderr if stream is None else stream
    console = format == "console" or (format == "auto" and out.isatty())
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Redact(secrets),
        _console(out.isatty()) if console else structlog.processors.JSONRenderer(default=str),
    ]
    logger = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
    )
    return cast("FilteringBoundLogger", logger.bind())


def route_standard_logging(log: FilteringBoundLogger, level: str = "warning") -> None:
    """Send what libraries log (waitress, APScheduler, urllib3) through `log`; for `main` alone."""
    logging.basicConfig(handlers=[_Forward(log)], level=level.upper(), force=True)


class _Redact:
    """A processor that replaces secrets, by the key's name, by the value, or by its form."""

    def __init__(self, secrets: Iterable[str]) -> None:
        lines = [line for secret in secrets for line in (secret, *secret.splitlines())]
        known = sorted({line for line in lines if len(line) >= 6}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(
        self, logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        return {key: self._value(key, value) for key, value in event.items()}

    def _value(self, key: str, value: Any) -> Any:
        if _SECRET_NAME.search(key) and key.lower() not in _COUNTS:
            return REDACTED
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(k): self._value(str(k), v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value("", each) for each in value]
        return self._text(value if isinstance(value, str) else str(value))

    def _text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        return _SECRET_TEXT.sub(REDACTED, text)


class _Forward(logging.Handler):
    """Hands a record of the standard library to our logger."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(
            record.levelno, record.getMessage(), source=record.name, exc_info=record.exc_info
        )


def _console(colors: bool) -> Processor:
    plain = structlog.dev.plain_traceback  # the traceback is text by then, and redacted
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
