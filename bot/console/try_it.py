"""Try it: a title and a text, and the labels that they would get. The worker looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, redirect, render_template, request

from bot.console.access import find
from bot.console.desk import desk
from bot.console.errors import BadInput, TooLate
from bot.console.people import person
from bot.store.tries import TooManyTries

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bot.store.rows import Repository

routes = Blueprint("try_it", __name__, url_prefix="/r/<owner>/<name>/try")


@routes.get("")
def page(owner: str, name: str) -> str:
    """The form."""
    repository = find(owner, name)
    version = desk().registry.current(repository.id)
    return render_template("console/try.html", repository=repository, version=version)


@routes.post("")
def ask(owner: str, name: str) -> str | Response:
    """Hand a text to the worker; the answer is asked for from then on."""
    repository = find(owner, name)
    title, body = request.form.get("title", ""), request.form.get("body", "")
    by_script = bool(request.headers.get("HX-Request"))
    if not title.strip() and not body.strip():
        if by_script:
            return render_template("console/try_answer.html", repository=repository, nothing=True)
        raise BadInput("Type a title or a text first.")
    try:
        job = desk().store.tries.ask(repository, person().id, title, body)
    except TooManyTries as error:
        raise TooLate(f"{error}.") from None
    if by_script:
        return _answer(repository, job)
    return redirect(f"/r/{quote(repository.full_name)}/try/{job}", 303)


@routes.get("/<int:job>")
def answer(owner: str, name: str, job: int) -> str:
    """What the worker said; a page that asks again as long as it has not."""
    return _answer(find(owner, name), job)


def _answer(repository: Repository, job: int) -> str:
    at = desk()
    tried = at.store.tries.answer(job, person().id)
    by_script = bool(request.headers.get("HX-Request"))
    colors = {row.name: row.color for row in at.store.labels.all(repository.id)}
    numbers = [near["number"] for near in tried.result.get("neighbours", ())]
    found = {number: at.store.issues.get(repository.id, number) for number in numbers}
    titles = {number: row.title for number, row in found.items() if row and not row.deleted}
    return render_template(
        "console/try_answer.html" if by_script else "console/try_alone.html",
        repository=repository,
        job=job,
        tried=tried,
        colors=colors,
        titles=titles,
    )
