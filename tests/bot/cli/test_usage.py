"""Help at once, usage errors with status 2, failures in one line with status 1."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from bot.cli.application import COMMANDS
from bot.cli.common import full_name, moment
from tests.bot.cli.conftest import Command
from training.recipe import RECIPES

NAMES = [command.__name__.rstrip("_") for command in COMMANDS]
PROBE = (
    "import sys; from bot.cli import main; main(['--help']);"
    " heavy = {'torch', 'pandas', 'numpy', 'github', 'pydantic', 'transformers', 'flask', 'rich'};"
    " sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))"
)


def test_help_imports_nothing_heavy_and_is_quick():
    best = 9.0
    for _ in range(3):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True)
        best = min(best, time.perf_counter() - started)
        assert done.stderr == b""
    assert best < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example(labelwright: Command, name: str):
    said = labelwright(name, "--help")
    assert said.status == 0
    assert "Example: " in said.out and f"labelwright {name}" in said.out


def test_the_help_of_train_names_every_recipe(labelwright: Command):
    ours = {path.stem for path in RECIPES.glob("*.toml")}
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", labelwright("train", "--help").out))
    assert ours <= words


def test_the_list_of_commands_is_complete_and_in_order(labelwright: Command):
    lines = labelwright("--help").out.splitlines()
    shown = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line.strip()]
    assert shown == NAMES


@pytest.mark.parametrize(
    "args",
    [
        ["nonsense"],
        ["train"],
        ["train", "not-a-name"],
        ["train", "a/b/c"],
        ["import", "x.jsonl"],
        ["pull", "a/b", "--since", "yesterday"],
        ["replay", "a/b", "--last", "0"],
        ["models", "a/b", "show"],
        ["models", "a/b", "list", "0001-00000000"],
        ["models", "a/b", "explode"],
        ["undo", "a/b", "--issue", "0"],
        ["predict", "a/b"],
        ["predict", "a/b", "--title", "x", "--batch", "y"],
        ["predict", "a/b", "--batch", "y"],
        ["predict", "a/b", "--title", "x", "--out", "y"],
    ],
)
def test_wrong_usage_is_status_2(labelwright: Command, args: list[str]):
    said = labelwright(*args)
    assert said.status == 2
    assert said.out == "" and "Error: " in said.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["train", "a/b"], "no repository a/b here: `labelwright import PATH --repo a/b`"),
        (["evaluate", "a/b"], "no repository a/b here"),
        (["import", "nowhere.jsonl", "--repo", "a/b"], "nowhere.jsonl: No such file"),
        (["pull", "a/b"], "LABELWRIGHT_APP_ID: missing"),
        (["undo", "a/b", "--yes"], "LABELWRIGHT_APP_ID: missing"),
        (["worker"], "LABELWRIGHT_APP_ID: missing"),
    ],
)
def test_a_failure_is_explained_with_status_1(labelwright: Command, args: list[str], message: str):
    said = labelwright(*args)
    assert said.status == 1
    assert said.out == "" and message in said.err and "Traceback" not in said.err


@pytest.mark.parametrize("command", ["serve", "web"])
def test_half_of_an_app_is_explained_with_what_is_missing(
    labelwright: Command, monkeypatch: pytest.MonkeyPatch, command: str
):
    monkeypatch.setenv("LABELWRIGHT_APP_ID", "7")
    said = labelwright(command)
    assert said.status == 1
    assert "LABELWRIGHT_WEBHOOK_SECRET: missing" in said.err and "Traceback" not in said.err


def test_a_wrong_setting_is_explained(labelwright: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABELWRIGHT_PORT", "many")
    said = labelwright("train", "a/b")
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert said.err.startswith("labelwright: settings: LABELWRIGHT_PORT")


def test_a_damaged_database_is_explained(labelwright: Command, home):
    home.mkdir()
    (home / "labelwright.db").write_text("this is no database at all, " * 100)
    said = labelwright("train", "a/b")
    assert said.status == 1
    assert "labelwright.db cannot be opened: file is not a database" in said.err


def test_python_m_bot_is_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "bot", "nonsense"], capture_output=True, check=False
    )
    assert done.returncode == 2


def test_times_are_understood_in_every_zone():
    assert moment("2026-01-31") == "2026-01-31T00:00:00Z"
    assert moment("2026-01-31T12:00:00+02:00") == "2026-01-31T10:00:00Z"
    assert moment(None) is None


def test_the_account_of_a_managed_user_may_have_an_underscore():
    assert full_name("monalisa_acme/app") == "monalisa_acme/app"
