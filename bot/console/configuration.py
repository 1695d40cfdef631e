"""A repository's configuration: as it was read, with its errors, and an editor for the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode

from flask import Blueprint, flash, redirect, render_template, request

from bot.console.access import find, may
from bot.console.desk import desk
from bot.console.errors import BadInput
from bot.github.errors import GitHubError
from bot.manifest import site
from bot.repo_config import FILE, MAX_CHARACTERS, LabelRules, RepoConfig, parse, to_yaml
from bot.repo_config.values import COMMENTS, MODES

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from bot.repo_config.values import Comment, Mode
    from bot.store.rows import Repository

routes = Blueprint("configuration", __name__, url_prefix="/r/<owner>/<name>/configuration")
LONGEST_LINK = 7000
"""Characters of an address that GitHub still takes."""


@dataclass(frozen=True)
class Draft:
    """A text that may become the file: what is wrong with it, or where GitHub takes it."""

    text: str
    problems: tuple[Any, ...]
    link: str | None
    config: RepoConfig | None


@routes.get("")
def page(owner: str, name: str) -> str:
    """What is in force, what was wrong with the file, and the editor."""
    repository = find(owner, name)
    config = RepoConfig.from_dict(repository.config)
    source = (repository.config_etag or "").partition(" ")[0]
    return render_template(
        "console/configuration.html",
        repository=repository,
        config=config,
        source=source,
        in_force=to_yaml(config),
        draft=_draft(repository, to_yaml(config)),
        edit_link=_edit(source or repository.full_name),
        path=FILE,
        modes=MODES,
        comments=COMMENTS,
        may_read_again=may(repository, "triage"),
    )


@routes.get("/file")
def as_read(owner: str, name: str) -> str:
    """The file as GitHub has it now."""
    repository = find(owner, name)
    source = (repository.config_etag or "").partition(" ")[0] or repository.full_name
    text, why = None, None
    try:
        found = desk().installation(repository.installation_id).file(source, FILE)
        text = getattr(found, "text", None)
    except GitHubError as error:
        why = f"GitHub did not give the file: {error.message}"
    parsed = parse(text) if text is not None else None
    problems = {p.line: p.message for p in parsed.problems} if parsed else {}
    return render_template(
        "console/configuration_file.html",
        repository=repository,
        lines=(text or "").splitlines()[:2000],
        missing=text is None,
        why=why,
        problems=problems,
        source=source,
    )


@routes.post("/check")
def check(owner: str, name: str) -> str:
    """Say what is wrong with a text, line by line, or where to put it."""
    repository = find(owner, name)
    text = request.form.get("text", "")
    if len(text) > 4 * MAX_CHARACTERS:
        raise BadInput(f"The file may have {MAX_CHARACTERS} characters; this is far more.")
    return render_template(
        "console/configuration_draft.html",
        repository=repository,
        draft=_draft(repository, text.replace("\r\n", "\n")),
        alone=not request.headers.get("HX-Request"),
        path=FILE,
    )


@routes.post("/write")
def write(owner: str, name: str) -> str:
    """Turn the form's choices into the text of the file, and check it."""
    repository = find(owner, name)
    config = RepoConfig.from_dict(repository.config)
    text = to_yaml(_chosen(config))
    return render_template(
        "console/configuration_draft.html",
        repository=repository,
        draft=_draft(repository, text),
        alone=not request.headers.get("HX-Request"),
        fill=True,
        path=FILE,
    )


@routes.post("/read-again")
def read_again(owner: str, name: str) -> Response:
    """Ask the worker to read the file now."""
    repository = find(owner, name, "triage")
    desk().store.jobs.enqueue_for(repository, "sync_config", priority=3)
    flash("The file is read again; what changed stands here within seconds.", "done")
    return redirect(f"/r/{quote(repository.full_name)}/configuration", 303)


def _chosen(config: RepoConfig) -> RepoConfig:
    """The configuration in force with what the form says. Raises BadInput for what is no value."""
    form = request.form
    try:
        target = float(form.get("target_precision", config.target_precision))
        after = int(form.get("retrain_after", config.retrain_after))
        grace = int(form.get("grace_seconds", config.grace_seconds))
    except ValueError:
        raise BadInput("The numbers of the form must be numbers.") from None
    rules = LabelRules(_lines("allow"), _lines("deny"), config.labels.overrides)
    return replace(
        config,
        mode=cast("Mode", form.get("mode", config.mode)),  # what is no mode `parse` refuses
        comment=cast("Comment", form.get("comment", config.comment)),
        target_precision=target,
        retrain_after=after,
        grace_seconds=grace,
        fallback=form.get("fallback", "").strip() or None,
        labels=rules,
        native_suggestions="native_suggestions" in form,
        pull_requests="pull_requests" in form,
    )


def _lines(name: str) -> tuple[str, ...]:
    given = request.form.get(name, "")
    return tuple(line.strip() for line in given.splitlines() if line.strip())


def _draft(repository: Repository, text: str) -> Draft:
    parsed = parse(text)
    link = None if parsed.problems else _new(repository.full_name, text)
    return Draft(text, parsed.problems, link, parsed.config)


def _new(repo: str, text: str) -> str | None:
    """GitHub's page for a new file, filled with the text; None where an address cannot hold it."""
    filled = urlencode({"filename": FILE, "value": text}, quote_via=quote)
    link = f"{_web()}/{quote(repo)}/new/HEAD?{filled}"
    return link if len(link) <= LONGEST_LINK else None


def _edit(repo: str) -> str:
    return f"{_web()}/{quote(repo)}/edit/HEAD/{FILE}"


def _web() -> str:
    return site(desk().settings.github_url).web
