"""The decision: scores, configuration and what people did -> a verdict for every label. Pure.

Nothing is applied but in mode `apply`, nothing that anybody took off is put back, and no group
holds more than its maximum. Each verdict says in one sentence why it came out so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from bot.repo_config import GroupRule, Mode, RepoConfig, first_match, matches
from bot.sensitive import why_sensitive

if TYPE_CHECKING:
    from bot.store.rows import Label
    from models.demotion import LiveLabel
    from models.labels import LabelScore
    from models.prediction import Prediction

Action = Literal["apply", "suggest", "none"]


@dataclass(frozen=True)
class IssueFacts:
    """What the policy needs to know of an issue. `association` as GitHub writes it (`MEMBER`)."""

    author: str | None
    association: str
    is_pull_request: bool = False
    locked: bool = False
    state: str = "open"
    archived: bool = False


@dataclass(frozen=True)
class Verdict:
    """What becomes of one label. `label_id` is None where the label no longer exists,
    `probability` where the model does not know the label. `shadow`: it would have been applied,
    had live precision, or chance, not held it back."""

    label_id: int | None
    label: str
    probability: float | None
    action: Action
    reason: str
    shadow: bool = False


@dataclass(frozen=True)
class Decision:
    """The verdicts on all labels, those to apply first, then by probability."""

    mode: Mode
    version: str
    verdicts: tuple[Verdict, ...]

    @property
    def apply(self) -> tuple[Verdict, ...]:
        """What is to be added to the issue."""
        return tuple(verdict for verdict in self.verdicts if verdict.action == "apply")

    @property
    def suggest(self) -> tuple[Verdict, ...]:
        """What a person may want to add."""
        return tuple(verdict for verdict in self.verdicts if verdict.action == "suggest")

    def to_dicts(self) -> list[dict[str, Any]]:
        """The verdicts as JSON values for the store: `action` is kept under `verdict`."""
        plain = [asdict(verdict) for verdict in self.verdicts]
        return [values | {"verdict": values.pop("action")} for values in plain]


def effective_mode(config: RepoConfig, operator: Mode | None) -> Mode:
    """The operator's word for a repository goes before the mode in its own file."""
    return operator or config.mode


def decide(  # noqa: PLR0913 - everything that a decision depends on, by name
    prediction: Prediction,
    config: RepoConfig,
    *,
    mode: Mode,
    labels: Mapping[int, Label],
    present: Set[int],
    removed: Set[int],
    issue: IssueFacts,
    late: Set[int] = frozenset(),
    live: Mapping[int, LiveLabel] = MappingProxyType({}),
    withheld: Set[int] = frozenset(),
    trained_for: Mapping[str, float] = MappingProxyType({}),
) -> Decision:
    """Decide on every label of the repository and every label of the prediction.

    `labels` are those that exist now, by id; `present` are on the issue; `removed` were taken off
    it by anyone, at any time; `late` are usually added more than a week after an issue is opened.
    `live` are the records of labels that live precision holds back, by label id; `withheld` are
    labels that are not applied this time, to see whether people add them; `trained_for` is the
    precision that each label's threshold was set for, by name, where that is known.
    """
    judge = _Judge(
        prediction, config, mode, labels, present, removed, late, live, withheld, trained_for
    )
    whole = why_left_alone(config, issue, mode, [labels[i].name for i in present if i in labels])
    verdicts = [judge.verdict(label, score) for label, score in judge.pairs()]
    if whole:
        verdicts = [replace(verdict, action="none", reason=whole) for verdict in verdicts]
    names = [labels[i].name for i in sorted(present) if i in labels]
    verdicts = _within_groups(_ranked(verdicts), config.groups, names)
    if not whole:
        verdicts = _with_fallback(verdicts, config, mode, bool(present), removed)
    return Decision(mode, prediction.version, tuple(_ranked(verdicts)))


def why_left_alone(
    config: RepoConfig, issue: IssueFacts, mode: Mode, label_names: Iterable[str]
) -> str | None:
    """Why an issue gets no label and no suggestion at all, or None."""
    if mode == "off":
        return "labelling is turned off for this repository"
    if issue.archived:
        return "the repository is archived"
    if issue.state == "closed":
        return "the issue is closed"
    if issue.locked:
        return "the conversation is locked"
    if issue.is_pull_request and not config.pull_requests:
        return "it is a pull request, and `pull_requests` is false"
    return _why_skipped(config, issue, label_names)


def _why_skipped(config: RepoConfig, issue: IssueFacts, label_names: Iterable[str]) -> str | None:
    pattern = first_match(config.skip.authors, issue.author) if issue.author else None
    if pattern:
        return f"the author matches `skip.authors`: {pattern}"
    if issue.association.upper() in config.skip.associations:
        return f"the author is {issue.association.upper()}, which `skip.associations` leaves out"
    for name in label_names:
        if first_match(config.skip.labels, name):
            return f"the issue has the label {name}, which `skip.labels` leaves out"
    return None


@dataclass(frozen=True)
class _Judge:
    """One label at a time; what concerns several labels (groups, fallback) comes afterwards."""

    prediction: Prediction
    config: RepoConfig
    mode: Mode
    labels: Mapping[int, Label]
    present: Set[int]
    removed: Set[int]
    late: Set[int]
    live: Mapping[int, LiveLabel]
    withheld: Set[int]
    trained_for: Mapping[str, float]

    def pairs(self) -> list[tuple[Label | None, LabelScore | None]]:
        """Each label that exists with its score, if it has one, then scores of lost labels."""
        by_name = {label.name.casefold(): label.id for label in self.labels.values()}
        scores: dict[int, LabelScore] = {}
        lost: dict[object, LabelScore] = {}
        for score in self.prediction.scores:
            found = score.id if score.id in self.labels else None
            # An id below zero was our own, from before GitHub gave one.
            if found is None and (score.id is None or score.id < 0):
                found = by_name.get(score.label.casefold())
            if found is None:
                lost.setdefault(score.id or score.label.casefold(), score)
            else:
                scores.setdefault(found, score)
        known = [(label, scores.get(number)) for number, label in self.labels.items()]
        return [*known, *((None, score) for score in lost.values())]

    def verdict(self, label: Label | None, score: LabelScore | None) -> Verdict:
        probability = None if score is None else score.probability
        if label is None:
            name = score.label if score else ""
            return Verdict(None, name, probability, "none", "the repository has no such label now")
        reason = self._why_not(label)
        if reason is None and score is None:
            reason = "the model does not know this label"
        if reason is not None or score is None:
            return Verdict(label.id, label.name, probability, "none", reason or "")
        action, reason = self._by_score(label, score)
        held = self._why_held(label, score.probability) if action == "apply" else None
        if held is not None:
            action, reason = "suggest", f"suggested only: {held}"
        return Verdict(label.id, label.name, probability, action, reason, held is not None)

    def _why_held(self, label: Label, probability: float) -> str | None:
        record = self.live.get(label.id)
        if record is not None and not record.applies(probability):
            below = "" if record.bar is None else f"{probability:.2f} is below {record.bar:.2f}: "
            return f"{below}{record.reason}"
        if label.id in self.withheld:
            return "withheld at random (`explore`), to see whether people add it"
        return None

    def _why_not(self, label: Label) -> str | None:
        if label.id in self.present:
            return "it is on the issue already"
        if label.id in self.removed:
            return "it was taken off this issue before, so it is not put back"
        return why_left_out(self.config, label.name)

    def _by_score(self, label: Label, score: LabelScore) -> tuple[Action, str]:
        p = score.probability
        if score.mode == "off":
            return "none", f"{p:.2f} is below {score.suggest_at:.2f}, where suggestions begin"
        held_back = self._why_suggest_only(label, score)
        if held_back is None:
            return "apply", f"{p:.2f} reaches {score.apply_at:.2f}, from where it is applied"
        return "suggest", f"{p:.2f}, suggested only: {held_back}"

    def _why_suggest_only(self, label: Label, score: LabelScore) -> str | None:
        if self.mode != "apply":
            return "the repository's mode is suggest"
        if self.config.override(label.name).mode == "suggest":
            return "`labels.overrides` says suggest"
        if self.prediction.caution:
            return self.prediction.caution
        if score.apply_at is None:
            return score.why or "the model has no threshold that it trusts"
        if score.mode != "apply":
            return f"it is applied from {score.apply_at:.2f} on"
        target = self.config.target(label.name)
        trained = self.trained_for.get(score.label, target)
        if trained < target:
            return f"its threshold was set for precision {trained:.2f}, not {target:.2f}"
        return self._why_careful(label)

    def _why_careful(self, label: Label) -> str | None:
        if allowed_by_name(self.config, label.name):
            return None
        if label.id in self.late:
            return "it is usually added more than a week after an issue is opened"
        return why_sensitive(label.name)


def why_left_out(config: RepoConfig, name: str) -> str | None:
    """Why the configuration leaves a label out, whatever its score; None where it does not."""
    rules = config.labels
    if denied := first_match(rules.deny, name):
        return f"`labels.deny` leaves it out: {denied}"
    if rules.allow and not first_match(rules.allow, name):
        return "`labels.allow` does not name it"
    if config.override(name).mode == "off":
        return "`labels.overrides` turns it off"
    if config.fallback is not None and config.fallback.casefold() == name.casefold():
        return "it is the fallback label, for issues that nothing else fits"
    return None


def allowed_by_name(config: RepoConfig, name: str) -> bool:
    """Whether the file names the label itself: in `allow`, or with an override to `apply`."""
    folded = name.casefold()
    named = [key for key, own in config.labels.overrides.items() if own.mode == "apply"]
    return any(folded == entry.casefold() for entry in (*config.labels.allow, *named))


def _ranked(verdicts: Iterable[Verdict]) -> list[Verdict]:
    order = {"apply": 0, "suggest": 1, "none": 2}
    return sorted(verdicts, key=lambda v: (order[v.action], -(v.probability or 0.0), v.label))


def _within_groups(
    verdicts: list[Verdict], groups: Iterable[GroupRule], present: Iterable[str]
) -> list[Verdict]:
    """Hold back what a full group has no room for: the likelier label (first in order) goes in.

    Suggestions take no room, so alternatives stay visible until the group is full.
    """
    rules = tuple(groups)
    members = {rule: [name for name in present if matches(rule.match, name)] for rule in rules}
    kept: list[Verdict] = []
    for verdict in verdicts:
        mine = [] if verdict.action == "none" else _groups_of(rules, verdict.label)
        full = next((rule for rule in mine if len(members[rule]) >= rule.max), None)
        if full is not None:
            has = ", ".join(members[full])
            reason = f"the group {full.name} is full: {has} (at most {full.max})"
            verdict = replace(verdict, action="none", reason=reason)
        elif verdict.action == "apply":
            for rule in mine:
                members[rule].append(verdict.label)
        kept.append(verdict)
    return kept


def _groups_of(rules: Iterable[GroupRule], label: str) -> list[GroupRule]:
    return [rule for rule in rules if matches(rule.match, label)]


def _with_fallback(
    verdicts: list[Verdict], config: RepoConfig, mode: Mode, has_labels: bool, removed: Set[int]
) -> list[Verdict]:
    """Give the fallback label to an issue that has no label and gets none.

    The configuration names it, so it needs no place in `allow`; `deny` and `overrides` still hold.
    """
    name = config.fallback or ""
    own = config.override(name).mode
    refused = own == "off" or first_match(config.labels.deny, name) is not None
    if not name or refused or has_labels or any(v.action == "apply" for v in verdicts):
        return verdicts
    action: Action = "apply" if mode == "apply" and own != "suggest" else "suggest"
    return [
        replace(v, action=action, reason="nothing reached its target: it is the fallback label")
        if v.label_id is not None
        and v.label.casefold() == name.casefold()
        and v.label_id not in removed
        else v
        for v in verdicts
    ]
