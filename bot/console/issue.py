"""One issue: its text, what was decided about each label and why, and what people did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from bot import feedback
from bot.console.access import find, may
from bot.console.desk import desk
from bot.console.errors import BadInput, NotHere
from bot.console.issue_history import happened
from bot.console.looks import many_lines, plain
from bot.console.people import person
from bot.console.teaching import Teacher
from bot.manifest import site
from bot.repo_config import RepoConfig
from bot.tasks import enqueue_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.wrappers import Response

    from bot.console.desk import Desk
    from bot.store.rows import Answer, Decision, Issue, Label, LabelEvent, Repository

routes = Blueprint("issue", __name__)
LAST_NUMBER = 2**31 - 1
DECISIONS = 20
SHOWN = 8
"""Verdicts that neither apply nor suggest and are in sight at once, the likeliest."""
_MADE_OF_IT = {
    "false positive": "taken off",
    "false negative": "added by a person",
    "dismissed": "rejected",
    "untouched": "nobody said",
}
"""What people made of a label, where `bot.feedback` has a word that is not plain."""
_ORDER = {"apply": 0, "suggest": 1}
_HERE = "/r/<owner>/<name>/issues/<int:number>"


class Deleted(NotHere):
    """It was there; its text is gone here as well."""

    title = "This issue was deleted"


@dataclass(frozen=True)
class Why:
    """The answer to "why not this label?": a label, if there is one, and a sentence."""

    asked: str
    label: Label | None
    text: str
    probability: float | None = None


@routes.get(_HERE)
def page(owner: str, name: str, number: int) -> str:
    """Everything about the issue. `why` asks about one label by its name."""
    at, who = desk(), person()
    repository = find(owner, name)
    issue = known(at, repository, number)
    labels = at.store.labels.all(repository.id)
    decisions = at.store.decisions.of_issue(repository.id, number, DECISIONS)
    events = at.store.events.for_issue(repository.id, number)
    answers = at.store.answers.for_issue(repository.id, number)
    newest = decisions[0] if decisions else None
    teaches = may(repository, "triage")
    asked = request.args.get("why", "").strip()
    return render_template(
        "console/issue.html",
        repository=repository,
        issue=issue,
        body=many_lines(issue.body),
        opened=_opened(issue) if teaches else None,
        labels=labels,
        colors={label.id: label.color for label in labels},
        tints={label.name: label.color for label in labels},
        on=[label for label in labels if label.id in issue.labels],
        off=[label for label in labels if label.id not in issue.labels],
        answered={each.label_id: each.belongs for each in answers},
        decision=newest,
        verdicts=in_order(newest),
        shown=SHOWN,
        said=_said(repository, decisions, events, answers, at),
        why=_why(labels, newest, asked) if asked else None,
        neighbours=nearest(at, repository, newest),
        history=happened(events, decisions, answers, {x.id: x.name for x in labels}),
        teaches=teaches,
        own=who.token is not None,
        switched_off=at.store.commands.is_off(repository.id, number),
        on_github=on_github(at, repository, issue),
        url=url_of(repository, number),
    )


@routes.post(f"{_HERE}/labels")
def relabel(owner: str, name: str, number: int) -> Response:
    """Put the label `add` on the issue, or take `remove` off it; both are ids."""
    at, who = desk(), person()
    repository = find(owner, name, "triage")
    issue = known(at, repository, number)
    teacher = Teacher(at, who, repository, issue)
    where = "on GitHub, in your name" if who.token else "here only: GitHub is not told"
    if request.form.get("add"):
        label = label_of(at, repository, request.form["add"])
        teacher.put_on([label])
        flash(f"Said that {plain(label.name, 80)} belongs, {where}.", "done")
    else:
        label = label_of(at, repository, request.form.get("remove", ""))
        teacher.take_off(label)
        flash(f"Said that {plain(label.name, 80)} does not belong, {where}.", "done")
    return redirect(url_of(repository, number), 303)


@routes.post(f"{_HERE}/again")
def ask_again(owner: str, name: str, number: int) -> Response:
    """Have the model asked about the issue once more."""
    at = desk()
    repository = find(owner, name, "triage")
    known(at, repository, number)
    if repository.installation_id is None:
        flash("The App is not installed on this repository: nobody can be asked.", "warning")
    elif enqueue_label(at.store, repository, number, trigger="asked") is None:
        flash("It was asked for already, and waits for its turn.", "warning")
    else:
        flash("Asked. The answer stands here in some seconds: reload the page.", "done")
    return redirect(url_of(repository, number), 303)


def known(at: Desk, repository: Repository, number: int) -> Issue:
    """The issue. Raises NotHere, Deleted."""
    issue = at.store.issues.get(repository.id, number) if number <= LAST_NUMBER else None
    if issue is None:
        raise NotHere(
            f"Issue #{number} of {repository.full_name} is not known here: there is none, or it was"
            " not read yet (`labelwright pull` reads what is new)."
        )
    if issue.deleted:
        raise Deleted(
            f"#{number} of {repository.full_name} was deleted, and its text with it. Nothing of it"
            " is kept here but its number."
        )
    return issue


def label_of(at: Desk, repository: Repository, id: str) -> Label:
    """The label with an id that a form gave. Raises BadInput."""
    number = int(id) if id.lstrip("-").isdecimal() and len(id) < 19 else None
    label = None if number is None else at.store.labels.get(repository.id, number)
    if label is None or label.deleted:
        raise BadInput("Choose a label of this repository: that one is not there (any more).")
    return label


def url_of(repository: Repository, number: int) -> str:
    """The page of an issue."""
    owner, _, name = repository.full_name.partition("/")
    return url_for("issue.page", owner=owner, name=name, number=number)


def on_github(at: Desk, repository: Repository, issue: Issue) -> str | None:
    """The issue's page on GitHub; None where it is from elsewhere."""
    if repository.id < 0:
        return None
    kind = "pull" if issue.is_pull_request else "issues"
    return f"{site(at.settings.github_url).web}/{repository.full_name}/{kind}/{issue.number}"


def _opened(issue: Issue) -> dict[str, Any] | None:
    """The text as it was opened, where that is another one than now."""
    title = issue.title if issue.opened_title is None else issue.opened_title
    body = issue.body if issue.opened_body is None else issue.opened_body
    if (title, body) == (issue.title, issue.body):
        return None
    return {"title": title, "body": many_lines(body)}


def in_order(decision: Decision | None) -> list[Mapping[str, Any]]:
    """Those to apply first, then those to suggest, each the likeliest first."""
    found = [] if decision is None else list(decision.verdicts)
    return sorted(found, key=lambda v: (_ORDER.get(v.get("verdict", ""), 2), -_likely(v)))


def _likely(verdict: Mapping[str, Any]) -> float:
    return float(verdict.get("probability") or 0.0)


def _said(
    repository: Repository,
    decisions: Sequence[Decision],
    events: Sequence[LabelEvent],
    answers: Sequence[Answer],
    at: Desk,
) -> dict[int, str]:
    """What people made of each label, by its id."""
    if not decisions:
        return {}
    first = decisions[-1]
    found = feedback.derive(
        events,
        at.store.decisions.applied(
            repository.id, number=first.number, outcomes=("applied", "undone")
        ),
        RepoConfig.from_dict(repository.config),
        decided_at=first.at,
        version=first.version,
        suggested=first.suggested,
        answers=answers,
    )
    return {x.label_id: _MADE_OF_IT.get(x.kind, x.kind) for x in found if x.label_id is not None}


def _why(labels: Sequence[Label], decision: Decision | None, asked: str) -> Why:
    wanted = plain(asked).casefold()
    label = next((each for each in labels if plain(each.name).casefold() == wanted), None)
    if label is None:
        return Why(asked, None, "This repository has no such label.")
    if decision is None:
        return Why(asked, label, "Nothing was decided about this issue yet.")
    if not decision.verdicts:
        return Why(asked, label, "The reasons of so old a decision are not kept.")
    for verdict in decision.verdicts:
        if verdict.get("label_id") == label.id or verdict.get("label") == label.name:
            return Why(asked, label, str(verdict.get("reason")), verdict.get("probability"))
    return Why(
        asked,
        label,
        f"Version {decision.version} does not know this label: it is newer, or was on too few"
        " issues to learn from.",
    )


def nearest(at: Desk, repository: Repository, decision: Decision | None) -> list[dict[str, Any]]:
    """The nearest past issues. One that was deleted meanwhile has only its number."""
    found: list[dict[str, Any]] = []
    for near in () if decision is None else decision.neighbours:
        issue = at.store.issues.get(repository.id, int(near["number"]))
        there = issue is not None and not issue.deleted
        found.append(dict(near) | {"title": issue.title if issue and there else None})
    return found
