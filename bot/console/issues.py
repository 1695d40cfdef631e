"""The issues of a repository, the newest first: their labels, and what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, render_template, request

from bot.console.access import find
from bot.console.desk import desk
from bot.console.overview import page_number
from bot.repo_config import RepoConfig
from bot.store.browsing import Filter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.store.rows import Label, Repository

routes = Blueprint("issues", __name__)
PER_PAGE = 50
LONGEST = 200
"""Characters that are looked for in a title."""
NO_LABEL = 0
"""No label has this id: what asks for an unknown one finds nothing."""
STATES = ("open", "closed")
DECIDED: Mapping[str, bool] = {"yes": True, "no": False}


@routes.get("/r/<owner>/<name>/issues")
def page(owner: str, name: str) -> str:
    """A page of the list, filtered."""
    at, row = desk(), find(owner, name)
    labels = at.store.labels.all(row.id)
    number, wanted = page_number(), _filter(row, labels)
    found = at.store.browsing.page(
        row.id, wanted, offset=(number - 1) * PER_PAGE, limit=PER_PAGE + 1
    )
    kept = {key: value for key, value in _asked().items() if value}
    return render_template(
        "console/issues.html",
        repository=row,
        issues=found[:PER_PAGE],
        more=len(found) > PER_PAGE,
        page=number,
        labels=labels,
        by_id={label.id: label for label in labels},
        colors={label.name: label.color for label in labels},
        asked=_asked(),
        filtered=bool(kept),
        query=f"?{urlencode(kept)}" if kept else "",
    )


def _asked() -> dict[str, str]:
    """The filters as they were sent; one that makes no sense is as if it were not there."""
    args = request.args
    return {
        "q": args.get("q", "").strip()[:LONGEST],
        "label": args.get("label", "")[:LONGEST],
        "state": args.get("state", "") if args.get("state") in STATES else "",
        "decided": args.get("decided", "") if args.get("decided") in DECIDED else "",
    }


def _filter(row: Repository, labels: list[Label]) -> Filter:
    asked = _asked()
    name = asked["label"].casefold()
    ids = {label.name.casefold(): label.id for label in labels}
    return Filter(
        text=asked["q"],
        label_id=ids.get(name, NO_LABEL) if name else None,
        state=asked["state"] or None,
        decided=DECIDED.get(asked["decided"]),
        pull_requests=RepoConfig.from_dict(row.config).pull_requests,
    )
