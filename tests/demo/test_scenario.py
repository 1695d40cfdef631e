"""`make demo` end to end, in real processes: the facts that it prints."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.store import Store
from demo.github import StandIn
from demo.report import curl, quantile
from demo.sample import Sample
from demo.steps import REPORTS
from tests.demo.world import REPO

ROOT = Path(__file__).parents[2]
DEMO = (sys.executable, "-m", "demo")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One run of the whole demo: what it printed, and its home."""
    home = tmp_path_factory.mktemp("demo")
    command = [*DEMO, "--exit", "--home", str(home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    yield done.stdout, home


def found(pattern: str, text: str) -> re.Match[str]:
    match = re.search(pattern, text)
    assert match, f"{pattern!r} is not in:\n{text}"
    return match


def test_the_past_is_imported_and_learned_from(ran: tuple[str, Path]) -> None:
    found(r"476 rows \(467 issues, 9 pull requests\): 476 new, .* 939 new label events", ran[0])
    assert int(found(r"(\d+) issues learned from, (\d+) newer ones judged", ran[0])[1]) > 300


def test_new_issues_get_labels_and_most_are_right(ran: tuple[str, Path]) -> None:
    figures = found(
        r"24 issues opened, (\d+) labeled; (\d+) labels applied, (\d+) of them right", ran[0]
    )
    labeled, applied, right = map(int, figures.groups())
    assert labeled >= 12
    assert right / applied >= 0.8


def test_the_reports_of_the_console_are_there(ran: tuple[str, Path]) -> None:
    with closing(Store.open(ran[1] / "labelwright.db")) as store:
        [repository] = [row for row in store.repositories.all() if row.installation_id]
        made = [store.reports.newest(repository.id, kind) for kind in REPORTS]
        assert all(report and not report.body.get("problem") for report in made)


def test_a_label_comes_within_a_second_of_the_issue(ran: tuple[str, Path]) -> None:
    median = int(found(r"webhook to label: median (\d+) ms, 95 % \d+ ms", ran[0])[1])
    assert median < 1000


def test_every_new_issue_has_its_row(ran: tuple[str, Path]) -> None:
    rows = re.findall(r"^│ +(\d+) │.*│ (right|wrong: [^│]+|-) +│ +(\d+|-) │$", ran[0], re.MULTILINE)
    numbers = [int(number) for number, _, _ in rows]
    assert numbers == list(range(numbers[0], numbers[0] + 24))


def test_the_maintainers_removal_is_a_correction_and_stays(ran: tuple[str, Path]) -> None:
    taken = found(r"maintainer takes (\S+) off (#\d+)", ran[0])
    label, number = taken.groups()
    found(
        rf"correction: {number} {label} is a false positive of version \S+, by maintainer", ran[0]
    )
    found(rf"{label} stays off: it was taken off this issue before, so it is not put", ran[0])


def test_each_phase_states_its_time(ran: tuple[str, Path]) -> None:
    assert len(re.findall(r"^[a-z][\w :,-]+ +\d+\.\d s$", ran[0], re.MULTILINE)) == 8


def test_the_server_stopped_in_order(ran: tuple[str, Path]) -> None:
    log = (ran[1] / "serve.log").read_text()
    assert '"worker stopped"' in log
    assert '"clock stopped"' in log
    assert '"level": "error"' not in log


def test_secrets_are_neither_printed_nor_logged(ran: tuple[str, Path]) -> None:
    settings = (ran[1] / "labelwright.toml").read_text()
    secret = found(r'webhook_secret = "(\w+)"', settings)[1]
    assert secret not in ran[0] + (ran[1] / "serve.log").read_text()


def test_a_home_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    command = [*DEMO, "--exit", "--home", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "the demo wants a home of its own" in done.stdout


def test_ctrl_c_ends_it_at_once_and_says_so() -> None:
    with subprocess.Popen(DEMO, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert "stand-in" in demo.stdout.readline()
        demo.send_signal(signal.SIGINT)
        try:
            rest, _ = demo.communicate(timeout=60)
        finally:
            demo.kill()  # where interrupts are ignored, as in a shell's background, it would go on
    assert demo.returncode == 130
    assert "demo: stopped" in rest


def test_the_line_to_try_next_opens_an_issue() -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with StandIn() as github:
        github.control.add_repository(REPO)
        line = curl(github.url, "open_issue", full_name=REPO, title="It's broken", body='"no"')
        done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=30)
        assert (done.returncode, github.control.issue(REPO, 1)["title"]) == (0, "It's broken")


def test_the_sample_on_the_stand_in_is_the_sample_in_the_files() -> None:
    sample = Sample.load()
    with StandIn() as github:
        assert sample.plant(github.control) == len(sample.history) == 476
        first = sample.history[0]
        on_it = github.control.labels_on(sample.full_name, first["number"])
        assert on_it == sorted(label["name"] for label in first["labels"])
        events = github.control.label_history(sample.full_name, first["number"])
        assert events == [event[:3] for event in first["events"]]


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.95) == 4.0
    assert quantile([], 0.5) is None
