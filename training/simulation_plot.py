"""A simulation as a picture: precision, coverage and recall, with and without the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Plain = Mapping[str, Any]

PANELS = (
    ("precision", "precision of labels applied"),
    ("coverage", "coverage: applied and right"),
    ("recall", "recall: applied or suggested"),
)
INK, PALE, LOOP, FROZEN = "#24292f", "#8c959f", "#1d4ed8", "#e85d04"
SIZE, DPI = (9.0, 8.4), 150
DATES = 7
"""Dates under the axis, at most."""


def draw(found: Plain, name: str, path: Path) -> list[Path]:
    """Draw the curve of a simulation's figures to `path`.svg and `path`.png; the files.

    Thick lines are over the newest issues, thin ones from the first issue on; a tick at the bottom
    is a new version. The same figures give the same SVG.
    """
    figure = Figure(figsize=SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(PANELS), 1, sharex=True)
    for axes, (key, title) in zip(panels, PANELS, strict=True):
        _panel(axes, found["curve"], key, title)
    target = float(found["target_precision"])
    panels[0].axhline(target, color=PALE, linewidth=1, linestyle=":", zorder=1)
    versions = [each["issues"] for each in found["versions"]]
    panels[-1].plot(versions, [0.0] * len(versions), "|", color=LOOP, markersize=9, clip_on=False)
    _dates(panels[-1], found["curve"])
    figure.suptitle(name, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside lower left",
        ncols=2,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )
    files = [path.with_suffix(f".{kind}") for kind in ("svg", "png")]
    with rc_context({"svg.hashsalt": path.name}):
        figure.savefig(files[0], metadata={"Date": None})
    figure.savefig(files[1], dpi=DPI, metadata={"Software": None})
    return files


def _panel(axes: Axes, curve: Sequence[Plain], key: str, title: str) -> None:
    for colour, who, points in (
        (FROZEN, "without the loop", [point["frozen"] for point in curve]),
        (LOOP, "with the loop", curve),
    ):
        at = [point["issues"] for point in curve]
        _line(axes, at, [point["recent"][key] for point in points], colour, f"{who}, recently", 2.2)
        _line(axes, at, [point[key] for point in points], colour, f"{who}, from the start", 0.9)
    axes.set_title(title, loc="left", fontsize=10.5, color=INK)
    axes.set_ylim(0, 1.02)
    axes.grid(axis="y", color="#d8dee4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, length=3, labelsize=9)


def _line(
    axes: Axes,
    at: Sequence[int],
    values: Sequence[float | None],
    colour: str,
    label: str,
    width: float,
) -> None:
    """A line with gaps where there is no figure yet."""
    there = [float("nan") if value is None else value for value in values]
    axes.plot(at, there, color=colour, linewidth=width, label=label)


def _dates(axes: Axes, curve: Sequence[Plain]) -> None:
    """How many issues there were, and when."""
    step = max(1, -(-len(curve) // DATES))
    chosen = curve[::-1][::step][::-1]
    names = [f"{point['issues']:,}\n{point['at'][:7]}" for point in chosen]
    axes.set_xticks([point["issues"] for point in chosen], names)
    axes.set_xlabel("issues opened", color=INK, fontsize=9.5)
