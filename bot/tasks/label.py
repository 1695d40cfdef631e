"""Label one issue. Crash-safe: whatever was interrupted is found out from GitHub before going on.

Predict from the text that is known, read the issue as it is now, decide, record the decision and
the intention together, add the labels, record that. Every way it can end has its sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from bot import policy, trial
from bot.fallback import fallback_to_remove
from bot.feedback import is_about
from bot.github.errors import Gone, Moved, NotFound
from bot.habits import late_labels
from bot.issue_now import Live, read_live, sync_labels, take_off
from bot.live_precision import held_labels, withheld
from bot.reach import refreshed, served
from bot.repo_config import Mode, RepoConfig
from bot.store.rows import AppliedLabel, Decision, Issue, Job, Label, Repository
from bot.strays import find_strays, remove_strays
from bot.tasks import enqueue_label, enqueue_talk, task
from bot.times import from_epoch, to_epoch

if TYPE_CHECKING:
    from bot.context import Context
    from models.prediction import Prediction


@task("label", lane="fast")
def label_issue(context: Context, job: Job) -> str:
    """Label the job's issue, or say why not."""
    repository = _repository(context, job)
    if isinstance(repository, str):
        return repository
    assert job.number is not None  # enqueue_label gives it
    issue = context.store.issues.get(repository.id, job.number)
    waiting = _why_not_yet(context, repository, issue, job)
    if waiting:
        return waiting
    repository, labels = _known_labels(context, repository)
    if not labels:
        return "left alone: the repository has no labels"
    try:
        return _label(context, repository, labels, issue, job)
    except (Gone, NotFound, Moved) as error:
        return _left(context, repository, job.number, error)


def _repository(context: Context, job: Job) -> Repository | str:
    """The job's repository, or why there is nothing to do in it; asks nobody."""
    repository = served(context, job)
    if isinstance(repository, str):
        return repository
    if repository.archived:
        return "left alone: the repository is archived"
    if _mode(repository) == "off":
        return "left alone: labelling is turned off for this repository"
    return repository


def _mode(repository: Repository) -> Mode:
    return policy.effective_mode(RepoConfig.from_dict(repository.config), repository.mode)


def _why_not_yet(
    context: Context, repository: Repository, issue: Issue | None, job: Job
) -> str | None:
    """Why an issue is not labelled now: it is gone, or it is a person's turn."""
    if context.store.commands.is_off(repository.id, job.number or 0):
        return "left alone: a person turned labels off for this issue (`/label off`)"
    if issue is None:
        return None
    if issue.deleted:
        return "left alone: the issue was deleted"
    grace = RepoConfig.from_dict(repository.config).grace_seconds
    due = to_epoch(issue.created_at) + grace if grace and issue.created_at else 0.0
    if context.now() >= due:
        return None
    trigger = str(job.payload.get("trigger", "opened"))
    enqueue_label(context.store, repository, issue.number, trigger=trigger, run_at=due)
    return f"waits until {from_epoch(due)}: a person has {grace} s to be first"


def _label(
    context: Context, repository: Repository, labels: list[Label], known: Issue | None, job: Job
) -> str:
    number = job.number or 0
    # The model first: it takes longest, and what is read from GitHub should be fresh when we write.
    early = None
    if known is not None:
        early = _predict(context, repository, labels, known.title, known.body)
    is_new = context.store.decisions.latest(repository.id, number) is None
    unfinished = context.store.decisions.unfinished(repository.id, number)
    live = read_live(context, repository, number, with_events=bool(unfinished) or job.attempts > 1)
    recovered = _recover(context, live, unfinished)
    reason = _why_left_alone(live)
    if reason:
        return _joined(recovered, f"left alone: {reason}")
    same_text = known is not None and (known.title, known.body) == _text(live)
    prediction = (
        early if same_text and early else _predict(context, repository, labels, *_text(live))
    )
    outcome = _act(context, live, prediction, job)
    if outcome is None:
        sync_labels(context, live.client, live.repository)
        live = read_live(context, live.repository, number, with_events=True)
        outcome = _act(context, live, prediction, job)
    if is_new and outcome:
        decide = partial(_decide, context, live)
        trial.score(context, repository.id, number, _text(live), prediction, decide)
    enqueue_talk(context.store, live.repository, number)
    return _joined(recovered, outcome or "stopped: a label vanished twice while it was being added")


def _text(live: Live) -> tuple[str, str]:
    return live.issue.title, live.issue.body


def _known_labels(context: Context, repository: Repository) -> tuple[Repository, list[Label]]:
    """The repository, under the name that it has now, and its labels.

    They are read from GitHub once where that has not happened yet.
    """
    if repository.labels_synced_at is None:
        client = context.installation(repository.installation_id)
        try:
            sync_labels(context, client, repository)
        except Moved:
            repository = refreshed(context, client, repository)
            sync_labels(context, client, repository)
    return repository, context.store.labels.all(repository.id)


def _predict(
    context: Context, repository: Repository, labels: Sequence[Label], title: str, body: str
) -> Prediction:
    return context.predictors.predict(repository.id, labels, title, body)


def _why_left_alone(live: Live) -> str | None:
    config = RepoConfig.from_dict(live.repository.config)
    names = [label.name for label in live.issue.labels]
    reason = policy.why_left_alone(config, live.facts, _mode(live.repository), names)
    first = next((e for e in live.events if e.actor_kind == "person"), None)
    if reason is None and config.grace_seconds and first is not None:
        return f"{first.actor_login} was first"
    return reason


def _recover(context: Context, live: Live, unfinished: Sequence[AppliedLabel]) -> str:
    """Find out what became of labels that we meant to add before a crash, and record it."""
    done = [label for label in unfinished if _happened(live, label)]
    lost = [label for label in unfinished if label not in done]
    with context.store.transaction():
        for label in done:
            put_on = live.last_put_on(label)
            at = to_epoch(put_on.at) if put_on else label.intended_at
            context.store.decisions.mark_applied([label.id], at)
        if lost:
            context.store.decisions.abandon([x.id for x in lost], "it never reached the issue")
    remove_strays(context, live, find_strays(live, lost))
    return f"recorded after a crash: {_names(done)}" if done else ""


def _happened(live: Live, label: AppliedLabel) -> bool:
    """Whether we put this label on, be it there still or taken off again meanwhile."""
    by_us = [e for e in live.events if e.actor_kind == "us" and e.action == "labeled"]
    return live.put_by_us(label) or any(is_about(event, label) for event in by_us)


def _act(context: Context, live: Live, prediction: Prediction, job: Job) -> str | None:
    """Decide, record, write, record. None: a label that we added was not there any more."""
    config = RepoConfig.from_dict(live.repository.config)
    targets = context.predictors.targets(live.repository.id, prediction.version)
    decision = _decide(context, live, prediction, targets)
    intended = [live.labels[v.label_id] for v in decision.apply if v.label_id is not None]
    applied = _record(context, live, decision, prediction, job, intended)
    if not intended:
        return _nothing_applied(decision)
    if not _add(context, live, applied):
        return None
    dropped = _drop_fallback(context, live, config, intended)
    return f"labelled: {_names(applied)}{dropped}"


def _decide(
    context: Context, live: Live, prediction: Prediction, targets: Mapping[str, float]
) -> policy.Decision:
    """What a version's scores come to; `targets` are what its thresholds were set for."""
    config = RepoConfig.from_dict(live.repository.config)
    return policy.decide(
        prediction,
        config,
        mode=_mode(live.repository),
        labels=live.labels,
        present=live.present,
        removed=live.removed,
        issue=live.facts,
        late=late_labels(context.store, live.repository.id),
        live=held_labels(context.store, live.repository.id),
        withheld=withheld(live.repository.id, live.issue.number, live.labels, config.explore),
        trained_for=targets,
    )


def _record(
    context: Context,
    live: Live,
    decision: policy.Decision,
    prediction: Prediction,
    job: Job,
    intended: Sequence[Label],
) -> list[AppliedLabel]:
    row = Decision(
        repository_id=live.repository.id,
        number=live.issue.number,
        version=decision.version,
        mode=decision.mode,
        verdicts=tuple(decision.to_dicts()),
        neighbours=tuple(asdict(neighbour) for neighbour in prediction.neighbours),
        trigger=str(job.payload.get("trigger", "")),
    )
    return context.store.decisions.record(row, intended)[1]


def _nothing_applied(decision: policy.Decision) -> str:
    if decision.suggest:
        return f"nothing applied; suggested: {', '.join(v.label for v in decision.suggest)}"
    return "nothing applied, nothing suggested"


def _add(context: Context, live: Live, applied: Sequence[AppliedLabel]) -> bool:
    """Add labels and record it; False when GitHub made a label of that name, which is undone."""
    repository, number = live.repository, live.issue.number
    answer = live.client.add_labels(repository.full_name, number, [x.label for x in applied])
    now_on = {label.id for label in answer}
    lost = [label for label in applied if label.label_id not in now_on]
    with context.store.transaction():
        done = [label.id for label in applied if label.label_id in now_on]
        if done:
            context.store.decisions.mark_applied(done)
        if lost:
            context.store.decisions.abandon([x.id for x in lost], "the label is gone")
        known = now_on & set(live.labels)
        context.store.issues.set_labels(repository.id, number, known)
    remove_strays(context, live, find_strays(live, lost, answer))
    return not lost


def _drop_fallback(context: Context, live: Live, config: RepoConfig, added: Sequence[Label]) -> str:
    """Take our fallback label off an issue that got a better one; says so, for the result."""
    better = [
        label for label in added if label.name.casefold() != (config.fallback or "").casefold()
    ]
    ours = _our_fallback(context, live.repository, live.issue.number)
    if not better or ours is None or not live.put_by_us(ours):
        return ""
    take_off(context, live, ours, f"{better[0].name} reached its target")
    return f"; taken off: {ours.label}"


def _our_fallback(context: Context, repository: Repository, number: int) -> AppliedLabel | None:
    """The fallback label, if we put it on this issue and have not taken it off."""
    name = RepoConfig.from_dict(repository.config).fallback
    label = context.store.labels.by_name(repository.id, name) if name else None
    if label is None:
        return None
    applied = context.store.decisions.applied(repository.id, number=number)
    return next((row for row in reversed(applied) if row.label_id == label.id), None)


def _left(
    context: Context, repository: Repository, number: int, error: Gone | NotFound | Moved
) -> str:
    """The issue went away before we got to it: say how, and forget the text of a deleted one."""
    unfinished = context.store.decisions.unfinished(repository.id, number)
    with context.store.transaction():
        if unfinished:
            context.store.decisions.abandon([x.id for x in unfinished], "the issue went away")
        if isinstance(error, Gone) and "deleted" in error.message.lower():
            context.store.issues.delete(repository.id, number)
    if isinstance(error, Moved):
        return f"left alone: the issue was transferred ({error.location})"
    if isinstance(error, Gone):
        return f"left alone: GitHub says {error.message!r}"
    return "left alone: GitHub has no such issue, or we may not see it"


@task("triage", lane="fast")
def triage(context: Context, job: Job) -> str:
    """A person has changed labels: take our fallback label off if that triaged the issue."""
    repository = _repository(context, job)
    if isinstance(repository, str):
        return repository
    number = job.number or 0
    if _mode(repository) != "apply":
        return "left alone: the repository's mode is suggest"
    ours = _our_fallback(context, repository, number)
    if ours is None:
        return "nothing to do: we put no fallback label on this issue"
    try:
        live = read_live(context, repository, number, with_events=True)
    except (Gone, NotFound, Moved) as error:
        return _left(context, repository, number, error)
    return _triage(context, live, ours)


def _triage(context: Context, live: Live, ours: AppliedLabel) -> str:
    if ours.label_id not in live.present:
        if live.taken_off_by_us(ours):
            context.store.decisions.mark_undone([ours.id], "we had taken it off already")
        return f"nothing to do: {ours.label} is off already"
    reason = fallback_to_remove(
        RepoConfig.from_dict(live.repository.config),
        live.labels.get(ours.label_id),
        ours=live.put_by_us(ours),
        events=live.events,
    )
    if reason is None:
        return f"nothing to do: {ours.label} stays"
    take_off(context, live, ours, reason)
    enqueue_talk(context.store, live.repository, ours.number)
    return f"taken off: {ours.label} ({reason})"


def _names(labels: Sequence[AppliedLabel]) -> str:
    return ", ".join(label.label for label in labels)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
