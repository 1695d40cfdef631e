"""The repository's configuration file: hostile text in, a checked value or named lines out."""

from __future__ import annotations

import fnmatch
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.repo_config import (
    MAX_CHARACTERS,
    GroupRule,
    LabelRules,
    Override,
    RepoConfig,
    Skip,
    matches,
    parse,
)

EXAMPLE = """\
version: 1
mode: apply
target_precision: 0.95
labels:
  allow: ["bug", "area/*"]
  deny: ["wontfix"]
  overrides: {"area/ui": {mode: suggest, target_precision: 0.97}, "area/*": {mode: off}}
groups: [{name: area, match: "area/*", max: 2}]
skip: {authors: ["*[bot]"], associations: [owner], labels: ["no triage"]}
people: [relay]
bots: [ci-user]
fallback: needs-triage
grace_seconds: 60
comment: explain
native_suggestions: true
pull_requests: yes
retrain_after: 10
explore: 0.05
"""


def accepted(text: str) -> RepoConfig:
    parsed = parse(text)
    assert parsed.problems == ()
    assert parsed.config is not None
    return parsed.config


def problems(text: str) -> list[str]:
    parsed = parse(text)
    assert parsed.config is None
    return [str(problem) for problem in parsed.problems]


def test_every_key_of_the_example_is_read():
    config = accepted(EXAMPLE)
    assert config == RepoConfig(
        mode="apply",
        target_precision=0.95,
        labels=LabelRules(
            ("bug", "area/*"),
            ("wontfix",),
            {"area/ui": Override("suggest", 0.97), "area/*": Override("off")},
        ),
        groups=(GroupRule("area", "area/*", 2),),
        skip=Skip(("*[bot]",), ("OWNER",), ("no triage",)),
        people=("relay",),
        bots=("ci-user",),
        fallback="needs-triage",
        grace_seconds=60,
        comment="explain",
        native_suggestions=True,
        pull_requests=True,
        retrain_after=10,
        explore=0.05,
    )


@pytest.mark.parametrize("text", ["", "\n# nothing yet\n", "---\n", "version: 1\n", "labels:\n"])
def test_an_empty_file_is_the_default(text: str):
    assert accepted(text) == RepoConfig()


def test_the_stored_form_is_json_and_reads_back():
    config = accepted(EXAMPLE)
    assert RepoConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_nothing_stored_is_the_default():
    assert RepoConfig.from_dict(None) == RepoConfig()
    assert RepoConfig.from_dict({"a key of another version": 1}) == RepoConfig()


def test_words_are_taken_as_written_and_not_as_yaml_guesses():
    config = accepted("mode: off\nlabels: {allow: [1.10, yes, 2026-01-31]}\n")
    assert config.mode == "off"
    assert config.labels.allow == ("1.10", "yes", "2026-01-31")


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_key():
    assert problems("version: 1\nlabels:\n  alow: [bug]\n") == [
        "line 3: unknown key `labels.alow`; did you mean `allow`?"
    ]


def test_all_problems_are_reported_at_once_in_order():
    text = "version: 2\nmode: loud\ntarget_precision: 90\nlabels: [bug]\ngrace_seconds: -1\nmod: x"
    found = problems(text)
    assert [line.split(":")[0] for line in found] == [f"line {n}" for n in range(1, 7)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups: [{name: area}]", "line 1: `groups`: an entry without a usable `match`"),
        ("groups: [{name: a, match: b, max: 0}]", "`groups.max` must be a whole number"),
        ("mode: apply\nmode: off", "line 2: `mode` is given twice"),
        ("mode:", "`mode` needs a single value"),
        ("fallback: ''", "`fallback` must have 1 to 200 characters"),
        ("skip: {associations: [BOSS]}", "'BOSS' is none of"),
        ("pull_requests: maybe", "must be true or false"),
        ("just words", "must be a mapping"),
        ("[1, 2]", "must be a mapping"),
        ("{[a]: b}", "unknown key"),
        ("labels: {allow: [bug, {a: b}]}", "`labels.allow` needs a single value"),
        ("labels: {allow: bug}", "`labels.allow` must be a list"),
        ("target_precision: .inf", "must be a number from 0.5 to 0.999"),
    ],
)
def test_a_wrong_value_is_named(text: str, message: str):
    assert any(message in problem for problem in problems(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mode: [", "line 1: not valid YAML"),
        ("a: 1\n\tb: 2", "line 2: not valid YAML"),
        ("mode: apply\n---\nmode: off", "line 2: not valid YAML"),
        ("mode: ap\0ply", "line 1: not valid YAML"),
        ("labels: {allow: [*]}", "quote a pattern"),
        ("labels: {allow: [*bug]}", "quote a pattern"),
        ("a: &x [1]\nb: *x", "line 1: anchors and aliases"),
        ("mode: !!python/object/apply:os.system [id]", "line 1: tags are not allowed"),
        ("labels: " + "[" * 5000, "line 1: nested too deeply"),
        ("x" * (MAX_CHARACTERS + 1), "line 1: the file is longer"),
    ],
)
def test_unsafe_or_broken_yaml_is_refused_with_its_line(text: str, message: str):
    assert any(message in problem for problem in problems(text))


def test_an_alias_bomb_is_refused_before_it_is_built():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{key}: &{key} [{', '.join([f'*{previous}'] * 9)}]\n"
        for previous, key in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert problems(bomb) == [
        "line 1: anchors and aliases (& and *) are not allowed; quote a pattern"
    ]


@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text: str):
    parsed = parse(text)
    assert (parsed.config is None) == bool(parsed.problems)


def test_an_override_by_name_goes_before_a_pattern():
    config = accepted(EXAMPLE)
    assert config.override("AREA/UI").mode == "suggest"
    assert config.override("area/api").mode == "off"
    assert config.override("bug") == Override()
    assert (config.target("area/ui"), config.target("area/api")) == (0.97, 0.95)


def test_brackets_in_a_pattern_stand_for_themselves():
    assert matches("*[bot]", "dependabot[bot]")
    assert not matches("*[bot]", "robot")


def test_a_pattern_of_many_stars_cannot_stall():
    start = time.perf_counter()
    assert not matches("*a" * 100 + "b", "a" * 200)
    assert time.perf_counter() - start < 0.5


@given(st.text("ab*?/", max_size=8), st.text("ab/", max_size=8))
def test_patterns_agree_with_the_shell(pattern: str, name: str):
    assert matches(pattern, name) == fnmatch.fnmatchcase(name, pattern)
