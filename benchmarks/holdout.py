"""Import, train and evaluate on huggingface/datasets with the real command line.

    python -m benchmarks.holdout

In a temporary home: an import, the same again, a training from nothing with its peak memory, and
one that finds every vector cached. The figures are those that `train --json` prints.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import common, machine
from demo.product import Product


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; the exit status."""
    args = common.parser(__spec__.name, __doc__).parse_args(argv)
    path = common.file_or_skip(args.data, common.ISSUES)
    facts = machine.describe()
    with tempfile.TemporaryDirectory(prefix="labelwright-holdout-") as folder:
        figures = measure(Product(Path(folder)), path)
    show(figures)
    common.finish(args.out, figures, facts)
    return 0


def measure(product: Product, path: Path) -> dict[str, Any]:
    """Run the commands; the seconds are those of the whole command, from start to exit.

    CPU seconds are of all its processes: beside them, the load of the machine can be told apart.
    """
    command = ("import", str(path), "--repo", common.REPOSITORY, "--json")
    first, first_time = timed(product, *command)
    again, again_time = timed(product, *command)
    with machine.PeakMemory() as memory:
        fresh, fresh_time = timed(product, "train", common.REPOSITORY, "--json")
    cached, cached_time = timed(product, "train", common.REPOSITORY, "--json")
    return {
        "import": first | first_time,
        "import again": again | again_time,
        "train": {**fresh_time, "peak_rss_mb": round(memory.peak / 2**20)},
        "train again": cached_time,
        "same figures": same(fresh, cached),
        "metrics": fresh,
    }


def timed(product: Product, *arguments: str) -> tuple[dict[str, Any], dict[str, float]]:
    """What a command prints as JSON, with the seconds and the CPU seconds that it took."""
    began, used = time.perf_counter(), _cpu_seconds()
    printed = json.loads(product.read(*arguments))
    seconds = {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(_cpu_seconds() - used, 1),
    }
    return printed, seconds


def _cpu_seconds() -> float:
    """Of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two trainings on the same issues came to the same F1."""
    return all(one[key] == other[key] for key in ("micro_f1", "macro_f1", "n_train", "n_holdout"))


def show(figures: dict[str, Any]) -> None:
    """Print the tables."""
    metrics = figures["metrics"]
    changed = figures["import again"]["new"] + figures["import again"]["changed"]
    notes = {
        "import": f"{figures['import']['rows']} rows",
        "import again": f"{changed} changed",
        "train": f"peak {figures['train']['peak_rss_mb']} MB",
        "train again": "same figures" if figures["same figures"] else "other figures",
    }
    rows = [(k, figures[k]["seconds"], figures[k]["cpu_seconds"], v) for k, v in notes.items()]
    common.table("Commands", ("command", "seconds", "CPU seconds", ""), rows)
    span = metrics["intervals"]
    title = (
        f"Newest {metrics['n_holdout']} of {metrics['n_train'] + metrics['n_holdout']} labeled"
        f" issues, from {metrics['holdout_from']}; micro over {len(metrics['reported_labels'])}"
        f" labels, macro over {len(metrics['macro_labels'])}"
    )
    own = [_with_interval(span[key]) for key in ("micro_f1", "macro_f1")]
    rivals = [(k, v["micro_f1"], v["macro_f1"]) for k, v in metrics["baselines"].items()]
    common.table(title, ("all issues", "micro F1", "macro F1"), [("this version", *own), *rivals])
    plain = {k: v for k, v in metrics["without_template"].items() if k != "n_holdout"}
    n = metrics["without_template"]["n_holdout"]
    plain_rows = [(name, each["micro_f1"], each["macro_f1"]) for name, each in plain.items()]
    common.table("", (f"{n} issues without a template", "micro F1", "macro F1"), plain_rows)
    _show_applied(metrics)


def _show_applied(metrics: dict[str, Any]) -> None:
    live = metrics["prequential"]
    rows = [
        ("static thresholds", metrics["applied_precision"], metrics["applied_coverage"], ""),
        ("with live demotion", live["precision"], live["coverage"], live["decisions"]),
    ]
    common.table("", ("applied by itself, target 0.90", "precision", "coverage", "labels"), rows)
    print(f"calibration error {metrics['ece']:.4f}")


def _with_interval(each: dict[str, float]) -> str:
    return f"{each['value']:.3f} ({each['low']:.3f} to {each['high']:.3f})"


if __name__ == "__main__":
    sys.exit(main())
