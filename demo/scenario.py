"""The main job on sample issues: `python -m demo`, or `make demo`.

A stand-in for GitHub, an import, a training, the real server processes, new issues by webhook, and
a maintainer who takes a label off. Status 1, with the name of what did not happen, if one did not.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from bot.store import Store
from demo import report, steps
from demo.fresh import unconfigured
from demo.github import StandIn
from demo.product import DidNotHappen, Product, Server
from demo.sample import Sample
from demo.steps import Demo, Phases, Tell
from demo.watching import Arrivals
from models.registry import Registry

if TYPE_CHECKING:
    from demo.watching import Outcome

_WIDE = 160


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; the exit status. Ctrl-C ends it at any time and leaves nothing running."""
    args = _arguments(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    try:
        with _home(args.home) as home:
            _run(home, console, stay=not args.exit)
    except DidNotHappen as error:
        console.print(Text(f"demo: this did not happen: {error}", style="red"))
        return 1
    except KeyboardInterrupt:
        console.print("demo: stopped")
        return 130
    return 0


def _run(home: Path, console: Console, *, stay: bool) -> None:
    def tell(line: str) -> None:
        # Flushed: commands of the product write to the same output.
        console.print(Text(line))
        console.file.flush()

    with prepared(home, tell) as (demo, phases):
        _play(demo, phases, console)
        if stay:
            _stay(demo, console)


@contextlib.contextmanager
def prepared(home: Path, tell: Tell) -> Iterator[tuple[Demo, Phases]]:
    """The stand-in, a trained model, and the running server; the App is not installed yet."""
    phases, sample, product = Phases(tell), Sample.load(), Product(home)
    arrivals = Arrivals()
    with contextlib.ExitStack() as stack:
        with phases.phase("start the stand-in for GitHub"):
            github = stack.enter_context(StandIn())
            github.observers.append(arrivals)
            tell(f"   {github.url}: {steps.seed(github, sample)} past issues")
            steps.register(github, product, sample)
        steps.learn(product, sample, phases)
        with phases.phase("start the server"):
            server = stack.enter_context(product.serve())
            tell(f"   labelwright serve: {server.url}")
        store = Store.open(home / "labelwright.db")
        stack.callback(store.close)
        yield Demo(github, server, store, Registry(home / "models"), sample, arrivals, tell), phases


def _play(demo: Demo, phases: Phases, console: Console) -> None:
    """Everything that happens once the server runs, and what is printed of it."""
    with phases.phase("install the App: read its history, train"):
        demo.install()
    with phases.phase(f"open {len(demo.sample.new)} issues, one after another"):
        outcomes = []
        for row in demo.sample.new:
            outcomes.append(demo.open_issue(row))
            demo.tell(_said(outcomes[-1]))
    console.print(report.table(outcomes))
    with phases.phase("correct one, as a maintainer would"):
        _correct(demo, outcomes)
    with phases.phase("make the reports of the console"):
        demo.make_reports()
    for line in report.figure_lines(report.figures(outcomes)):
        demo.tell(line)
    for line in report.phase_lines(phases.seconds):
        demo.tell(line)


def _said(outcome: Outcome) -> str:
    labels = ", ".join(outcome.applied) or "nothing applied"
    return f"   #{outcome.number} {labels} ({(outcome.seconds or outcome.decided) * 1000:.0f} ms)"


def _correct(demo: Demo, outcomes: Sequence[Outcome]) -> None:
    """Take one label off, a wrong one if there is any, and show that it stays off."""
    labeled = [each for each in outcomes if each.applied]
    if not labeled:
        raise DidNotHappen("a label is applied to at least one of the new issues")
    chosen = next((each for each in labeled if each.wrong), labeled[-1])
    label = (chosen.wrong or chosen.applied)[0]
    demo.tell(f"   {steps.MAINTAINER} takes {label} off #{chosen.number}")
    demo.tell(f"   {report.correction_line(demo.correct(chosen.number, label))}")
    reason = demo.edit_and_ask_again(chosen.number, label)
    demo.tell(f"   #{chosen.number} is edited and decided anew; {label} stays off: {reason}")


def _stay(demo: Demo, console: Console) -> None:
    """Leave everything running until Ctrl-C. Raises DidNotHappen when the server ends by itself.

    Beside it a second server waits to be set up.
    """
    server = demo.server
    home = server.log.parent
    with unconfigured(demo.github, demo.sample, home / "fresh") as fresh:
        place = report.Place(demo.github.url, server.url, fresh.url, str(home))
        for line in report.next_lines(place, demo.sample.full_name, demo.next_number):
            console.print(Text(line), soft_wrap=True)
        console.file.flush()
        _wait(server, console)


def _wait(server: Server, console: Console) -> None:
    stopped = threading.Event()
    with contextlib.suppress(KeyboardInterrupt):
        while server.process.poll() is None:
            stopped.wait(0.2)
        raise DidNotHappen(f"the server goes on\n{server.last_lines()}")
    console.print("stopping the server and the stand-in")


@contextlib.contextmanager
def _home(given: Path | None) -> Iterator[Path]:
    """A fresh home: a temporary one that goes at the end, or a named one that stays."""
    if given is None:
        with tempfile.TemporaryDirectory(prefix="labelwright-demo-") as name:
            yield Path(name)
        return
    given.mkdir(parents=True, exist_ok=True)
    if any(given.iterdir()):
        raise DidNotHappen(f"{given} is empty: the demo wants a home of its own")
    yield given.resolve()


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--exit", action="store_true", help="stop after the run, rather than stay for a look"
    )
    parser.add_argument(
        "--home", type=Path, help="an empty folder to keep everything in (default: a temporary one)"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
