"""The console on a large server: how fast each page is, idle and beside a busy worker; memory.

    python -m benchmarks.console

The data is made up from a seed (`benchmarks/console_data.py`), with one model that is really
trained. A real web process serves it, an operator signs in, and every page is asked for in random
order; its time is from the request to the last byte on a connection that is kept. The first pages
are then opened in Chromium with an empty cache, where there is one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from random import Random
from typing import Any

import httpx

from benchmarks import common, machine
from benchmarks.common import Figure
from benchmarks.console_browser import first_loads
from benchmarks.console_data import VERSIONS, Place, Size, fill
from benchmarks.console_load import busy
from benchmarks.console_models import publish
from benchmarks.console_pages import MEDIAN_MS, P95_MS, PAGES, Subject, measure, new_client, sign_in
from benchmarks.console_rest import TRAININGS
from benchmarks.console_server import configure, web
from demo.product import Product

EXPECTED = {"health": ([503],)}
"""Statuses other than 200: no worker lives here, and the page says so."""
FIRST = ("overview", "repository", "issue", "review queue")
"""What is opened in a browser."""
SHOWN = 4000
"""Characters of the server's log."""
NEEDS_MODEL = ("version",)
FIRST_MS, FIRST_KB, MORE_MB = 300, 80, 60
"""Bars: the first page in a browser, and what the console adds to the web process."""
SEED = 5
SAME = 50
"""Requests before the memory is read in a process that has no pages to ask for."""


def main(argv: Sequence[str] | None = None) -> int:
    """Make, measure, print, write; 1 when a page was not answered as it should be."""
    options = common.parser(__spec__.name, __doc__, data=False)
    options.add_argument("--repositories", type=int, default=Size.repositories)
    options.add_argument("--issues", type=int, default=Size.issues, help="of all repositories")
    options.add_argument("--events", type=int, default=Size.events, help="of all issues")
    options.add_argument("--each", type=int, default=50, help="requests for each page")
    options.add_argument("--seed", type=int, default=SEED, help="of the data and of the order")
    args = options.parse_args(argv)
    size = Size(args.repositories, args.issues, args.events)
    facts = machine.describe()
    with tempfile.TemporaryDirectory(prefix="labelwright-console-") as folder:
        figures = run(Product(Path(folder)), size, each=args.each, seed=args.seed)
    show(figures)
    compared = common.figures("What was asked for", asked(figures))
    common.finish(args.out, {"figures": compared, **figures}, facts)
    return 0 if figures["sound"] else 1


def run(product: Product, size: Size, *, each: int, seed: int) -> dict[str, Any]:
    """Make the data and measure everything."""
    seconds: dict[str, float] = {}
    database = product.home / "labelwright.db"
    configure(product)
    places = timed(seconds, "fill", lambda: fill(database, size, seed=seed, now=time.time()))
    trained = timed(seconds, "train", lambda: publish(product, places))
    subject = about(places[0], trained=trained)
    pages = [page for page in PAGES if trained or page not in NEEDS_MODEL]
    memory = {"without_console_mb": without(product)}
    with web(product) as server, new_client(server.url) as client:
        memory["started_mb"] = server.memory_mb
        sign_in(client, product.home)
        times = {}
        for state, load in (("idle", nullcontext()), ("busy", busy(database))):
            with load:
                times[state] = dict(measure(client, subject, pages, each=each, seed=seed))
        memory["after_all_pages_mb"] = server.memory_mb
        paths = {page: subject.path(page, Random(seed)) for page in FIRST}
        loads = first_loads(server.url, cookies_of(client), paths)
        # Warnings and errors alone: why a page was not answered as it should be.
        print(server.log.read_text("utf-8")[-SHOWN:], file=sys.stderr)
    memory["console_mb"] = round(memory["after_all_pages_mb"] - memory["without_console_mb"], 1)
    answered = [(name, f["status"]) for state in times.values() for name, f in state.items()]
    return {
        "size": vars(size) | {"database_mb": round(database.stat().st_size / 2**20)},
        "seconds": seconds,
        "memory": memory,
        "pages": times,
        "first_loads": loads,
        "sound": all(expected(name, status) for name, status in answered),
    }


def about(place: Place, *, trained: bool) -> Subject:
    """The largest repository. Its trainings come first in the table, so their ids are known."""
    version = VERSIONS[-1] if trained else ""
    return Subject(place.name, place.issues, version, tuple(range(1, TRAININGS + 1)))


def without(product: Product) -> float:
    """The memory of a web process that has no console, after as many requests."""
    with web(product, console=False) as server, new_client(server.url) as client:
        for _ in range(SAME):
            client.get("/health").read()
        return server.memory_mb


def cookies_of(client: httpx.Client) -> Mapping[str, str]:
    """Who is signed in."""
    return dict(client.cookies)


def timed(seconds: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    """Do something, and note how long it took."""
    print(f"   {name} ...", file=sys.stderr, flush=True)
    began = time.perf_counter()
    done = work()
    seconds[name] = round(time.perf_counter() - began, 1)
    return done


def show(figures: Mapping[str, Any]) -> None:
    """Print the tables."""
    size = figures["size"]
    print(
        f"{size['repositories']} repositories, {size['issues']} issues, {size['events']} label"
        f" events: {size['database_mb']} MB, made in {figures['seconds']['fill']} s"
    )
    columns = ("page", "status", "median ms", "95 % ms", "KB", "within")
    for state, pages in figures["pages"].items():
        rows = [row(name, facts) for name, facts in pages.items()]
        common.table(f"{state}: under {MEDIAN_MS} ms and {P95_MS} ms?", columns, rows)
    loads = figures["first_loads"]
    if loads is None:
        print("no browser: first loads were not measured")
    else:
        shown = [(name, f["ms"], str(f["kb"]), f["requests"]) for name, f in loads.items()]
        common.table("First load in a browser", ("page", "ms", "KB", "requests"), shown)
    memory = [(name.removesuffix("_mb"), str(mb)) for name, mb in figures["memory"].items()]
    common.table("Web process", ("memory", "MB"), memory)


def asked(figures: Mapping[str, Any]) -> list[Figure]:
    """Each figure that was asked for beside the one that was measured."""
    found = [slowest(state, pages) for state, pages in figures["pages"].items()]
    for name, facts in list((figures["first_loads"] or {}).items())[:1]:
        within = facts["ms"] < FIRST_MS and facts["kb"] < FIRST_KB
        measured = f"{facts['ms']} ms, {facts['kb']} KB"
        found.append(
            Figure(f"{name} in a browser", f"{FIRST_MS} ms, {FIRST_KB} KB", measured, within)
        )
    more = figures["memory"]["console_mb"]
    found.append(
        Figure("memory that the console adds", f"under {MORE_MB} MB", f"{more} MB", more < MORE_MB)
    )
    return found


def slowest(state: str, pages: Mapping[str, Any]) -> Figure:
    """The worst median and the worst 95 % of all pages."""
    median, p95 = (max(facts[key] for facts in pages.values()) for key in ("median_ms", "p95_ms"))
    within = all(facts["within"] for facts in pages.values())
    bar = f"{MEDIAN_MS} ms, {P95_MS} ms"
    return Figure(f"slowest page, {state}: median, 95 %", bar, f"{median} ms, {p95} ms", within)


def row(name: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """A page's line in the table; of another page than was meant, its speed says nothing."""
    statuses = " ".join(map(str, facts["status"]))
    figures = (str(facts[key]) for key in ("median_ms", "p95_ms", "kb"))
    within = "yes" if facts["within"] else "no"
    return (name, statuses, *figures, within if expected(name, facts["status"]) else "-")


def expected(page: str, statuses: list[int]) -> bool:
    """Whether a page was answered as it should be, each time."""
    return statuses in EXPECTED.get(page, ([200],))


if __name__ == "__main__":
    sys.exit(main())
