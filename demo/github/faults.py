"""What goes wrong on purpose, and the log of what was asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

KINDS = ("status", "primary", "secondary", "hang", "cut", "bad_json", "truncated", "html")


@dataclass
class Fault:
    """The next `times` requests that match go wrong in the way that `kind` names.

    status: the answer `status` (502) in GitHub's error shape, with `message` where given
    primary: 403, or `status` (429), and nothing remaining until the hour is over
    secondary: 403, or `status` (429), with Retry-After unless `retry_after` is None
    hang: no answer for `seconds`
    cut: the connection is closed
    bad_json, truncated, html: 200 with a body that does not parse

    With `after` the request takes effect first and only its answer is lost. `skip` requests that
    match pass before the first that fails.
    """

    kind: str
    method: str | None = None
    path: str = ""
    times: int = 1
    skip: int = 0
    after: bool = False
    status: int | None = None
    message: str | None = None
    retry_after: int | None = None
    seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault of kind {self.kind!r}; there are {', '.join(KINDS)}")

    def matches(self, method: str, path: str) -> bool:
        """True when this fault is meant for such a request; `path` is searched as a pattern."""
        return self.method in (None, method) and re.search(self.path, path) is not None


def take(faults: list[Fault], method: str, path: str) -> Fault | None:
    """The fault that strikes this request, counted down; those used up leave the list."""
    for fault in faults:
        if not fault.matches(method, path):
            continue
        if fault.skip:
            fault.skip -= 1
            continue
        fault.times -= 1
        if fault.times <= 0:
            faults.remove(fault)
        return fault
    return None


@dataclass
class Logged:
    """One request that reached the API, with what became of it; `status` 0 if it got no answer."""

    number: int
    at: float
    method: str
    path: str
    query: str
    caller: str = "anonymous"
    body: Any = None
    status: int = 0
    fault: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """The entry as JSON, without the Authorization header."""
        shown = {k: v for k, v in self.headers.items() if k.lower() != "authorization"}
        return {**self.__dict__, "headers": shown}
