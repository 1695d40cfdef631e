"""The documents say what there is: every command, setting and key; their links lead somewhere."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import click
import pytest
import typer

from bot.repo_config import GroupRule, LabelRules, Override, RepoConfig, Skip, parse
from bot.settings import PREFIX, Settings
from tests.source import ROOT, tracked_files

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
CALL = re.compile(r"labelwright (?!labelwright)([a-z]+)\b")
SECTION = re.compile(r"^## (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@cache
def commands() -> dict[str, click.Command]:
    """Every command of the command line, by name."""
    from bot.cli.application import app

    group = typer.main.get_command(app)
    return dict(group.commands)  # type: ignore[attr-defined]


@cache
def sections(path: str) -> dict[str, str]:
    """The second-level sections of a page: title -> text, titles without backquotes."""
    return {m[1].replace("`", ""): m[2] for m in SECTION.finditer(read(path))}


def read(path: str) -> str:
    return (ROOT / path).read_text()


def pages() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".md"]


def rows(page: str) -> dict[str, list[str]]:
    """The table rows of a page that begin with code: that -> the other cells."""
    found = re.findall(r"^\| `([^`]+)` \| (.*) \|$", read(page), re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in found}


def test_every_command_has_help_and_so_has_each_of_its_parameters() -> None:
    silent = [name for name, command in commands().items() if not command.help]
    silent += [
        f"{name} {parameter.name}"
        for name, command in commands().items()
        for parameter in command.params
        if parameter.name != "help" and not getattr(parameter, "help", None)
    ]
    assert silent == []


def test_every_command_has_a_section_with_every_option() -> None:
    pages = sections("docs/commands.md").items()
    described = {t.split()[1]: text for t, text in pages if t.startswith("labelwright ")}
    assert sorted(described) == sorted(commands())
    missing = [
        f"{name} {option}"
        for name, command in commands().items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help" and option not in described[name]
    ]
    assert missing == []


def test_no_page_names_a_command_or_an_option_that_is_not_there() -> None:
    wrong = []
    for page in pages():
        for code in CODE.findall(page.read_text()):
            for line in code.splitlines():
                wrong += [f"{page.name}: {line.strip()}" for name in wrong_names(line) if name]
    assert wrong == []


def wrong_names(line: str) -> list[str]:
    """The command, or its long options, in a line of code that the command line does not have."""
    called = CALL.search(line)
    if called is None:
        return []
    command = commands().get(called[1])
    if command is None:
        return [called[1]]
    known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    written = re.findall(r"(?<!\S)--[a-z][a-z-]*", line[called.end() :])
    return [option for option in written if option not in known | {"--help"}]


@pytest.mark.parametrize("line", ["labelwright fly", "labelwright serve --wings"])
def test_a_wrong_name_would_be_noticed(line: str) -> None:
    assert wrong_names(line)


def test_every_setting_is_described_with_its_default() -> None:
    described = rows("docs/settings.md")
    assert list(described) == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name, setting in Settings.model_fields.items():
        default, meaning = described[f"{PREFIX}{name.upper()}"]
        plain = {None: "unset", (): "empty"}.get(setting.default, f"`{setting.default}`")
        assert (default, meaning) == (plain, setting.description)
    assert f"{PREFIX}CONFIG" in read("docs/settings.md")


def test_every_setting_that_a_page_names_exists() -> None:
    known = {PREFIX + name.upper() for name in (*Settings.model_fields, "config")}
    for page in pages():
        named = set(re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]\b", page.read_text()))
        assert named <= known, page.name


def test_every_key_of_the_configuration_is_described() -> None:
    nested = {"labels": LabelRules, "skip": Skip}
    keys = {f.name for f in fields(RepoConfig)} - set(nested)
    keys |= {f"{at}.{f.name}" for at, value in nested.items() for f in fields(value)}
    described = rows("docs/configuration.md")
    assert set(described) == keys
    for key, inner in (("groups", GroupRule), ("labels.overrides", Override)):
        text = " ".join(described[key])
        assert all(f"`{f.name}`" in text for f in fields(inner)), key


def test_the_described_defaults_of_the_configuration_are_those_of_the_code() -> None:
    described = rows("docs/configuration.md")
    for key in fields(RepoConfig):
        default = getattr(RepoConfig(), key.name)
        if isinstance(default, bool | int | float | str):
            written = f"{default:.2f}" if isinstance(default, float) else str(default)
            assert described[key.name][0] == f"`{written}`".replace("T", "t").replace("F", "f")


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_the_configuration_of_a_page_is_valid(page: str) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", read(page), re.DOTALL)
    assert examples
    for example in examples:
        assert parse(example).problems == ()


def test_relative_links_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in LINK.findall(page.read_text())
        if not target.startswith(("http://", "https://", "mailto:", "#"))
        and not (page.parent / target.partition("#")[0]).exists()
    ]
    assert broken == []


def test_no_file_names_a_path_of_one_machine() -> None:
    # Spelled in pieces, or this file would name them itself.
    local = re.compile(rb"(?<![\w.-])/(?:wor[k]|roo[t]|opt/whee[l]s|opt/pyp[i])/")
    texts = [path for path in tracked_files() if b"\0" not in path.read_bytes()[:1000]]
    found = [str(p.relative_to(ROOT)) for p in texts if local.search(p.read_bytes())]
    assert found == []


def test_each_folder_states_its_rule() -> None:
    folders = ("bot", "models", "training", "demo", "tests", "benchmarks", "docs")
    for folder in folders:
        rule = read(f"{folder}/README.md")
        assert 100 < len(rule) < 3000
    assert all(f"({folder}/README.md)" in read("CONTRIBUTING.md") for folder in folders)


def test_the_changelog_begins_with_what_is_not_released() -> None:
    assert re.search(r"^## (.+)", read("CHANGELOG.md"), re.MULTILINE)[1] == "Unreleased"  # type: ignore[index]


def test_every_test_that_the_security_page_names_exists() -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", read("docs/security.md"))
    assert len(named) > 80
    missing = [
        f"{file}::{name}" for file, name in named if f"\ndef {name}(" not in read(f"tests/{file}")
    ]
    assert missing == []


def test_each_threat_has_something_that_stops_it_and_a_test() -> None:
    lines = read("docs/security.md").partition("## What remains")[0].splitlines()
    threats = [x for x in lines if x.startswith("| ") and not x.startswith("| Threat")]
    assert [
        each for each in threats if len(each.split(" | ")) != 3 or ".py::test_" not in each
    ] == []


def test_every_module_that_the_security_page_names_exists() -> None:
    named = re.findall(r"`((?:bot|models)/[\w/]+\.py)`", read("docs/security.md"))
    assert [path for path in named if not (ROOT / path).exists()] == []
