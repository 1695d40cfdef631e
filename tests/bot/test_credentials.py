"""Credentials are written whole or not at all, for their owner's eyes only."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from bot import credentials
from bot.credentials import keeper
from bot.errors import SetupError

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "home" / "labelwright.toml"


def names(config: Path) -> list[str]:
    return sorted(path.name for path in config.parent.iterdir())


def held(config: Path) -> dict:
    return tomllib.loads(config.read_text())


def test_both_files_are_for_their_owner_alone(config: Path) -> None:
    old = os.umask(0)
    try:
        keeper(config, force=False).keep({"app_id": 7, "webhook_secret": 'a"\\b'}, KEY)
    finally:
        os.umask(old)
    assert names(config) == ["labelwright.toml", "private-key.pem"]
    assert {path.stat().st_mode & 0o777 for path in config.parent.iterdir()} == {0o600}
    secrets = {"webhook_secret": 'a"\\b', "private_key_file": "private-key.pem"}
    assert held(config) == {"app_id": 7, **secrets}
    assert config.with_name("private-key.pem").read_text() == KEY


def test_other_settings_and_comments_stay(config: Path) -> None:
    config.parent.mkdir()
    config.write_text('# our proxy\nport = 9000\nintake = "poll"\n')
    keeper(config, force=False).keep({"app_id": 7, "intake": "webhook"}, KEY)
    assert config.read_text().startswith("# our proxy\nport = 9000\n\n# The App, as")
    assert held(config)["port"] == 9000 and held(config)["intake"] == "webhook"


@pytest.mark.parametrize(
    "line", ["app_id = 1", 'webhook_secret = "x"', 'private_key_file = "/etc/key.pem"']
)
def test_an_app_that_is_set_up_is_not_replaced(config: Path, line: str) -> None:
    config.parent.mkdir()
    config.write_text(line)
    with pytest.raises(SetupError, match="--force"):
        keeper(config, force=False)
    assert (config.read_text(), names(config)) == (line, ["labelwright.toml"])


def test_a_key_alone_is_not_replaced_either(config: Path) -> None:
    config.parent.mkdir()
    config.with_name("private-key.pem").write_text("theirs")
    with pytest.raises(SetupError, match=r"private-key\.pem exists"):
        keeper(config, force=False)


def test_force_replaces_the_app_and_nothing_else(config: Path) -> None:
    keeper(config, force=False).keep({"app_id": 7, "webhook_secret": "old"}, KEY)
    config.write_text(f"port = 9000\n{config.read_text()}")
    keeper(config, force=True).keep({"app_id": 8}, KEY.replace("MIIB", "MIIC"))
    assert held(config) == {"port": 9000, "app_id": 8, "private_key_file": "private-key.pem"}
    assert config.read_text().count("# The App") == 1
    assert "MIIC" in config.with_name("private-key.pem").read_text()


def test_a_value_of_several_lines_is_left_to_the_operator(config: Path) -> None:
    config.parent.mkdir()
    config.write_text(f'private_key = """\n{KEY}"""\n')
    with pytest.raises(SetupError, match="take private_key out of"):
        keeper(config, force=True)


def test_a_file_that_is_no_toml_is_refused(config: Path) -> None:
    config.parent.mkdir()
    config.write_text("port 9000")
    with pytest.raises(SetupError, match="is not valid TOML"):
        keeper(config, force=True)


def test_a_folder_that_cannot_be_made_is_told_before_github_is_asked(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(OSError, match="home"):
        keeper(tmp_path / "home" / "labelwright.toml", force=False)


@pytest.mark.parametrize("before", [None, "the key before"])
def test_a_write_that_fails_leaves_everything_as_it_was(config: Path, before: str | None) -> None:
    place = keeper(config, force=True)
    if before is not None:
        place.key.write_text(before)
    config.mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(OSError, match=r"labelwright\.toml"):
        place.keep({"app_id": 7}, KEY)
    assert names(config) == sorted(["labelwright.toml", *(["private-key.pem"] if before else [])])
    assert before is None or place.key.read_text() == before


def test_the_names_of_the_settings_are_real() -> None:
    from bot.settings import Settings

    assert set(credentials.SECRETS) <= set(Settings.model_fields)
