import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import bundle, snapshot
from models.bundle import Bundle
from models.encoder import Encoder
from models.predictor import Predictor
from models.snapshot import SnapshotIssue, SnapshotLabel, SnapshotRepository
from tests.models.encoders import own_encoder
from tests.training.conftest import SAMPLE, read_lines, run, sample_issues, sample_repository
from training import data
from training.run import main

DEPLOYED = ("labels.json", "terms.json", "past.json", "metrics.json", "head.safetensors")


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What a refused training said, without its progress."""
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("training: ")]
    return line


def write_few(folder: Path, count: int, *, labels: bool = True) -> Path:
    issues = list(sample_issues(SAMPLE))[:count]
    if not labels:
        issues = [SnapshotIssue(x.number, x.title, x.body, x.created_at) for x in issues]
    snapshot.write(folder, sample_repository(), issues)
    return folder


def test_training_leaves_a_whole_bundle(trained: Path, version: Bundle):
    assert {path.name for path in trained.iterdir()} == {*version.card["files"], "card.json"}
    assert list(trained.parent.iterdir()) == [trained]


def test_card_is_written_last(trained: Path):
    times = {path.name: path.stat().st_mtime_ns for path in trained.iterdir()}
    assert max(times, key=lambda name: times[name]) == "card.json"


def test_card_says_what_the_version_was_made_of(version: Bundle, sample: Path, encoder: Encoder):
    card = version.card
    assert card["repository"] == {"id": 7, "full_name": "harbor-lights/tidepool"}
    assert card["snapshot"] == snapshot.read(sample).id
    assert card["encoder"]["version"] == encoder.version
    assert card["recipe"]["name"] == "instant"
    assert card["fits"]["deployed"]["issues"] > card["fits"]["evaluation"]["issues"]
    assert set(card["targets"].values()) == {0.9}


def test_holdout_is_the_newest_fifth(version: Bundle):
    labeled = sorted(x.created_at for x in sample_issues() if x.labels and not x.is_pull_request)
    metrics = version.metrics
    assert metrics["n_train"] + metrics["n_holdout"] == len(labeled)
    assert metrics["n_train"] == int(len(labeled) * 0.8)
    assert metrics["holdout_from"] == labeled[metrics["n_train"]]


def test_version_has_learned_something(version: Bundle):
    rivals = version.metrics["baselines"]
    assert version.metrics["micro_f1"] > max(0.4, rivals["majority"]["micro_f1"])


def test_past_issues_lie_beside_their_vectors(version: Bundle):
    numbers = {x.number for x in sample_issues() if x.labels and not x.is_pull_request}
    assert {issue.number for issue in version.past} == numbers
    assert len(version.vectors) == len(version.past) + len(version.labels)


def test_out_of_fold_scores_say_whose_they_are(version: Bundle):
    labels = {issue.number: set(issue.labels) for issue in sample_issues()}
    found = version.validation
    assert len(set(found["numbers"].tolist())) == len(found["numbers"]) == len(found["truth"])
    for number, row in zip(found["numbers"].tolist(), found["truth"], strict=True):
        assert {n for n, on in zip(version.labels.names, row, strict=True) if on} == labels[number]
    assert found["known"].all()


def test_published_version_predicts(trained: Path, encoder: Encoder):
    new = list(read_lines("new.jsonl"))[:8]
    predictor = Predictor.load(trained, encoder)
    found = predictor.predict([(row["title"], row["body"]) for row in new])
    best = [max(p.scores, key=lambda s: s.probability).label for p in found]
    right = sum(label in row["expected"] for label, row in zip(best, new, strict=True))
    assert right >= len(new) / 2


def test_two_runs_give_the_same_version(trained: Path, trained_again: Path):
    for name in DEPLOYED:
        assert (trained / name).read_bytes() == (trained_again / name).read_bytes(), name


def test_run_from_cached_vectors_gives_the_same_figures(version: Bundle, trained_again: Path):
    again = bundle.read(trained_again)
    assert again.metrics == version.metrics
    assert np.array_equal(again.validation["truth"], version.validation["truth"])
    assert again.card["snapshot"] == version.card["snapshot"]


def test_existing_target_is_refused_and_kept(
    sample: Path, tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    arguments = ["--snapshot", str(sample), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--encoder", str(tiny_encoder)]) == 1
    assert "out exists" in one_line(capsys)
    assert (tmp_path / "out" / "mine").read_text() == "mine"


@pytest.mark.parametrize("damage", ["missing", "changed", "foreign", "unfinished"])
def test_damaged_snapshot_is_refused_in_one_line(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
):
    folder = Path(shutil.copytree(sample, tmp_path / "s"))
    {
        "missing": lambda: (folder / "issues.jsonl").unlink(),
        "changed": lambda: (folder / "repository.json").write_text("{}"),
        "foreign": lambda: (folder / "more.jsonl").write_text(""),
        "unfinished": lambda: (folder / "manifest.json").unlink(),
    }[damage]()
    assert main(["--snapshot", str(folder), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_refusal_of_the_process_is_one_line_and_exit_status_1(tmp_path: Path):
    done = run("--snapshot", str(tmp_path / "nothing"), "--out", str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("training: ")
    assert done.stderr.count("\n") == 1


def test_wrong_usage_is_exit_status_2(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(["--snapshot", "s"])
    assert caught.value.code == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize(("count", "labels"), [(0, True), (10, True), (SAMPLE, False)])
def test_too_few_labels_are_said_so(
    tiny_encoder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    count: int,
    labels: bool,
):
    folder = write_few(tmp_path / "s", count, labels=labels)
    arguments = ["--snapshot", str(folder), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--encoder", str(tiny_encoder)]) == 1
    assert "labeled issues, 20 needed" in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_encoder_that_is_not_there_is_refused(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["--snapshot", str(sample), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--encoder", str(tmp_path)]) == 1
    assert "holds no encoder" in one_line(capsys)


def test_wrong_recipe_is_refused(sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "r.toml").write_text("depth = 3")
    arguments = ["--snapshot", str(sample), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--recipe", str(tmp_path / "r.toml")]) == 1
    assert "unknown key 'depth'" in one_line(capsys)


def test_recipe_and_encoder_can_be_set(sample: Path, tiny_encoder: Path, tmp_path: Path):
    (tmp_path / "r.toml").write_text('name = "mine"\nholdout = 0.3\nhalf_life = "none"')
    arguments = ["--snapshot", str(sample), "--out", str(tmp_path / "out")]
    recipe = ["--recipe", str(tmp_path / "r.toml")]
    assert main([*arguments, *recipe, "--encoder", str(tiny_encoder)]) == 0
    made = bundle.read(tmp_path / "out")
    assert made.card["encoder"]["name"] == str(tiny_encoder)
    assert (made.metrics["recipe"], made.metrics["half_life"]) == ("mine", None)
    share = made.metrics["n_holdout"] / made.card["fits"]["deployed"]["issues"]
    assert share == pytest.approx(0.3, abs=0.01)


def test_odd_issues_can_be_trained_on(tiny_encoder: Path, tmp_path: Path):
    odd = ["", "😀", "\x00", "\ud800", "א" * 999, "\n" * 65_536, "a" * 65_536, "<!--", "```"]
    issues = [
        SnapshotIssue(
            i + 1,
            odd[i % 9],
            odd[-i % 9],
            "2026-01-01T00:00:00Z",
            {"bug": "person"} if i % 2 else {},
            () if i % 2 else ("bug",),
        )
        for i in range(40)
    ]
    repository = SnapshotRepository(1, "a/b", (SnapshotLabel("bug"), SnapshotLabel("never")))
    snapshot.write(tmp_path / "s", repository, issues)
    arguments = ["--snapshot", str(tmp_path / "s"), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--encoder", str(tiny_encoder)]) == 0
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["n_holdout"] == 8


def test_version_in_force_stands_beside_the_new_one(
    sample: Path, tiny_encoder: Path, tmp_path: Path
):
    old = write_few(tmp_path / "old", 60)
    (tmp_path / "r.toml").write_text('name = "mine"\nhalf_life = "none"')
    common = ["--encoder", str(tiny_encoder)]
    first = [*common, "--recipe", str(tmp_path / "r.toml")]
    assert main(["--snapshot", str(old), "--out", str(tmp_path / "first"), *first]) == 0
    more = [*common, "--champion", str(tmp_path / "first")]
    assert main(["--snapshot", str(sample), "--out", str(tmp_path / "second"), *more]) == 0
    made = bundle.read(tmp_path / "second")
    labeled = made.card["fits"]["deployed"]["issues"]
    assert made.metrics["gate"]["n"] == labeled // 2
    assert made.metrics["gate"]["champion"]["n"] == labeled // 2
    assert made.card["recipe"]["name"] == "mine"


def test_damaged_version_in_force_is_no_reason_to_keep_it(
    trained: Path, sample: Path, tiny_encoder: Path, tmp_path: Path
):
    damaged = Path(shutil.copytree(trained, tmp_path / "damaged"))
    (damaged / "head.safetensors").write_bytes(b"")
    arguments = ["--snapshot", str(sample), "--encoder", str(tiny_encoder)]
    more = ["--out", str(tmp_path / "out"), "--champion", str(damaged)]
    assert main([*arguments, *more]) == 0
    found = bundle.read(tmp_path / "out").metrics["gate"]["champion"]
    assert found["in_doubt"] == "publish" and "cannot be read" in found["why"]


def test_version_that_was_tuned_on_labels_is_asked_about_newer_issues(
    sample: Path, tiny_encoder: Path, tmp_path: Path
):
    common = ["--encoder", str(tiny_encoder)]
    old = write_few(tmp_path / "old", 60)
    assert main(["--snapshot", str(old), "--out", str(tmp_path / "first"), *common]) == 0
    first = bundle.read(tmp_path / "first")
    tuned = {**first.card, "recipe": {**first.card["recipe"], "tune": "supervised"}}
    own = own_encoder(tmp_path / "own", name="tuned")
    version = Encoder.load(str(own)).version
    tuned["encoder"] = {"name": "tuned", "version": version, "max_tokens": 256}
    bundle.write(tmp_path / "champion", replace(first, card=tuned, encoder=own))
    more = ["--champion", str(tmp_path / "champion"), "--recipe", "instant", *common]
    assert main(["--snapshot", str(sample), "--out", str(tmp_path / "second"), *more]) == 0
    found = bundle.read(tmp_path / "second").metrics["gate"]["champion"]
    assert found["n"] >= 30 and "as it is deployed" in found["how"]


def test_threads_are_kept_to_where_no_vector_is_missing(tiny_encoder: Path, tmp_path: Path):
    import torch

    few = snapshot.read(write_few(tmp_path / "few", 60))
    encoder = Encoder.load(str(tiny_encoder))
    _, vectors = data.load(few, encoder)
    known = {"encoder": encoder.version, "vectors": vectors}
    snapshot.write(tmp_path / "known", few.repository, few.issues, **known)
    (tmp_path / "r.toml").write_text('tune = "supervised"')
    arguments = ["--snapshot", str(tmp_path / "known"), "--out", str(tmp_path / "out")]
    more = ["--encoder", str(tiny_encoder), "--recipe", str(tmp_path / "r.toml")]
    before = torch.get_num_threads()
    try:
        assert main([*arguments, *more, "--threads", str(before + 1)]) == 0
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_interrupted_training_says_so_and_leaves_nothing(
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    def interrupted(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(snapshot, "read", interrupted)
    assert main(["--snapshot", str(sample), "--out", str(tmp_path / "b")]) == 1
    assert one_line(capsys) == "training: interrupted; nothing was written"
    assert list(tmp_path.iterdir()) == []
