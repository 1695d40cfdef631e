"""What the demo prints: the table of issues, the figures, what to try next."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from bot.feedback import Feedback
    from demo.watching import Outcome


def table(outcomes: Sequence[Outcome]) -> Table:
    """One row an issue, in the order in which they were opened."""
    made = Table(title=f"{len(outcomes)} new issues", title_justify="left")
    made.add_column("#", justify="right")
    made.add_column("title", no_wrap=True, overflow="ellipsis", min_width=16)
    for name in ("applied", "suggested", "expected", "judged"):
        made.add_column(name, overflow="fold")
    made.add_column("ms", justify="right")
    for each in outcomes:
        cells = (each.applied, each.suggested, each.expected)
        made.add_row(
            str(each.number),
            Text(each.title[:44]),
            *(Text(", ".join(labels)) for labels in cells),
            mark(each),
            "-" if each.seconds is None else f"{each.seconds * 1000:.0f}",
        )
    return made


def mark(outcome: Outcome) -> Text:
    """Right or wrong, judged by what was applied."""
    if not outcome.applied:
        return Text("-", style="dim")
    if outcome.wrong:
        return Text(f"wrong: {', '.join(outcome.wrong)}", style="red")
    return Text("right", style="green")


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The run's figures: issues, labels applied and right, latencies in milliseconds."""
    applied = sum(len(each.applied) for each in outcomes)
    right = applied - sum(len(each.wrong) for each in outcomes)
    expected = sum(len(each.expected) for each in outcomes)
    times = sorted(each.seconds * 1000 for each in outcomes if each.seconds is not None)
    return {
        "issues": len(outcomes),
        "labeled": len(times),
        "applied": applied,
        "right": right,
        "expected": expected,
        "precision": right / applied if applied else None,
        "median_ms": quantile(times, 0.5),
        "p95_ms": quantile(times, 0.95),
    }


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that `share` of all do not exceed; None of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def figure_lines(found: Mapping[str, Any]) -> list[str]:
    """The figures in words."""
    if not found["applied"]:
        return [f"{found['issues']} issues opened, no label applied"]
    return [
        f"{found['issues']} issues opened, {found['labeled']} labeled;"
        f" {found['applied']} labels applied, {found['right']} of them right:"
        f" precision {found['precision']:.2f}, {found['right']} of {found['expected']} expected"
        " labels found",
        f"webhook to label: median {found['median_ms']:.0f} ms, 95 % {found['p95_ms']:.0f} ms",
    ]


def correction_line(said: Feedback) -> str:
    """The correction as the store holds it."""
    return (
        f"correction: #{said.number} {said.label} is a {said.kind} of version {said.version},"
        f" by {said.actor} at {said.at}"
    )


def phase_lines(seconds: Mapping[str, float]) -> list[str]:
    """How long each part took."""
    width = max(len(name) for name in seconds)
    return [f"{name:<{width}} {took:7.1f} s" for name, took in seconds.items()]


def curl(url: str, method: str, **arguments: Any) -> str:
    """One line for a shell that calls a control method of the stand-in."""
    kind = "Content-Type: application/json"
    words = ["curl", "-s", f"{url}/_control/{method}", "-H", kind, "-d", json.dumps(arguments)]
    return shlex.join(words)


@dataclass(frozen=True)
class Place:
    """Where everything is: addresses, and the home folder. `fresh` is the set-up of a second
    server."""

    github: str
    console: str
    fresh: str
    home: str


def next_lines(place: Place, full_name: str, number: int) -> list[str]:
    """Where everything is, and what to try; `number` is that of the next issue."""
    github, home = place.github, place.home
    title = "Thumbnails of RAW files are black since 1.6"
    body = "The log says: decode failed. JPEG is fine."
    return [
        f"the console                {place.console}  (sign in with GitHub, as maintainer)",
        f"a server to set up         {place.fresh}",
        f"the stand-in for GitHub    {github}",
        f"its home, with serve.log   {home}",
        "",
        "Open another issue:",
        f"  {curl(github, 'open_issue', full_name=full_name, title=title, body=body)}",
        "See its labels:",
        f"  {curl(github, 'labels_on', full_name=full_name, number=number)}",
        "See why:",
        f"  LABELWRIGHT_HOME={home} .venv/bin/labelwright predict {full_name}"
        f" --title {shlex.quote(title)} --body {shlex.quote(body)}",
        "",
        "Ctrl-C stops everything.",
    ]
