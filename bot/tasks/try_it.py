"""Say what labels a pasted text would get: answered once, and kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.offline import Judge
from bot.tasks import task
from models.errors import ModelError

if TYPE_CHECKING:
    from bot.context import Context
    from bot.policy import Decision
    from bot.store.rows import Job, Repository
    from models.prediction import Prediction

ZERO_SHOT = "zero-shot"


@task("try")
def try_text(context: Context, job: Job) -> str:
    """Answer with the version in force, as if the repository's mode were `apply`."""
    repository = context.store.repositories.get(job.repository_id or 0)
    if repository is None or repository.removed:
        answer = {"problem": "the App is not installed on this repository any more"}
    else:
        answer = _answer(context, repository, job)
    context.store.tries.keep(job, answer)
    # Neither the text nor the scores are for the log.
    return "not answered" if answer.get("problem") else "answered"


def _answer(context: Context, repository: Repository, job: Job) -> dict[str, Any]:
    labels = context.store.labels.all(repository.id)
    title, body = str(job.payload.get("title", "")), str(job.payload.get("body", ""))
    try:
        said = context.predictors.predict(repository.id, labels, title, body)
    except ModelError as error:
        return {"problem": str(error)}
    targets = context.predictors.targets(repository.id, said.version)
    decision = Judge(context.store, repository, targets).decide(said)
    return to_json(said, decision)


def to_json(said: Prediction, decision: Decision) -> dict[str, Any]:
    """The answer, see docs/console-reports.md. Past issues are named by their numbers alone."""
    shown = [v for v in decision.verdicts if v.probability is not None or v.action != "none"]
    return {
        "problem": None,
        "version": said.version,
        "zero_shot": said.version.startswith(ZERO_SHOT),
        "caution": said.caution,
        "labels": [
            {
                "label": verdict.label,
                "id": verdict.label_id,
                "probability": verdict.probability,
                "verdict": verdict.action,
                "reason": verdict.reason,
            }
            for verdict in shown
        ],
        "neighbours": [
            {"number": near.number, "labels": [*near.labels], "similarity": near.similarity}
            for near in said.neighbours
        ],
    }
