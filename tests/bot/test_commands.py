"""A command is a line of its own; whatever is quoted, code or hidden is only talked about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import is_by_a_person, read
from bot.context import BotIdentity
from bot.github.talk import RemoteComment
from bot.repo_config import RepoConfig

US = BotIdentity(99, "labelwright[bot]")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("/label why", ("why",)),
        ("/label apply", ("apply",)),
        ("/label off", ("off",)),
        ("/LABEL Apply  ", ("apply",)),
        ("/label\tapply\r\nthanks", ("apply",)),
        ("Good catch.\n/label apply\n/label off", ("apply", "off")),
        ("/label why\n/label why", ("why",)),
        ("> is it?\n\n/label why", ("why",)),
        ("```\nx\n```\n/label why", ("why",)),
        ("<!-- note --> \n/label why", ("why",)),
    ],
)
def test_a_line_of_its_own_is_a_command(body: str, found: tuple[str, ...]) -> None:
    assert read(body) == found


@pytest.mark.parametrize(
    "body",
    [
        "",
        "say /label apply",
        " /label apply",
        "    /label apply",
        "\t/label apply",
        "> /label apply",
        "> quoted\n/label apply",
        "```\n/label apply\n```",
        "```\n/label apply",
        "````\n```\n/label apply\n````",
        "~~~ sh\n/label apply\n~~~",
        "`/label apply`",
        "<!--\n/label apply\n-->",
        "<!-- /label apply -->",
        "<pre>\n/label apply\n</pre>",
        "- /label apply",
        "/labels apply",
        "/label",
        "/labelapply",
    ],
)
def test_what_is_only_talked_about_is_none(body: str) -> None:
    assert read(body) == ()


@pytest.mark.parametrize("body", ["/label bug", "/label apply bug", "/label off topic", "/label ?"])
def test_an_unknown_word_is_none(body: str) -> None:
    assert read(body) == ()


@given(st.text(alphabet="/label whyapoff>`~<!-pre\n\r\t#", max_size=300))
def test_any_text_is_read(body: str) -> None:
    assert set(read(body)) <= {"why", "apply", "off"}


def comment(login: str, id: int | None = 5, kind: str = "User") -> RemoteComment:
    return RemoteComment(1, 3, "/label why", login, id, kind, "2026-01-01T00:00:00Z")


def test_a_person_may_be_obeyed() -> None:
    assert is_by_a_person(comment("ada"), RepoConfig(bots=("ci-runner",)), US)


@pytest.mark.parametrize(
    "by",
    [
        comment("stale[bot]"),
        comment("relay", kind="Bot"),
        comment("renamed-us", id=99),
        comment("Labelwright[bot]", id=None),
        comment("CI-Runner"),
        comment(""),
    ],
)
def test_a_bot_may_not_nor_may_we_or_nobody(by: RemoteComment) -> None:
    assert not is_by_a_person(by, RepoConfig(bots=("ci-runner",)), US)
