"""A training on a cluster is followed, brought back and ended, whatever happens there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bot.launchers import Command, Ended, Unreachable
from bot.launchers.packing import run_of
from bot.launchers.ray import Ray
from bot.launchers.ray_jobs import Cluster, State, state_of
from bot.launchers.ray_work import LOST_SECONDS, PATIENCE, POLL, STOP_SECONDS
from models.storage import Storage

RUNNING = State(ended=False)


class Jobs:
    """The jobs of a cluster that exists only here."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.said = ""
        self.gone = False
        self.lost_node = False
        self.stubborn = False
        self.given: dict[str, Any] = {}

    def submit(self, name: str, entrypoint: str, environment: dict[str, Any]) -> None:
        self._answer()
        self.states[name] = RUNNING
        folders = {path.name for path in Path(environment["working_dir"]).iterdir()}
        self.given = {"line": entrypoint, "folders": folders, **environment}

    def state(self, name: str) -> State | None:
        self._answer()
        return self.states.get(name)

    def log(self, name: str) -> str:
        if self.lost_node:
            raise Unreachable("the agent of that node does not answer")
        return self.said

    def stop(self, name: str) -> None:
        if not self.stubborn:
            self.states[name] = State(ended=True, status=-15)

    def delete(self, name: str) -> None:
        del self.states[name]

    def version(self) -> str:
        self._answer()
        return "9.9"

    def _answer(self) -> None:
        if self.gone:
            raise Unreachable("the Ray cluster does not answer: is it up?")


class Place:
    """A server with one training, and the clock by which it follows it."""

    def __init__(self, folder: Path) -> None:
        self.time = 0.0
        self.jobs = Jobs()
        self.runs = folder / "runs"
        self.share = folder / "share"
        (self.runs / "adapt.1" / "snapshot").mkdir(parents=True)
        (self.runs / "adapt.1" / "snapshot" / "issues.jsonl").write_text("text")
        self.out = self.runs / "adapt.1" / "encoder"
        line = ("--snapshot", str(self.runs / "adapt.1" / "snapshot"), "--out", str(self.out))
        self.command = Command(
            argv=("python", "-m", "training.adapt", *line),
            environment={"PATH": "/bin", "HF_HUB_OFFLINE": "1"},
            out=self.out,
            log=self.runs / "adapt.1" / "training.log",
        )
        self.ray = self.launcher()
        self.work = self.ray.start(self.command)

    def launcher(self) -> Ray:
        cluster = Cluster("http://ray:8265", str(self.share), token="hush", gpus=0)
        ray = Ray(cluster, self.runs, now=lambda: self.time, wait=self.wait)
        ray.jobs = self.jobs  # type: ignore[assignment]
        return ray

    def wait(self, seconds: float) -> None:
        self.time += seconds

    def look(self) -> Ended | None:
        """The next time that it is really looked at."""
        self.time += POLL
        return self.work.look(0.1)

    def set(self, state: State) -> None:
        self.jobs.states[self.work.handle] = state

    @property
    def storage(self) -> Storage:
        (owner,) = self.share.iterdir()
        return Storage(str(owner / run_of(self.out)))

    def make(self) -> None:
        """What the host stores once the training is done."""
        made = self.runs.parent / "made"
        made.mkdir()
        (made / "card.json").write_text("{}")
        self.storage.write("done.json", self.storage.put(made, "out"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_job_gets_the_code_and_nothing_of_our_environment_but_what_it_needs(place: Place):
    given = place.jobs.given
    assert given["folders"] == {"models", "training", "recipes"}
    assert "PATH" not in given["env_vars"] and given["env_vars"]["HF_HUB_OFFLINE"] == "1"
    assert given["line"] == f"python -m training.remote {place.storage.url}"
    assert "hush" not in str(given) + str(place.storage.read("job.json")) + repr(place.ray.cluster)


def test_lines_and_status_arrive_as_they_come(place: Place):
    place.jobs.said = "encode: 1 of 2\n"
    place.storage.write("status.json", {"step": 1})
    assert place.look() is None
    place.jobs.said += "\x1b[36m(RayTrainWorker pid=7, ip=127.0.0.3)\x1b[0m encode: 2 of 2\n"
    assert place.look() is None
    assert place.command.log.read_text() == "encode: 1 of 2\nencode: 2 of 2\n"
    assert (place.out.with_name("encoder.status.json")).read_text() == '{"step": 1}'


def test_between_two_looks_nobody_is_asked(place: Place):
    place.look()
    place.jobs.gone = True
    for _ in range(5):
        assert place.work.look(0.1) is None


def test_what_it_made_arrives_whole_and_nothing_stays_there(place: Place):
    place.make()
    place.set(State(ended=True, status=0))
    assert place.look() == Ended(0)
    place.work.end(abruptly=False)
    assert (place.out / "card.json").is_file()
    assert Storage(str(place.share)).names(place.storage.root.split("/")[-2]) == []
    assert place.jobs.states == {}
    assert [path.name for path in place.out.parent.glob("encoder*")] == ["encoder"]


def test_what_arrives_cut_short_is_asked_for_again(place: Place):
    place.make()
    done = place.storage.read("done.json")
    place.storage.write("done.json", {name: size + 1 for name, size in done.items()})
    place.set(State(ended=True, status=0))
    assert place.look() is None
    assert not place.out.exists()
    place.storage.write("done.json", done)
    assert place.look() == Ended(0)


def test_a_crash_has_its_status_and_what_ray_says_of_one_that_never_began(place: Place):
    place.set(State(ended=True, status=-9))
    assert place.look() == Ended(-9)
    place.work = place.ray.start(place.command)
    place.set(State(ended=True, status=None, message="no node has 8 GPUs"))
    assert place.look() == Ended(None)
    assert place.command.log.read_text() == "Ray: no node has 8 GPUs\n"


def test_a_cluster_that_is_silent_for_a_while_is_waited_for(place: Place):
    place.look()
    place.jobs.gone = True
    assert place.look() is None
    place.jobs.gone = False
    assert place.look() is None
    place.jobs.gone = True
    place.time += PATIENCE
    with pytest.raises(Unreachable, match="is it up"):
        place.look()


def test_one_that_is_found_again_is_asked_after_at_once(place: Place):
    place.jobs.said = "one\n"
    place.look()
    place.work = place.launcher().find(place.command, place.work.handle)
    place.jobs.gone = True
    with pytest.raises(Unreachable):
        place.work.look(0.1)
    place.jobs.gone, place.jobs.said = False, "one\ntwo\n"
    assert place.look() is None
    assert place.command.log.read_text() == "one\ntwo\n"


def test_one_that_nobody_could_ask_after_for_a_day_is_gone(place: Place):
    place.jobs.gone = True
    notes = place.out.with_name("encoder.remote") / "state.json"
    before = notes.stat().st_mtime - LOST_SECONDS
    os.utime(notes, (before, before))
    place.work = place.launcher().find(place.command, place.work.handle)
    assert place.work.look(0.1) == Ended(None)


def test_a_cluster_that_was_restarted_knows_nothing_of_it(place: Place):
    place.jobs.states.clear()
    assert place.look() == Ended(None)
    assert "knows nothing of it" in place.command.log.read_text()


def test_but_what_was_made_before_that_is_not_lost(place: Place):
    place.make()
    place.jobs.states.clear()
    assert place.look() == Ended(0)


def test_the_log_of_a_lost_node_holds_nothing_up(place: Place):
    place.jobs.lost_node = True
    assert place.look() is None
    place.set(State(ended=True, status=None, message="its node died"))
    assert place.look() == Ended(None)


def test_begun_again_it_has_one_job_and_the_checkpoints_of_before(place: Place):
    place.storage.write("checkpoints.json", {"number": 1})
    place.storage.write("done.json", {})
    before = place.work.handle
    place.work = place.ray.start(place.command)
    assert list(place.jobs.states) == [place.work.handle] != [before]
    assert place.storage.names() == ["checkpoints.json", "inputs", "job.json"]


def test_ended_early_its_text_goes_and_its_checkpoints_stay(place: Place):
    place.storage.write("checkpoints.json", {"number": 1})
    place.work.end(abruptly=True)
    assert place.jobs.states == {}
    assert place.storage.names() == ["checkpoints.json"]


def test_what_could_not_be_ended_is_swept_away_once_it_is_no_more_here(place: Place):
    place.jobs.gone = True
    place.work.end(abruptly=True)
    place.jobs.gone = False
    place.ray.sweep()
    assert place.work.handle in place.jobs.states, "its folder is still here"
    place.out.with_name("encoder.remote").rename(place.runs.parent / "away")
    place.ray.sweep()
    assert place.jobs.states == {}
    assert [path for path in place.share.rglob("*") if path.is_file()] == []


def test_another_server_sweeps_nothing_of_ours(place: Place, tmp_path: Path):
    (tmp_path / "other").mkdir()
    other = Ray(place.ray.cluster, tmp_path / "other", now=lambda: 0.0)
    other.jobs = place.jobs  # type: ignore[assignment]
    other.sweep()
    assert place.work.handle in place.jobs.states


def test_a_job_that_does_not_end_is_told_of_and_not_begun_twice(place: Place):
    place.jobs.stubborn = True
    with pytest.raises(Unreachable, match="does not end"):
        place.ray.start(place.command)
    assert place.time >= STOP_SECONDS
    assert len(place.jobs.states) == 1


def test_a_storage_that_fails_is_as_bad_as_a_cluster_that_does(place: Place):
    ray = Ray(Cluster("http://ray:8265", "/proc/version"), place.runs)
    ray.jobs = place.jobs  # type: ignore[assignment]
    with pytest.raises(Unreachable, match="the storage /proc/version"):
        ray.start(place.command)
    with pytest.raises(Unreachable, match="the storage /proc/version"):
        ray.probe()


def test_a_probe_leaves_nothing_in_the_storage(place: Place):
    before = sorted(place.share.rglob("*"))
    assert place.ray.probe() == "9.9"
    assert sorted(place.share.rglob("*")) == before


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        ("PENDING", None, State(False)),
        ("RUNNING", None, State(False)),
        ("SUCCEEDED", 0, State(True, 0)),
        ("FAILED", 1, State(True, 1)),
        ("FAILED", 137, State(True, -9)),
        ("FAILED", -9, State(True, -9)),
        ("FAILED", None, State(True, None)),
        ("STOPPED", None, State(True, None)),
    ],
)
def test_the_words_of_ray_are_understood(status: str, code: int | None, state: State):
    assert state_of(status, code, "") == state
