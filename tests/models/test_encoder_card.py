from dataclasses import replace
from pathlib import Path

import pytest

from models import encoder_card, manifest
from models.encoder import ENCODER_KIND, Encoder
from models.encoder_card import EncoderCard
from models.errors import ArtifactRefused
from tests.models.encoders import write_encoder, write_modules

CARD = EncoderCard(
    name="tiny-adapted",
    origin="tiny",
    parent="tiny-0123456789ab",
    corpus={"snapshots": [{"id": "abc", "ends": "2025-01-01T00:00:00Z"}], "windows": 7},
    recipe={"name": "masked"},
    share=0.5,
    shares=[{"share": 0.0, "micro_f1": 0.5}, {"share": 0.5, "micro_f1": 0.6}],
    why="it was best",
    losses={"before": 3.0, "after": 2.0},
    software={"torch": "2"},
    created_at="2025-01-02T00:00:00Z",
    seconds=1.5,
)


def written(folder: Path) -> Path:
    write_modules(write_encoder(folder), {"pooling_mode_mean_tokens": True})
    encoder_card.seal(folder, CARD)
    return folder


def test_card_is_read_as_it_was_written(tmp_path: Path):
    assert encoder_card.read(written(tmp_path / "e")) == CARD


def test_encoder_has_its_name_from_the_card(tmp_path: Path):
    encoder = Encoder.load(str(written(tmp_path / "anywhere")))
    assert (encoder.name, encoder.origin) == ("tiny-adapted", "tiny")
    assert encoder.version.startswith("tiny-adapted-")


@pytest.mark.parametrize("file", ["model.safetensors", "1_Pooling/config.json"])
def test_changed_file_is_refused_by_name(tmp_path: Path, file: str):
    folder = written(tmp_path / "e")
    (folder / file).write_text("{}")
    with pytest.raises(ArtifactRefused, match=f"{file} was changed"):
        encoder_card.read(folder)


def test_card_that_leaves_something_out_is_refused(tmp_path: Path):
    facts = {**replace(CARD).__dict__, "kind": ENCODER_KIND}
    del facts["share"]
    manifest.seal(tmp_path, "card.json", facts)
    with pytest.raises(ArtifactRefused, match="leaves out 'share'"):
        encoder_card.read(tmp_path)


def test_folder_without_a_card_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactRefused, match=r"it has no card\.json"):
        encoder_card.read(write_encoder(tmp_path / "plain"))
