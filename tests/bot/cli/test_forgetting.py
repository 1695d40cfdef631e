"""forget on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.cli.conftest import Command
from tests.bot.forgetting_world import APP, PLANTED, Home, make_home


@pytest.fixture
def filled(home: Path) -> Iterator[Home]:
    with make_home(home) as made:
        made.publish(APP, 1, 2)
        yield made


def adapted(home: Home, *names: str) -> None:
    """Encoder versions that were made while the issues were there; the last is in force."""
    root = home.settings.encoders
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "card.json").write_text(json.dumps({"created_at": "2026-02-01T00:00:00Z"}))
    state = {"version": names[-1], "history": []}
    (root / "current.json").write_text(json.dumps(state))


def test_without_yes_it_says_what_would_go(filled: Home, labelwright: Command):
    said = labelwright("forget", "--issue", "octo/app#1")
    assert said.status == 0
    assert "octo/app#1: what would go" in said.out and "versions of octo/app" in said.out
    assert "`labelwright train octo/app`" in said.out
    assert said.out.endswith("nothing was changed; --yes does it\n")
    assert filled.holds(PLANTED) and filled.registry.current(APP)


def test_with_yes_it_is_done(filled: Home, labelwright: Command):
    said = labelwright("forget", "--issue", "octo/app#1", "--yes")
    assert "octo/app#1: forgotten" in said.out and "--yes" not in said.out
    assert filled.registry.current(APP) is None
    issue = filled.store.issues.get(APP, 1)
    assert issue and issue.deleted
    assert "nothing of it is here" in labelwright("forget", "--issue", "octo/app#99").out


def test_the_json_says_all_of_it(filled: Home, labelwright: Command):
    version = filled.registry.current(APP)
    adapted(filled, "0001-0000aaaa")
    backup = filled.settings.backups / "labelwright-1-2.db"
    backup.parent.mkdir()
    backup.touch()
    found = labelwright("forget", "--user", "ann", "--json").json()
    assert found["dry_run"] is True
    assert found["versions"] == {"octo/app": [version]}
    assert found["trainings"] == ["octo/app"] and found["encoders"] == ["0001-0000aaaa"]
    assert found["rows"]["issues"] == 2 and found["rows"]["label_events"] >= 2
    assert found["backups"]["expire"] == [str(backup)] and found["backups"]["gone_by"]
    text = labelwright("forget", "--user", "ann").out
    assert "1 backups that were made before may hold it until about 20" in text
    assert "encoder 0001-0000aaaa may have learned from it and cannot unlearn" in text


def test_a_repository_with_its_encoder(filled: Home, labelwright: Command):
    adapted(filled, "0001-0000aaaa")
    said = labelwright("forget", "--repo", "octo/app", "--encoder", "--yes")
    assert "encoder of the settings is in force now" in said.out
    assert json.loads((filled.settings.encoders / "current.json").read_text())["version"] is None
    assert not (filled.settings.models / str(APP)).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--repo", "octo/app", "--user", "ann"),
        ("--issue", "octo/app"),
        ("--issue", "octo#3"),
        ("--issue", "octo/app#0"),
        ("--user", "ann; drop"),
    ],
)
def test_wrong_usage_is_said_so(labelwright: Command, wrong: tuple[str, ...]):
    assert labelwright("forget", *wrong).status == 2


@pytest.mark.usefixtures("filled")
def test_an_unknown_repository_is_one_line(labelwright: Command):
    said = labelwright("forget", "--repo", "octo/none", "--yes")
    assert said.status == 1
    assert said.err.startswith("labelwright: no repository octo/none here (there is octo/app,")
