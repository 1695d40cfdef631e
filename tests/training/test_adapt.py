import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM

from models import encoder_card, manifest
from models.encoder import Encoder
from models.encoder_card import EncoderCard
from models.snapshot import SnapshotRepository, write
from tests.training.small import RECIPE, arguments, disk_of, write_small
from tests.training.test_masked_lm import gpt2, roberta
from tests.training.tiny import tiny_encoder
from training.adapt import main

EXTRA = """
max_tokens = 48
whole_words = true
shares = []
save_steps = 0
max_windows = 60
[[phase]]
name = "pairs"
masked = 0
contrastive = 1
tokens = 1024
[[phase]]
name = "vectors"
masked = 0
denoising = 1
tokens = 512
[[phase]]
name = "turns"
anchor = 1
contrastive = 1
turns = true
tokens = 1024
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapt")
    tiny_encoder(folder / "tiny")
    write_small(folder)
    return folder


@pytest.fixture(scope="module")
def version(home: Path) -> Path:
    """An encoder version, made by the command."""
    assert run(home, home / "version", RECIPE, "--export", str(home / "plain")) == 0
    return home / "version"


@pytest.fixture(scope="module")
def card(version: Path) -> EncoderCard:
    return encoder_card.read(version)


def run(home: Path, out: Path, recipe: str, *more: str, encoder: str | Path = "") -> int:
    settings = out.with_suffix(".toml")
    settings.write_text(recipe, encoding="utf-8")
    given = arguments([home / "snapshot"], Path(encoder or home / "tiny"), settings, out)
    return main([*given, *more])


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


def test_version_says_what_it_was_made_of(card: EncoderCard, home: Path):
    parent = Encoder.load(str(home / "tiny"))
    assert card.parent == parent.version
    assert card.corpus["texts"] + card.corpus["held_out"] + card.corpus["duplicates_removed"] > 40
    assert card.corpus["windows"] > card.corpus["texts"]
    assert card.corpus["snapshots"][0]["ends"] > "2024"
    assert card.recipe["max_tokens"] == 48
    assert {"torch", "transformers"} <= card.software.keys()


def test_share_is_one_of_those_that_were_tried(card: EncoderCard):
    assert [row["share"] for row in card.shares] == [0.0, 0.5, 1.0]
    best = max(card.shares, key=lambda row: row["micro_f1"])
    assert card.share == best["share"]
    assert "micro F1" in card.why


def test_losses_on_fixed_masks_fall(card: EncoderCard):
    assert card.losses["tuned"] < card.losses["untrained_head"]
    assert set(card.losses) == {"untrained_head", "parent", "tuned", "chosen"}


def test_history_has_training_and_validation_of_every_phase(version: Path, card: EncoderCard):
    entries = json.loads((version / "history.json").read_text())
    judged = [(e["phase"], e["step"]) for e in entries if "eval_loss" in e]
    assert [name for name, _ in judged] == ["head", "head", "encoder", "encoder"]
    steps = [step for _, step in judged]
    assert steps[0] == 0 and steps == sorted(set(steps))
    assert all(e["eval_perplexity"] > 1 for e in entries if "eval_loss" in e)
    assert any("masked" in e for e in entries)
    assert entries[0]["eval_loss"] == pytest.approx(card.losses["untrained_head"], abs=1e-4)


def test_folder_is_a_masked_language_model_with_its_head(version: Path):
    model, info = AutoModelForMaskedLM.from_pretrained(version, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_folder_is_an_encoder_that_pools_like_its_parent(version: Path, home: Path):
    encoder, parent = Encoder.load(str(version)), Encoder.load(str(home / "tiny"))
    assert encoder.pooling == parent.pooling
    assert encoder.version.startswith("tiny-adapted-")
    assert encoder.encode(["the app"]).shape == (1, 32)
    moved = Path(shutil.copytree(version, home / "elsewhere"))
    assert Encoder.load(str(moved)).version == encoder.version


def test_version_is_loaded_without_a_word(version: Path, capfd: pytest.CaptureFixture[str]):
    Encoder.load(str(version)).encode(["the app"])
    assert capfd.readouterr() == ("", "")


def test_nothing_but_the_version_and_what_was_asked_for_remains(version: Path):
    assert not list(version.parent.glob("*.unfinished"))
    assert {"loss.svg", "loss.png", "tokenizer.json"} <= {path.name for path in version.iterdir()}


def test_export_is_a_plain_folder_for_other_tasks(version: Path):
    plain = version.parent / "plain"
    names = {path.name for path in plain.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "modules.json"} <= names
    assert not {"card.json", "history.json", "loss.svg"} & names
    assert not AutoModelForMaskedLM.from_pretrained(plain, output_loading_info=True)[1][
        "missing_keys"
    ]


def test_existing_target_is_refused(version: Path, home: Path, capsys):
    assert run(home, version, RECIPE) == 1
    assert "never overwritten" in last_line(capsys)
    manifest.verify(version, "card.json", kind="labelwright-encoder/1")


def test_existing_folder_for_the_plain_model_is_refused_before_anything_is_trained(
    home: Path, tmp_path: Path, capsys
):
    there = tmp_path / "there"
    there.mkdir()
    assert run(home, tmp_path / "v", RECIPE, "--export", str(there)) == 1
    assert f"{there} exists" in last_line(capsys)
    assert not any((tmp_path / name).exists() for name in ("v", "v.unfinished"))


def test_version_can_be_adapted_further_and_keeps_its_origin(version: Path, home: Path):
    short = "max_windows = 40\n" + RECIPE.replace("epochs = 2", "epochs = 1")
    assert run(home, home / "second", short, encoder=version) == 0
    second = encoder_card.read(home / "second")
    assert second.parent == Encoder.load(str(version)).version
    assert Path(second.origin).name == "tiny" and second.name == "tiny-adapted"


def test_every_objective_runs_and_the_parent_stays_where_no_share_is_tried(home: Path, capsys):
    assert run(home, home / "all", EXTRA) == 0
    made = encoder_card.read(home / "all")
    assert made.share == 0
    assert "the previous encoder stays in force" in made.why
    weights, parent = (load_file(home / x / "model.safetensors") for x in ("all", "tiny"))
    same = [name for name in parent if "pooler" not in name]
    assert all(torch.equal(weights[f"bert.{name}"], parent[name]) for name in same)


def test_plain_masked_language_model_is_adapted_too(home: Path, tmp_path: Path):
    short = "max_windows = 40\n" + RECIPE.replace("epochs = 2", "epochs = 1")
    assert run(home, tmp_path / "out", short, encoder=roberta(tmp_path / "roberta")) == 0
    assert not (tmp_path / "out" / "modules.json").exists()
    assert Encoder.load(str(tmp_path / "out")).pooling.mode == "mean"


def test_model_that_guesses_no_masked_words_is_refused(home: Path, tmp_path: Path, capsys):
    assert run(home, tmp_path / "out", RECIPE, encoder=gpt2(tmp_path / "gpt")) == 1
    assert "no masked language model" in last_line(capsys)
    assert not (tmp_path / "out").exists()


def test_snapshot_without_text_is_refused(tmp_path: Path, capsys):
    tiny_encoder(tmp_path / "tiny")
    write(tmp_path / "snapshot", SnapshotRepository(1, "o/r", ()), [])
    assert run(tmp_path, tmp_path / "out", RECIPE) == 1
    assert "import issues" in last_line(capsys)


def test_window_that_the_encoder_cannot_read_is_refused(home: Path, tmp_path: Path, capsys):
    assert run(home, tmp_path / "out", RECIPE.replace("48", "129")) == 1
    assert "max_tokens is 129 in the recipe, the encoder reads 128" in last_line(capsys)


def test_recipe_that_is_none_is_refused(home: Path, tmp_path: Path, capsys):
    assert run(home, tmp_path / "out", "epochs = 3") == 1
    assert "unknown key 'epochs'" in last_line(capsys)


def test_loss_that_is_not_a_number_stops_and_says_so(home: Path, tmp_path: Path, capsys):
    folder = Path(shutil.copytree(home / "tiny", tmp_path / "broken"))
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.1.output.dense.bias"][0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert run(home, tmp_path / "out", RECIPE, encoder=folder) == 1
    assert "the loss is not finite at step 0" in last_line(capsys)
    assert not (tmp_path / "out").exists()


def test_full_disk_is_a_clear_error_and_the_run_can_go_on(home: Path, tmp_path: Path, capsys):
    short = "max_windows = 40\n" + RECIPE.replace("epochs = 2", "epochs = 1")
    out = tmp_path / "out"
    with disk_of(100_000):
        assert run(home, out, short) == 1
    assert "cannot be written" in last_line(capsys)
    assert not out.exists()
    assert run(home, out, short) == 1
    assert "add --resume, or delete it" in last_line(capsys)
    assert run(home, out, "seed = 5\n" + short, "--resume") == 1
    assert "begun with other settings" in last_line(capsys)
    assert run(home, out, short, "--resume") == 0


def test_help_tells_of_every_option(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "off by default" in capsys.readouterr().out
