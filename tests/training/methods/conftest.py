"""Checkpoints for the methods' tests, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.encoder import Encoder
from tests.training.methods.tuned import tiny_space
from tests.training.planted import FILLER, WORDS
from tests.training.tiny import tiny_encoder, tiny_masked_lm
from training.methods.base import Resources
from training.methods.space import Space

VOCABULARY = (*WORDS, *WORDS.values(), *FILLER, "issue", "about", "this", "is", "report", "idea")


@pytest.fixture(scope="session")
def sentence_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder without a masked-language head."""
    return tiny_encoder(tmp_path_factory.mktemp("checkpoints") / "sentence", VOCABULARY)


@pytest.fixture(scope="session")
def masked_lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny masked language model."""
    return tiny_masked_lm(tmp_path_factory.mktemp("checkpoints") / "masked", VOCABULARY)


@pytest.fixture
def resources(sentence_encoder: Path) -> Resources:
    """The tiny encoder and nothing else."""
    return Resources(Space(Encoder("tiny", sentence_encoder, 64)), max_tokens=64, effort=10)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Space:
    """A tiny checkpoint that knows the planted words."""
    return tiny_space(tmp_path_factory.mktemp("encoders"))
