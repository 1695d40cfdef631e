"""What goes wrong on a cluster: a job is killed, a node is lost, the server is restarted."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from bot import launcher
from bot.launch import Launch
from bot.launch import cluster as cluster_of
from bot.launchers import Unreachable, ray_jobs
from bot.launchers.ray import Ray
from bot.tasks import Stopped
from models import encoder_card
from tests.ray.cluster import Cluster
from tests.ray.world import LONG, World, log_of
from tests.waiting import eventually


@pytest.fixture
def meanwhile() -> Callable[[Callable[[], None]], threading.Thread]:
    """Does something while the test follows a training."""

    def start(what: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=what, daemon=True)
        thread.start()
        return thread

    return start


def test_a_job_that_is_killed_is_submitted_again_and_goes_on_from_its_checkpoint(
    ours: World, meanwhile: Callable[[Callable[[], None]], threading.Thread]
):
    launch = ours.adaptation("killed", LONG)

    def kill() -> None:
        eventually(lambda: "checkpoints.json" in ours.stored(launch), seconds=90)
        for process in ours.processes(launch):
            process.kill()

    killer = meanwhile(kill)
    with ours.job(1) as record:
        launcher.run(launch, record=record)
        assert record.attempts(launch.out) == 2
    killer.join()
    assert encoder_card.read(launch.out).processes == 1
    first, second = attempts(launch)
    assert first[0] == 1 and second[0] > 1, "the second went on where the first was"
    assert ours.stored(launch) == [] and ours.processes(launch) == []


def test_a_training_goes_on_while_the_server_is_restarted(ours: World):
    launch = ours.adaptation("restarted", LONG)
    stop = threading.Event()

    def forward(line: str) -> None:
        if line.startswith("train encoder"):
            stop.set()

    with pytest.raises(Stopped), ours.job(2) as record:
        launcher.run(launch, record=record, stop=stop, forward=forward)
    assert ours.processes(launch)
    with ours.job(2) as record:
        launcher.run(launch, record=record)
        assert record.attempts(launch.out) == 1
    assert len(attempts(launch)) == 1
    assert (launch.out / "card.json").is_file()


def test_one_that_is_ended_leaves_nothing_there_but_its_checkpoints(ours: World):
    launch = ours.adaptation("ended", LONG)
    stop = threading.Event()

    def forward(line: str) -> None:
        if "checkpoints.json" in ours.stored(launch):
            stop.set()

    with pytest.raises(Stopped):
        launcher.run(launch, stop=stop, forward=forward)
    assert ours.processes(launch) == []
    assert {name.partition("/")[0] for name in ours.stored(launch)} == {
        "checkpoints",
        "checkpoints.json",
    }
    remote = launch.out.with_name("encoder.remote")
    for file in remote.iterdir():
        file.unlink()
    remote.rmdir()  # as where the run's folder is cleared
    at = launch.launcher
    assert isinstance(at, Ray)
    at.sweep()
    assert ours.stored(launch) == []


def test_a_job_whose_node_is_lost_is_done_on_another(
    ours: World, cluster: Cluster, meanwhile: Callable[[Callable[[], None]], threading.Thread]
):
    # Only the second node has what it asks for; one that takes its place does the rest.
    launch = ours.adaptation("lost", LONG, ray_resources=("second=1",))

    def lose() -> None:
        eventually(lambda: "checkpoints.json" in ours.stored(launch), seconds=90)
        cluster.nodes.pop().kill()
        cluster.start_second()

    loser = meanwhile(lose)
    with ours.job(3) as record:
        launcher.run(launch, record=record)
        assert record.attempts(launch.out) == 2
    loser.join()
    first, second = attempts(launch)
    assert first[0] == 1 and second[0] > 1


def test_without_the_token_the_cluster_refuses_us_and_the_message_says_so(ours: World):
    for token in (None, "wrong"):
        settings = ours.settings.model_copy(update={"ray_token": token and SecretStr(token)})
        with pytest.raises(Unreachable, match="refuses us: set LABELWRIGHT_RAY_TOKEN"):
            cluster_of(settings).probe()


def test_the_cluster_and_the_storage_can_be_asked_whether_they_answer(ours: World):
    assert cluster_of(ours.settings).probe() == "2.60.0"


def test_a_cluster_that_takes_what_we_ask_and_never_answers_does_not_hold_us_up(
    ours: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ray_jobs, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = ours.settings.model_copy(update={"ray_address": address})
        with pytest.raises(Unreachable, match="does not answer: is it up"):
            cluster_of(settings).probe()


def attempts(launch: Launch) -> list[list[int]]:
    """The steps of the phase "encoder" that each attempt told of."""
    parts = log_of(launch).split("Running entrypoint for job")[1:]
    return [[int(n) for n in re.findall(r"train encoder: (\d+) of", part)] for part in parts]
