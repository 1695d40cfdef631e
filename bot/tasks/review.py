"""Look back once an hour, and soon after a person's word: hold labels back that go wrong, take a
bad version back, judge the one on trial, and retrain where that is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import due, live_precision, news, review, trial
from bot.repo_config import RepoConfig
from bot.retired import retired_labels
from bot.tasks import task
from bot.trust import Cap
from models.errors import ModelError

if TYPE_CHECKING:
    from bot.context import Context
    from bot.review import Review
    from bot.store.rows import Job, LiveChange, Repository


@task("review", lane="slow")
def look_back(context: Context, job: Job) -> str:
    """Keep what live precision says of each label, and act on it."""
    store = context.store
    repository = store.repositories.get(job.repository_id or 0)
    if repository is None or repository.removed:
        return "left alone: the App is not installed on this repository any more"
    found = _look(context, repository)
    taken_back = _take_back(context, repository, found)
    if taken_back:
        found = _look(context, repository)
    tried = trial.look(context, repository, found.hearing)
    with store.transaction():
        changes = live_precision.remember(
            store,
            repository.id,
            found,
            retired=retired_labels(store, repository.id),
            version=context.registry.current(repository.id),
            now=context.now(),
        )
        if changes:
            news.tell(context, "live_precision", news.of_changes(repository.id, changes))
        asked = due.ask(context, repository, found.corrections)
    _announce(context, repository, changes)
    training = f"; training asked for: {asked.why}" if asked else ""
    counts = f"{len(found.corrections)} corrections, {len(found.held)} labels held back"
    return f"{counts}{taken_back}{tried}{training}"


def _look(context: Context, repository: Repository) -> Review:
    lineage = context.registry.lineage(repository.id)
    cap = Cap.of(context.settings)
    return review.review(context.store, repository, lineage, context.now(), cap=cap)


def _take_back(context: Context, repository: Repository, found: Review) -> str:
    """Roll the version in force back where live precision says so; tells what was done."""
    lineage = context.registry.lineage(repository.id)
    if len(lineage) < 2:
        return ""
    before, current = lineage[-2:]
    target = RepoConfig.from_dict(repository.config).target_precision
    none = review.Tally()
    tallies = found.versions.get(current, none), found.versions.get(before, none)
    why = review.why_take_back(*tallies, target)
    if why is None:
        return ""
    log = context.log.bind(repository=repository.full_name, version=current, why=why)
    try:
        now = context.registry.rollback(repository.id)
    except ModelError as error:
        log.error("a bad version could not be rolled back", error=str(error))
        return f"; {current} ought to be rolled back ({why}), but {error}"
    log.warning("a version was rolled back", to=now)
    said = f"repository {repository.id}: {current} was rolled back to {now}: {why}"
    news.tell(context, "rollback", said)
    return f"; rolled back from {current} to {now}: {why}"


def _announce(context: Context, repository: Repository, changes: list[LiveChange]) -> None:
    names = {label.id: label.name for label in context.store.labels.all(repository.id)}
    for change in changes:
        context.log.info(
            "live precision",
            repository=repository.full_name,
            label=names.get(change.label_id, str(change.label_id)),
            state=change.state,
            why=change.reason,
        )
