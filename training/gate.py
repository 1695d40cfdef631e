"""Is a new version better than those before it? Their recipes, side by side on the newest issues.

Challenger and champion are fitted on the same older issues and judged on the same newest ones,
which neither fit has seen. The champion's fit knows only what had been said when its snapshot was
taken: so a retraining by the same recipe shows whether the new labels help.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.bundle import Bundle
from models.encoder import Encoder
from models.figures import difference, micro_f1, per_label
from training import data
from training.evaluate import reported_columns
from training.fit import Fit, fit
from training.fits import Job, Outcome, holdout_cut, reporting
from training.known import Ground, known_at
from training.methods.space import Space
from training.recipe import Recipe
from training.side_by_side import Decided, decided, suggest_only

Array = np.ndarray[Any, Any]
Report = dict[str, Any]

SHARE, LEAST = 0.2, 200
"""Of the labeled issues: how many of the newest are judged. Never more than half."""
MIN_KNOWN = 10
"""Older issues of which a rival must have known something, for its recipe to be fitted."""
MIN_UNSEEN = 30
"""Judged issues that a rival's tuned encoder must not have seen, for it to be asked."""


@dataclass(frozen=True)
class Asked:
    """What a rival shows on `rows` of the judged issues; `how` says how it was asked."""

    shown: Array
    rows: Array
    how: str


@dataclass(frozen=True)
class Incomparable:
    """A rival that cannot be asked; `in_doubt` says what is right then, "publish" or "keep"."""

    why: str
    in_doubt: str


Rival = Bundle | Incomparable | None


def judged_from(count: int) -> int:
    """How many of `count` labeled issues, oldest first, lie before those that the gate judges."""
    wanted = min(data.holdout_cut(count, SHARE), count - LEAST)
    return max(wanted, count - count // 2)


class Gate:
    """One challenger before its judges. `server` has the vectors of the server's own encoder."""

    def __init__(self, job: Job, made: Outcome, server: Space, *, compared: bool) -> None:
        self._job, self._made, self._server = job, made, server
        self._fits: dict[object, Fit] = {}
        count = len(made.seen)
        evaluated = holdout_cut(job.recipe, count)
        # To tune or adapt the encoder for another cut would take as long as the training.
        makes_encoder = job.recipe.adapt or made.early is not None
        self._cut = judged_from(count) if compared and not makes_encoder else evaluated
        self._ground = Ground(made.seen, self._cut, made.early, made.early_cut)
        self._train = data.oldest(made.seen, self._cut)
        newest = made.seen.take(np.arange(self._cut, count))
        self._judged, self._repeated = data.without_repeats(newest, self._train)
        self._asked = self._judged.weights > 0
        self._is_evaluation = self._cut == evaluated
        report = reporting(job.report, "gate")
        self._fit = (
            made.evaluation
            if self._is_evaluation
            else fit(self._train, half_life=job.recipe.half_life, report=report)
        )
        self._decided = self._decisions(self._fit, self._judged)

    def reasons(self) -> dict[str, str]:
        """The labels that become suggest-only; see `suggest_only`."""
        return suggest_only(self._made.final.labels, *self._to_be_deployed())

    def _to_be_deployed(self) -> tuple[Decided, data.Examples]:
        """What the thresholds that are deployed make of the judged issues, by scores out of fold.

        Those of the fit that is judged were chosen on fewer issues, and nobody will use them.
        """
        final = self._made.final
        rows = np.isin(final.out_of_fold.rows, self._rows())
        judged = self._made.seen.take(final.out_of_fold.rows[rows])
        scores = final.out_of_fold.probabilities[rows]
        return decided(final.labels, scores, judged.weights > 0), judged

    def report(self, rivals: Mapping[str, Rival]) -> Report:
        """Figures of the challenger, and of each rival beside it, as plain values."""
        deployed, judged = self._to_be_deployed()
        table = per_label(self._judged.names, self._judged.truth, self._decided.shown)
        for j, name in enumerate(judged.names):
            table[name]["applied"] = int(deployed.applied[:, j].sum())
            table[name]["applied_right"] = int((deployed.applied & judged.truth)[:, j].sum())
        older = f"the {self._cut} older issues"
        return {
            "n": len(self._judged),
            "from": self._judged.issues[0].created_at,
            "duplicates_removed": self._repeated,
            "fit": f"the evaluation fit, on {older}" if self._is_evaluation else f"on {older}",
            "micro_f1": self._micro_f1(self._decided.shown, np.arange(len(self._judged))),
            "labels": table,
            "suggest_only": self.reasons(),
            **{name: self._beside(rival) for name, rival in rivals.items()},
        }

    def _beside(self, rival: Rival) -> Report | None:
        if rival is None:
            return None
        answer = self._ask(rival) if isinstance(rival, Bundle) else rival
        if isinstance(answer, Incomparable):
            return {"why": answer.why, "in_doubt": answer.in_doubt}
        columns = self._columns()
        ours = self._decided.shown[answer.rows]
        truth = self._judged.truth[np.ix_(answer.rows, columns)]
        found = difference(truth, ours[:, columns], answer.shown[:, columns], self._job.recipe.seed)
        judged = self._judged.take(answer.rows)
        return {
            "how": answer.how,
            "n": len(answer.rows),
            "challenger": self._micro_f1(ours, answer.rows),
            "rival": self._micro_f1(answer.shown, answer.rows),
            "difference": found.value,
            "bound": found.at_worst,
            "labels": per_label(judged.names, judged.truth, answer.shown),
        }

    def _ask(self, rival: Bundle) -> Asked | Incomparable:
        recipe = Recipe.of_card(rival.card.get("recipe") or {})
        own = rival.encoder is not None
        if own and _saw_labels(rival, recipe):
            if self._made.early is None or not _same_encoder(recipe, self._job.recipe):
                return self._deployed(rival)
            ground, over = self._ground, "an encoder that was tuned once for both"
        elif own:
            ground = Ground(_own_space(rival).examples(self._job.examples), self._cut)
            over = "its own encoder"
        else:
            ground, over = self._over_server(), "the server's encoder"
        return self._refitted(rival, recipe, ground, over)

    def _over_server(self) -> Ground:
        made = self._made
        if made.early is None and made.space.encoder.version == self._server.encoder.version:
            return self._ground
        return Ground(self._server.examples(self._job.examples), self._cut)

    def _refitted(
        self, rival: Bundle, recipe: Recipe, ground: Ground, over: str
    ) -> Asked | Incomparable:
        """The rival's recipe over an encoder, fitted on what was known to the rival."""
        known = known_at(ground.examples, _moment(rival))
        count = int(known.rows[: self._cut].sum())
        every = np.arange(len(self._judged))
        unchanged = count == self._cut and bool(
            (known.weights[: self._cut] == ground.examples.weights[: self._cut]).all()
        )
        same = ground is self._ground and recipe.half_life == self._job.recipe.half_life
        if unchanged and same:
            how = f"the same recipe over {over}; nothing new was said of the older issues"
            return Asked(self._decided.shown, every, how)
        part = known.truth[: self._cut][known.rows[: self._cut]]
        if count < MIN_KNOWN or not (part.sum(axis=0) >= 2).any():
            why = f"it knew something of {count} of the {self._cut} older issues: too few to fit"
            return Incomparable(why, "publish")
        key = (over, recipe.half_life, known.rows.tobytes(), known.weights.tobytes())
        if key not in self._fits:
            report = reporting(self._job.report, "gate: the version before")
            self._fits[key] = ground.fitted(known, recipe.half_life, report)
        judged = ground.examples.take(self._rows())
        shown = self._decisions(self._fits[key], judged).shown
        how = f"recipe {recipe.name} over {over}, on what was known of {count} older issues"
        return Asked(shown, every, how)

    def _deployed(self, rival: Bundle) -> Asked | Incomparable:
        """The rival as it is deployed, on issues that are newer than all that it has seen."""
        newest = data.days_of(rival.card["fits"]["deployed"]["newest"])
        rows = np.flatnonzero(self._judged.days > newest)
        if len(rows) < MIN_UNSEEN:
            why = (
                f"it was tuned on labels: {len(rows)} judged issues are newer,"
                f" {MIN_UNSEEN} are needed to compare"
            )
            return Incomparable(why, "keep")
        part = self._judged.take(rows)
        scores = rival.head.probabilities(part.texts, _own_space(rival).vectors(part.texts))
        theirs = decided(rival.labels, scores).shown
        shown = np.zeros(part.truth.shape, dtype=bool)
        for j, name in enumerate(part.names):
            if name in rival.labels.names:
                shown[:, j] = theirs[:, rival.labels.index(name)]
        how = f"as it is deployed, on {len(rows)} issues that are newer than all that it has seen"
        return Asked(shown & self._asked[rows], rows, how)

    def _decisions(self, made: Fit, judged: data.Examples) -> Decided:
        scores = made.head.probabilities(judged.texts, judged.vectors)
        return decided(made.labels, scores, self._asked)

    def _micro_f1(self, shown: Array, rows: Array) -> float:
        columns = self._columns()
        return micro_f1(self._judged.truth[np.ix_(rows, columns)], shown[:, columns])

    def _columns(self) -> Array:
        return reported_columns(self._train, self._judged)

    def _rows(self) -> Array:
        """Where the judged issues lie among all labeled ones."""
        position = {issue.number: i for i, issue in enumerate(self._made.seen.issues)}
        return np.array([position[issue.number] for issue in self._judged.issues])


def _moment(rival: Bundle) -> str:
    """Up to when a version knew what was said; older cards tell when its training began."""
    return str(rival.card.get("known_until") or rival.card["created_at"])


def _saw_labels(rival: Bundle, recipe: Recipe) -> bool:
    took = (rival.card.get("chosen") or {}).get("took")
    return recipe.tune != "none" and took != "frozen encoder"


def _same_encoder(one: Recipe, other: Recipe) -> bool:
    """Whether two recipes make an encoder in the same way."""
    rest: dict[str, Any] = {"name": "", "holdout": 0.2, "half_life": None}
    return replace(one, **rest) == replace(other, **rest)


def _own_space(rival: Bundle) -> Space:
    assert rival.encoder is not None
    tokens = rival.card["encoder"].get("max_tokens", 256)
    encoder = Encoder.load(str(rival.encoder), max_tokens=tokens)
    return Space(encoder, dict(rival.vectors))
