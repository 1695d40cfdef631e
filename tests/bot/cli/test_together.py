"""Two repositories trained together through the real command, over a tiny encoder."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot import launcher
from bot.cli.learning import CONTRACT
from bot.launcher import Launch
from bot.settings import Settings
from bot.store import Store
from models.registry import Registry
from tests.bot.cli.conftest import Command
from tests.training.tiny import tiny_encoder

NAMES = ("octo/app", "octo/web")
RECIPE = 'tune = "supervised"\nepochs = 1\nhalf_life = "none"'
COUNT = 125
"""As many labeled issues as it takes to tune an encoder."""


def rows(name: str) -> list[dict[str, Any]]:
    """Issues of a repository as GitHub gives them: short ones, with two labels in turn."""
    return [
        {
            "id": 1000 * NAMES.index(name) + number,
            "number": number,
            "title": f"{name} {number}",
            "body": ("crash", "manual")[number % 2],
            "created_at": f"2025-01-01T{number // 60:02}:{number % 60:02}:00Z",
            "labels": [{"id": number % 2 + 1, "name": ("bug", "docs")[number % 2]}],
        }
        for number in range(1, COUNT + 1)
    ]


def in_this_process(launch: Launch, **how: Any) -> float:
    """The training as ever, but where torch has been imported already."""
    from training.run import main as train

    assert train(launch.arguments) == 0 and launch.is_complete
    return 0.0


@pytest.fixture
def imported(
    labelwright: Command, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home with the issues of two repositories, and a tiny encoder."""
    settings = {"ENCODER": tiny_encoder(tmp_path / "tiny"), "MAX_TOKENS": 32, "THREADS": 1}
    for key, value in settings.items():
        monkeypatch.setenv(f"LABELWRIGHT_{key}", str(value))
    for name in NAMES:
        path = tmp_path / f"{name.replace('/', '-')}.jsonl"
        path.write_text("\n".join(json.dumps(row) for row in rows(name)), "utf-8")
        assert labelwright("import", path, "--repo", name).status == 0


@pytest.mark.usefixtures("imported")
def test_two_repositories_are_tuned_together_and_served(
    labelwright: Command, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(launcher, "run", in_this_process)
    (tmp_path / "r.toml").write_text(RECIPE)
    figures = labelwright("train", *NAMES, "--recipe", tmp_path / "r.toml", "--json").json()
    assert [tuple(each)[: len(CONTRACT)] for each in figures] == [CONTRACT] * 2
    versions = set()
    for name, each in zip(NAMES, figures, strict=True):
        found = labelwright("predict", name, "--title", "crash", "--json").json()
        assert found["version"] == each["version"]
        shown = labelwright("models", name, "show", each["version"], "--json").json()
        versions.add(shown["card"]["encoder"]["version"])
    assert len(versions) == 1 and "-tuned-" in versions.pop()


@pytest.mark.usefixtures("imported")
def test_a_private_one_among_them_is_refused(labelwright: Command, home: Path):
    with closing(Store.open(home / "labelwright.db")) as store:
        found = store.repositories.by_name(NAMES[1])
        assert found is not None
        store.repositories.upsert(found.id, NAMES[1], private=True)
    said = labelwright("train", *NAMES, "--recipe", "finetuned")
    assert said.status == 1 and "octo/web: private: its text stays out" in said.err
    assert Registry(Settings(home=home).models).current(found.id) is None


@pytest.mark.parametrize(
    "arguments",
    [
        (*NAMES, "--include-private"),
        ("octo/app", "octo/app", "--recipe", "finetuned", "--include-private"),
    ],
)
def test_private_text_has_a_place_only_where_an_encoder_is_shared(
    labelwright: Command, arguments: tuple[str, ...]
):
    said = labelwright("train", *arguments)
    assert said.status == 2 and "several repositories and a recipe that tunes" in said.err
