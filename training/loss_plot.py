"""A training's losses as a picture: training and validation over steps, phase by phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

Entries = Sequence[Mapping[str, Any]]
INK, PALE, TRAIN, VALID = "#24292f", "#8c959f", "#9ec5e8", "#c2410c"
SIZE, DPI = (7.2, 4.0), 160


def loss_curve(history: Entries, path: Path) -> None:
    """Draw the masked-language loss over updates, as `path`.svg and `path`.png.

    `history` are log entries with "step": "masked" or "loss" of training, "eval_loss" of
    validation, "phase" where there are several. The same history gives the same SVG.
    """
    figure = Figure(figsize=SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _phases(axes, history)
    _line(axes, _points(history, "masked", "loss"), "training", TRAIN, marker="")
    validation = _points(history, "eval_loss")
    _line(axes, validation, "validation, fixed masks", VALID, marker="o")
    if validation:
        _name_last(axes, validation)
    _style(axes)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=9, labelcolor=INK)
    last = max((float(entry["step"]) for entry in history if "step" in entry), default=0.0)
    axes.set_xlim(-0.02 * max(last, 1), 1.04 * max(last, 1))
    with rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=DPI, metadata={"Software": None})


def _points(history: Entries, *keys: str) -> list[tuple[float, float]]:
    """(step, value) of each entry that has one of the keys, the first of them."""
    found = []
    for entry in history:
        key = next((key for key in keys if key in entry), None)
        if key and "step" in entry:
            found.append((float(entry["step"]), float(entry[key])))
    return found


def _line(
    axes: Axes, points: Sequence[tuple[float, float]], name: str, colour: str, marker: str
) -> None:
    if points:
        steps, values = zip(*points, strict=True)
        width = 2.0 if marker else 1.6
        axes.plot(steps, values, color=colour, label=name, marker=marker, markersize=5, lw=width)


def _name_last(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    step, value = points[-1]
    axes.annotate(
        f"{value:.2f}",
        (step, value),
        xytext=(0, 8),
        textcoords="offset points",
        ha="center",
        color=VALID,
        fontsize=9,
    )


def _phases(axes: Axes, history: Entries) -> None:
    """A thin line where a phase begins, with its name beside it."""
    stepped = [entry for entry in history if "step" in entry and "phase" in entry]
    start = 0.0
    for name, entries in groupby(stepped, key=lambda entry: str(entry["phase"])):
        end = max(float(entry["step"]) for entry in entries)
        if start:
            axes.axvline(start, color=PALE, lw=0.8, ls=(0, (4, 3)), zorder=0)
        axes.annotate(
            name,
            (start, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, -4),
            textcoords="offset points",
            va="top",
            color=PALE,
            fontsize=9,
        )
        start = end


def _style(axes: Axes) -> None:
    axes.set_xlabel("updates", color=INK)
    axes.set_ylabel("masked-language loss (nats)", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color="#eaeef2", lw=0.8)
    axes.set_axisbelow(True)
    axes.margins(y=0.12)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE)
    axes.tick_params(colors=INK, labelsize=9)
