"""What the benchmarks share: where the data is, where results go, how tables look."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks import machine

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "var" / "benchmarks"
ISSUES = "huggingface-datasets-issues.jsonl.gz"
REPOSITORY = "huggingface/datasets"
_WIDE = 120


@dataclass(frozen=True)
class Figure:
    """One line of `docs/benchmarks.md`. `within`: whether it is what was asked; None: no bar."""

    what: str
    asked: str
    measured: str
    within: bool | None = None


def parser(module: str, about: str | None, *, data: bool = True) -> argparse.ArgumentParser:
    """The options that every benchmark has; `data`: whether it reads real issues."""
    name = module.rpartition(".")[2]
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    if data:
        made.add_argument("--data", type=Path, default=DATA, help="folder of the real issues")
    made.add_argument(
        "--out", type=Path, default=RESULTS / f"{name}.json", help="where the figures go as JSON"
    )
    return made


def file_or_skip(folder: Path, name: str) -> Path:
    """A file of the data; without it there is nothing to measure, which is no failure.

    Raises SystemExit with status 0.
    """
    path = folder / name
    if not path.is_file():
        print(f"skipped: {path} is not there (--data names the folder of the real issues)")
        sys.exit(0)
    return path


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a .jsonl.gz file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def finish(out: Path, figures: dict[str, Any], facts: dict[str, Any]) -> None:
    """Write the figures with the machine, and say where."""
    out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": facts, **figures}, indent=2, ensure_ascii=False)
    out.write_text(text + "\n", "utf-8")
    print(f"\n{machine.line(facts)}\nwritten to {out}")


def figures(title: str, found: Sequence[Figure]) -> list[dict[str, Any]]:
    """Print figures as a table and return them as JSON, for the key "figures" of `finish`."""
    said = {True: "yes", False: "NO", None: "-"}
    rows = [(each.what, each.asked, each.measured, said[each.within]) for each in found]
    table(title, ("", "asked", "measured", "within"), rows)
    return [asdict(each) for each in found]


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; the first column stands left, the others right."""
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    made = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for i, name in enumerate(columns):
        made.add_column(name, justify="right" if i else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(shown(cell)) for cell in row))
    console.print(made)


def shown(value: Any) -> str:
    """A cell: three digits for fractions, a dash for what is not there."""
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
