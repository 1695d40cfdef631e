"""Replay huggingface/datasets from its first issue on, with the loop and without.

    python -m benchmarks.simulate

In a temporary home: an import, then `labelwright simulate --json`, a cold start with zero-shot
suggestions. Nothing is known of an issue's labels until a week after its opening.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import common, machine
from benchmarks.holdout import timed
from demo.product import Product

ASKED = (
    ("precision of applied labels", ">= 0.92"),
    ("precision over the newest fifth", ">= 0.90"),
    ("coverage", ">= 0.45"),
    ("coverage, times that of the frozen model", ">= 1.25"),
    ("seconds", "< 900"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; the exit status."""
    args = common.parser(__spec__.name, __doc__).parse_args(argv)
    path = common.file_or_skip(args.data, common.ISSUES)
    facts = machine.describe()
    with tempfile.TemporaryDirectory(prefix="labelwright-simulate-") as folder:
        product = Product(Path(folder))
        product.run("import", str(path), "--repo", common.REPOSITORY)
        report = Path(folder) / "report"
        options = ("--json", "--out", str(report))
        figures, seconds = timed(product, "simulate", common.REPOSITORY, *options)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        for kind in ("svg", "png"):
            shutil.copyfile(report / f"curve.{kind}", args.out.with_suffix(f".{kind}"))
    show(figures, seconds)
    common.finish(args.out, {"simulation": figures, "command": seconds}, facts)
    return 0


def show(figures: dict[str, Any], seconds: dict[str, float]) -> None:
    """Print the tables."""
    frozen, newest = figures["frozen"], figures["newest"]
    measured = (
        figures["precision"],
        newest["precision"],
        figures["coverage"],
        ratio(figures["coverage"], frozen["coverage"]),
        seconds["seconds"],
    )
    title = (
        f"{figures['issues']} issues, {figures['labeled']} labeled by people;"
        f" {figures['retrainings']} trainings; {seconds['cpu_seconds']} CPU seconds"
    )
    print(title)
    rows = [(what, bar, value) for (what, bar), value in zip(ASKED, measured, strict=True)]
    common.table("", ("", "asked for", "measured"), rows)
    keys = ("precision", "coverage", "recall", "applied")
    parts = (
        ("with the loop", figures),
        ("its newest fifth", newest),
        (f"frozen after {frozen['labeled']} labeled issues", frozen),
        ("its newest fifth", frozen["newest"]),
        ("the same, no label held back", frozen["without_demotion"]),
    )
    table = [(name, *(part[key] for key in keys)) for name, part in parts]
    common.table("", ("", "precision", "coverage", "recall", "labels applied"), table)
    silent = figures["unlabeled"]
    print(
        f"{silent['issues']} issues that people never labeled:"
        f" {silent['applied']} labels on {silent['with_applied']} of them"
    )


def ratio(one: float | None, other: float | None) -> float | None:
    """How many times the other; None where there is nothing to compare with."""
    return one / other if one is not None and other else None


if __name__ == "__main__":
    sys.exit(main())
