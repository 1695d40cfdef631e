"""Several repositories trained together: a bundle for each, with one tuned encoder in all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import bundle, encoder_card, snapshot
from models.encoder import Encoder
from models.predictor import Predictor
from models.snapshot import SnapshotIssue, SnapshotLabel, SnapshotRepository
from tests.models.builders import make_bundle
from tests.training.planted import FILLER
from tests.training.small import disk_of
from tests.training.tiny import tiny_masked_lm, write_pooling
from training import bundling
from training.fits import MIN_TUNED
from training.run import main

OURS, OTHERS, FEW = 7, 8, 9
TUNED = 'tune = "supervised"\nepochs = 1\nhalf_life = "none"'


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pooling(tiny_masked_lm(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Two repositories with labels enough to tune an encoder, and one with few."""
    folder = tmp_path_factory.mktemp("snapshots")
    counts = {OURS: MIN_TUNED, OTHERS: MIN_TUNED + 10, FEW: 40}
    return {number: write(folder, number, count) for number, count in counts.items()}


def write(folder: Path, number: int, count: int) -> Path:
    """A repository's snapshot: short issues, all labeled, of which the words tell the label."""
    words = {"bug": "crash", "docs": "manual"}
    rng = np.random.default_rng(number)
    issues = [
        SnapshotIssue(
            row + 1,
            f"{' '.join(rng.choice(FILLER, size=3))} {number} {row}",
            words[name],
            f"2025-{1 + row // 28:02d}-{1 + row % 28:02d}T00:00:00Z",
            {name: "person"},
        )
        for row, name in enumerate(rng.choice(list(words), size=count).tolist())
    ]
    labels = tuple(SnapshotLabel(name) for name in words)
    repository = SnapshotRepository(number, f"octo/{number}", labels)
    snapshot.write(folder / str(number), repository, issues)
    return folder / str(number)


def arguments(snapshots: list[Path], tiny: Path, folder: Path, recipe: str) -> list[str]:
    (folder / "r.toml").write_text(recipe)
    given = [part for each in snapshots for part in ("--snapshot", str(each))]
    more = ["--recipe", str(folder / "r.toml"), "--encoder", str(tiny), "--max-tokens", "32"]
    return [*given, "--out", str(folder / "out"), *more]


@pytest.fixture(scope="module")
def together(
    snapshots: dict[int, Path], tiny: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of the bundles of all three."""
    folder = tmp_path_factory.mktemp("together")
    assert main(arguments(list(snapshots.values()), tiny, folder, TUNED)) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["out", "r.toml"]
    return folder / "out"


def chosen(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / "card.json").read_text())["chosen"]
    return found


def test_bundles_share_one_encoder_and_predict(together: Path):
    versions = {number: bundle.read(together / str(number)) for number in (OURS, OTHERS)}
    encoders = {each.card["encoder"]["version"] for each in versions.values()}
    own = Encoder.load(str(together / str(OURS) / "encoder"), max_tokens=32)
    assert encoders == {own.version}
    for number, version in versions.items():
        assert version.card["repository"]["id"] == number
        (made,) = Predictor.load(together / str(number), own).predict([("It crashes", "at start")])
        assert {score.label for score in made.scores} == set(version.labels.names)


def test_shared_encoder_says_whose_labels_it_learned_from(together: Path):
    card = encoder_card.read(together / str(OURS) / "encoder")
    learned = [bundle.read(together / str(number)).card["fits"] for number in (OURS, OTHERS)]
    assert card.corpus["repositories"] == [f"octo/{OURS}", f"octo/{OTHERS}"]
    assert card.corpus["labeled issues"] == sum(each["deployed"]["issues"] for each in learned)


def test_a_bundle_holds_nothing_of_the_other_repository(together: Path):
    ours, others = (bundle.read(together / str(number)) for number in (OURS, OTHERS))
    labels = len(ours.labels)
    texts = [set(list(each.vectors)[: len(each.past)]) for each in (ours, others)]
    assert len(ours.vectors) == len(ours.past) + labels
    assert not texts[0] & texts[1]


def test_a_repository_with_few_labels_has_a_head_on_the_encoder_as_it_is(
    together: Path, tiny: Path
):
    card = bundle.read(together / str(FEW)).card
    assert card["encoder"]["version"] == Encoder.load(str(tiny), max_tokens=32).version
    assert not (together / str(FEW) / "encoder").exists()
    assert f"{MIN_TUNED} needed" in card["chosen"]["why"]
    assert "learns nothing from its labels" in card["chosen"]["why"]


def test_adaptation_and_choice_are_made_once_for_all(
    snapshots: dict[int, Path], tiny: Path, tmp_path: Path
):
    recipe = f"adapt = true\n{TUNED.replace('supervised', 'choose')}"
    given = [snapshots[number] for number in (OURS, FEW)]
    assert main(arguments(given, tiny, tmp_path, recipe)) == 0
    first, second = (chosen(tmp_path / "out" / str(number)) for number in (OURS, FEW))
    assert first["adapted"] == second["adapted"]
    assert "is needed" in first["why"] and f"{MIN_TUNED} needed" in second["why"]
    adapted = float(first["adapted"]["share"]) > 0  # type: ignore[call-overload]
    assert (tmp_path / "out" / str(FEW) / "encoder").is_dir() == adapted


def refused(
    capsys: pytest.CaptureFixture[str], given: list[Path], tiny: Path, folder: Path, recipe: str
) -> str:
    """The one line that a refusal says; nothing is left behind."""
    assert main(arguments(given, tiny, folder, recipe)) == 1
    assert [path.name for path in folder.iterdir()] == ["r.toml"]
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("training: ")]
    return line


@pytest.mark.parametrize(
    ("recipe", "advice"),
    [("", "train each snapshot by itself, or take"), ("adapt = true", "python -m training.adapt")],
)
def test_a_recipe_that_tunes_nothing_is_refused_for_several(
    snapshots: dict[int, Path],
    tiny: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    recipe: str,
    advice: str,
):
    line = refused(capsys, [snapshots[OURS], snapshots[OTHERS]], tiny, tmp_path, recipe)
    assert "tunes nothing that repositories could share" in line and advice in line


def test_two_snapshots_of_one_repository_are_refused(
    snapshots: dict[int, Path], tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    line = refused(capsys, [snapshots[OURS]] * 2, tiny, tmp_path, TUNED)
    assert "several snapshots are of octo/7" in line


def test_repositories_without_labels_enough_are_named_together(
    snapshots: dict[int, Path], tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bare = [write(tmp_path / "s", n, n) for n in (1, 10)]
    given, run = [bare[0], snapshots[OURS], bare[1]], tmp_path / "run"
    run.mkdir()
    line = refused(capsys, given, tiny, run, TUNED)
    assert line.startswith("training: octo/1: 1 labeled issues, 20 needed; octo/10: ")


def test_a_bundle_to_compare_with_is_for_one_snapshot(
    snapshots: dict[int, Path], tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    given = arguments([snapshots[OURS], snapshots[OTHERS]], tiny, tmp_path, TUNED)
    with pytest.raises(SystemExit) as caught:
        main([*given, "--champion", str(tmp_path)])
    assert caught.value.code == 2
    assert "--champion and --best are for one snapshot" in capsys.readouterr().err


def test_a_full_disk_leaves_nothing_behind(
    snapshots: dict[int, Path], tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with disk_of(20_000):
        refused(capsys, [snapshots[OURS], snapshots[OTHERS]], tiny, tmp_path, TUNED)


def test_of_several_bundles_all_are_written_or_none(tmp_path: Path):
    first, second = make_bundle(repository=OURS), make_bundle(repository=OTHERS)
    with pytest.raises(FileNotFoundError):
        bundling.write(tmp_path / "out", [first, replace(second, encoder=tmp_path / "gone")])
    assert list(tmp_path.iterdir()) == []
    bundling.write(tmp_path / "out", [first, second])
    assert bundle.read(tmp_path / "out" / str(OTHERS)).card["repository"]["id"] == OTHERS
