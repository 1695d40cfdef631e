import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import bundle, manifest
from models.bundle import Bundle
from models.encoder import Encoder
from models.errors import ArtifactRefused
from tests.models.builders import TEXTS, make_bundle, make_vectors, write_bundle
from tests.models.encoders import own_encoder


def reseal(folder: Path) -> None:
    """Make the card hold for whatever lies in the folder now."""
    card = json.loads((folder / "card.json").read_text())
    manifest.seal(folder, "card.json", {k: v for k, v in card.items() if k != "files"})


def test_bundle_round_trips(tmp_path: Path):
    made = make_bundle()
    bundle.write(tmp_path / "b", made)
    read = bundle.read(tmp_path / "b")
    assert (read.labels, read.past, read.metrics) == (made.labels, made.past, made.metrics)
    assert list(read.vectors) == list(made.vectors)
    assert read.card.items() >= made.card.items()
    assert read.validation["truth"].dtype == bool


def test_bundle_read_back_gives_the_same_probabilities(tmp_path: Path):
    made, vectors = make_bundle(), make_vectors(4, 16)
    bundle.write(tmp_path / "b", made)
    read = bundle.read(tmp_path / "b")
    before, after = (b.head.probabilities(TEXTS, vectors) for b in (made, read))
    assert np.allclose(before, after, atol=1e-6)


def test_card_lists_every_file(tmp_path: Path):
    folder = write_bundle(tmp_path / "b")
    card = json.loads((folder / "card.json").read_text())
    assert card["files"].keys() | {"card.json"} == {path.name for path in folder.iterdir()}


def test_no_file_of_a_bundle_is_a_pickle(tmp_path: Path):
    folder = write_bundle(tmp_path / "b")
    assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors"}


def test_bundle_is_written_once(tmp_path: Path):
    write_bundle(tmp_path / "b")
    with pytest.raises(FileExistsError):
        write_bundle(tmp_path / "b")


@pytest.mark.parametrize("name", ["labels.json", "terms.json", "head.safetensors"])
@pytest.mark.parametrize("content", [b"", b"{}", b"7", b"[[1]]", b"\xff" * 40])
def test_sealed_content_of_another_shape_is_refused(tmp_path: Path, name: str, content: bytes):
    folder = write_bundle(tmp_path / "b")
    (folder / name).write_bytes(content)
    reseal(folder)
    with pytest.raises(ArtifactRefused, match="does not hold what a bundle holds"):
        bundle.read(folder)


@pytest.mark.parametrize("name", ["past.json", "metrics.json"])
@pytest.mark.parametrize("content", [b"", b"7", b"[[1]]", b'"text"'])
def test_sealed_facts_of_another_shape_are_refused(tmp_path: Path, name: str, content: bytes):
    folder = write_bundle(tmp_path / "b")
    (folder / name).write_bytes(content)
    reseal(folder)
    with pytest.raises(ArtifactRefused, match="does not hold what a bundle holds"):
        bundle.read(folder)


@pytest.mark.parametrize("name", ["vectors.safetensors", "validation.safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04]q\x00."])
def test_sealed_arrays_that_are_none_are_refused(tmp_path: Path, name: str, content: bytes):
    folder = write_bundle(tmp_path / "b")
    (folder / name).write_bytes(content)
    reseal(folder)
    with pytest.raises(ArtifactRefused):
        bundle.read(folder)


def test_more_past_issues_than_vectors_are_refused(tmp_path: Path):
    folder = write_bundle(tmp_path / "b")
    past = json.loads((folder / "past.json").read_text())
    (folder / "past.json").write_text(json.dumps([*past, past[0]]))
    reseal(folder)
    with pytest.raises(ArtifactRefused, match="5 past issues, but 4 vectors"):
        bundle.read(folder)


def test_labels_without_a_row_in_the_head_are_refused(tmp_path: Path):
    folder = write_bundle(tmp_path / "b")
    labels = json.loads((folder / "labels.json").read_text())
    labels["rules"].pop()
    (folder / "labels.json").write_text(json.dumps(labels))
    reseal(folder)
    with pytest.raises(ArtifactRefused, match="2 labels, but a stack of shape"):
        bundle.read(folder)


def test_neighbours_of_a_bundle_are_its_past_issues_and_not_its_labels():
    made = make_bundle()
    made = replace(made, vectors={**made.vectors, "of a label": np.full(16, 9.0)})
    assert len(made.neighbours.vectors) == len(made.past)
    row = made.vectors[TEXTS[2].hash]
    assert made.neighbours.nearest(row)[0].title == TEXTS[2].title


def tuned(encoder: Path) -> Bundle:
    """A bundle whose head belongs to this encoder, which it brings."""
    version = Encoder.load(str(encoder)).version
    made = make_bundle(encoder=version, dimension=16)
    facts = {"name": "own", "version": version, "max_tokens": 256}
    return replace(made, card={**made.card, "encoder": facts}, encoder=encoder)


def test_an_encoder_of_its_own_is_copied_into_the_bundle(tmp_path: Path):
    made = tuned(own_encoder(tmp_path / "e"))
    bundle.write(tmp_path / "b", made)
    read = bundle.read(tmp_path / "b")
    assert read.encoder == tmp_path / "b" / "encoder"
    assert Encoder.load(str(read.encoder)).version == read.card["encoder"]["version"]
    assert "encoder/model.safetensors" in read.card["files"]


def test_a_bundle_over_a_shared_encoder_has_none_of_its_own(tmp_path: Path):
    assert bundle.read(write_bundle(tmp_path / "b")).encoder is None


def test_a_changed_encoder_of_its_own_is_refused(tmp_path: Path):
    bundle.write(tmp_path / "b", tuned(own_encoder(tmp_path / "e")))
    (tmp_path / "b" / "encoder" / "config.json").write_text("{}")
    with pytest.raises(ArtifactRefused, match=r"encoder/config\.json was changed"):
        bundle.read(tmp_path / "b")


def test_an_encoder_of_its_own_that_the_head_does_not_belong_to_is_refused(tmp_path: Path):
    made = tuned(own_encoder(tmp_path / "e"))
    other = own_encoder(tmp_path / "other", seed=1)
    bundle.write(tmp_path / "b", replace(made, encoder=other))
    with pytest.raises(ArtifactRefused, match="but the head is of own-"):
        bundle.read(tmp_path / "b")
