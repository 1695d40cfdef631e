"""Labels under their target as GitHub's own suggestions, where GitHub has such a thing.

It is an experiment: no more is known of it than GitHub's REST description says. A GitHub that
refuses is remembered and left in peace. One that does not know the word `suggest` would put the
label on, and some labels start a workflow: so it is asked for its list of suggestions first, which
only a GitHub that has them answers, and a label that is on all the same comes off at once.
Source: docs.github.com, "Add labels to an issue" and "List issue suggestions".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bot import proposals
from bot.explaining import rationale
from bot.github.errors import (
    Forbidden,
    GitHubError,
    Gone,
    NotFound,
    PermissionMissing,
    RateLimited,
    Suspended,
    Unprocessable,
)
from bot.issue_now import read_live
from bot.sensitive import why_sensitive
from bot.store.rows import Answer

if TYPE_CHECKING:
    from bot.context import Context
    from bot.github.client import InstallationClient
    from bot.github.remote import RemoteLabel
    from bot.github.talk import RemoteSuggestion
    from bot.issue_now import Live
    from bot.proposals import Proposal
    from bot.store import Store
    from bot.store.rows import Repository
    from bot.store.suggestions import State

ASK_AGAIN = 30 * 86_400.0
"""Seconds after which a repository on which GitHub refused suggestions is tried once more."""
LISTENED = 90 * 86_400.0
"""Seconds for which GitHub is asked what became of a suggestion."""
IGNORANT = "this GitHub puts a suggested label on instead of suggesting it"
US = ("us", "labeled")
HIGH, MEDIUM = 0.75, 0.5
"""Probabilities from which on GitHub is told a high or a medium confidence."""
_REFUSED = (NotFound, Gone, Unprocessable, Forbidden)
_PASSING = (Suspended, RateLimited, PermissionMissing)
_STATES: dict[str, State] = {
    "approved": "accepted",
    "applied": "accepted",
    "dismissed": "dismissed",
}


def send(context: Context, live: Live) -> str:
    """Hand GitHub what we suggest for an issue and it does not have yet; says what was done.

    Raises a GitHubError that has nothing to do with suggestions.
    """
    taken_back = _take_back(context, live)
    why_not = refused(context, live.repository)
    if why_not:
        return f"{taken_back}in the console only: {why_not}"
    wanted = _unsent(context, live)
    if not wanted:
        return f"{taken_back}nothing to suggest"
    try:
        there = live.client.suggestions(live.repository.full_name, live.issue.number)
    except _REFUSED as error:
        return taken_back + _remember_refusal(context, live.repository, error)
    known = {each.label_id for each in there if each.actor_id == context.bot.id}
    _settle_known(context.store, live, wanted, known)
    fresh = [each for each in wanted if each.label.id not in known]
    return taken_back + (_send(context, live, fresh) if fresh else "GitHub has them already")


def refused(context: Context, repository: Repository) -> str | None:
    """Why this repository's suggestions stay in the console; None where GitHub may be asked."""
    ignorant = context.store.meta.get(_ignorant_key(repository))
    if ignorant is not None:
        return ignorant
    stored = context.store.meta.get(_refused_key(repository.id))
    if stored is None:
        return None
    said = json.loads(stored)
    return str(said["why"]) if context.now() - said["at"] < ASK_AGAIN else None


def heed(
    context: Context, client: InstallationClient, repository: Repository, number: int
) -> list[State]:
    """Ask what became of an issue's suggestions; a dismissed one is kept as a correction.

    An accepted one is a label event by whoever accepted it. Returns the states that are new.
    """
    store = context.store
    pending = {
        each.label_id
        for each in store.suggestions.of_issue(repository.id, number)
        if each.state == "pending"
    }
    there = client.suggestions(repository.full_name, number)
    us = context.bot.id
    over = [
        each
        for each in there
        if each.actor_id == us and each.label_id in pending and each.state != "pending"
    ]
    with store.transaction():
        store.suggestions.looked(repository.id, number)
        for each in over:
            state = _STATES.get(each.state, "gone")
            store.suggestions.settle(repository.id, number, [each.label_id], state)
        deaf = {us} | {
            x.actor_id for x in store.actors.all(repository.id) if x.stance == "excluded"
        }
        store.answers.add(
            _answer(repository.id, number, each)
            for each in over
            if each.state == "dismissed" and each.resolved_by not in {None, *deaf}
        )
    return [_STATES.get(each.state, "gone") for each in over]


def _send(context: Context, live: Live, fresh: Sequence[Proposal]) -> str:
    store, at = context.store, (live.repository.id, live.issue.number)
    ids = [each.label.id for each in fresh]
    store.suggestions.intend(*at, ids)
    try:
        answer = live.client.suggest_labels(
            live.repository.full_name, live.issue.number, [_entry(each) for each in fresh]
        )
    except Unprocessable as error:
        store.suggestions.drop(*at, ids)
        return _remember_refusal(context, live.repository, error)
    is_on = any(label.id not in live.present and _is_of(label, fresh) for label in answer)
    if is_on:
        # Read again: a person may have put it on in the same moment.
        taken_back = _take_back(context, _again(context, live))
        if taken_back:
            return f"{taken_back}in the console only: {IGNORANT}"
    store.suggestions.settle(*at, ids, "pending")
    if not is_on:
        store.meta.set(_proven_key(live.repository.id), "yes")
    return f"suggested on GitHub: {', '.join(each.label.name for each in fresh)}"


def _unsent(context: Context, live: Live) -> list[Proposal]:
    """What we suggest and have not sent; a label that may start something waits until another
    one has shown that GitHub does not put it on."""
    store = context.store
    if live.issue.is_pull_request or store.commands.is_off(live.repository.id, live.issue.number):
        return []  # GitHub has suggestions for issues only
    before = {
        each.label_id
        for each in store.suggestions.of_issue(live.repository.id, live.issue.number)
        if each.state != "intended"
    }
    proven = store.meta.get(_proven_key(live.repository.id)) is not None
    return [
        each
        for each in proposals.suggested(store, live)
        if each.label.id not in before and (proven or why_sensitive(each.label.name) is None)
    ]


def _settle_known(store: Store, live: Live, wanted: Iterable[Proposal], known: set[int]) -> None:
    """What GitHub has already was sent before a crash: its fate is asked for later."""
    ids = [each.label.id for each in wanted if each.label.id in known]
    if ids:
        store.suggestions.intend(live.repository.id, live.issue.number, ids)
        store.suggestions.settle(live.repository.id, live.issue.number, ids, "pending")


def _take_back(context: Context, live: Live) -> str:
    """After a crash: take off what GitHub put on though we only suggested it."""
    store, at = context.store, (live.repository.id, live.issue.number)
    intended = {x.label_id for x in store.suggestions.of_issue(*at) if x.state == "intended"}
    if not intended:
        return ""
    ours = {label.label_id for label in store.decisions.applied(at[0], number=at[1])}
    names = {live.labels[id].name.casefold() for id in intended if id in live.labels}
    stray = [
        label
        for label in live.issue.labels
        if label.id not in ours
        and (label.id in intended or label.name.casefold() in names)
        and _last_by_us(live, label)
    ]
    if not stray:
        return ""
    store.meta.set(_ignorant_key(live.repository), IGNORANT)
    _take_off(context, live, stray)
    store.suggestions.drop(*at, intended)
    return "taken off again what was only suggested; "


def _again(context: Context, live: Live) -> Live:
    return read_live(context, live.repository, live.issue.number, with_events=True)


def _last_by_us(live: Live, label: RemoteLabel) -> bool:
    """Whether we put a label on, as far as GitHub tells: its list of events lags behind a little.

    What a command in a comment had us put on is a person's.
    """
    name = label.name.casefold()
    about = [event for event in live.events if event.label_name.casefold() == name]
    asked_for = any(event.source == "command" for event in about)
    return not asked_for and (not about or (about[-1].actor_kind, about[-1].action) == US)


def _take_off(context: Context, live: Live, labels: Iterable[RemoteLabel]) -> None:
    for label in labels:
        try:
            live.client.remove_label(live.repository.full_name, live.issue.number, label.name)
        except NotFound:
            context.log.info("the label was off already", label=label.name)


def _is_of(label: RemoteLabel, fresh: Iterable[Proposal]) -> bool:
    return any(
        label.id == each.label.id or label.name.casefold() == each.label.name.casefold()
        for each in fresh
    )


def _entry(each: Proposal) -> dict[str, Any]:
    p = each.probability or 0.0
    confidence = "high" if p >= HIGH else "medium" if p >= MEDIUM else "low"
    return {
        "name": each.label.name,
        "rationale": rationale(each.reason),
        "confidence": confidence,
        "suggest": True,
    }


def _remember_refusal(context: Context, repository: Repository, error: GitHubError) -> str:
    if isinstance(error, _PASSING):
        raise error
    why = f"GitHub takes no suggestions here ({error.status})"
    said = json.dumps({"why": why, "at": context.now()})
    context.store.meta.set(_refused_key(repository.id), said)
    return f"in the console only: {why}"


def _answer(repository_id: int, number: int, each: RemoteSuggestion) -> Answer:
    return Answer(repository_id, number, each.label_id, belongs=False, at=each.updated_at)


def _refused_key(repository_id: int) -> str:
    return f"native_suggestions:{repository_id}"


def _proven_key(repository_id: int) -> str:
    return f"native_suggestions_proven:{repository_id}"


def _ignorant_key(repository: Repository) -> str:
    # One GitHub, one answer: not every repository is to try it on an issue of its own.
    return f"native_suggestions_unknown:installation:{repository.installation_id}"
