"""Reports and a version in force, as the worker leaves them for the console to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.store.reports import Kind, Report
from models import bundle
from models.labels import LabelRule, LabelSet
from models.registry import Registry
from tests.bot.console.world import NOW, Console
from tests.models.builders import make_bundle

TARGETS = [round(0.5 + i / 100, 2) for i in range(50)]
FIRST, LAST = "2026-01-03T12:00:00Z", "2026-05-20T12:00:00Z"


def keep(console: Console, kind: Kind, body: dict[str, Any], version: str = "0001-abcdabcd") -> str:
    """Keep a report of a version; returns the version's name."""
    row = console.repository()
    report = Report(row.id, kind, version, NOW - 60.0, {"version": version, **body})
    console.store.reports.keep(report)
    return version


def publish(console: Console) -> str:
    """A version for acme/rocket whose model applies `bug` and suggests `docs`; knows no other."""
    row = console.repository()
    ids = {label.name: label.id for label in console.store.labels.all(row.id)}
    rules = (
        LabelRule("bug", ids["bug"], apply_at=0.8, suggest_at=0.4, support=90, why="96 of 100"),
        LabelRule("docs", ids["docs"], suggest_at=0.3, support=9, why="too few examples"),
    )
    measured = {"bug": {"precision": 0.9, "recall": 0.7, "f1": 0.79, "support": 31}}
    made = make_bundle(repository=row.id)
    folder = console.settings.home / "made"
    filled = replace(
        made,
        labels=LabelSet((*rules, LabelRule("area/ui", ids["area/ui"])), 0.9),
        metrics={"micro_f1": 0.5, "labels": measured},
    )
    bundle.write(folder, filled)
    return Registry(console.settings.models).publish(row.id, folder)


def curves(**changed: Any) -> dict[str, Any]:
    """A report `curves` over two labels: the higher the target, the fewer labels."""
    ramp = [round(1 - i / 100, 2) for i in range(50)]
    count = list(range(100, 50, -1))
    label = {
        "id": None, "support": 90, "target": 0.9, "apply_at": 0.8, "suggest_at": 0.4,
        "mode": "apply", "why": "", "held": None, "holdout": None, "belong": 60,
        "at": [None if i > 45 else i / 50 for i in range(50)], "precision": TARGETS,
        "coverage": ramp, "applied": count, "right": count,
    }  # fmt: skip
    figures = {"precision": 0.91, "coverage": 0.5, "applied": 80, "right": 73, "labels": 1,
               "labeled": 70, "labeled_a_month": 21.5}  # fmt: skip
    pair = {"true": "docs", "predicted": "bug", "count": 7, "share": 0.25}
    return {
        "problem": None, "recipe": "head", "time_ordered": True, "issues": 240, "from": FIRST,
        "to": LAST, "target": 0.9, "issues_a_month": 44.0, "targets": TARGETS,
        "overall": {
            "precision": TARGETS, "coverage": ramp, "applied": count, "right": count,
            "labels": [2 - i // 30 for i in range(50)], "labeled": count,
            "labeled_a_month": [float(60 - i) for i in range(50)],
        },
        "now": figures,
        "labels": [label | {"name": "bug"}, label | {"name": "docs", "held": "it is sensitive"}],
        "confusion": {"labels": ["bug", "docs"], "counts": [[50, 2], [7, 21]], "pairs": [pair]},
        "calibration": {"bins": [], "error": None},
        "learning": {
            "blocks": [
                {"issues": n, "n": 40, "from": FIRST, "to": LAST, "micro_f1": n / 400,
                 "precision": 0.8, "recall": 0.6} for n in (100, 200, 300)
            ],
            "versions": [],
        },
        **changed,
    }  # fmt: skip


def replay(**changed: Any) -> dict[str, Any]:
    """A report `replay` of three issues, of which #3 got a wrong label."""
    rows = [_row(3, labels=["docs"], wrong=["bug"]), _row(2, labels=["bug"], right=["bug"]),
            _row(1, labels=["bug"], right=["bug"])]  # fmt: skip
    bug = {"name": "bug", "id": None, "applied": 3, "right": 2, "wrong": 1, "belong": 2,
           "missed": 0, "precision": 2 / 3, "coverage": 1.0, "right_in": [2, 1], "wrong_in": [3],
           "missed_in": []}  # fmt: skip
    month = {"month": "2026-05", "issues": 3, "applied": 3, "right": 2, "belong": 3,
             "precision": 2 / 3, "coverage": 2 / 3}  # fmt: skip
    return {
        "problem": None, "recipe": "head", "past_only": True,
        "method": "Each issue was scored by a model that had learned only from older ones.",
        "wanted": 500, "issues": 3, "fewer": "only three issues are labeled", "evidence": 100,
        "from": FIRST, "to": LAST, "applied": 3, "right": 2, "wrong": 1, "belong": 3,
        "suggested": 4, "labeled": 3, "precision": 2 / 3, "coverage": 2 / 3,
        "shown_precision": 0.5, "shown_recall": 0.75, "labels": [bug], "months": [month],
        "rows": rows, **changed,
    }  # fmt: skip


def _row(
    number: int, *, labels: list[str], right: Sequence[str] = (), wrong: Sequence[str] = ()
) -> dict[str, Any]:
    given = {"right": [*right], "wrong": [*wrong], "apply": [*right, *wrong]}
    return {"number": number, "created_at": LAST, "labels": labels, "suggest": [], **given}
