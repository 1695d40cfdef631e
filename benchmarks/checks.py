"""What must hold after the issues were opened: the same as `predict`, none lost, none twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.store import Store
    from demo.steps import Demo
    from demo.watching import Outcome

_NUMBER = re.compile(r"/\d+(?=/|$)")
_REPOSITORY = re.compile(r"^/repos/[^/]+/[^/]+")


def requests(log: Sequence[dict[str, Any]], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The requests that the issues cost, by kind; per labeled issue, those to the issues alone."""
    kinds = Counter(f"{entry['method']} {kind(entry['path'])}" for entry in log)
    labeled = sum(each.seconds is not None for each in outcomes)
    per_issue = _about_labeled(outcomes, log)
    return {
        "total": sum(kinds.values()),
        "kinds": dict(kinds.most_common()),
        "per_labeled_issue": per_issue / labeled if labeled else None,
    }


def judged(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many labels were applied, and how many of them the real issue has.

    Judged on the issues that have labels: nobody has looked at the others.
    """
    known = [each for each in outcomes if each.expected]
    applied = sum(len(each.applied) for each in known)
    return {
        "applied": sum(len(each.applied) for each in outcomes),
        "issues_with_labels": len(known),
        "applied_to_those": applied,
        "right": applied - sum(len(each.wrong) for each in known),
    }


def _about_labeled(outcomes: Sequence[Outcome], log: Sequence[dict[str, Any]]) -> int:
    labeled = {each.number for each in outcomes if each.seconds is not None}
    found = (re.search(r"/issues/(\d+)", entry["path"]) for entry in log)
    return sum(match is not None and int(match[1]) in labeled for match in found)


def kind(path: str) -> str:
    """A path without the names and numbers in it."""
    return _NUMBER.sub("/N", _REPOSITORY.sub("/repos/R", path))


def outcome_json(each: Outcome) -> dict[str, Any]:
    """An outcome without the issue's text."""
    return {
        "number": each.number,
        "applied": each.applied,
        "suggested": each.suggested,
        "expected": each.expected,
        "ms": None if each.seconds is None else round(each.seconds * 1000),
    }


def compare(
    store: Store, repository_id: int, predicted: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """Every label's probability and mode, as the server decided and as `predict` says."""
    compared, different = 0, []
    for line in predicted:
        decision = store.decisions.latest(repository_id, line["number"])
        own = {} if decision is None else {v["label"]: v for v in decision.verdicts}
        for label, probability in line["scores"].items():
            compared += 1
            verdict = own.get(label) or {"probability": None, "verdict": None}
            found = (verdict["probability"], verdict["verdict"])
            if found != (probability, mode(line, label)):
                different.append([line["number"], label, [probability, mode(line, label)], found])
    return {"compared": compared, "different": different}


def mode(line: dict[str, Any], label: str) -> str:
    """What a line of `predict --batch` says of a label, in the words of a decision."""
    applied = "apply" if label in line["apply"] else "none"
    return "suggest" if label in line["suggest"] else applied


def once(demo: Demo, numbers: Sequence[int]) -> dict[str, Any]:
    """Issues without a decision; those decided or labeled twice; what failed on the way."""
    store, row, control = demo.store, demo.repository, demo.github.control
    decisions = Counter(d.number for d in store.decisions.recent(row.id, 10 * len(numbers)))
    twice = [number for number in numbers if decisions[number] > 1]
    for number in numbers:
        added = Counter(name for act, name, _ in control.label_history(row.full_name, number))
        requests = len(demo.arrivals.of(row.full_name, number))
        if requests > 1 or any(count > 1 for count in added.values()):
            twice.append(number)
    failed = [d for d in control.deliveries() if d["status_code"] and d["status_code"] >= 300]
    return {
        "lost": [number for number in numbers if not decisions[number]],
        "twice": twice,
        "dead_jobs": [job.id for job in store.jobs.list(state="dead")],
        "failed_deliveries": len(failed),
    }
