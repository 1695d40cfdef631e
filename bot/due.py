"""Why a repository's model is to be trained: one pure function, and the look that asks for it.

Each cause is asked for once. What was asked for is kept, so that a training which the gate refused
is not begun again every hour.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from bot.encoders import in_force, version_key
from bot.repo_config import RepoConfig
from bot.tasks import backfill
from models.bundle import ENCODER
from models.encoder import Encoder
from models.errors import ModelError
from models.labels import LabelSet
from models.snapshot import FOREIGN, MIN_LABELED

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Repository

MIN_USES = 15
"""Issues that must have a label before a training is worth it for that label alone."""
LEARNED = 5
"""Issues that a version must have learned a label from, else it hardly knows it."""
SETTLED = 1800.0
"""Seconds for which labels must stay as they are: somebody who tidies up gets one training."""
MOST_NAMED = 3
Trigger = Literal["first", "corrections", "labels", "encoder"]


@dataclass(frozen=True)
class Version:
    """What the version in force knows: from how many issues it learned each label (by id, or by
    name where it had none), and its encoder's version. None: it cannot be told, or, of the encoder,
    it has its own."""

    labels: Mapping[int | str, int] | None = None
    encoder: str | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a repository: the labels that it has, by id, and on how many issues each is;
    the names of those that it had (`deleted`); `corrections` that no training was asked for yet;
    the `encoder` of new trainings. `now` is epoch seconds."""

    version: Version | None
    now: float = 0.0
    labeled: int = 0
    labels: Mapping[int, str] = field(default_factory=dict)
    deleted: Mapping[int, str] = field(default_factory=dict)
    uses: Mapping[int, int] = field(default_factory=dict)
    encoder: str | None = None
    corrections: int = 0
    retrain_after: int = 25


@dataclass(frozen=True)
class Asked:
    """What trainings were asked for: at how many labeled issues the first one, for which changes of
    labels, for which step between encoders. `seen` are the changes at the last look, the same
    `since` then (epoch seconds)."""

    labeled: int = 0
    changes: tuple[str, ...] = ()
    encoders: str = ""
    seen: tuple[str, ...] = ()
    since: float = 0.0


@dataclass(frozen=True)
class Due:
    """A training is due: what triggers it, and why in words."""

    trigger: Trigger
    why: str


def why_due(facts: Facts, asked: Asked) -> Due | None:
    """Why a training is due now, if it is. Pure.

    first        there are labels enough, and no version; again at twice as many
    corrections  as many as the repository's configuration says
    labels       one that is used was not known to the version, or one that it knows is gone, and
                 nothing like it has happened since for SETTLED. Not a new name: a head goes by the
                 label's id
    encoder      the version's head belongs to another one than that of new trainings
    """
    if facts.version is None:
        enough = facts.labeled >= max(MIN_LABELED, 2 * asked.labeled)
        return Due("first", f"{facts.labeled} labeled issues, no model yet") if enough else None
    if facts.corrections >= facts.retrain_after:
        return Due("corrections", f"{facts.corrections} corrections")
    if facts.labeled < MIN_LABELED:
        return None
    changed = changes(facts)
    settled = (*changed,) == asked.seen and facts.now - asked.since >= SETTLED
    if settled and not changed.keys() <= {*asked.changes}:
        return Due("labels", _in_words(changed))
    if _step(facts) not in ("", asked.encoders):
        return Due("encoder", f"its head is of {facts.version.encoder}, in force {facts.encoder}")
    return None


def changes(facts: Facts) -> dict[str, str]:
    """What changed of the labels since the version was trained: a key for each, in words. Pure."""
    known = None if facts.version is None else facts.version.labels
    if known is None:
        return {}
    names = {name.casefold() for name in facts.labels.values()}
    new = {
        f"new {id}": f"{name} is in use, and hardly known to it"
        for id, name in sorted(facts.labels.items())
        if facts.uses.get(id, 0) >= MIN_USES
        and max(known.get(id, 0), known.get(name.casefold(), 0)) < LEARNED
    }
    gone = {
        f"gone {label}": f"{_name(facts, label)} is gone"
        for label, support in known.items()
        if support >= LEARNED and label not in facts.labels and label not in names
    }
    return new | gone


def remembered(facts: Facts, asked: Asked, due: Due | None) -> Asked:
    """What is to be kept after a look: one training learns all that was to be learned. Pure."""
    changed = tuple(changes(facts))
    if changed != asked.seen:
        asked = replace(asked, seen=changed, since=facts.now)
    if due is None:
        return asked
    return replace(
        asked,
        labeled=facts.labeled if facts.version is None else asked.labeled,
        changes=tuple(sorted({*asked.changes, *changed})),
        encoders=_step(facts) or asked.encoders,
    )


def ask(context: Context, repository: Repository, corrections: Sequence[str]) -> Due | None:
    """Look whether a training is due, and ask for it; what was asked for is kept with the job.

    `corrections` are GitHub's times of those among the newest decisions: times are compared, not
    totals, since a total stops growing. Nothing is asked for while the history is read, or while a
    training is under way, which may learn it; one that waits will.
    """
    store = context.store
    with store.transaction():
        progress = backfill.Progress.load(store, repository.id)
        reading = progress is not None and not progress.done
        if reading or store.jobs.is_begun("train", repository.id):
            return None
        key, learned_key = (
            f"asked_for:{repository.id}",
            f"corrections_learned_until:{repository.id}",
        )
        asked = Asked(**{k: _frozen(v) for k, v in json.loads(store.meta.get(key) or "{}").items()})
        learned = store.meta.get(learned_key) or ""
        facts = _facts(context, repository, sum(at > learned for at in corrections))
        due = why_due(facts, asked)
        kept = remembered(facts, asked, due)
        if kept != asked:
            store.meta.set(key, json.dumps(asdict(kept)))
        if due is not None:
            why = {"trigger": due.trigger, "why": due.why}
            store.jobs.enqueue_for(repository, "train", lane="slow", payload=why)
            if corrections:
                store.meta.set(learned_key, max(learned, *corrections))
    return due


def _facts(context: Context, repository: Repository, corrections: int) -> Facts:
    store = context.store
    version = _version(context, repository.id)
    labels = store.labels.all(repository.id, include_deleted=True)
    return Facts(
        version=version,
        now=context.now(),
        labeled=store.lessons.labeled(repository.id),
        labels={label.id: label.name for label in labels if not label.deleted},
        deleted={label.id: label.name for label in labels if label.deleted},
        uses=store.lessons.uses(repository.id),
        encoder=_encoder(context) if version is not None and version.encoder else None,
        corrections=corrections,
        retrain_after=RepoConfig.from_dict(repository.config).retrain_after,
    )


def _version(context: Context, repository_id: int) -> Version | None:
    """What the version in force knows; nothing can be told of one that cannot be read."""
    name = context.registry.current(repository_id)
    if name is None:
        return None
    try:
        folder = context.registry.path(repository_id, name)
        rules = LabelSet.from_json(json.loads((folder / "labels.json").read_text("utf-8")))
        card = json.loads((folder / "card.json").read_text("utf-8"))
        own = (folder / ENCODER).is_dir()
        encoder = None if own else str(card["encoder"]["version"])
    except (ModelError, *FOREIGN):
        return Version()
    # An id below zero was our own, from before GitHub gave one.
    known = {(x.id if x.id and x.id > 0 else x.name.casefold()): x.support for x in rules}
    return Version(known, encoder)


def _encoder(context: Context) -> str | None:
    """The version of the encoder of new trainings; None where it cannot be read."""
    settings, meta = context.settings, context.store.meta
    try:
        name = in_force(settings)
        known = meta.get(version_key(settings, name))
        if known is None:
            known = Encoder.load(name, max_tokens=settings.max_tokens).version
            meta.set(version_key(settings, name), known)
    except ModelError:
        return None
    return known


def _step(facts: Facts) -> str:
    """The step between encoders that a training would be; empty where there is none."""
    before = None if facts.version is None else facts.version.encoder
    return (
        ""
        if None in (before, facts.encoder) or before == facts.encoder
        else (f"{before} {facts.encoder}")
    )


def _name(facts: Facts, label: int | str) -> str:
    return label if isinstance(label, str) else facts.deleted.get(label, str(label))


def _in_words(changed: Mapping[str, str]) -> str:
    words = [*changed.values()]
    more = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    return f"labels changed: {', '.join(words[:MOST_NAMED])}{more}"


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
