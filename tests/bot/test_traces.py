"""Where text lies in files: what is found, and what is left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot import traces
from bot.settings import Settings
from bot.traces import Texts
from models import bundle
from models.registry import Registry
from models.text import prepare
from tests.bot.forgetting_world import NOW
from tests.models.builders import TEXTS, write_bundle

MADE, LATER, EARLIER = "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-01-01T00:00:00Z"


def card(folder: Path, **facts: Any) -> None:
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A bundle that learned from issues 1 to 4."""
    return write_bundle(tmp_path / "made")


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (Texts(numbers=(3, 9)), True),
        (Texts(numbers=(9,)), False),
        (Texts(hashes=(TEXTS[0].hash,)), True),
        (Texts(hashes=(prepare("another", "").hash,)), False),
        (Texts(since=EARLIER), False),  # its encoder is shared, and knows no single text
    ],
)
def test_a_model_holds_what_its_past_issues_and_vectors_say(made: Path, texts: Texts, found: bool):
    assert traces.holding(texts)(made) is found


@pytest.mark.parametrize(
    ("since", "found"), [(EARLIER, True), (MADE, True), (LATER, False), (None, False)]
)
def test_an_encoder_of_its_own_may_have_learned_from_whatever_was_there(
    made: Path, since: str | None, found: bool
):
    (made / bundle.ENCODER).mkdir()
    card(made, created_at=MADE)
    assert traces.holding(Texts(since=since))(made) is found


def test_a_model_that_cannot_be_read_holds_it(made: Path):
    (made / "past.json").unlink()
    assert traces.holding(Texts(numbers=(9,)))(made)


def test_models_of_others_that_share_a_tuned_encoder_are_named(tmp_path: Path):
    registry = Registry(tmp_path / "models")
    for repository_id, version in ((1, "tuned"), (2, "tuned"), (3, "other")):
        made = write_bundle(tmp_path / str(repository_id), repository=repository_id)
        name = registry.publish(repository_id, made)
        folder = registry.path(repository_id, name)
        (folder / bundle.ENCODER).mkdir()
        card(folder, encoder={"version": version})
    mine = {1: [version.name for version in registry.list(1)]}
    assert list(traces.tuned_with(registry, mine, {2, 3})) == [2]


def folder(settings: Settings, name: str, **files: str) -> Path:
    made = settings.runs / name
    made.mkdir(parents=True)
    for path, text in files.items():
        target = made / path.replace("__", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        (target.with_suffix(".json")).write_text(text)
    return made


def test_the_trainings_of_a_repository_are_found_by_what_they_hold(tmp_path: Path):
    settings = Settings(home=tmp_path)
    assert traces.runs(settings, [5]) == []
    mine, other = '{"id": 5}', '{"id": 55}'
    found = [
        folder(settings, "adapt.1", snapshots__5__repository=mine, snapshots__6__repository=other),
        folder(settings, "simulate.5", answers="{}"),  # interrupted: what it computed is kept
        folder(settings, "train.5.1", bundle__labels="{}"),  # killed in the middle
        folder(settings, "train.6.1", bundle__card='{"repository": {"id": 5}}'),
    ]
    folder(settings, "train.55.1", snapshot__repository=other)
    folder(settings, "simulate.55", answers="{}")
    folder(settings, "train.7.1", snapshot__repository="not json")
    log = folder(settings, "train.5.0", log="a log alone")
    assert traces.runs(settings, [5]) == found
    assert traces.runs(settings, [5], logs=True) == sorted([*found, log])


def test_a_removal_that_was_interrupted_is_ended_by_the_next(tmp_path: Path):
    settings = Settings(home=tmp_path)
    left = folder(settings, ".forgotten.train.5.1", snapshot__repository='{"id": 5}')
    traces.remove_runs(settings, [settings.runs / "gone meanwhile"])
    assert not left.exists()


def test_a_file_that_a_killed_export_left_goes_with_what_is_forgotten(tmp_path: Path):
    left = tmp_path / "exports" / "5-left.sqlite"
    left.parent.mkdir()
    left.write_bytes(b"text")
    traces.remove_exports(Settings(home=tmp_path))
    traces.remove_exports(Settings(home=tmp_path / "empty"))
    assert not left.exists()


def test_the_encoders_that_were_made_while_a_text_was_there(tmp_path: Path):
    settings = Settings(home=tmp_path)
    for name, at in (("0001-0000aaaa", EARLIER), ("0002-0000bbbb", MADE)):
        (settings.encoders / name).mkdir(parents=True)
        (settings.encoders / name / "card.json").write_text(json.dumps({"created_at": at}))
    assert traces.encoders(settings, MADE) == ("0002-0000bbbb",)
    assert traces.encoders(settings, EARLIER) == ("0001-0000aaaa", "0002-0000bbbb")
    assert traces.encoders(settings, LATER) == traces.encoders(settings, None) == ()


@pytest.mark.parametrize(("schedule", "by"), [("3600", NOW + 7 * 3600), ("never", None)])
def test_when_the_backups_of_today_are_gone(tmp_path: Path, schedule: str, by: float | None):
    settings = Settings(home=tmp_path, backup_schedule=schedule)
    assert traces.backups(settings, NOW).gone_by == by
