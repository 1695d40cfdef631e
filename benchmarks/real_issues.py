"""End to end on real issues: signed webhooks at the running server, labels back on the stand-in.

    python -m benchmarks.real_issues

The history is huggingface/datasets up to its holdout (the newest fifth of the labeled issues),
imported and trained with the command line. The newest issues are then opened on the stand-in:
first some one by one, for the latency of an idle server, then all others at once. What the server
decided is compared with `labelwright predict --batch` on the same texts.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import checks, common, machine
from bot.store import Store
from demo import steps
from demo.github import StandIn
from demo.product import Product, Server
from demo.report import quantile
from demo.sample import Sample
from demo.steps import Demo
from demo.watching import Arrivals, Outcome, finished_decision, names
from models.registry import Registry

HOLDOUT = 0.2
NO_LIMIT = 1_000_000
SECONDS_FOR_EACH = 5.0


@dataclass(frozen=True)
class Work:
    """What is learned from, and what is opened afterwards; rows as GitHub's REST API gives them."""

    history: list[dict[str, Any]]
    new: list[dict[str, Any]]
    labels: list[dict[str, Any]]
    until: str


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; 1 when an issue was lost, labeled twice or decided otherwise."""
    options = common.parser(__spec__.name, __doc__)
    options.add_argument(
        "--issues", type=int, default=200, help="how many of the newest are opened"
    )
    options.add_argument("--idle", type=int, default=20, help="how many of them one by one")
    options.add_argument(
        "--github-pace", action="store_true", help="keep to GitHub's limits on writing"
    )
    args = options.parse_args(argv)
    work = split(common.read_rows(common.file_or_skip(args.data, common.ISSUES)), args.issues)
    facts = machine.describe()
    with tempfile.TemporaryDirectory(prefix="labelwright-real-") as folder:
        figures = measure(Path(folder), work, idle=args.idle, github_pace=args.github_pace)
    show(figures)
    common.finish(args.out, figures, facts)
    return 0 if figures["sound"] else 1


def split(rows: Sequence[dict[str, Any]], count: int) -> Work:
    """Everything before the holdout, and the newest `count` issues, both oldest first."""
    ordered = sorted(rows, key=lambda row: (row["created_at"], row["number"]))
    issues = [row for row in ordered if not row.get("pull_request")]
    labeled = [row for row in issues if row["labels"]]
    until = labeled[int(len(labeled) * (1 - HOLDOUT))]["created_at"]
    history = [by_name(row) for row in ordered if row["created_at"] < until]
    facts = ("name", "color", "description")
    seen = {label["name"]: {k: label[k] for k in facts} for r in ordered for label in r["labels"]}
    new = [row for row in issues if row["created_at"] >= until][-count:]
    return Work(history, new, list(seen.values()), until)


def by_name(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose labels have no ids: the stand-in's labels have ids of their own."""
    return {**row, "labels": [{"name": label["name"]} for label in row["labels"]]}


def as_sample(work: Work) -> Sample:
    """The repository as the stand-in takes it, with the new issues that are to be opened."""
    owner, _, name = common.REPOSITORY.partition("/")
    repository: dict[str, Any] = {
        "full_name": common.REPOSITORY,
        "name": name,
        "owner": {"login": owner, "type": "Organization"},
        "description": "",
        "labels": work.labels,
    }
    return Sample(repository, [], work.new)


def measure(home: Path, work: Work, *, idle: int, github_pace: bool) -> dict[str, Any]:
    """Set everything up, open the issues, check what came of them."""
    product = Product(home)
    sample = as_sample(work)
    with StandIn() as github:
        limits = {} if github_pace else {"writes_per_minute": NO_LIMIT, "writes_per_hour": NO_LIMIT}
        github.control.set_limits(primary=NO_LIMIT, **limits)
        steps.seed(github, sample)
        steps.register(github, product, sample, **limits)
        with serving(github, product, sample) as demo:
            demo.install(trained=False)
        seconds = learn(product, work)
        with serving(github, product, sample) as demo:
            demo.listen()
            demo.settle()
            figures = run(demo, work.new, idle)
            figures["memory_mb"] = server_memory(demo.server)
            sound = check(product, demo, work)
    return {
        "history": {"rows": len(work.history), "until": work.until},
        "seconds": seconds,
        "github_pace": github_pace,
        **figures,
        **sound,
    }


@contextlib.contextmanager
def serving(github: StandIn, product: Product, sample: Sample) -> Iterator[Demo]:
    """The server's processes, and what is needed to watch them."""
    with product.serve() as server, contextlib.ExitStack() as stack:
        store = Store.open(product.home / "labelwright.db")
        stack.callback(store.close)
        arrivals = Arrivals()
        github.observers[:] = [arrivals]
        registry = Registry(product.home / "models")
        yield Demo(github, server, store, registry, sample, arrivals, say)


def learn(product: Product, work: Work) -> dict[str, float]:
    """Import and train with the command line; the seconds of both."""
    path = product.home / "history.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in work.history), "utf-8")
    return {
        "import": timed(lambda: product.run("import", str(path), "--repo", common.REPOSITORY)),
        "train": timed(lambda: product.read("train", common.REPOSITORY, "--json")),
    }


def run(demo: Demo, rows: Sequence[dict[str, Any]], idle: int) -> dict[str, Any]:
    """Open all issues; the latencies, and the requests that they cost."""
    before = len(demo.github.state.log)
    alone = [demo.open_issue(shaped(row)) for row in rows[:idle]]
    say(f"   {len(alone)} issues one by one")
    together, seconds = burst(demo, rows[idle:])
    say(f"   {len(together)} issues at once, in {seconds:.1f} s")
    demo.settle()
    outcomes = [*alone, *together]
    return {
        "issues": len(outcomes),
        "idle": latencies(alone),
        "burst": {
            **latencies(together),
            "seconds": round(seconds, 2),
            "issues_per_second": round(len(together) / seconds, 2) if together else None,
        },
        "requests": checks.requests(demo.github.control.requests(since=before), outcomes),
        "judged": checks.judged(outcomes),
        "outcomes": [checks.outcome_json(each) for each in outcomes],
    }


def burst(demo: Demo, rows: Sequence[dict[str, Any]]) -> tuple[list[Outcome], float]:
    """Open issues without waiting between them; their outcomes, and the seconds for all."""
    clock, name, opened = demo.arrivals.clock, demo.sample.full_name, {}
    began = clock()
    for row in map(shaped, rows):
        at, by = clock(), row["user"]["login"]
        issue = demo.github.control.open_issue(name, title=row["title"], body=row["body"], by=by)
        opened[int(issue["number"])] = (at, row)
    waiting, decided = set(opened), {}

    def all_decided() -> bool:
        for number in sorted(waiting):
            if finished_decision(demo.store, demo.repository, number) is None:
                # Jobs run in the order of arrival, so the later ones are not done either.
                break
            decided[number] = clock()
            waiting.discard(number)
        return not waiting

    limit = 60 + SECONDS_FOR_EACH * len(rows)
    demo.server.wait_for(f"{len(rows)} issues are decided", all_decided, limit)
    seconds = clock() - began
    return [_outcome(demo, n, *opened[n], decided[n]) for n in opened], seconds


def _outcome(demo: Demo, number: int, at: float, row: dict[str, Any], decided: float) -> Outcome:
    decision = demo.store.decisions.latest(demo.repository.id, number)
    assert decision is not None  # it was waited for
    times = demo.arrivals.of(demo.sample.full_name, number)
    return Outcome(
        number=number,
        title=row["title"],
        applied=tuple(demo.github.control.labels_on(demo.sample.full_name, number)),
        suggested=names(decision, "suggest"),
        expected=tuple(row["expected"]),
        seconds=times[0] - at if times else None,
        decided=decided - at,
    )


def shaped(row: dict[str, Any]) -> dict[str, Any]:
    """A row as `Demo.open_issue` wants it: deleted accounts have a name, labels are expected."""
    user = row["user"] or {"login": "ghost"}
    # The bot's own name would make it a bot's issue; its text is what counts here.
    login = user["login"].removesuffix("[bot]")
    expected = [label["name"] for label in row["labels"]]
    return {**row, "user": {"login": login}, "expected": expected}


def check(product: Product, demo: Demo, work: Work) -> dict[str, Any]:
    """Compare with `predict`, and look for what was lost or done twice."""
    first = demo.next_number - len(work.new)
    numbers = range(first, first + len(work.new))
    source, target = product.home / "new.jsonl", product.home / "predicted.jsonl"
    rows = zip(numbers, work.new, strict=True)
    texts = [{"number": n, "title": row["title"], "body": row["body"]} for n, row in rows]
    source.write_text("".join(json.dumps(text) + "\n" for text in texts), "utf-8")
    arguments = ("predict", common.REPOSITORY, "--batch", str(source), "--out", str(target))
    seconds = timed(lambda: product.run(*arguments))
    predicted = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    found = checks.compare(demo.store, demo.repository.id, predicted)
    found |= checks.once(demo, numbers)
    wrong = ("different", "lost", "twice", "dead_jobs", "failed_deliveries")
    return {"predict_seconds": seconds, **found, "sound": not any(found[key] for key in wrong)}


def latencies(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Milliseconds from the opening of an issue until its labels are on it, where it got any."""
    times = [each.seconds * 1000 for each in outcomes if each.seconds is not None]
    rounded = {share: quantile(times, share) for share in (0.5, 0.95)}
    return {
        "issues": len(outcomes),
        "labeled": len(times),
        "median_ms": None if not times else round(rounded[0.5] or 0.0),
        "p95_ms": None if not times else round(rounded[0.95] or 0.0),
    }


def server_memory(server: Server) -> int:
    """The resident memory of all processes of the server, in MB."""
    process = psutil.Process(server.process.pid)
    own: int = process.memory_info().rss
    return round((machine.descendants(process) + own) / 2**20)


def timed(work: Callable[[], object]) -> float:
    """The seconds that something takes."""
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 1)


def show(figures: dict[str, Any]) -> None:
    """Print the tables."""
    one, many = figures["idle"], figures["burst"]
    rows = [
        (name, each["issues"], each["labeled"], each["median_ms"], each["p95_ms"])
        for name, each in (("one by one, server idle", one), ("all at once", many))
    ]
    columns = ("issues opened", "issues", "labeled", "median ms", "95 % ms")
    common.table("From opening to label", columns, rows)
    print(f"all at once: {many['issues_per_second']} issues a second")
    kinds = figures["requests"]["kinds"]
    costs = [(k, n, round(n / figures["issues"], 2)) for k, n in kinds.items()]
    common.table("Requests to GitHub", ("request", "number", "per issue"), costs)
    print(f"{figures['requests']['per_labeled_issue']:.2f} requests per labeled issue")
    print(
        f"{figures['compared']} probabilities and modes compared with `predict --batch`:"
        f" {len(figures['different'])} different"
    )
    print(f"{len(figures['lost'])} lost, {len(figures['twice'])} twice")
    judged = figures["judged"]
    print(
        f"{judged['applied']} labels applied; on the {judged['issues_with_labels']} issues that"
        f" have labels {judged['applied_to_those']}, {judged['right']} of them right"
    )
    print(f"memory of the server's processes: {figures['memory_mb']} MB")


def say(line: str) -> None:
    """Progress, beside the result."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
