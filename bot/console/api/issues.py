"""Issues with what was decided about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, request

from bot.console.access import find
from bot.console.api.repositories import HERE
from bot.console.api.shapes import NUMBER, TEXT, page_of, ref, word
from bot.console.api.table import given, limit, number_in, one_of, operation
from bot.console.desk import desk
from bot.console.errors import BadInput
from bot.console.issue import DECISIONS, in_order, known, label_of, nearest
from bot.console.issue_history import happened
from bot.console.issues import DECIDED, LONGEST, STATES
from bot.console.people import person
from bot.console.teaching import Teacher
from bot.repo_config import RepoConfig
from bot.store.browsing import Filter
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.store.browsing import Listed
    from bot.store.rows import Decision, Label

_ONE = f"{HERE}/issues/{{number}}"
_VERDICT = ("label_id", "label", "probability", "verdict", "reason")


@operation(
    "GET",
    f"{HERE}/issues",
    "Issues, the newest first; `label` is the id of one, `q` a part of the title.",
    gives=page_of("IssueInList"),
    query={
        "cursor": NUMBER,
        "limit": NUMBER,
        "q": TEXT,
        "label": NUMBER,
        "state": word(*STATES),
        "decided": word(*DECIDED),
    },
)
def issues(owner: str, name: str) -> Response:
    """A page of the list. The cursor is the number of the last issue of the page before."""
    at, row = desk(), find(owner, name)
    most, names = limit(), {label.id: label for label in at.store.labels.all(row.id)}
    wanted = Filter(
        text=request.args.get("q", "").strip()[:LONGEST],
        label_id=number_in("label"),
        state=one_of("state", *STATES),
        decided=DECIDED.get(one_of("decided", *DECIDED) or ""),
        pull_requests=RepoConfig.from_dict(row.config).pull_requests,
        before=number_in("cursor"),
    )
    found = at.store.browsing.page(row.id, wanted, offset=0, limit=most + 1)
    shown = found[:most]
    return jsonify(
        items=[_in_list(each, names) for each in shown],
        next=str(shown[-1].number) if len(found) > most else None,
    )


@operation("GET", _ONE, "An issue: text, labels, the newest decision, history.", gives=ref("Issue"))
def issue(owner: str, name: str, number: int) -> Response:
    """The text is the one of now; one that was deleted is gone."""
    at, row = desk(), find(owner, name)
    found = known(at, row, number)
    names = {label.id: label for label in at.store.labels.all(row.id)}
    decisions = at.store.decisions.of_issue(row.id, number, DECISIONS)
    newest = decisions[0] if decisions else None
    history = happened(
        at.store.events.for_issue(row.id, number),
        decisions,
        at.store.answers.for_issue(row.id, number),
        {id: label.name for id, label in names.items()},
    )
    return jsonify(
        number=found.number,
        title=found.title,
        body=found.body,
        state=found.state,
        is_pull_request=found.is_pull_request,
        created_at=found.created_at or None,
        updated_at=found.updated_at or None,
        closed_at=found.closed_at,
        author=found.author_login,
        labels=_names(found.labels, names),
        decision=_decision(newest, nearest(at, row, newest)),
        history=[vars(line) | {"labels": list(line.labels)} for line in history],
    )


@operation(
    "POST",
    f"{_ONE}/answers",
    "Say whether a label belongs to an issue. It teaches; with a token GitHub is not told.",
    takes=ref("Answer"),
    gives=ref("Answer"),
    needs="triage",
)
def answer(owner: str, name: str, number: int) -> Response:
    """What the pages keep of those who did not sign in with GitHub."""
    at, row = desk(), find(owner, name, "triage")
    found, body = known(at, row, number), given()
    id, belongs = body.get("label_id"), body.get("belongs")
    if not isinstance(id, int) or not isinstance(belongs, bool):
        raise BadInput("`label_id` is a number, `belongs` true or false.")
    label = label_of(at, row, str(id))
    Teacher(at, person(), row, found).answer([(label, belongs)])
    return jsonify(label_id=label.id, belongs=belongs)


def _in_list(each: Listed, names: Mapping[int, Label]) -> dict[str, Any]:
    return {
        "number": each.number,
        "title": each.title,
        "state": each.state,
        "is_pull_request": each.is_pull_request,
        "created_at": each.created_at or None,
        "author": each.author_login,
        "labels": _names(each.labels, names),
        "applied": list(each.applied),
        "suggested": list(each.suggested),
        "version": each.version,
        "decided_at": None if each.decided_at is None else from_epoch(each.decided_at),
    }


def _names(ids: Iterable[int], names: Mapping[int, Label]) -> list[dict[str, Any]]:
    return [{"id": id, "name": names[id].name} for id in ids if id in names]


def _decision(found: Decision | None, near: list[dict[str, Any]]) -> dict[str, Any] | None:
    if found is None:
        return None
    empty = {"probability": None, "label_id": None, "reason": ""}
    return {
        "id": found.id,
        "version": found.version,
        "mode": found.mode,
        "trigger": found.trigger,
        "at": from_epoch(found.at),
        "verdicts": [
            {key: said.get(key, empty.get(key)) for key in _VERDICT} for said in in_order(found)
        ],
        "neighbours": [
            {
                "number": int(each["number"]),
                "title": each.get("title"),
                "labels": [str(label) for label in each.get("labels") or ()],
                "similarity": each.get("similarity"),
            }
            for each in near
        ],
    }
