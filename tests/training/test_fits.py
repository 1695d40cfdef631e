import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import bundle, encoder_card, snapshot
from models.encoder import Encoder
from models.predictor import Predictor
from models.snapshot import SnapshotIssue, SnapshotLabel, SnapshotRepository
from tests.training.planted import DIMENSION, planted
from tests.training.small import disk_of
from tests.training.tiny import tiny_masked_lm, write_pooling
from training import progress
from training.data import Examples
from training.fit import OutOfFold, fit
from training.fits import (
    EARLY_SHARE,
    MIN_GAIN,
    MIN_TUNED,
    Frozen,
    Job,
    Outcome,
    Stage,
    Tuned,
    Tuner,
    best_f1,
    holdout_cut,
    seen_at,
    two_fits,
)
from training.recipe import Recipe
from training.run import main


class Leaky:
    """A tuner that gives away the labels it was told, and knows nothing of the others."""

    def __init__(self, *, generalises: bool = False) -> None:
        self.generalises = generalises
        self.asked: list[tuple[Stage, int]] = []

    def at(self, stage: Stage, examples: Examples) -> tuple[Any, Examples]:
        count = seen_at(stage, Recipe(), len(examples))
        self.asked.append((stage, len(examples)))
        rng = np.random.default_rng(count)
        told = np.arange(len(examples)) < count
        known = examples.truth & (told | self.generalises)[:, None]
        half = 0.1 * rng.normal(size=(len(examples), DIMENSION))
        half[:, : known.shape[1]] += known
        vectors = np.hstack([half, half]).astype(np.float32)
        return None, replace(examples, vectors=vectors)


def job(tune: str, examples: Examples, name: str = "o/r", **more: Any) -> Job:
    recipe = Recipe(tune=tune, half_life=None, **more)
    space: Any = None
    return Job(name, recipe, space, examples, progress.silent)


def fit_one(tune: str, examples: Examples, tuner: Tuner) -> Outcome:
    (made,) = two_fits([job(tune, examples)], tuner)
    return made


def silent(examples: Examples) -> Examples:
    """The same issues without a word that gives a label away."""
    texts = tuple(replace(text, body="") for text in examples.texts)
    return replace(examples, texts=texts)


def test_encoder_is_tuned_on_the_oldest_then_on_all_before_the_holdout_then_on_everything():
    tuner = Leaky()
    fit_one("supervised", planted(200), tuner)
    stages: tuple[Stage, ...] = ("early", "before holdout", "everything")
    assert tuner.asked == [(stage, 200) for stage in stages]
    cut = holdout_cut(Recipe(), 200)
    assert [seen_at(x, Recipe(), 200) for x in stages] == [int(cut * EARLY_SHARE), cut, 200]


def test_scores_of_issues_that_the_encoder_saw_never_count():
    made = fit_one("supervised", silent(planted(200)), Leaky())
    assert made.final.out_of_fold.rows.min() == int(160 * EARLY_SHARE)
    assert all(rule.apply_at is None for rule in made.final.labels)
    assert made.metrics["ece"] < 0.2


def test_what_an_encoder_learned_for_good_counts():
    made = fit_one("supervised", silent(planted(200)), Leaky(generalises=True))
    assert made.metrics["micro_f1"] > 0.95
    assert any(rule.apply_at is not None for rule in made.final.labels)


@pytest.mark.parametrize(
    ("generalises", "took"), [(True, "tuned encoder"), (False, "frozen encoder")]
)
def test_tuned_encoder_is_chosen_where_it_gains_on_issues_it_did_not_see(
    generalises: bool, took: str
):
    examples = silent(planted(200))
    examples = replace(examples, vectors=0.01 * examples.vectors)
    made = fit_one("choose", examples, Leaky(generalises=generalises))
    assert made.chosen["took"] == took
    assert "neither had seen" in made.chosen["why"]
    assert set(made.chosen["tried"]) == {"frozen encoder", "tuned encoder"}


def gain_of(chosen: dict[str, Any]) -> float:
    return chosen["tried"]["tuned encoder"] - chosen["tried"]["frozen encoder"]


def test_one_encoder_is_chosen_for_all_by_the_mean_of_their_gains():
    class OfUseToOne(Leaky):
        """Of use to the repository of 200 issues, and none at all to the other."""

        def at(self, stage: Stage, examples: Examples) -> tuple[Any, Examples]:
            self.generalises = len(examples) == 200
            return super().at(stage, examples)

    dull, clear = silent(planted(200)), silent(planted(180, seed=1))
    dull = replace(dull, vectors=0.01 * dull.vectors)
    made = two_fits([job("choose", dull, "o/a"), job("choose", clear, "o/b")], OfUseToOne())
    gains = [gain_of(each.chosen) for each in made]
    assert gains[0] > 0 > gains[1]
    took = "tuned encoder" if np.mean(gains) >= MIN_GAIN else "frozen encoder"
    assert [each.chosen["took"] for each in made] == [took, took]
    assert {each.chosen["why"] for each in made} == {made[0].chosen["why"]}
    assert (
        "2 repositories that neither had seen the tuned encoder's micro F1 is"
        in (made[0].chosen["why"])
    )
    assert f"{np.mean(gains):+.3f} on average" in made[0].chosen["why"]


def test_figures_of_a_repository_do_not_depend_on_the_company():
    examples, other = silent(planted(200)), silent(planted(180, seed=1))
    alone = fit_one("supervised", examples, Leaky(generalises=True))
    _, beside = two_fits(
        [job("supervised", other, "o/a"), job("supervised", examples, "o/b")],
        Leaky(generalises=True),
    )
    assert beside.metrics == alone.metrics


def test_both_encoders_are_judged_after_learning_from_the_same_issues():
    examples = silent(planted(200))
    job_ = job("choose", examples, "o/r")
    tuned = Tuned(job_, Leaky(generalises=True))
    scored = Frozen(job_).scored(tuned.folds)
    assert scored.rows.tolist() == tuned.evaluation.out_of_fold.rows.tolist()
    assert scored.rows.tolist() == list(range(int(160 * EARLY_SHARE), 160))


def test_scores_count_where_the_truth_is_known():
    truth = np.random.default_rng(0).random((20, 2)) < 0.4
    rows = np.arange(12, 20)
    scored = OutOfFold(rows, truth[rows].astype(float), truth[rows])
    assert best_f1(scored, np.ones((20, 2), dtype=bool)) == 1.0
    told = scored.probabilities.copy()
    told[:4] = 1.0 - told[:4]
    half_wrong = replace(scored, probabilities=told)
    known = np.ones((20, 2), dtype=bool)
    assert best_f1(half_wrong, known) < 0.9
    known[rows[:4]] = False
    assert best_f1(half_wrong, known) == 1.0


def test_few_labels_leave_the_encoder_as_it_is():
    tuner = Leaky()
    made = fit_one("supervised", planted(MIN_TUNED - 1), tuner)
    assert tuner.asked == []
    assert f"{MIN_TUNED} needed" in made.chosen["why"]


def test_a_repository_with_few_labels_keeps_the_encoder_that_the_others_tune():
    few, many, tuner = planted(MIN_TUNED - 1), planted(200), Leaky()
    first, second = two_fits(
        [job("supervised", few, "o/few"), job("supervised", many, "o/many")], tuner
    )
    assert first.chosen["took"] == "frozen encoder"
    assert "learns nothing from its labels" in first.chosen["why"]
    assert (first.examples, second.chosen) == (few, {})
    assert {count for _, count in tuner.asked} == {200}


def test_encoders_are_compared_only_where_neither_is_judged_on_issues_older_than_it_learned():
    for holdout, tunes in ((0.2, True), (0.5, False)):
        tuner = Leaky()
        one = job("choose", planted(MIN_TUNED), holdout=holdout)
        (made,) = two_fits([one], tuner)
        assert bool(tuner.asked) == tunes
        assert ("neither had seen" in made.chosen["why"]) == tunes
    cut = holdout_cut(Recipe(), MIN_TUNED)
    first = fit(planted(MIN_TUNED).take(np.arange(cut)), half_life=None)
    assert all(fold.train.max() < fold.test.min() for fold in first.folds)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pooling(tiny_masked_lm(tmp_path_factory.mktemp("tiny")))


def train(sample: Path, tiny: Path, folder: Path, recipe: str) -> Path:
    (folder / "r.toml").write_text(recipe)
    out = folder / "bundle"
    options = ["--encoder", str(tiny), "--recipe", str(folder / "r.toml"), "--max-tokens", "32"]
    assert main(["--snapshot", str(sample), "--out", str(out), *options]) == 0
    return out


def test_bundle_of_a_tuned_encoder_carries_it_and_predicts(
    sample: Path, tiny: Path, tmp_path: Path
):
    out = train(sample, tiny, tmp_path, 'tune = "supervised"\nepochs = 1')
    version = bundle.read(out)
    card = encoder_card.read(out / "encoder")
    own = Encoder.load(str(out / "encoder"), max_tokens=32)
    assert version.card["encoder"]["version"] == own.version
    assert card.corpus["labeled issues"] == version.card["fits"]["deployed"]["issues"]
    assert card.corpus["repositories"] == ["harbor-lights/tidepool"]
    assert card.parent == Encoder.load(str(tiny), max_tokens=32).version
    (made,) = Predictor.load(out, own).predict([("It crashes", "at start")])
    assert {score.label for score in made.scores} == set(version.labels.names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "r.toml"]


def test_card_says_what_auto_took_and_why(sample: Path, tiny: Path, tmp_path: Path):
    out = train(sample, tiny, tmp_path, 'tune = "choose"\nepochs = 1')
    chosen = json.loads((out / "card.json").read_text())["chosen"]
    assert chosen["took"] in ("frozen encoder", "tuned encoder")
    assert "is needed" in chosen["why"]
    assert (out / "encoder").is_dir() == (chosen["took"] == "tuned encoder")


def test_card_says_what_adaptation_kept(sample: Path, tiny: Path, tmp_path: Path):
    out = train(sample, tiny, tmp_path, "adapt = true")
    adapted = json.loads((out / "card.json").read_text())["chosen"]["adapted"]
    assert adapted["why"]
    assert (out / "encoder").is_dir() == (adapted["share"] > 0)


def test_adaptation_may_have_a_recipe_of_its_own(
    sample: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "own.toml").write_text("max_tokens = 300")
    (tmp_path / "r.toml").write_text('adapt = true\nadaptation = "own.toml"')
    options = ["--encoder", str(tiny), "--recipe", str(tmp_path / "r.toml")]
    assert main(["--snapshot", str(sample), "--out", str(tmp_path / "b"), *options]) == 1
    assert "max_tokens is 300 in the recipe" in capsys.readouterr().err


def test_encoder_that_adaptation_did_not_help_is_served_as_it_is(tiny: Path, tmp_path: Path):
    out = train(write_told_apart(tmp_path / "s"), tiny, tmp_path, "adapt = true")
    card = json.loads((out / "card.json").read_text())
    assert card["chosen"]["adapted"]["share"] == 0
    assert not (out / "encoder").exists()
    assert card["encoder"]["version"] == Encoder.load(str(tiny), max_tokens=32).version


def write_told_apart(folder: Path) -> Path:
    """Issues that any encoder tells apart: none can be better than another."""
    words = {"bug": "crash", "docs": "manual"}
    issues = [
        SnapshotIssue(
            i, f"{word} {i}", word, f"2025-01-{1 + i // 4:02d}T0{i % 4}:00:00Z", {name: "person"}
        )
        for i, (name, word) in enumerate([*words.items()] * 40)
    ]
    labels = tuple(SnapshotLabel(name) for name in words)
    snapshot.write(folder, SnapshotRepository(1, "o/r", labels), issues)
    return folder


@pytest.mark.parametrize(
    ("recipe", "said"),
    [('tune = "supervised"\nepochs = 1', "cannot be written"), ("", "bundle could not be written")],
)
def test_full_disk_is_one_line(
    sample: Path,
    tiny: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    recipe: str,
    said: str,
):
    (tmp_path / "r.toml").write_text(recipe)
    options = ["--encoder", str(tiny), "--recipe", str(tmp_path / "r.toml"), "--max-tokens", "32"]
    with disk_of(20_000):
        assert main(["--snapshot", str(sample), "--out", str(tmp_path / "b"), *options]) == 1
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["r.toml"]
