"""A repository's labels, a model's scores, and what the policy makes of them."""

from __future__ import annotations

from bot.policy import Decision, IssueFacts, Verdict, decide
from bot.repo_config import RepoConfig
from bot.store.rows import Label
from models.labels import LabelScore
from models.prediction import Prediction

FACTS = IssueFacts(author="ada", association="NONE")
NAMES = ("bug", "docs", "area/ui", "area/api", "lgtm", "needs-triage")
LABELS = {n: Label(1, n, name) for n, name in enumerate(NAMES, start=1)}
BUG, DOCS, UI, API, LGTM, FALLBACK = sorted(LABELS)


def score(label: str, p: float, *, apply_at: float | None = 0.8, id: int | None = None):
    allowed = (
        "apply" if apply_at is not None and p >= apply_at else "suggest" if p >= 0.4 else "off"
    )
    return LabelScore(label, p, allowed, apply_at, 0.4, "12 decisions, 15 needed", id)


def run(*scores: LabelScore, config: RepoConfig | None = None, **changes) -> Decision:
    caution = changes.pop("caution", None)
    situation = {
        "mode": "apply", "labels": LABELS, "present": frozenset(), "removed": frozenset(),
        "issue": FACTS,
    } | changes  # fmt: skip
    return decide(Prediction("v1", scores, (), caution), config or RepoConfig(), **situation)


def of(decision: Decision, name: str) -> Verdict:
    found = [verdict for verdict in decision.verdicts if verdict.label == name]
    assert len(found) == 1
    return found[0]


def applied(decision: Decision) -> list[str]:
    return [verdict.label for verdict in decision.apply]
