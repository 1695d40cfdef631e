"""A server that was down gets the deliveries that it lost, over HTTP; an issue is labeled once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from waitress.server import create_server

from bot.settings import Settings
from bot.store.rows import Job
from bot.tasks import load
from bot.times import from_epoch
from bot.web import create_app
from demo.github import StandIn
from tests.bot.world import REPO, Clock, World, make_world
from tests.e2e.server import free_port

SECRET = "It's a secret to everybody"
BOT = "labelwright[bot]"
ATTEMPTS = r"^/app/hook/deliveries/\d+/attempts$"
HOUR = 3600.0


@dataclass
class Down:
    """A server whose webhook nobody answers before it is `up`."""

    world: World
    clock: Clock
    port: int
    dated: int = 0

    def lose(self, title: str = "crash") -> int:
        """Open an issue of which the server does not hear; returns its number."""
        number = int(self.world.site.open_issue(REPO, title=title)["number"])
        self.drain()
        return number

    def look(self, seconds: float = HOUR) -> Job:
        """Let time pass and look at the deliveries; returns the job as it was left."""
        self.clock.seconds += seconds
        self.world.store.jobs.enqueue("redeliver", key="redeliver")
        assert self.world.worker("redeliver").work_once(self.world.context, "fast")
        self.drain()
        return self.world.store.jobs.list(kind="redeliver")[0]

    def drain(self) -> None:
        """Wait for what GitHub delivers, and date it by our clock: GitHub's own has to be real."""
        assert self.world.site.drain()
        found = self.world.github.state.deliveries
        for delivery in found[self.dated :]:
            delivery.delivered_at = from_epoch(self.clock())
        self.dated = len(found)

    def asked(self) -> int:
        return int(self.world.site.count("POST", ATTEMPTS))

    @contextmanager
    def up(self) -> Iterator[None]:
        """The real web process's application, on a real socket."""
        settings = Settings(home=self.world.context.settings.home, webhook_secret=SECRET)
        app = create_app(settings, self.world.store, now=self.clock, log=self.world.context.log)
        server = create_server(app, host="127.0.0.1", port=self.port, threads=2)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.close()
            thread.join(20)

    def work_all(self) -> None:
        while self.world.worker().work_once(self.world.context, "fast"):
            pass


@pytest.fixture
def down(tmp_path: Path) -> Iterator[Down]:
    load()
    clock = Clock(time.time())
    with StandIn(seed=1) as github:
        world = make_world(github, tmp_path, now=clock)
        port = free_port()
        world.site.set_webhook("labelwright", f"http://127.0.0.1:{port}/webhook", SECRET)
        yield Down(world, clock, port)
        world.context.app.close()
        world.store.close()


def test_a_server_that_was_down_gets_the_lost_delivery_and_labels_the_issue_once(down: Down):
    number = down.lose()
    with down.up():
        assert down.look().result == "asked again for 1 deliveries"
        down.work_all()
        assert down.world.labels_on(number) == ["bug"]
        # Our own label was delivered by the webhook, and nothing else is missing.
        assert down.look().result == "nothing was lost"
        down.work_all()
    assert down.world.site.label_history(REPO, number) == [["labeled", "bug", BOT]]
    assert down.asked() == 1


def test_a_server_that_stays_down_asks_three_times(down: Down):
    down.lose()
    said = [down.look().result for _ in range(5)]
    assert said == ["asked again for 1 deliveries"] * 3 + ["nothing was lost"] * 2
    assert down.asked() == 3


def test_a_delivery_that_we_have_is_not_asked_for_though_github_says_that_it_failed(down: Down):
    down.lose()
    [failed] = down.world.site.deliveries("issues")
    down.world.store.deliveries.accept(failed["guid"], "issues", "opened", None, None, b"{}")
    down.work_all()
    assert (down.look().result, down.asked()) == ("nothing was lost", 0)


def test_more_than_a_look_may_ask_for_is_left_for_the_next_one(
    down: Down, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.tasks.redeliver.MOST", 2)
    numbers = [down.lose(f"crash {n}") for n in range(5)]
    with down.up():
        said = [str(down.look().result) for _ in range(3)]
        down.work_all()
    assert [line.partition("; ")[2] for line in said] == ["3 left", "1 left", ""]
    assert [down.world.labels_on(number) for number in numbers] == [["bug"]] * 5
    assert down.asked() == 5


@pytest.mark.parametrize("status", [403, 404])
def test_an_app_without_a_webhook_is_stated_and_not_tried_again(down: Down, status: int):
    down.world.site.fail("status", status=status, path="^/app/hook/deliveries$")
    job = down.look()
    assert (job.state, job.attempts) == ("done", 1)
    assert str(job.result).startswith("left alone: GET /app/hook/deliveries")


@pytest.mark.parametrize("status", [404, 422])
def test_a_delivery_that_github_has_no_more_keeps_none_from_the_others(down: Down, status: int):
    down.lose()
    number = down.lose()
    down.world.site.fail("status", status=status, path=ATTEMPTS, times=1)
    with down.up():
        said = down.look().result
        down.work_all()
    assert said == "asked again for 1 deliveries; 1 are not repeated"
    assert down.world.labels_on(number) == ["bug"]


def test_a_rate_limit_in_the_middle_is_waited_for_and_none_asked_for_twice(down: Down):
    down.lose()
    down.lose()
    down.world.site.fail("secondary", path=ATTEMPTS, skip=1)
    first = down.look()
    assert (first.state, first.attempts) == ("waiting", 0)
    down.clock.seconds = first.run_at
    assert down.world.work().result == "asked again for 1 deliveries"
    assert down.asked() == 3, "one, one that was refused, and that one again"


def test_a_github_that_is_down_is_tried_again(down: Down):
    down.lose()
    down.world.site.fail("status", status=503, path="^/app/hook/deliveries$", times=50)
    job = down.look()
    assert (job.state, job.attempts) == ("waiting", 1)
    assert "503" in str(job.error)


def test_where_github_is_polled_nothing_is_asked_for(down: Down):
    down.lose()
    world = down.world
    polled = world.context.settings.model_copy(update={"intake": "poll"})
    down.world.context = replace(world.context, settings=polled)
    assert down.look().result == "none needed: GitHub is polled"
    assert world.site.count("GET", "^/app/hook/deliveries") == 0
