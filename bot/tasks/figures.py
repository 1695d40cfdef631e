"""Work out what the console shows and keep it as reports: the web process only reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from bot import review_queue
from bot.out_of_fold import NoScores
from bot.store.reports import Kind, Report
from bot.tasks import Stopped, task
from models.errors import ModelError

if TYPE_CHECKING:
    from bot.annotate import Examines
    from bot.context import Context
    from bot.store.rows import Job, Repository

KEEP = 10
"""Reports of each kind that stay for a repository, each of another version."""
LEFT = "left alone: the App is not installed on this repository any more"
NO_VERSION = ""
"""What a report is kept under that no version in force was asked for."""


@task("figures", lane="slow")
def curves(context: Context, job: Job) -> str:
    """Make the report `curves` of the version in force."""
    from bot import figures

    return _made(context, job, "curves", figures.made)


@task("replay_report", lane="slow")
def replay(context: Context, job: Job) -> str:
    """Make the report `replay` of the version in force, and say how far it is."""
    from bot import replay_report

    def make(*what: Any) -> dict[str, Any]:
        return replay_report.made(*what, tell=_teller(context, job))

    return _made(context, job, "replay", make)


@task("review_queue", lane="slow")
def teach(context: Context, job: Job) -> str:
    """Make the reports `questions` and `doubts`."""
    from models.predictor import Predictor

    repository = _repository(context, job)
    if repository is None:
        return LEFT
    store = context.store
    tell = _teller(context, job)
    model = context.predictors.current(repository.id, store.labels.all(repository.id))
    version = context.registry.current(repository.id) or NO_VERSION
    loaded = model.bundle if isinstance(model, Predictor) else None
    doubtful = review_queue.doubts(store, repository, loaded)
    _keep(context, repository, "doubts", version, doubtful)
    asked = review_queue.questions(store, repository, cast("Examines", model), progress=tell)
    _keep(context, repository, "questions", version, asked)
    return f"{len(asked['questions'])} questions, {doubtful['total']} doubtful labels"


def _made(context: Context, job: Job, kind: Kind, make: Callable[..., dict[str, Any]]) -> str:
    repository = _repository(context, job)
    if repository is None:
        return LEFT
    version = context.registry.current(repository.id)
    try:
        body = make(context.store, context.registry, repository, version)
    except (NoScores, ModelError) as problem:
        _keep(context, repository, kind, version or NO_VERSION, {"problem": str(problem)})
        return f"nothing to report: {problem}"
    _keep(context, repository, kind, version or NO_VERSION, body)
    return f"{kind} of {version}, from {body['issues']} issues"


def _keep(
    context: Context, repository: Repository, kind: Kind, version: str, body: dict[str, Any]
) -> None:
    """Keep a report, unless what it was made of was forgotten or replaced meanwhile."""
    store = context.store
    with store.transaction():
        if (context.registry.current(repository.id) or NO_VERSION) != version:
            return
        row = store.repositories.get(repository.id)
        if row is None or row.forgotten:
            return
        store.reports.keep(
            Report(repository.id, kind, version, context.now(), {"version": version, **body})
        )
        store.reports.remove_old(KEEP)


def _repository(context: Context, job: Job) -> Repository | None:
    found = context.store.repositories.get(job.repository_id or 0)
    return None if found is None or found.removed else found


def _teller(context: Context, job: Job) -> Callable[[int, int | None], None]:
    """Keeps how far the job is, and stops it with the process."""

    def tell(done: int, total: int | None) -> None:
        if context.stop.is_set():
            raise Stopped("the worker ends")
        context.store.progress.note(job, done, total or done)

    return tell
