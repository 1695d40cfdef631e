"""From cells to a comparison: mean and spread over seeds, paired differences, JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy import stats

from training.cells import Cell
from training.grid import Field, Grid, in_order
from training.methods.table import ADAPTATION, BY_KEY, Row
from training.protocol import Size

BASELINE, CHOICE = "naive-bayes", "auto"
FEWEST_SEEDS = 3
"""From which on an interval is over seeds: of two, Student's t says next to nothing."""


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds; 0 of one seed."""

    mean: float
    sd: float
    seeds: int


@dataclass(frozen=True)
class Point:
    """A method at a slice. Costs are means over seeds; `issues` are of each repository."""

    issues: int
    micro_f1: Spread
    macro_f1: Spread
    seconds: float
    cpu_seconds: float
    speed: float | None
    peak_mb: float


@dataclass(frozen=True)
class Line:
    """A method from one encoder over all slices. `why` tells what it lacked where it has none."""

    row: Row
    encoder: str
    title: str
    cells: tuple[Cell, ...]

    @property
    def why(self) -> str:
        """The reason of a cell that was not run to its end, if there is one."""
        return next((f"{c.status}: {c.why}" for c in self.cells if c.status != "ok"), "")

    def finished(self, size: Size) -> dict[int, Cell]:
        """Its cells of a slice by seed."""
        return {c.place.seed: c for c in self.cells if c.place.size == size and c.status == "ok"}

    def points(self) -> dict[Size, Point]:
        """By slice, the smallest first."""
        sizes = {c.place.size for c in self.cells if c.status == "ok"}
        return {s: _point(list(self.finished(s).values())) for s in sorted(sizes, key=in_order)}


@dataclass(frozen=True)
class Difference:
    """One method minus another, paired over slices and seeds: mean micro F1 and its 95 % interval.

    The interval is Student's t, None of fewer than two values. A seed's slices are nested in one
    another, so from FEWEST_SEEDS seeds on each gives one value, its mean; of fewer seeds the pairs
    are the values, which makes the interval too narrow. `over` says which of the two it is. Pairs
    that learned from the same issues, whatever their seeds, are one pair, their mean.
    """

    what: str
    mean: float
    low: float | None
    high: float | None
    pairs: int
    seeds: int
    over: Literal["seeds", "pairs"]


@dataclass(frozen=True)
class Comparison:
    """Everything about one data set under one protocol. `facts` are about its parts."""

    protocol: str
    dataset: str
    facts: dict[str, Any]
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        """For files."""
        return f"{self.dataset}-{self.protocol}"

    def sizes(self) -> list[Size]:
        """The slices on which anything was finished."""
        return sorted({s for line in self.lines for s in line.points()}, key=in_order)

    def differences(self) -> list[Difference]:
        """Adapted minus vanilla, for the head on frozen vectors and for fine-tuning."""
        found = []
        for encoder in dict.fromkeys(line.encoder for line in self.lines):
            by_key = {line.row.key: line for line in self.lines if line.encoder == encoder}
            for vanilla, adapted in ADAPTATION:
                if vanilla in by_key and adapted in by_key:
                    one, other = by_key[adapted], by_key[vanilla]
                    made = paired(f"{one.title} − {other.title}", one, other, self.sizes())
                    found += [made] if made else []
        return found

    def choice(self) -> list[dict[str, Any]]:
        """At each slice: auto minus the best other row, and auto minus Naive Bayes, micro F1.

        Over the seeds that both have finished.
        """
        found = []
        rivals = [line for line in self.lines if line.row.key != CHOICE]
        for auto in (line for line in self.lines if line.row.key == CHOICE):
            for size in auto.points():
                gaps = [(gap, line) for line in rivals if (gap := _gaps(auto, line, size))]
                if gaps:
                    least, best = min(gaps, key=lambda each: np.mean(each[0]))
                    base = [gap for gap, line in gaps if line.row.key == BASELINE]
                    found.append(
                        {
                            "slice": size,
                            "best": best.title,
                            "minus_best": float(np.mean(least)),
                            "minus_baseline": float(np.mean(base[0])) if base else None,
                            "seeds": len(least),
                        }
                    )
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "protocol": self.protocol,
            "dataset": self.dataset,
            **self.facts,
            "rows": [
                {
                    "key": line.row.key,
                    "title": line.title,
                    "encoder": line.encoder,
                    "why": line.why,
                    "slices": {str(size): asdict(point) for size, point in line.points().items()},
                }
                for line in self.lines
            ],
            "differences": [asdict(each) for each in self.differences()],
            "auto": self.choice(),
        }


def compare(grid: Grid, cells: Sequence[Cell]) -> list[Comparison]:
    """The cells by data set and protocol, the lines in the table's order."""
    by_place: dict[tuple[str, str], dict[tuple[str, str], list[Cell]]] = {}
    for cell in cells:
        where = by_place.setdefault((cell.place.protocol, cell.place.dataset), defaultdict(list))
        where[cell.place.row, cell.place.encoder].append(cell)
    names = {start.version: start.name for start in grid.starts}
    made = []
    for field in grid.fields:
        found = by_place.get((field.protocol, field.dataset), {})
        order = sorted(
            found,
            key=lambda at: (
                list(BY_KEY).index(at[0]),
                list(names).index(at[1]) if at[1] in names else -1,
            ),
        )
        lines = tuple(_line(at, found[at], names) for at in order)
        if lines:
            made.append(
                Comparison(field.protocol, field.dataset, facts(field, found.values()), lines)
            )
    return made


def _line(at: tuple[str, str], cells: list[Cell], names: dict[str, str]) -> Line:
    row, encoder = BY_KEY[at[0]], at[1]
    several = len(names) > 1 and encoder in names
    title = f"{row.title} ({Path(names[encoder]).name})" if several else row.title
    return Line(row, encoder, title, tuple(cells))


def facts(field: Field, cells: Iterable[Sequence[Cell]]) -> dict[str, Any]:
    """What the figures are of: issues, labels, duplicates, and what macro F1 counts."""
    judged = [c.repositories for line in cells for c in line if c.status == "ok"]
    duplicates = [part.duplicates for part in field.parts]
    return {
        "repositories": len(field.parts),
        "in_time": all(part.pool.days.max() < part.test.days.max() for part in field.parts),
        "labels": sorted({name for part in field.parts for name in part.test.names}),
        "macro_labels": sorted(
            {x for each in judged[:1] for r in each.values() for x in r["macro_labels"]}
        ),
        "to_learn_from": sum(len(part.pool) for part in field.parts),
        "test": sum(len(part.test) for part in field.parts),
        "validation": sum(len(part.validation or ()) for part in field.parts),
        "unlabeled": sum(len(part.unlabeled) for part in field.parts),
        "duplicates_removed": {k: sum(d.get(k, 0) for d in duplicates) for k in duplicates[0]},
    }


def paired(what: str, one: Line, other: Line, sizes: Iterable[Size]) -> Difference | None:
    """`one` minus `other` over all slices and seeds that both have finished."""
    by_data: dict[tuple[Size, str], dict[int, float]] = defaultdict(dict)
    for size in sizes:
        mine, theirs = one.finished(size), other.finished(size)
        for seed in mine.keys() & theirs.keys():
            gap = mine[seed].micro_f1 - theirs[seed].micro_f1
            by_data[size, mine[seed].inputs["data"]][seed] = gap
    if not by_data:
        return None
    pairs = {at: float(np.mean(list(gaps.values()))) for at, gaps in by_data.items()}
    # What all seeds learn from, the whole pool, tells no seed from another.
    seeds = sorted({seed for gaps in by_data.values() if len(gaps) == 1 for seed in gaps})
    values = [
        float(np.mean([pairs[at] for at, gaps in by_data.items() if seed in gaps]))
        for seed in seeds
    ]
    by_seed = len(seeds) >= FEWEST_SEEDS
    values = values if by_seed else list(pairs.values())
    over: Literal["seeds", "pairs"] = "seeds" if by_seed else "pairs"
    count = len({seed for gaps in by_data.values() for seed in gaps})
    return Difference(what, float(np.mean(values)), *interval(values), len(pairs), count, over)


def _gaps(one: Line, other: Line, size: Size) -> list[float]:
    """`one` minus `other` at a slice, by seed."""
    mine, theirs = one.finished(size), other.finished(size)
    return [mine[seed].micro_f1 - theirs[seed].micro_f1 for seed in mine.keys() & theirs.keys()]


def interval(values: Any) -> tuple[float | None, float | None]:
    """The 95 % interval of a mean by Student's t; (None, None) of fewer than two values."""
    if len(values) < 2:
        return None, None
    reach = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values) - reach), float(np.mean(values) + reach)


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return Spread(float(np.mean(values)), sd, len(values))


def _point(cells: Sequence[Cell]) -> Point:
    def mean(get: Callable[[Cell], float]) -> float:
        return float(np.mean([get(cell) for cell in cells]))

    speeds = [cell.speed for cell in cells if cell.speed is not None]
    return Point(
        issues=cells[0].issues,
        micro_f1=spread([cell.micro_f1 for cell in cells]),
        macro_f1=spread([cell.macro_f1 for cell in cells]),
        seconds=mean(lambda cell: cell.seconds),
        cpu_seconds=mean(lambda cell: cell.cpu_seconds),
        speed=float(np.mean(speeds)) if speeds else None,
        peak_mb=mean(lambda cell: cell.peak_mb),
    )
