"""Encoders beside one another: each head gets its own, and only a few are in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot import encoders
from bot.encoders import LoadedEncoders, in_force
from bot.predictors import standard_loaders
from bot.settings import Settings
from models import bundle
from models.bundle import Bundle
from models.encoder import Encoder
from models.encoders import Encoders
from models.errors import EncoderMismatch
from tests.models.builders import make_bundle
from tests.models.encoders import own_encoder, write_encoder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain encoder for the settings, and three versions made from it."""
    folder = tmp_path_factory.mktemp("made")
    write_encoder(folder / "plain", seed=9)
    for i in range(3):
        own_encoder(folder / f"e{i}", name=f"adapted-{i}", seed=i)
    return folder


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, encoder=str(made / "plain"), max_tokens=32)


def head(encoder: Path, max_tokens: int = 32) -> Bundle:
    """A bundle whose head was trained on an encoder."""
    version = Encoder.load(str(encoder), max_tokens=max_tokens).version
    facts = {"name": encoder.name, "version": version, "max_tokens": max_tokens}
    plain = make_bundle(dimension=16)
    return replace(plain, card={**plain.card, "encoder": facts})


def test_new_trainings_take_the_current_published_encoder_else_the_one_of_the_settings(
    settings: Settings, made: Path
):
    assert in_force(settings) == str(made / "plain")
    published = Encoders(settings.encoders)
    name = published.publish(made / "e0")
    assert in_force(settings) == str(published.path(name))
    published.rollback()
    assert in_force(settings) == str(made / "plain")


def test_heads_of_three_encoders_serve_side_by_side(settings: Settings, made: Path, tmp_path: Path):
    Encoders(settings.encoders).publish(made / "e0")
    Encoders(settings.encoders).publish(made / "e1")
    heads = {
        "old": head(made / "plain"),
        "adapted": head(made / "e0"),
        "tuned": replace(head(made / "e2"), encoder=made / "e2"),
    }
    loaders = standard_loaders(settings)
    for name, made_head in heads.items():
        bundle.write(tmp_path / name, made_head)
        prediction = loaders.bundle(tmp_path / name).predict([("crash", "on start")])[0]
        assert (prediction.version, len(prediction.scores)) == (name, 3)


def test_a_head_is_read_with_the_window_that_it_was_trained_with(settings: Settings, made: Path):
    found = LoadedEncoders(settings).of(head(made / "plain", max_tokens=16))
    assert found.max_tokens == 16


def test_an_encoder_that_is_gone_is_told(settings: Settings, made: Path):
    with pytest.raises(EncoderMismatch, match=r"belongs to encoder adapted-0-.* not here any more"):
        LoadedEncoders(settings).of(head(made / "e0"))


def test_an_encoder_is_looked_for_once(settings: Settings, made: Path):
    known = LoadedEncoders(settings)
    assert known.of(head(made / "plain")) is known.of(head(made / "plain"))


def test_only_few_encoders_keep_their_weights(
    settings: Settings, made: Path, monkeypatch: pytest.MonkeyPatch
):
    loads: list[str] = []
    load = Encoder._load
    monkeypatch.setattr(encoders, "MAX_IN_MEMORY", 2)
    monkeypatch.setattr(Encoder, "_load", lambda self: loads.append(self.name) or load(self))
    published = Encoders(settings.encoders)
    for i in range(3):
        published.publish(made / f"e{i}")
    known = LoadedEncoders(settings)
    for i in (0, 1, 0, 2, 0, 1):
        known.of(head(made / f"e{i}")).encode(["crash"])
    assert loads == ["adapted-0", "adapted-1", "adapted-2", "adapted-1"]
