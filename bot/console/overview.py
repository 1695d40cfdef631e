"""The first page: every repository that one may see, and what happened last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request

from bot.alarms import worst
from bot.console.access import roles, visible
from bot.console.desk import Desk, desk
from bot.console.people import Person, person
from bot.policy import effective_mode
from bot.repo_config import RepoConfig
from bot.store.overview import Counted
from bot.survey import survey

if TYPE_CHECKING:
    from flask.sansio.blueprints import BlueprintSetupState

    from bot.store.rows import Decision, Repository

routes = Blueprint("overview", __name__)
PER_PAGE = 30
RECENT = 15
_LAST, _DIGITS = 1_000_000, 9
DAYS = 30
A_MOMENT = 5.0
"""Seconds for which the figures of all repositories are not counted again."""

TABS = (
    ("", "Labels"),
    ("/review", "Review"),
    ("/issues", "Issues"),
    ("/models", "Models"),
    ("/report", "Replay report"),
    ("/try", "Try it"),
    ("/configuration", "Configuration"),
    ("/undo", "Undo"),
    ("/export", "Exports"),
)
"""The pages about one repository: where each is below it, and its name."""
MENU = (
    ("/trainings", "Trainings", False),
    ("/jobs", "Jobs", True),
    ("/encoders", "Encoders", True),
    ("/checks", "Checks", True),
    ("/tokens", "Tokens", False),
)
"""The pages about the server: where, their name, and whether only operators have them."""


@routes.record
def _everywhere(state: BlueprintSetupState) -> None:
    """What every template knows; macros see no more than this."""
    state.app.jinja_env.globals |= {
        "tabs": TABS,
        "pages": MENU,
        "version_of_ours": version("labelwright"),
    }


@routes.get("/")
def page() -> str:
    """The list, filtered by name, and the newest decisions; `part` asks for a piece alone."""
    at, who = desk(), person()
    every = visible(at, who)
    parts = {"figures": _figures, "activity": _activity}
    part = request.args.get("part", "")
    if part in parts:
        return render_template(f"console/overview_{part}.html", **parts[part](at, every))
    wanted = request.args.get("q", "").strip()
    found = [row for row in every if wanted.casefold() in row.full_name.casefold()]
    number = page_number()
    return render_template(
        "console/overview.html",
        **_figures(at, every),
        **_activity(at, every),
        rows=_rows(at, who, found[(number - 1) * PER_PAGE : number * PER_PAGE]),
        q=wanted,
        page=number,
        more=len(found) > number * PER_PAGE,
    )


def all_counted(at: Desk) -> dict[int, Counted]:
    """The figures of all repositories, of a moment ago."""
    ids = [row.id for row in at.store.repositories.all()]
    return at.kept.get("counted", A_MOMENT, lambda: at.store.overview.counted(ids))


def _figures(at: Desk, every: Sequence[Repository]) -> dict[str, Any]:
    counted = all_counted(at)
    states = at.kept.get("survey", A_MOMENT, lambda: survey(at.settings, at.store, now=at.now()))
    counts = at.kept.get("jobs", A_MOMENT, at.store.jobs.counts)
    return {
        "totals": _totals([counted.get(row.id, Counted()) for row in every]),
        "waiting": sum(n for (_, state), n in counts.items() if state == "waiting"),
        "worst": worst(states),
        "troubles": sum(state.severity != "ok" for state in states),
    }


def page_number() -> int:
    """Which page of a list is asked for, from 1; what is no number is the first."""
    given = request.args.get("page", "1")
    if not given.isdecimal():
        return 1
    return min(max(int(given[:_DIGITS]), 1), _LAST) if len(given) <= _DIGITS else _LAST


@dataclass(frozen=True)
class Row:
    """A repository in the list."""

    full_name: str
    private: bool
    mode: str
    issues: int
    applied: int
    precision: float | None
    coverage: float | None
    history: Sequence[float | None]
    version: str | None
    decided_at: float | None
    replayed: Mapping[str, Any] | None
    may_switch: bool


def _rows(at: Desk, who: Person, shown: Sequence[Repository]) -> list[Row]:
    known = all_counted(at)
    counted = {row.id: known.get(row.id, Counted()) for row in shown}
    ids = [row.id for row in shown]
    histories = at.store.overview.precisions(ids, DAYS)
    replayed = at.store.overview.replayed(ids)
    held = roles(at, who)
    return [
        Row(
            row.full_name,
            row.private,
            effective_mode(RepoConfig.from_dict(row.config), row.mode),
            counted[row.id].issues,
            counted[row.id].applied,
            counted[row.id].precision,
            counted[row.id].coverage,
            histories.get(row.id, ()),
            at.registry.current(row.id),
            counted[row.id].decided_at,
            replayed.get(row.id),
            held.get(row.id) in ("maintain", "admin"),
        )
        for row in shown
    ]


def _totals(counted: Sequence[Counted]) -> dict[str, Any]:
    together = Counted(
        right=sum(x.right for x in counted),
        judged=sum(x.judged for x in counted),
        missed=_sum(x.missed for x in counted),
    )
    return {
        "repositories": len(counted),
        "issues": sum(x.issues for x in counted),
        "labeled": sum(x.applied for x in counted),
        "judged": together.judged,
        "precision": together.precision,
        "coverage": together.coverage,
    }


def _activity(at: Desk, seen: Sequence[Repository]) -> dict[str, Any]:
    names = {row.id: row.full_name for row in seen}
    found = at.store.overview.recent(list(names), RECENT)
    colors = {
        id: {label.name: label.color for label in at.store.labels.all(id)}
        for id in {each.repository_id for each in found}
    }
    activity = [
        {
            "full_name": names[each.repository_id],
            "number": each.number,
            "at": each.at,
            "applied": labels_of(each, "apply"),
            "suggested": labels_of(each, "suggest"),
            "colors": colors[each.repository_id],
        }
        for each in found
    ]
    return {"activity": activity}


def labels_of(decision: Decision, verdict: str) -> list[str]:
    """The labels to which a decision gave a verdict (`apply`, `suggest`, `none`)."""
    return [str(each["label"]) for each in decision.verdicts if each.get("verdict") == verdict]


def _sum(counts: Iterable[int | None]) -> int | None:
    """The sum of what is known; None where nothing is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
