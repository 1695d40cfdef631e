"""From the 25th correction to a published better head, while webhooks keep being answered.

    python -m benchmarks.corrections

2,000 labeled issues in one repository: those of huggingface/datasets but for its newest 200, and
for the rest issues of NLBSE'24's training half from the same time, under their own labels. They are
moved in time so that the history ends now, imported and trained with the command line, so that all
vectors are known. Then `labelwright serve` runs, the newest issues are opened one by one, and a
maintainer gives them the labels that they have in truth: 25 label changes, by signed webhook.
Nobody asks for the training.

With `--late N` the maintainer also labels N older issues that had lost their labels before the
import: then the gate has to fit the recipe of the version in force as well, which takes longest.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks import common, machine
from benchmarks.nlbse import FILE, LONGEST_FIELD
from benchmarks.real_issues import NO_LIMIT, Work, as_sample, by_name, learn, say, serving, shaped
from benchmarks.traffic import Sender, times
from bot.store.trainings import Training
from bot.times import from_epoch, to_epoch
from demo import steps
from demo.github import StandIn
from demo.product import DidNotHappen, Product
from demo.steps import MAINTAINER, Demo
from models.figures import micro_f1

LABELED, APART, CORRECTIONS = 2000, 200, 25
ASKED = 30.0
"""Seconds from the delivery of the last correction to the version in force."""
LIMIT = 300.0


@dataclass(frozen=True)
class Corrections:
    """The history and the newest issues, and the older ones that are labeled late."""

    work: Work
    late: list[dict[str, Any]]


@dataclass(frozen=True)
class Act:
    """One label that the maintainer puts on an issue (`label`) or takes off (`unlabel`)."""

    action: str
    number: int
    label: str


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; 1 where a webhook was refused."""
    options = common.parser(__spec__.name, __doc__)
    options.add_argument("--late", type=int, default=0, help="older issues that are labeled late")
    args = options.parse_args(argv)
    rows = common.read_rows(common.file_or_skip(args.data, common.ISSUES))
    others = read_others(common.file_or_skip(args.data, FILE))
    facts = machine.describe()
    with tempfile.TemporaryDirectory(prefix="labelwright-corrections-") as folder:
        figures = measure(Path(folder), split(rows, others, args.late, time.time()))
    show(figures)
    common.finish(args.out, figures, facts)
    return 1 if figures["answers"]["refused"] else 0


def read_others(path: Path) -> list[dict[str, Any]]:
    """NLBSE'24's issues as GitHub's REST API gives them, oldest first."""
    csv.field_size_limit(LONGEST_FIELD)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["created_at"])
    return [
        {
            "title": row["title"],
            "body": row["body"],
            "created_at": row["created_at"].replace(" ", "T") + "Z",
            "labels": [{"name": row["label"]}],
            "user": {"login": "reporter"},
            "state": "closed",
            "author_association": "NONE",
        }
        for row in rows
    ]


def split(
    rows: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]], late: int, now: float
) -> Corrections:
    """The newest labeled issues apart, and before them a history with LABELED labeled ones.

    As many more as `late` says have lost their labels there: they are labeled later. The history
    ends `now` (epoch seconds), when the new issues are opened: old issues count for less.
    """
    ordered = sorted(map(by_name, rows), key=lambda row: (row["created_at"], row["number"]))
    labeled = [row for row in ordered if row["labels"] and not row.get("pull_request")]
    new, until = labeled[-APART:], labeled[-APART]["created_at"]
    before = [row for row in ordered if row["created_at"] < until]
    known = labeled[:-APART]
    lost = [known[len(known) * (i + 1) // (late + 2)] for i in range(late)]
    missing = LABELED - len(known) + late
    fitting = [row for row in others if row["created_at"] < until]
    first = max(row["number"] for row in rows) + 1
    filled = [
        {**fitting[i * len(fitting) // missing], "number": first + i, "id": first + i}
        for i in range(missing)
    ]
    numbers = {row["number"] for row in lost}
    history = [{**row, "labels": []} if row["number"] in numbers else row for row in before]
    names = dict.fromkeys(x["name"] for row in [*labeled, *filled] for x in row["labels"])
    labels = [{"name": name, "color": "ededed", "description": None} for name in names]
    later = now - to_epoch(until)
    moved = [moved_by(row, later) for row in (*history, *filled)]
    return Corrections(Work(moved, new, labels, until), [moved_by(row, later) for row in lost])


def moved_by(row: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The same issue, so much later."""
    times = {name: row[name] for name in ("created_at", "updated_at", "closed_at") if row.get(name)}
    return {**row, **{name: from_epoch(to_epoch(at) + seconds) for name, at in times.items()}}


def measure(home: Path, given: Corrections) -> dict[str, Any]:
    """Set everything up, correct, and watch what comes of it."""
    product, work = Product(home), given.work
    sample = as_sample(work)
    with StandIn() as github:
        limits = {"writes_per_minute": NO_LIMIT, "writes_per_hour": NO_LIMIT}
        github.control.set_limits(primary=NO_LIMIT, **limits)
        steps.seed(github, sample)
        steps.register(github, product, sample, **limits)
        with serving(github, product, sample) as demo:
            demo.install(trained=False)
        seconds = learn(product, work)
        with serving(github, product, sample) as demo:
            demo.listen()
            demo.settle()
            acts, opened = open_until(demo, work.new)
            rest = work.new[opened:]
            before = judged(product, rest)
            found = correct(product, demo, given, acts)
            after = judged(product, rest)
    return {
        "labeled": LABELED,
        "setup_seconds": seconds,
        "opened": opened,
        **found,
        "newest": {"issues": len(rest), "micro_f1_before": before, "micro_f1": after},
    }


def open_until(demo: Demo, rows: Sequence[dict[str, Any]]) -> tuple[list[Act], int]:
    """Open issues until CORRECTIONS label changes are to be made; those, and how many issues."""
    acts: list[Act] = []
    for count, row in enumerate(map(shaped, rows), start=1):
        outcome = demo.open_issue(row)
        missed = [name for name in row["expected"] if name not in outcome.applied]
        acts += [Act("unlabel", outcome.number, name) for name in outcome.wrong]
        acts += [Act("label", outcome.number, name) for name in missed]
        if len(acts) >= CORRECTIONS:
            say(f"   {count} issues opened, {CORRECTIONS} labels to be corrected")
            return acts[:CORRECTIONS], count
    raise DidNotHappen(f"{CORRECTIONS} corrections: there are {len(acts)}")


def correct(
    product: Product, demo: Demo, given: Corrections, acts: Sequence[Act]
) -> dict[str, Any]:
    """Make the corrections, the last one once the others were looked at; what came of them."""
    github, row = demo.github, demo.repository
    first = demo.registry.current(row.id)
    for act in acts[:-1]:
        make(demo, act)
    with ExitStack() as stack:
        client = stack.enter_context(httpx.Client(timeout=LIMIT))
        sender = Sender(github, demo.server.url, last_payload(github))
        label_late(demo, sender, client, given.late)
        demo.server.wait_for("the first corrections are looked at", lambda: looked(demo), LIMIT)
        if demo.registry.current(row.id) != first:
            raise DidNotHappen(f"{len(acts) - 1} corrections bring no training")
        stack.enter_context(sender.going_on())
        make(demo, acts[-1])
        delivered, load = time.time(), os.getloadavg()[0]
        used = machine.CpuSeconds(product.home)

        def over() -> Training | None:
            used.look()
            return ended(demo, delivered)

        training = demo.server.wait_for("a verdict", over, LIMIT)
    assert training is not None and training.ended_at is not None
    return {
        "late": len(given.late),
        "load": round(load, 2),
        "seconds": phases(training, delivered),
        "training_cpu_seconds": round(used.seconds, 1),
        "answers": times(sender.answers, delivered, training.ended_at),
        "published": training.state == "published",
        "gate": verdict(demo),
    }


def make(demo: Demo, act: Act) -> None:
    """Have the maintainer do it; returns once the webhook was answered."""
    control = demo.github.control
    getattr(control, act.action)(demo.sample.full_name, act.number, act.label, by=MAINTAINER)
    if not control.drain():
        raise DidNotHappen(f"the webhook about #{act.number} is answered")


def last_payload(github: StandIn) -> dict[str, Any]:
    """The newest `issues` webhook that the stand-in sent."""
    sent = [each for each in github.state.deliveries if each.event == "issues"]
    found: dict[str, Any] = json.loads(sent[-1].body)
    return found


def label_late(
    demo: Demo, sender: Sender, client: httpx.Client, rows: Sequence[dict[str, Any]]
) -> None:
    """Have the maintainer label issues of the history: the stand-in does not know these."""
    control = demo.github.control
    by_label = {label["name"]: label for label in control.labels(demo.sample.full_name)}
    for row in rows:
        label = by_label[row["labels"][0]["name"]]
        answer = sender.post(client, sender.labeled(row, label, from_epoch(time.time())))
        if answer.status != 202:
            raise DidNotHappen(f"the webhook about #{row['number']} is taken: {answer.status}")


def looked(demo: Demo) -> bool:
    """Whether no look back waits that a correction asked for."""
    jobs = demo.store.jobs.list(kind="review")
    asked = [job for job in jobs if job.payload.get("trigger") == "corrections"]
    return bool(asked) and all(job.state == "done" for job in asked) and not demo.busy()


def ended(demo: Demo, since: float) -> Training | None:
    """The training that began since then (epoch seconds), once it has ended."""
    newest = demo.store.trainings.newest(demo.repository.id, 1)
    over = [each for each in newest if each.started_at >= since and not each.is_live]
    return over[0] if over else None


def phases(training: Training, delivered: float) -> dict[str, float]:
    """Where the seconds went from the delivery of the last correction on."""
    assert training.launched_at is not None and training.ended_at is not None
    return {
        "until it was looked at": round(training.started_at - delivered, 1),
        "snapshot": round(training.launched_at - training.started_at, 1),
        "training, gate, publishing": round(training.ended_at - training.launched_at, 1),
        "all": round(training.ended_at - delivered, 1),
    }


def verdict(demo: Demo) -> dict[str, Any]:
    """What the gate said of the newest version."""
    row = demo.repository
    gated = demo.store.gates.get(row.id, demo.registry.list(row.id)[-1].name)
    assert gated is not None
    found = gated.report["champion"]
    return {
        "passed": gated.passed,
        "reason": gated.reason,
        "how": found["how"],
        "judged": found["n"],
        "micro_f1_before": found["rival"],
        "micro_f1": found["challenger"],
    }


def judged(product: Product, rows: Sequence[dict[str, Any]]) -> float:
    """Micro F1 of the version in force on issues that it has not seen, applied and suggested."""
    source, target = product.home / "rest.jsonl", product.home / "rest-predicted.jsonl"
    texts = [{"title": row["title"], "body": row["body"]} for row in rows]
    source.write_text("".join(json.dumps(text) + "\n" for text in texts), "utf-8")
    product.run("predict", common.REPOSITORY, "--batch", str(source), "--out", str(target))
    lines = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    names = list(lines[0]["scores"])
    shown = [[name in {*x["apply"], *x["suggest"]} for name in names] for x in lines]
    truth = [[name in {x["name"] for x in row["labels"]} for name in names] for row in rows]
    return micro_f1(np.array(truth), np.array(shown))


def show(figures: dict[str, Any]) -> None:
    """Print the tables."""
    rows = [(name, f"{seconds:.1f}") for name, seconds in figures["seconds"].items()]
    title = (
        f"From the {CORRECTIONS}th correction to the version in force, {figures['labeled']} labeled"
        f" issues, {figures['late']} older ones labeled late, load {figures['load']};"
        f" asked for: under {ASKED:g} s"
    )
    common.table(title, ("", "seconds"), rows)
    print(f"the training's own processor time: {figures['training_cpu_seconds']} s")
    answers = figures["answers"]
    common.table("Webhooks meanwhile", tuple(answers), [tuple(answers.values())])
    gate, newest = figures["gate"], figures["newest"]
    scores = [
        (f"gate, newest {gate['judged']}", gate["micro_f1_before"], gate["micro_f1"]),
        (
            f"as deployed, {newest['issues']} issues that follow",
            newest["micro_f1_before"],
            newest["micro_f1"],
        ),
    ]
    common.table("", ("micro F1", "before", "after"), scores)
    kept = "published" if figures["published"] else "not published"
    print(f"{kept}: {gate['reason']}; {gate['how']}")


if __name__ == "__main__":
    sys.exit(main())
