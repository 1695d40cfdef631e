"""The measuring of the console: who asks, of what, and what is told of it."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path
from random import Random

import httpx
import pytest

from benchmarks import console
from benchmarks.console_browser import first_loads
from benchmarks.console_data import Size, fill
from benchmarks.console_load import write
from benchmarks.console_pages import PAGES, Subject, Times, measure, new_client, sign_in
from benchmarks.console_server import configure, web
from bot.store import Store
from demo.product import Product
from tests.browser.looking import chromium_or_skip

SUBJECT = Subject("acme/rocket", 9, "0003-00000000", (7,))


class Turns(threading.Event):
    """An event that comes after a number of looks, without waiting."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.turns = turns

    def wait(self, timeout: float | None = None) -> bool:
        self.turns -= 1
        return self.turns < 0


@pytest.fixture
def product(tmp_path: Path) -> Product:
    made = Product(tmp_path)
    configure(made)
    fill(tmp_path / "labelwright.db", Size(2, 20, 50), seed=1, now=time.time())
    return made


def test_every_page_is_asked_for_as_often_and_its_answers_are_told(product: Product) -> None:
    with web(product) as server, new_client(server.url) as client:
        sign_in(client, product.home)
        found = measure(client, SUBJECT, ("overview", "health"), each=3, seed=1)
    overview, health = found["overview"], found["health"]
    assert (overview["requests"], overview["status"]) == (3, [200]), "an operator is signed in"
    assert (health["requests"], health["status"]) == (3, [503]), "no worker lives"
    assert 0 < overview["median_ms"] <= overview["p95_ms"] and overview["kb"] > 0


def test_a_web_process_without_the_console_has_all_but_that(product: Product) -> None:
    with web(product, console=False) as server:
        found = [httpx.get(server.url + path).status_code for path in ("/healthz", "/signin")]
        assert found == [200, 404] and server.memory_mb > 0


def test_a_path_is_about_something_that_is_there() -> None:
    paths = {name: SUBJECT.path(name, Random(n)) for n, name in enumerate(PAGES)}
    assert paths["version"] == "/r/acme/rocket/models/0003-00000000"
    assert paths["training"] == "/trainings/7"
    assert 1 <= int(paths["issue"].rpartition("/")[2]) <= 9


@pytest.mark.parametrize(("slow", "within"), [(59.0, True), (61.0, False)])
def test_a_page_is_within_its_limits_or_not(slow: float, within: bool) -> None:
    assert Times([slow] * 20, {200}).facts["within"] is within
    assert Times([1.0] * 18 + [201.0] * 2, {200}).facts["within"] is False


def test_the_load_writes_what_labelling_writes(product: Product) -> None:
    with closing(Store(product.home / "labelwright.db")) as store:
        before = store.decisions.made()
        assert write(store, Turns(2)) == 2
        assert store.decisions.made() == before + 2
        newest = store.jobs.list(kind="label")[:2]
        assert [job.result for job in newest] == ["labeled", "labeled"]


@pytest.mark.browser
def test_a_first_load_counts_everything_that_a_page_brings(product: Product) -> None:
    chromium_or_skip()
    with web(product) as server:
        found = first_loads(server.url, {}, {"signin": "/signin"}, runs=1)
    assert found is not None
    assert found["signin"]["requests"] >= 2, "the page and its style"
    assert found["signin"]["ms"] > 0 and found["signin"]["kb"] > 0


def test_an_error_is_not_a_fast_page() -> None:
    facts = Times([1.0], {404}).facts
    assert console.row("overview", facts) == ("overview", "404", "1.0", "1.0", "0.0", "-")
    assert console.expected("health", [503]) and not console.expected("overview", [200, 500])


def test_each_figure_stands_beside_what_was_asked_for() -> None:
    fast = {"median_ms": 9.0, "p95_ms": 20.0, "within": True}
    slow = {"median_ms": 61.0, "p95_ms": 70.0, "within": False}
    found = console.asked(
        {
            "pages": {"idle": {"a": fast}, "busy": {"a": fast, "b": slow}},
            "first_loads": {"overview": {"ms": 120, "kb": 80.5}, "issue": {"ms": 1, "kb": 1}},
            "memory": {"console_mb": 21.0},
        }
    )
    assert [(each.measured, each.within) for each in found] == [
        ("9.0 ms, 20.0 ms", True),
        ("61.0 ms, 70.0 ms", False),
        ("120 ms, 80.5 KB", False),
        ("21.0 MB", True),
    ]


def test_without_a_browser_no_first_page_is_claimed() -> None:
    found = console.asked({"pages": {}, "first_loads": None, "memory": {"console_mb": 60.0}})
    assert [(each.what, each.within) for each in found] == [("memory that the console adds", False)]
