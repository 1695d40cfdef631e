"""A refused version on trial: it scores new issues in the shadow until people have shown whether
it is better than the one in force.

Nothing that it says is acted upon. From 100 issues on that both have scored and people have acted
on since, it is judged by the rule of the gate, and comes into force or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bot import gate, reporting, shadow
from bot.gate import TRIAL_SECONDS, Rivals
from bot.repo_config import RepoConfig
from bot.review import feedback_of
from bot.shadow import Seen
from bot.store.rows import ShadowScore
from bot.trial_words import NEEDED, why
from models.errors import ModelError

if TYPE_CHECKING:
    from bot import policy
    from bot.context import Context
    from bot.store import Store
    from bot.store.rows import Gated, Repository, Trial
    from bot.trust import Hearing
    from models.prediction import Prediction

    Decide = Callable[[Prediction, Mapping[str, float]], policy.Decision]

MORE = 1.25
"""They are compared again where so many times as many are judged: looked at every hour, a version
that is no better would pass some day by chance."""


def score(
    context: Context,
    repository_id: int,
    number: int,
    text: tuple[str, str],
    known: Prediction,
    decide: Decide,
) -> None:
    """Have the version on trial score an issue that was just decided on for the first time.

    `known` is what the one in force said of the (title, body), `decide` makes a decision of scores.
    Whatever fails in the version on trial ends its trial, and nothing else.
    """
    trial = context.store.trials.running(repository_id)
    if trial is None or trial.champion != known.version:
        return
    decision = context.store.decisions.latest(repository_id, number)
    if decision is None or decision.version != trial.champion:
        return
    log = context.log.bind(issue=number, repository=repository_id, version=trial.version)
    try:
        said = context.predictors.on_trial(repository_id, trial.version, text, known)
        scores = _scores(decide(*said))
    except Exception as error:  # the issue was labeled before this; logged below
        log.exception("the version on trial failed")
        reason = f"it failed on an issue: {type(error).__name__}: {error}"
        context.store.trials.end(trial, "ended", reason, context.now())
        return
    context.store.trials.keep(decision, trial.version, scores)


def _scores(found: policy.Decision) -> list[ShadowScore]:
    return [
        ShadowScore(each.label_id, each.probability, each.action)
        for each in found.verdicts
        if each.label_id is not None and each.probability is not None
    ]


def look(context: Context, repository: Repository, hearing: Hearing) -> str:
    """Look at a repository's trial: publish the version, end the trial, or wait; tells which.

    `hearing` says whose word does not count. Killed at any moment, the next look goes on.
    """
    trial = context.store.trials.running(repository.id)
    said = "" if trial is None else _look(context, repository, trial, hearing)
    gate.put_on_trial(context.store, context.registry, repository.id, at=context.now())
    return said


def _look(context: Context, repository: Repository, trial: Trial, hearing: Hearing) -> str:
    current = context.registry.current(repository.id)
    if current == trial.version:
        return _in_force(context, repository, trial)
    if current != trial.champion:
        return _end(context, repository, trial, gate.came_into_force(current))
    if trial.version not in {each.name for each in context.registry.list(repository.id)}:
        return _end(context, repository, trial, "its files are gone")
    issues = judged(context.store, repository, trial, hearing, context.now())
    report = trial.report if len(issues) >= NEEDED else {}
    if len(issues) >= max(NEEDED, MORE * report.get("n", 0)):
        labels = context.store.labels.all(repository.id)
        report = shadow.compare(issues, labels, RepoConfig.from_dict(repository.config))
    context.store.trials.note(trial, len(issues), report)
    return _act(context, repository, replace(trial, judged=len(issues), report=report))


def _act(context: Context, repository: Repository, trial: Trial) -> str:
    """What follows from the figures."""
    if trial.report and gate.decide({"champion": trial.report}, Rivals(trial.champion)).passed:
        return _publish(context, repository, trial)
    if trial.report and trial.report["at_best"] < 0:
        return _end(context, repository, trial, f"it is surely worse: {why(trial)}")
    if context.now() - trial.began_at > TRIAL_SECONDS:
        days = round(TRIAL_SECONDS / 86_400)
        reached = why(trial) if trial.report else f"{trial.judged} of {NEEDED} issues were judged"
        return _end(context, repository, trial, f"{days} days did not decide it: {reached}")
    waiting = gate.next_on_trial(context.store, context.registry, repository.id, at=context.now())
    if trial.report and waiting is not None:
        return _end(context, repository, trial, f"{waiting.version} was waiting; {why(trial)}")
    return ""


def judged(
    store: Store, repository: Repository, trial: Trial, hearing: Hearing, now: float
) -> list[Seen]:
    """The issues that both versions scored and people have acted on since."""
    config = RepoConfig.from_dict(repository.config)
    found = []
    for decision, scores in store.trials.pairs(repository.id, trial.version):
        issue = store.issues.get(repository.id, decision.number)
        present = () if issue is None else issue.labels
        feedback = feedback_of(store, repository, decision.number, decision, config, hearing)
        found.append(shadow.seen(decision, scores, feedback, present, now))
    return [each for each in found if each is not None]


def _publish(context: Context, repository: Repository, trial: Trial) -> str:
    """Put the version in force where the champion still is; recorded before."""
    store, registry = context.store, context.registry
    refused = store.gates.get(repository.id, trial.version)
    if refused is None:
        return _end(context, repository, trial, "the gate knows nothing of it")
    store.gates.record(_passed(refused, trial, _is_best(context, trial), context.now()))
    try:
        done = registry.advance(repository.id, trial.version, instead_of=trial.champion)
        over = gate.came_into_force(registry.current(repository.id))
    except ModelError as error:
        done, over = False, str(error)
    if done:
        return _in_force(context, repository, trial)
    return _end(context, repository, trial, over)


def _passed(refused: Gated, trial: Trial, is_best: bool, at: float) -> Gated:
    report = {**refused.report, "shadow": trial.report}
    reason = f"on trial: {why(trial)}"
    return replace(refused, at=at, passed=True, reason=reason, is_best=is_best, report=report)


def _is_best(context: Context, trial: Trial) -> bool:
    """Whether it is better than the best so far, where that is what it was beside."""
    best = gate.best_so_far(context.store, context.registry, trial.repository_id)
    beside = best in (None, trial.champion, trial.version)  # the last, where we were killed
    return beside and trial.report["difference"] > 0


def _in_force(context: Context, repository: Repository, trial: Trial) -> str:
    """The version on trial is in force: we published it, maybe before a crash, or a person did."""
    gated = context.store.gates.get(repository.id, trial.version)
    if gated is None or not gated.passed:
        return _end(context, repository, trial, "it was put in force by hand")
    if context.store.trials.end(trial, "published", gated.reason, context.now()):
        reporting.after_publish(context.store, repository)
        context.log.warning(
            "a version was published from its trial",
            repository=repository.full_name,
            version=trial.version,
            instead_of=trial.champion,
            why=gated.reason,
        )
    return f"; published {trial.version} from its trial: {gated.reason}"


def _end(context: Context, repository: Repository, trial: Trial, reason: str) -> str:
    gated = context.store.gates.get(repository.id, trial.version)
    if gated is not None and gated.passed:  # recorded, and then it could not be put in force
        refused = replace(gated, passed=False, reason=reason, is_best=False)
        context.store.gates.record(refused)
    context.store.trials.end(trial, "ended", reason, context.now())
    context.log.info(
        "a trial ended", repository=repository.full_name, version=trial.version, why=reason
    )
    return f"; the trial of {trial.version} ended: {reason}"
