"""What the bot does with each label, and how good it is at it: the rows of a table. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from bot.console.intervals import wilson
from bot.policy import IssueFacts, Verdict, decide, why_left_out
from bot.repo_config import RepoConfig, Skip
from models.labels import LabelRule, LabelScore
from models.prediction import Prediction

if TYPE_CHECKING:
    from bot.console.in_force import InForce
    from bot.store.rows import Label, LiveState

Does = Literal["applies", "suggests", "off"]
_HELD = "suggested only: "
_ANYBODY = IssueFacts(author=None, association="NONE")
_LEAST, _BLOCKS = 4, 12


@dataclass(frozen=True)
class LabelRow:
    """A label in the table. `apply_at` and `suggest_at` are probabilities, None where there is no
    threshold; `live` is the interval of the live precision `right` of `judged`."""

    name: str
    color: str
    does: Does
    why: str
    apply_at: float | None = None
    suggest_at: float | None = None
    support: int | None = None
    holdout: Mapping[str, Any] | None = None
    right: int = 0
    judged: int = 0
    live: tuple[float, float] | None = None
    history: Sequence[float] = ()


def label_rows(
    labels: Iterable[Label],
    model: InForce,
    config: RepoConfig,
    *,
    live: Mapping[int, LiveState],
    late: frozenset[int] = frozenset(),
    history: Mapping[str, Sequence[float]],
) -> list[LabelRow]:
    """A row for each label that exists, what is applied first, then by the issues learned from.

    What it does is asked of the policy, by a score that could not be higher, as if the repository's
    mode were `apply`. `history` is how often the label was right lately, by name.
    """
    known = {label.id: label for label in labels}
    rules = _by_label(known, model.rules)
    verdicts = {v.label_id: v for v in _at_best(known, model, config, late)}
    rows = []
    for label in known.values():
        rule, state = rules.get(label.id), live.get(label.id)
        does, why = _does(label, model, config, verdicts[label.id], rule)
        if state is not None:
            does, why = _after_live(does, why, state)
        judged, right = (state.judged, state.right) if state else (0, 0)
        bar = state.bar if state is not None and state.bar and does == "applies" else 0.0
        rows.append(
            LabelRow(
                label.name,
                label.color,
                does,
                why,
                apply_at=_higher(rule.apply_at if rule else None, bar),
                suggest_at=rule.suggest_at if rule else None,
                support=rule.support if rule else None,
                holdout=model.holdout(rule.name) if rule else None,
                right=right,
                judged=judged,
                live=wilson(right, judged),
                history=history.get(label.name, ()),
            )
        )
    order = {"applies": 0, "suggests": 1, "off": 2}
    return sorted(rows, key=lambda row: (order[row.does], -(row.support or 0), row.name.casefold()))


def histories(replay: Mapping[str, Any] | None) -> dict[str, list[float]]:
    """How often each label was right in a replay report, block by block, the oldest first."""
    outcomes: dict[str, list[bool]] = {}
    for row in reversed((replay or {}).get("rows") or ()):
        for name in (*row["right"], *row["wrong"]):
            outcomes.setdefault(name, []).append(name in row["right"])
    return {name: _shares(each) for name, each in outcomes.items() if len(each) >= _LEAST}


def _shares(outcomes: Sequence[bool]) -> list[float]:
    size = max(2, -(-len(outcomes) // _BLOCKS))
    blocks = [outcomes[i : i + size] for i in range(0, len(outcomes), size)]
    return [sum(block) / len(block) for block in blocks]


def _by_label(known: Mapping[int, Label], rules: Iterable[LabelRule]) -> dict[int, LabelRule]:
    """Rules by the id of the label that each is about now; as the policy finds them."""
    names = {label.name.casefold(): label.id for label in known.values()}
    found: dict[int, LabelRule] = {}
    for rule in rules:
        id = rule.id if rule.id in known else None
        if id is None and (rule.id is None or rule.id < 0):
            id = names.get(rule.name.casefold())
        if id is not None:
            found.setdefault(id, rule)
    return found


def _at_best(
    known: Mapping[int, Label], model: InForce, config: RepoConfig, late: frozenset[int]
) -> Sequence[Verdict]:
    scores = [
        LabelScore(
            rule.name,
            1.0,
            rule.mode_at(1.0),
            rule.apply_at,
            rule.suggest_at,
            rule.why,
            rule.id,
        )
        for rule in model.rules
    ]
    return decide(
        Prediction(model.version or "", tuple(scores)),
        replace(config, fallback=None, groups=(), skip=Skip()),
        mode="apply",
        labels=known,
        present=frozenset(),
        removed=frozenset(),
        issue=_ANYBODY,
        late=late,
        trained_for=model.targets(),
    ).verdicts


def _does(
    label: Label, model: InForce, config: RepoConfig, verdict: Verdict, rule: LabelRule | None
) -> tuple[Does, str]:
    if config.fallback is not None and config.fallback.casefold() == label.name.casefold():
        return "applies", "the fallback label, for issues that nothing else fits"
    if model.problem is not None:
        return "off", "the version in force cannot be read"
    if model.version is None:
        left_out = why_left_out(config, label.name)
        if left_out:
            return "off", left_out
        return "suggests", "by its name and description: no model is trained yet"
    if verdict.action == "apply":
        return "applies", rule.why if rule else ""
    if verdict.action == "suggest":
        return "suggests", verdict.reason.partition(_HELD)[2] or verdict.reason
    return "off", verdict.reason


def _after_live(does: Does, why: str, state: LiveState) -> tuple[Does, str]:
    """What live precision, which has the last word, makes of it."""
    if state.state == "retired" and does != "off":
        return "suggests", state.reason
    if does != "applies" or state.state == "as trained":
        return does, why
    if state.bar is None:
        return "suggests", f"live precision: {state.reason}"
    return "applies", f"only from {state.bar:.2f} on, by live precision: {state.reason}"


def _higher(at: float | None, bar: float) -> float | None:
    return None if at is None else max(at, bar)
