"""The review queue: one key or click for each suggestion and each issue that teaches most."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)

from bot import annotate, reporting
from bot.annotate import Question
from bot.console.access import find
from bot.console.desk import desk
from bot.console.errors import BadInput, ConsoleError, TooLate
from bot.console.issue import known, label_of, on_github, url_of
from bot.console.looks import many_lines, plain
from bot.console.overview import page_number
from bot.console.people import person
from bot.console.teaching import Said, Teacher, together
from bot.console.waiting import Item, Waiting, item_of, waiting
from models.text import IssueText

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from bot.console.desk import Desk
    from bot.store.rows import Issue, Label, Repository

routes = Blueprint("review", __name__)
DOUBTS = 25
MOST_UNDO = 10
"""Acts that can be taken back, one after the other; they are kept in the cookie."""
_UNDO = "review_undo"
_LONGEST_ID = 15


@routes.get("/r/<owner>/<name>/review")
def page(owner: str, name: str) -> str:
    """The queue: `item` is the one to show, `older` where the page begins, `kind` of what."""
    at = desk()
    repository = find(owner, name, "triage")
    shown = _shown(at, repository, request.args.get("item", ""))
    return render_template(
        "console/review.html", **shown, doubts=_doubts(at, repository, page_number())
    )


@routes.post("/r/<owner>/<name>/review")
def act(owner: str, name: str) -> Response:
    """Do what `act` says about `item`; a browser without scripts is led to the next one."""
    at = desk()
    repository = find(owner, name, "triage")
    key, wanted = request.form.get("item", ""), request.form.get("act", "")
    try:
        said, key = _ACTS.get(wanted, _unknown)(at, repository, key)
    except ConsoleError as error:
        if not _by_script():
            raise
        find(owner, name, "triage")  # GitHub may have said that they may not see it any more
        return _part(at, repository, key, str(error), error.status)
    if _by_script():
        return _part(at, repository, key, said, 200)
    flash(said, "done")
    return redirect(_url(repository, item=key, _anchor="card"), 303)


def _accept(at: Desk, repository: Repository, key: str) -> tuple[str, str]:
    item, issue = _item(at, repository, key)
    if item.kind == "question":
        return _label(at, repository, item, issue)
    label = item.choices[0].label
    _remember(_teacher(at, repository, issue).put_on([label]), key)
    return f"#{item.number}: {_name(label)} accepted.", key


def _reject(at: Desk, repository: Repository, key: str) -> tuple[str, str]:
    item, issue = _item(at, repository, key)
    teacher = _teacher(at, repository, issue)
    if item.kind == "question":
        _remember(teacher.answer(_denied(at, item, [], everything=True)), key)
        return f"#{item.number}: none of these labels.", key
    label = item.choices[0].label
    _remember(teacher.answer([(label, False)]), key)
    return f"#{item.number}: {_name(label)} rejected.", key


def _other(at: Desk, repository: Repository, key: str) -> tuple[str, str]:
    """Another label belongs, and the suggested one does not."""
    item, issue = _item(at, repository, key)
    if item.kind == "question":
        return _label(at, repository, item, issue)
    label, suggested = label_of(at, repository, request.form.get("label", "")), item.choices[0]
    if label.id == suggested.label.id:
        return _accept(at, repository, key)
    teacher = _teacher(at, repository, issue)
    done = teacher.put_on([label])
    _remember(together(done, teacher.answer([(suggested.label, False)])), key)
    return f"#{item.number}: {_name(label)} instead of {_name(suggested.label)}.", key


def _label(at: Desk, repository: Repository, item: Item, issue: Issue) -> tuple[str, str]:
    """The labels of an issue that has none: those ticked, and the one chosen from the list."""
    given = [id for id in (*request.form.getlist("labels"), request.form.get("label", "")) if id]
    labels = list({x.id: x for x in (label_of(at, repository, id) for id in given)}.values())
    if not labels:
        raise BadInput("Tick the labels that belong, or say that none of them does.")
    teacher = _teacher(at, repository, issue)
    done = teacher.put_on(labels)
    _remember(together(done, teacher.answer(_denied(at, item, labels))), item.key)
    return f"#{item.number}: {', '.join(map(_name, labels))}.", item.key


def _undo(at: Desk, repository: Repository, key: str) -> tuple[str, str]:
    stack = [Said.from_json(each) for each in session.get(_UNDO, ())]
    mine = [each for each in stack if each.repository_id == repository.id]
    if not mine:
        raise TooLate("There is nothing to undo: what was done in this session is undone already.")
    last = mine[-1]
    issue = known(at, repository, last.number)
    _teacher(at, repository, issue).take_back(last)
    session[_UNDO] = [each.to_json() for each in stack if each is not last]
    return f"#{last.number}: undone.", last.key


def _ask(at: Desk, repository: Repository, key: str) -> tuple[str, str]:
    version = at.registry.current(repository.id)
    job = reporting.ask(at.store, repository, "questions", version=version)
    said = "Asked for: it takes a minute." if job else "It was asked for, or made, a moment ago."
    return said, key


def _unknown(at: Desk, repository: Repository, key: str) -> tuple[str, str]:
    raise BadInput("That is none of accept, reject, other, undo and ask.")


_ACTS: dict[str, Callable[[Desk, Repository, str], tuple[str, str]]] = {
    "accept": _accept,
    "reject": _reject,
    "other": _other,
    "undo": _undo,
    "ask": _ask,
}


def _item(at: Desk, repository: Repository, key: str) -> tuple[Item, Issue]:
    """What the key names, and its issue. Raises TooLate, NotHere."""
    item = item_of(at, repository, key)
    if item is None:
        raise TooLate("That one is not in the queue any more: somebody answered it, or it is gone.")
    return item, known(at, repository, item.number)


def _teacher(at: Desk, repository: Repository, issue: Issue) -> Teacher:
    return Teacher(at, person(), repository, issue)


def _denied(
    at: Desk, item: Item, chosen: list[Label], *, everything: bool = False
) -> list[tuple[Label, bool]]:
    """The labels that an answer says do not belong, as `labelwright annotate` has it."""
    choices = tuple((choice.label, choice.probability) for choice in item.choices)
    if not chosen and not everything:
        return []
    question = Question(item.number, IssueText("", ""), "", choices, 0.0)
    found = annotate.answers(question, [label.id for label in chosen], 0, at.now())
    names = {label.id: label for label, _ in choices}
    return [(names[each.label_id], False) for each in found if not each.belongs]


def _remember(said: Said, key: str) -> None:
    stack = [*session.get(_UNDO, ()), replace(said, key=key).to_json()]
    session[_UNDO] = stack[-MOST_UNDO:]


def _shown(at: Desk, repository: Repository, key: str) -> dict[str, Any]:
    """What the card and the list beside it show."""
    kind = "questions" if request.values.get("kind") == "questions" else ""
    older = request.values.get("older", "")
    begin = int(older) if older.isdecimal() and len(older) <= _LONGEST_ID else None
    queue = waiting(at, repository, older=begin, kind=kind)
    item = queue.at(key)
    stack = session.get(_UNDO, ())
    return {
        "repository": repository,
        "url": _url(repository, older=None, kind=None),
        "kind": kind,
        "older": begin,
        "queue": queue,
        "item": item,
        "can_undo": any(each["repository_id"] == repository.id for each in stack),
        "own": person().token is not None,
        "progress": reporting.progress(at.store, repository, "questions"),
        "version": at.registry.current(repository.id),
        "was": key,
    } | (_card(at, repository, queue, item) if item else {})


def _card(at: Desk, repository: Repository, queue: Waiting, item: Item) -> dict[str, Any]:
    issue = known(at, repository, item.number)
    labels = at.store.labels.all(repository.id)
    return {
        "issue": issue,
        "body": many_lines(issue.body, 4000),
        "on": [label for label in labels if label.id in issue.labels],
        "labels": labels,
        "before": queue.before(item),
        "after": queue.after(item),
        "issue_url": url_of(repository, item.number),
        "on_github": on_github(at, repository, issue),
    }


def _doubts(at: Desk, repository: Repository, number: int) -> dict[str, Any] | None:
    """A page of the labels of past issues that look wrong; None where nobody looked yet."""
    current = at.registry.current(repository.id)
    report = reporting.best(at.store, repository.id, "doubts", current)
    if report is None:
        return None
    rows = list(report.body.get("doubts") or ())
    shown = rows[(number - 1) * DOUBTS : number * DOUBTS]
    issues = {row["number"]: at.store.issues.get(repository.id, row["number"]) for row in shown}
    colors = {label.id: label.color for label in at.store.labels.all(repository.id)}
    found = [
        row
        | {"title": issue.title, "url": url_of(repository, issue.number)}
        | {"color": colors.get(row["id"])}
        for row in shown
        if (issue := issues[row["number"]]) is not None and not issue.deleted
    ]
    return {
        "rows": found,
        "total": report.body.get("total", 0),
        "problem": report.body.get("problem"),
        "version": report.version,
        "made_at": report.made_at,
        "page": number,
        "more": len(rows) > number * DOUBTS,
    }


def _part(at: Desk, repository: Repository, key: str, said: str, status: int) -> Response:
    """Only the card and its list, for the script that puts them into the page."""
    shown = _shown(at, repository, key)
    part = render_template("console/review_part.html", **shown, told=said, failed=status >= 400)
    return make_response(part, status)


def _by_script() -> bool:
    return request.headers.get("HX-Request") == "true"


def _name(label: Label) -> str:
    return plain(label.name, 80)


def _url(repository: Repository, **given: Any) -> str:
    """The queue's address, on the page of it that the form came from."""
    owner, _, name = repository.full_name.partition("/")
    kept = {each: request.values.get(each) or None for each in ("older", "kind")}
    return url_for("review.page", owner=owner, name=name, **(kept | given))
