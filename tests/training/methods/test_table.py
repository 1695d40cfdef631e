"""The rows of the comparison: each names a method, and gets the encoder that it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.encoder import Encoder
from tests.training.tiny import tiny_encoder
from training.methods import table
from training.methods.base import Resources, Unavailable
from training.methods.space import Space
from training.methods.table import ADAPTATION, BY_KEY, ROWS, Row

METHODS = Path(table.__file__).parent
SHARED = {"__init__", "base", "choosing", "space", "table"}


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """A vanilla and an adapted encoder."""
    folder = tiny_encoder(tmp_path_factory.mktemp("table") / "tiny")
    return Resources(Space(Encoder.load(str(folder))), Space(Encoder.load(str(folder))))


def given(row: Row, resources: Resources) -> Any:
    found = row.resources(resources)
    return found.vanilla, found.adapted


@pytest.mark.parametrize("row", ROWS, ids=BY_KEY)
def test_every_row_names_a_method(row: Row) -> None:
    assert callable(row.fit)


def test_every_method_has_a_row() -> None:
    modules = {path.stem for path in METHODS.glob("*.py")} - SHARED
    assert {row.method for row in ROWS} == modules


def test_a_vanilla_row_sees_no_adapted_encoder(resources: Resources) -> None:
    assert given(BY_KEY["frozen"], resources) == (resources.vanilla, None)


def test_an_adapted_row_starts_from_the_adapted_encoder(resources: Resources) -> None:
    vanilla, adapted = given(BY_KEY["frozen-adapted"], resources)
    assert vanilla is adapted is resources.adapted


def test_auto_may_choose_between_both(resources: Resources) -> None:
    assert BY_KEY["auto"].resources(resources) is resources


def test_an_adapted_row_needs_an_adapted_encoder(resources: Resources) -> None:
    with pytest.raises(Unavailable, match="adapted encoder"):
        BY_KEY["frozen-adapted"].resources(Resources(resources.vanilla))


def test_adaptation_is_judged_on_the_same_method_from_both_encoders() -> None:
    for vanilla, adapted in ADAPTATION:
        assert BY_KEY[vanilla].method == BY_KEY[adapted].method
        assert (BY_KEY[vanilla].space, BY_KEY[adapted].space) == ("vanilla", "adapted")
