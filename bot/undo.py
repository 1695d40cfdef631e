"""Take back labels that we added and nobody confirmed: plan first, then do.

A plan is made from the store; before each removal the issue's own events are read again, since a
person may have spoken for the label a second ago.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.feedback import Feedback, derive, unconfirmed
from bot.github.errors import Gone, Moved, NotFound
from bot.issue_now import read_live, take_off
from bot.repo_config import RepoConfig

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store import Store
    from bot.store.rows import AppliedLabel, Repository

Done = Literal["removed", "kept", "gone"]


@dataclass(frozen=True)
class Selection:
    """Which labels to take back; what is None does not narrow. `since` is epoch seconds."""

    version: str | None = None
    since: float | None = None
    number: int | None = None


@dataclass(frozen=True)
class Step:
    """One label that we added, whether it comes off, and why (not)."""

    label: AppliedLabel
    remove: bool
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What a step came to: removed, kept (a person spoke for it meanwhile), or gone before."""

    step: Step
    done: Done
    reason: str


def plan(store: Store, repository: Repository, selection: Selection) -> list[Step]:
    """What would come off, and what stays and why; changes nothing and asks nobody."""
    config = RepoConfig.from_dict(repository.config)
    applied = store.decisions.applied(
        repository.id,
        number=selection.number,
        version=selection.version,
        since=selection.since,
    )
    return [_step(store, label, config) for label in applied if label.outcome == "applied"]


def carry_out(context: Context, repository: Repository, steps: Sequence[Step]) -> Iterator[Outcome]:
    """Remove the labels of a plan one by one, and record each; yields after each.

    Raises a GitHubError that concerns more than one issue. It can be run again at any time: what
    came off before is not touched again.
    """
    for step in steps:
        if step.remove:
            yield _carry_out(context, repository, step)


def _step(store: Store, label: AppliedLabel, config: RepoConfig) -> Step:
    events = store.events.for_issue(label.repository_id, label.number)
    said = derive(events, [label], config)[0]
    return Step(label, unconfirmed(said), _explain(said))


def _explain(said: Feedback) -> str:
    who = said.actor or "somebody"
    if said.kind == "untouched":
        return "nobody has confirmed it"
    if said.kind == "confirmed":
        return f"{who} confirmed it at {said.at}"
    if said.kind in ("false positive", "replaced"):
        return f"{who} took it off at {said.at}"
    return "it is off already"


def _carry_out(context: Context, repository: Repository, step: Step) -> Outcome:
    label = step.label
    try:
        live = read_live(context, repository, label.number, with_events=True)
    except (Gone, NotFound, Moved) as error:
        return Outcome(step, "gone", f"the issue cannot be reached: {error.message}")
    config = RepoConfig.from_dict(repository.config)
    if label.label_id not in live.present:
        if live.taken_off_by_us(label):
            context.store.decisions.mark_undone([label.id], "we had taken it off already")
        return Outcome(step, "gone", "it is off already")
    said = derive(live.events, [label], config)[0]
    if not unconfirmed(said):
        return Outcome(step, "kept", _explain(said))
    if not live.put_by_us(label):
        return Outcome(step, "kept", "somebody else put it on")
    take_off(context, live, label, "undone: nobody had confirmed it")
    return Outcome(step, "removed", "nobody had confirmed it")
