"""Learning curves: F1 by the number of labeled issues, one line a method, as SVG and PNG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.methods.table import Row
from training.results import Comparison, Line, Point

PANELS = (("micro_f1", "Micro F1"), ("macro_f1", "Macro F1"))
SIZE, DOTS = (15.0, 6.4), 160
INK, FAINT = "#1f2328", "#8c959f"
COLOURS = {
    "naive_bayes": "#6e7781",
    "augmented": "#b08968",
    "nli": "#c77dba",
    "similarity": "#9b5de5",
    "cloze": "#d6336c",
    "nearest": "#4ea8de",
    "frozen": "#1d4ed8",
    "finetuned": "#e85d04",
    "contrastive": "#d4a106",
    "meta": "#70a83b",
    "uda": "#0f9d8a",
    "ust": "#1b6e3c",
    "auto": INK,
}
CLOSEST = 0.033
"""Between two names, as a share of a panel's height."""
SAME_PLACE = 1.3
"""Slices of less than this ratio share one tick."""


def learning_curves(comparison: Comparison, out: Path) -> list[Path]:
    """Draw both panels to `out/NAME.svg` and `.png`; the files. The axis is logarithmic.

    A solid line starts from the adapted encoder, a dashed one from the vanilla encoder, a dotted
    one needs none. The band is the standard deviation over seeds.
    """
    lines = [line for line in comparison.lines if line.points()]
    # No date and no random ids: the same results give the same file.
    with matplotlib.rc_context({"svg.hashsalt": comparison.name, "font.size": 9}):
        figure = Figure(figsize=SIZE)
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, 2, gridspec_kw={"wspace": 0.72})
        figure.subplots_adjust(left=0.042, right=0.822, top=0.86, bottom=0.10)
        for axes, (key, title) in zip(panels, PANELS, strict=True):
            _panel(axes, lines, key, title)
        _heading(figure, comparison)
        paths = [out / f"{comparison.name}.{kind}" for kind in ("svg", "png")]
        figure.savefig(paths[0], metadata={"Date": None})
        figure.savefig(paths[1], dpi=DOTS)
    return paths


def _panel(axes: Axes, lines: Sequence[Line], key: str, title: str) -> None:
    ends = []
    for line in sorted(lines, key=lambda line: line.row.family == "choice"):
        points = list(line.points().values())
        ends.append((line, points[-1].issues, _draw(axes, line.row, points, key)))
    axes.set_xscale("log", base=2)
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.set_xlabel("labeled issues", color=INK)
    axes.grid(axis="y", color="#d8dee4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.02, y=0.04)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, length=3)
    _ticks(axes, sorted({(p.issues, str(s)) for x in lines for s, p in x.points().items()}))
    _names(axes, ends)


def _draw(axes: Axes, row: Row, points: Sequence[Point], key: str) -> float:
    """One line with its band; where it ends."""
    x = [point.issues for point in points]
    spreads = [getattr(point, key) for point in points]
    y = [spread.mean for spread in spreads]
    ours = row.family == "choice"
    low = [spread.mean - spread.sd for spread in spreads]
    high = [spread.mean + spread.sd for spread in spreads]
    axes.fill_between(x, low, high, color=COLOURS[row.method], alpha=0.10, linewidth=0)
    if ours:
        axes.plot(x, y, color="white", linewidth=5.5, zorder=3)
    axes.plot(x, y, linewidth=2.8 if ours else 1.5, zorder=4 if ours else 2, **_look(row))
    return float(y[-1])


def _look(row: Row) -> dict[str, Any]:
    """Colour by method, line by where it starts from."""
    colour = COLOURS[row.method]
    solid = row.encoder and row.space != "vanilla"
    return {
        "color": colour,
        "linestyle": "-" if solid else ("--" if row.encoder else ":"),
        "marker": "o",
        "markersize": 5.5 if row.family == "choice" else 4,
        "markerfacecolor": colour if solid else "white",
        "markeredgecolor": colour,
    }


def _ticks(axes: Axes, sizes: Sequence[tuple[int, str]]) -> None:
    """A tick at each slice; one that the next one almost touches is named with it."""
    names: list[str] = []
    for i, (issues, size) in enumerate(sizes):
        name = f"all {issues:,}" if size == "all" else size
        near = i > 0 and issues < SAME_PLACE * sizes[i - 1][0]
        names.append(f"{names.pop()}, {name}" if near else name)
        if near:
            names.insert(-1, "")
    axes.set_xticks([issues for issues, _ in sizes], names)
    axes.minorticks_off()


def _names(axes: Axes, ends: Sequence[tuple[Line, int, float]]) -> None:
    """Each line's name at its height right of the panel, moved where it would cover another."""
    ends = sorted(ends, key=lambda end: end[2])
    inside = axes.transData + axes.transAxes.inverted()
    starts = [inside.transform((x, value)) for _, x, value in ends]
    places = apart([height for _, height in starts], CLOSEST, highest=1.0)
    for (line, _, value), (x, y), place in zip(ends, starts, places, strict=True):
        colour = COLOURS[line.row.method]
        axes.plot(
            [x + 0.012, 1.05],
            [y, place],
            transform=axes.transAxes,
            clip_on=False,
            color=colour,
            linewidth=0.6,
            alpha=0.6,
        )
        axes.text(
            1.055,
            place,
            f"{value:.3f}  {line.title}",
            transform=axes.transAxes,
            va="center",
            fontsize=8.2,
            color=colour,
            fontweight="bold" if line.row.family == "choice" else "normal",
        )


def apart(values: Sequence[float], gap: float, *, highest: float = math.inf) -> list[float]:
    """Ascending values moved as little as needed for neighbours to be `gap` apart, and none to be
    over the `highest`.

    Neighbours that would meet become one block around their mean (pool adjacent violators).
    """
    blocks: list[list[float]] = []  # [how many, the mean of where their first would begin]
    for i, value in enumerate(values):
        blocks.append([1, value - i * gap])
        while len(blocks) > 1 and blocks[-2][1] > blocks[-1][1]:
            count, start = blocks.pop()
            total = blocks[-1][0] + count
            blocks[-1] = [total, (blocks[-1][0] * blocks[-1][1] + count * start) / total]
    last = highest - (len(values) - 1) * gap
    starts = [min(start, last) for count, start in blocks for _ in range(int(count))]
    return [start + i * gap for i, start in enumerate(starts)]


def _heading(figure: Figure, comparison: Comparison) -> None:
    facts = comparison.facts
    what = f"{facts['test']} test issues, {len(facts['labels'])} labels"
    if facts["repositories"] > 1:
        what += f", {facts['repositories']} repositories, labeled issues of each"
    figure.text(0.045, 0.955, comparison.dataset, fontsize=13, fontweight="bold", color=INK)
    figure.text(
        0.045,
        0.92,
        f"{what}.  Solid: adapted encoder, dashed: vanilla, dotted: none."
        "  Band: standard deviation over seeds.",
        fontsize=9,
        color=FAINT,
    )
