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
