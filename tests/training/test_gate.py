"""A challenger beside the versions before it: fits on planted issues whose answer is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.bundle import Bundle
from models.labels import LabelRule
from models.snapshot import SnapshotIssue
from tests.models.builders import make_bundle
from tests.training.planted import planted
from tests.training.test_fits import Leaky
from training.data import Examples
from training.fits import Job, Outcome, Stage, Tuner, two_fits
from training.gate import Gate, Incomparable, judged_from
from training.recipe import Recipe

THEN, LATER = "2098-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
"""A rival's moment, and one after it."""
PLAIN = Recipe(half_life=None)
TUNED = Recipe(name="finetuned", half_life=None, tune="supervised")


@dataclass(frozen=True)
class Known:
    """A space that the planted vectors are of."""

    version: str = "e-1"

    @property
    def encoder(self) -> Any:
        return SimpleNamespace(version=self.version)

    def examples(self, examples: Examples) -> Examples:
        return examples


SPACE: Any = Known()


class Plain:
    """A tuner that leaves the encoder as it is."""

    def at(self, stage: Stage, examples: Examples) -> tuple[Any, Examples]:
        return SPACE, examples


def rival(recipe: Recipe = PLAIN, *, until: str = THEN, **more: Any) -> Bundle:
    plain = make_bundle()
    card = {**plain.card, "recipe": recipe.to_json(), "known_until": until}
    return replace(plain, card=card, **more)


def trained(examples: Examples, recipe: Recipe = PLAIN, tuner: Tuner | None = None) -> Outcome:
    (made,) = two_fits([job(examples, recipe)], tuner)
    return made


def job(examples: Examples, recipe: Recipe = PLAIN, phases: list[str] | None = None) -> Job:
    def report(phase: str, done: int, total: int, loss: float | None = None) -> None:
        if phases is not None and done == 0:
            phases.append(phase)

    return Job("o/r", recipe, SPACE, examples, report)


def figures(
    examples: Examples,
    recipe: Recipe = PLAIN,
    tuner: Tuner | None = None,
    **rivals: Bundle | Incomparable | None,
) -> dict[str, Any]:
    made = trained(examples, recipe, tuner)
    gate = Gate(job(examples, recipe), made, SPACE, compared=any(rivals.values()))
    return gate.report({"champion": None, "best": None, **rivals})


def said(examples: Examples, rows: range, truth: np.ndarray, at: str) -> Examples:
    """These labels of some issues were said at that time, in the place of those before."""
    issues, new = list(examples.issues), examples.truth.copy()
    for row in rows:
        new[row] = truth[row]
        issues[row] = _labeled(issues[row], dict(zip(examples.names, truth[row], strict=True)), at)
    return replace(examples, issues=tuple(issues), truth=new)


def _labeled(issue: SnapshotIssue, on: Mapping[str, bool], at: str) -> SnapshotIssue:
    labels: Any = {name: "person" for name, is_on in on.items() if is_on}
    removed = tuple(name for name, is_on in on.items() if not is_on)
    return replace(issue, labels=labels, removed=removed, said_at=dict.fromkeys(on, at))


def flipped(examples: Examples, rows: range = range(20, 130), at: str = LATER) -> Examples:
    """Older issues whose labels somebody turned round."""
    return said(examples, rows, ~examples.truth, at)


@pytest.mark.parametrize(
    ("count", "judged"), [(20, 10), (25, 12), (150, 75), (400, 200), (700, 200), (1000, 200)]
)
def test_the_newest_fifth_is_judged_or_200_but_never_more_than_half(count: int, judged: int):
    assert count - judged_from(count) == judged


def test_a_fifth_of_many_issues_is_what_the_evaluation_fit_never_saw():
    assert [judged_from(n) for n in (1000, 1234, 5001)] == [800, int(1234 * 0.8), int(5001 * 0.8)]


def test_without_a_version_before_the_figures_are_those_of_the_evaluation():
    examples = planted(200)
    found = figures(examples)
    metrics = trained(examples).metrics
    assert (found["n"], found["micro_f1"]) == (metrics["n_holdout"], metrics["micro_f1"])
    assert (found["champion"], found["best"]) == (None, None)
    assert found["fit"] == "the evaluation fit, on the 160 older issues"


def test_both_are_judged_on_the_same_newest_issues():
    examples = flipped(planted(300))
    found = figures(examples, champion=rival())
    assert (found["n"], found["champion"]["n"]) == (150, 150)
    assert found["from"] == examples.issues[150].created_at
    assert found["champion"]["challenger"] == found["micro_f1"]
    assert found["champion"]["labels"].keys() == found["labels"].keys() == set(examples.names)


def test_flipped_labels_lose():
    found = figures(flipped(planted(300)), champion=rival())["champion"]
    assert found["difference"] < -0.05
    assert "what was known of 40 older issues" in found["how"]


def test_flipped_labels_that_the_champion_knew_as_well_make_no_difference():
    found = figures(flipped(planted(300), at=THEN), champion=rival())["champion"]
    assert (found["difference"], found["bound"]) == (0.0, 0.0)


def test_right_labels_win():
    examples = planted(300)
    wrong = said(examples, range(60), ~examples.truth, THEN)
    found = figures(said(wrong, range(30, 150), examples.truth, LATER), champion=rival())
    assert found["champion"]["difference"] > 0.0


def test_the_same_recipe_and_nothing_new_are_fitted_once():
    phases: list[str] = []
    examples = planted(300)
    made = trained(examples)
    found = Gate(job(examples, phases=phases), made, SPACE, compared=True)
    both = found.report({"champion": rival(), "best": rival(until=LATER)})
    assert both["champion"]["difference"] == both["champion"]["bound"] == 0.0
    assert both["champion"]["how"].endswith("nothing new was said of the older issues")
    assert not [phase for phase in phases if "before" in phase]


def test_what_is_new_among_the_judged_issues_is_only_judged():
    found = figures(flipped(planted(300), range(160, 200)), champion=rival())
    assert found["champion"]["difference"] == 0.0


def test_rivals_that_knew_the_same_are_fitted_once():
    phases: list[str] = []
    examples = flipped(planted(300))
    gate = Gate(job(examples, phases=phases), trained(examples), SPACE, compared=True)
    both = gate.report({"champion": rival(), "best": rival(until="2097-01-01T00:00:00Z")})
    assert both["champion"] == both["best"]
    assert phases.count("gate: the version before: fit") == 1


def test_another_recipe_is_fitted_on_the_same_issues():
    found = figures(planted(300), champion=rival(Recipe(name="mine", half_life=60.0)))["champion"]
    assert found["n"] == 150
    assert "recipe mine over the server's encoder, on what was known of 150" in found["how"]


def test_a_champion_that_knew_next_to_nothing_of_the_older_issues_is_no_obstacle():
    found = figures(flipped(planted(300), range(145)), champion=rival())["champion"]
    assert found == {
        "why": "it knew something of 5 of the 150 older issues: too few to fit",
        "in_doubt": "publish",
    }


def test_what_cannot_be_read_is_said():
    found = figures(planted(200), champion=Incomparable("it cannot be read", "publish"))
    assert found["champion"] == {"why": "it cannot be read", "in_doubt": "publish"}


def test_our_own_guess_that_nobody_touched_is_not_judged():
    examples = planted(300)
    weights, truth = examples.weights.copy(), examples.truth.copy()
    weights[200:], truth[200:] = 0.0, False
    found = figures(replace(examples, weights=weights, truth=truth), champion=rival())
    assert sum(label["support"] for label in found["labels"].values()) == truth[150:].sum()
    assert found["labels"]["bug"]["precision"] > 0.9


def test_a_recipe_that_tunes_is_judged_on_its_evaluation_and_shares_the_encoder():
    examples = flipped(planted(300))
    found = figures(examples, TUNED, Plain(), champion=rival(TUNED, encoder=OWN))
    assert found["n"] == 60
    assert "an encoder that was tuned once for both" in found["champion"]["how"]
    assert found["champion"]["difference"] < 0


def test_a_champion_that_was_tuned_and_saw_what_is_judged_is_kept():
    newest = {"deployed": {"newest": planted(300).issues[-20].created_at}}
    champion = rival(TUNED, encoder=OWN)
    champion = replace(champion, card={**champion.card, "fits": newest})
    found = figures(spread(planted(300)), champion=champion)["champion"]
    assert found["in_doubt"] == "keep" and "30 are needed to compare" in found["why"]


def test_a_recipe_that_tunes_is_compared_with_one_over_the_server_encoder():
    found = figures(planted(300), TUNED, Leaky(generalises=True), champion=rival())["champion"]
    assert (found["n"], found["difference"] >= 0) == (60, True)
    assert "over the server's encoder" in found["how"]


def test_a_label_that_fails_on_the_newest_issues_becomes_suggest_only():
    examples = planted(400)
    truth = examples.truth.copy()
    truth[320:, 0] = False
    made = trained(replace(examples, truth=truth))
    rules: list[LabelRule] = [replace(x, apply_at=0.5) for x in made.final.labels]
    eager = replace(made.final, labels=made.final.labels.with_rules(rules))
    gate = Gate(
        job(replace(examples, truth=truth)), replace(made, final=eager), SPACE, compared=False
    )
    assert list(gate.reasons()) == ["bug"]
    assert gate.reasons()["bug"].startswith("0 of ")


OWN: Any = "an encoder's folder"


def spread(examples: Examples) -> Examples:
    """With the days that the issues' own times say."""
    from training.data import days_of

    return replace(examples, days=np.array([days_of(x.created_at) for x in examples.issues]))
