"""Versions that hold what is to be forgotten go, the current one too."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import bundle
from models.errors import ArtifactRefused
from models.registry import Registry
from tests.models.builders import TEXTS, write_bundle


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def publish(registry: Registry, count: int) -> list[str]:
    """Versions of repository 1, each with other weights; the last is in force."""
    aside = registry.root.parent
    return [
        registry.publish(1, write_bundle(aside / f"made-{seed}", seed=seed))
        for seed in range(count)
    ]


def names(registry: Registry) -> list[str]:
    return [version.name for version in registry.list(1)]


def test_without_the_current_version_the_one_before_is_in_force(registry: Registry) -> None:
    first, second, third = publish(registry, 3)
    gone = registry.erase(1, lambda folder: folder.name in (second, third))
    assert gone == (second, third)
    assert (registry.current(1), names(registry)) == (first, [first])
    assert [path.name for path in (registry.root / "1").glob(".removing*")] == []


def test_where_none_is_left_none_is_in_force(registry: Registry) -> None:
    gone = publish(registry, 2)
    assert registry.erase(1, lambda folder: True) == tuple(gone)
    assert (registry.current(1), names(registry)) == (None, [])


def test_an_older_version_goes_and_the_current_one_stays(registry: Registry) -> None:
    first, second, third = publish(registry, 3)
    registry.erase(1, lambda folder: folder.name == second)
    assert registry.current(1) == third
    assert registry.rollback(1) == first


def test_it_does_not_fall_back_on_a_damaged_version(registry: Registry) -> None:
    first, second, third = publish(registry, 3)
    (registry.path(1, second) / "terms.json").write_text("{}")
    registry.erase(1, lambda folder: folder.name == third)
    assert registry.current(1) == first


def test_where_nothing_holds_it_nothing_changes(registry: Registry) -> None:
    publish(registry, 2)
    before = names(registry), registry.current(1), [*registry.root.iterdir()]
    assert registry.erase(1, lambda folder: False) == ()
    assert registry.erase(2, lambda folder: True) == ()
    assert (names(registry), registry.current(1), [*registry.root.iterdir()]) == before


def test_of_a_forgotten_repository_no_file_is_left(registry: Registry) -> None:
    publish(registry, 2)
    interrupted = registry.root / ".removing.1"
    interrupted.mkdir()
    assert registry.forget(1) is True
    assert list(registry.root.iterdir()) == []
    assert registry.forget(1) is False


def test_what_a_bundle_learned_from_is_read_without_the_rest(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "made")
    (folder / "head.safetensors").unlink()
    found = bundle.learned_from(folder)
    assert found.issues == {number: text.hash for number, text in enumerate(TEXTS, start=1)}
    assert found.hashes == {text.hash for text in TEXTS}


@pytest.mark.parametrize("damage", ['{"a": 1}', "[[]]", "no json"])
def test_past_issues_that_cannot_be_read_are_refused(tmp_path: Path, damage: str) -> None:
    folder = write_bundle(tmp_path / "made")
    (folder / "past.json").write_text(damage)
    with pytest.raises(ArtifactRefused):
        bundle.learned_from(folder)
