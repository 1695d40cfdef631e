"""What `make demo` does, step by step. Each step waits for its conditions and times itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot import reporting
from bot.feedback import Feedback, derive
from bot.policy import effective_mode
from bot.repo_config import FILE, RepoConfig
from bot.tasks import enqueue_label
from demo.product import DidNotHappen
from demo.sample import EVENTS, HISTORY
from demo.watching import Arrivals, Outcome, finished_decision, names

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.reports import Kind
    from bot.store.rows import Decision, Repository
    from demo.github import StandIn
    from demo.product import Product, Server
    from demo.sample import Sample
    from models.registry import Registry

SLUG = "labelwright"
MAINTAINER = "maintainer"
SIGNED_IN = "/signin/back"
"""Where GitHub sends a browser after somebody signed in."""
CONFIGURATION = "version: 1\nmode: apply\ntarget_precision: 0.90\n"
REPORTS: tuple[Kind, ...] = ("curves", "replay", "questions")
SETUP_SECONDS = 300.0
LABEL_SECONDS = 60.0
ADDED_TEXT = "\n\nEdited: it still happens after a restart."

Tell = Callable[[str], None]


@dataclass
class Phases:
    """How long each part took, in seconds; `tell` gets a line when one begins."""

    tell: Tell
    clock: Callable[[], float] = time.perf_counter
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the block."""
        self.tell(f"== {name}")
        began = self.clock()
        yield
        self.seconds[name] = self.clock() - began


def register(github: StandIn, product: Product, sample: Sample, **more: int) -> None:
    """Make the App on the stand-in, and write its key and secret into the product's settings.

    `more` are further settings.
    """
    secret = github.state.secret(40)
    app = github.control.add_app(SLUG, owner=sample.repository["owner"]["login"])
    github.control.set_webhook(SLUG, None, secret)
    # The port is not known yet; on a loopback address GitHub takes any.
    github.control.set_app_urls(SLUG, [f"http://127.0.0.1{SIGNED_IN}"])
    key = product.home / "app.pem"
    key.touch(mode=0o600)
    key.write_text(app["pem"], "ascii")
    product.write_settings(
        {
            "app_id": app["id"],
            "private_key_file": str(key),
            "webhook_secret": secret,
            "client_id": app["client_id"],
            "client_secret": app["client_secret"],
            "operators": MAINTAINER,
            "github_url": github.url,
            "port": 0,
            "log_format": "json",
            # GitHub recommends a second between two writes, and PyGithub keeps to it by itself;
            # the stand-in is ours alone, and what is measured here is our own time.
            "seconds_between_writes": 0.0,
            **more,
        }
    )


def seed(github: StandIn, sample: Sample) -> int:
    """Put the sample repository with its past onto the stand-in; returns how many issues."""
    planted = sample.plant(github.control)
    github.control.put_file(sample.full_name, FILE, CONFIGURATION)
    github.control.set_role(sample.full_name, MAINTAINER, "maintain")
    return planted


def learn(product: Product, sample: Sample, phases: Phases) -> None:
    """Import the past from files and train on it, with the command line."""
    with phases.phase("import the past issues"):
        product.run("import", str(HISTORY), "--repo", sample.full_name, "--events", str(EVENTS))
    with phases.phase("train"):
        product.run("train", sample.full_name)


@dataclass
class Demo:
    """The running parts, and what to do with them."""

    github: StandIn
    server: Server
    store: Store
    registry: Registry
    sample: Sample
    arrivals: Arrivals
    tell: Tell

    @property
    def repository(self) -> Repository:
        """The repository as the store knows it now."""
        found = self.store.repositories.by_name(self.sample.full_name)
        if found is None:
            raise DidNotHappen(f"{self.sample.full_name} is known to the store")
        return found

    @property
    def next_number(self) -> int:
        """The number that the next issue will get."""
        found = self.github.state.repository(self.sample.full_name)
        return found.next_number if found else 1

    def install(self, *, trained: bool = True) -> None:
        """Install the App, and wait until the server has taken the repository up.

        `trained`: that includes a model, since there is a history to learn from.
        """
        self.listen()
        owner = self.sample.repository["owner"]["login"]
        self.github.control.install(SLUG, owner, [self.sample.full_name])
        what = "the App's installation is taken up"
        self.server.wait_for(what, self._is_installed, SETUP_SECONDS)
        self.settle(trained=trained)

    def listen(self) -> None:
        """Send the App's webhooks to the server that runs now."""
        self.github.control.set_webhook(SLUG, f"{self.server.url}/webhook")

    def settle(self, *, trained: bool = True) -> None:
        """Wait until nothing is left to do before the first issue."""
        said: list[str] = []

        def ready() -> bool:
            busy = self.busy()
            if busy and busy not in said:
                said.append(busy)
                self.tell(f"   {busy}")
            return not busy and self._is_set_up(trained)

        self.server.wait_for("history, configuration and model are there", ready, SETUP_SECONDS)

    def busy(self) -> str:
        """The kinds of job that run or are due, as one text; empty when there are none.

        Raises DidNotHappen for a job that died.
        """
        jobs = self.store.jobs.list()
        for job in jobs:
            if job.state == "dead":
                raise DidNotHappen(f"job {job.id} ({job.kind}) is done: {job.error}")
        now = time.time()
        running = [job.kind for job in jobs if job.state == "running"]
        due = [job.kind for job in jobs if job.state == "waiting" and job.run_at <= now]
        return ", ".join(sorted({*running, *due}))

    def _is_installed(self) -> bool:
        found = self.store.repositories.by_name(self.sample.full_name)
        return found is not None and found.installation_id is not None

    def _is_set_up(self, trained: bool) -> bool:
        row = self.repository
        mode = effective_mode(RepoConfig.from_dict(row.config), row.mode)
        model = not trained or self.registry.current(row.id) is not None
        return mode == "apply" and row.labels_synced_at is not None and model

    def open_issue(self, row: dict[str, Any]) -> Outcome:
        """Open an issue, and wait until its labels are on it. Raises DidNotHappen."""
        name, clock = self.sample.full_name, self.arrivals.clock
        began = clock()
        by = row["user"]["login"]
        issue = self.github.control.open_issue(name, title=row["title"], body=row["body"], by=by)
        number = int(issue["number"])
        decision = self._decided(number, after=0)
        decided = clock() - began
        applied = tuple(self.github.control.labels_on(name, number))
        if set(applied) != set(names(decision, "apply")):
            raise DidNotHappen(f"#{number} carries what was decided: it has {applied}")
        times = self.arrivals.of(name, number)
        return Outcome(
            number=number,
            title=row["title"],
            applied=applied,
            suggested=names(decision, "suggest"),
            expected=tuple(row["expected"]),
            seconds=times[0] - began if times else None,
            decided=decided,
        )

    def _decided(self, number: int, *, after: int) -> Decision:
        """The decision on an issue that is newer than the one with the id `after`."""

        def look() -> Decision | None:
            found = finished_decision(self.store, self.repository, number)
            return found if found is not None and found.id > after else None

        return self.server.wait_for(f"#{number} is decided", look, LABEL_SECONDS)  # type: ignore[return-value]

    def correct(self, number: int, label: str) -> Feedback:
        """Take a label off as a maintainer, and wait until the store holds the correction."""
        self.github.control.unlabel(self.sample.full_name, number, label, by=MAINTAINER)

        def look() -> Feedback | None:
            found = [f for f in self._feedback(number) if f.label == label and f.is_correction]
            return found[0] if found else None

        what = f"the removal of {label} from #{number} is a correction"
        return self.server.wait_for(what, look, LABEL_SECONDS)  # type: ignore[return-value]

    def _feedback(self, number: int) -> list[Feedback]:
        row = self.repository
        return derive(
            self.store.events.for_issue(row.id, number),
            self.store.decisions.applied(row.id, number=number),
            RepoConfig.from_dict(row.config),
        )

    def edit_and_ask_again(self, number: int, label: str) -> str:
        """Edit an issue, have it decided anew; returns why a removed label stays off.

        An edit alone asks for nothing: the new decision is asked for here.
        """
        row, name = self.repository, self.sample.full_name
        body = f"{self.github.control.issue(name, number)['body']}{ADDED_TEXT}"
        self.github.control.edit_issue(name, number, body=body)
        self.server.wait_for(f"the edit of #{number} is known", lambda: self._has(number, body), 60)
        before = self.store.decisions.latest(row.id, number)
        enqueue_label(self.store, row, number, trigger="asked again")
        decision = self._decided(number, after=before.id if before else 0)
        verdict = next(v for v in decision.verdicts if v["label"] == label)
        if verdict["verdict"] != "none" or label in self.github.control.labels_on(name, number):
            raise DidNotHappen(f"{label} stays off #{number}: it was put back")
        return str(verdict["reason"])

    def make_reports(self) -> None:
        """Have the console's reports made, so that there is something on every page."""
        for kind in REPORTS:
            reporting.ask(self.store, self.repository, kind, again=True)

        def made() -> bool:
            reports = (self.store.reports.newest(self.repository.id, kind) for kind in REPORTS)
            return all(reports) and not self.busy()

        self.server.wait_for("the reports are made", made, SETUP_SECONDS)

    def _has(self, number: int, body: str) -> bool:
        issue = self.store.issues.get(self.repository.id, number)
        return issue is not None and issue.body == body
