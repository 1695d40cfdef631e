"""The pages of the console that are measured, and the client that asks for them."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from demo.report import quantile

PAGES = {
    "overview": "/",
    "repository": "/r/{repository}",
    "issue": "/r/{repository}/issues/{number}",
    "review queue": "/r/{repository}/review",
    "models": "/r/{repository}/models",
    "version": "/r/{repository}/models/{version}",
    "replay report": "/r/{repository}/report",
    "try it": "/r/{repository}/try",
    "configuration": "/r/{repository}/configuration",
    "undo": "/r/{repository}/undo",
    "jobs": "/jobs",
    "training": "/trainings/{training}",
    "encoders": "/encoders",
    "checks": "/checks",
    "health": "/health",
}
"""Name -> path; what stands in braces is filled in for each request."""
MEDIAN_MS, P95_MS = 60, 200
PATIENCE = 60.0
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_BROWSER = {"Accept": "text/html", "Accept-Encoding": "gzip"}


@dataclass(frozen=True)
class Subject:
    """What the pages are asked about: a repository with `issues` issues, and what it has."""

    repository: str
    issues: int
    version: str
    trainings: tuple[int, ...]

    def path(self, page: str, rng: Random) -> str:
        """The path of a page, about an issue and a training by chance."""
        return PAGES[page].format(
            repository=self.repository,
            number=rng.randint(1, self.issues),
            version=self.version,
            training=rng.choice(self.trainings),
        )


@dataclass
class Times:
    """The answers to the requests for one page."""

    ms: list[float] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    size: int = 0

    @property
    def facts(self) -> dict[str, Any]:
        """Milliseconds, statuses, and the size of the last answer as it was sent, in KB."""
        median, p95 = (quantile(self.ms, share) for share in (0.5, 0.95))
        assert median is not None and p95 is not None
        return {
            "requests": len(self.ms),
            "status": sorted(self.statuses),
            "median_ms": round(median, 1),
            "p95_ms": round(p95, 1),
            "kb": round(self.size / 1000, 1),
            "within": median < MEDIAN_MS and p95 < P95_MS,
        }


def sign_in(client: httpx.Client, home: Path) -> None:
    """Sign in with the operator's token. Raises httpx.HTTPStatusError."""
    form = client.get("/signin").raise_for_status()
    fields = _TOKEN.search(form.text)
    assert fields is not None, "the sign-in page has no form"
    given = {"csrf_token": fields[1], "token": (home / "operator-token").read_text().strip()}
    answer = client.post("/signin/token", data=given)
    if not answer.is_redirect:
        answer.raise_for_status()


def new_client(url: str) -> httpx.Client:
    """A browser's client: one connection that is kept, and cookies."""
    return httpx.Client(base_url=url, headers=_BROWSER, timeout=PATIENCE)


def measure(
    client: httpx.Client, subject: Subject, pages: Iterable[str], *, each: int, seed: int
) -> Mapping[str, dict[str, Any]]:
    """Ask for every page `each` times in random order, after once for each to warm up."""
    rng, names = Random(seed), list(pages)
    order = names * each
    rng.shuffle(order)
    times: dict[str, Times] = defaultdict(Times)
    for page in names:
        client.get(subject.path(page, rng))
    for page in order:
        _visit(client, subject.path(page, rng), times[page])
    return {page: times[page].facts for page in names}


def _visit(client: httpx.Client, path: str, into: Times) -> None:
    began = time.perf_counter()
    answer = client.get(path)
    into.ms.append((time.perf_counter() - began) * 1000)
    into.statuses.add(answer.status_code)
    into.size = answer.num_bytes_downloaded
