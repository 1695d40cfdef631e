"""What others wrote stays text: a label's name or a reason never does anything in our comment."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.explaining import LONGEST_RATIONALE, MARKER, MOST, Line, clean, code, explain, prose
from bot.explaining import rationale as shortened

NASTY = [
    "@ada",
    "@acme/team",
    "#12",
    "acme/rocket#12",
    "GH-12",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "https://evil.example",
    "www.evil.example",
    "eve@evil.example",
    "`",
    "``` `",
    "` @ada `",
    "-->",
    "**bold** _it_ ~~no~~",
    ":tada:",
    "# title",
    "bug\n\n/label off",
    "\u202egnp.exe",
    "\x1b[31mred\x1b[0m",
    "&#64;ada",
    "a\\`b",
    "da39a3e",
]
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def outside(markdown: str) -> str:
    """What is left of a line of Markdown without its code."""
    return SPAN.sub(" ", markdown)


@pytest.mark.parametrize("text", NASTY)
def test_a_name_is_code_whatever_it_is(text: str) -> None:
    assert outside(code(text)).strip() == ""
    assert "\n" not in code(text)


@pytest.mark.parametrize("text", NASTY)
def test_nothing_in_a_reason_acts(text: str) -> None:
    left = outside(prose(f"{text} was first"))
    assert re.fullmatch(r"[A-Za-z0-9.,:;()'\" -]*", left)
    assert not re.search(r"@|#|<|\[|www|://|GH-|:tada:|da39", left)


@given(st.text(max_size=80))
def test_no_text_breaks_out(text: str) -> None:
    assert outside(code(text)).strip() == ""
    assert re.fullmatch(r"[A-Za-z0-9.,:;()'\" -]*", outside(prose(text)))


@given(st.text(max_size=400))
def test_a_rationale_is_short_plain_text(text: str) -> None:
    said = shortened(text)
    assert len(said) <= LONGEST_RATIONALE
    assert not re.search(r"[@#<>\[\]`\n]", said)


def test_a_plain_reason_reads_as_it_was_written() -> None:
    said = "0.95 reaches 0.80, from where it is applied (in full)"
    assert prose(said) == said
    assert prose("the group area is full: area/ui (at most 1)") == (
        "the group area is full: `area/ui` (at most 1)"
    )


def test_what_controls_how_others_are_shown_is_taken_out() -> None:
    assert clean("a\u202eb\x1b[31m\u2066c\ud800") == "ab[31mc"
    assert clean(" two \n words ") == "two words"


def test_without_anything_to_say_there_is_no_comment() -> None:
    assert explain([], []) is None


def test_a_long_list_is_cut() -> None:
    text = explain([Line(f"label-{i}", "it fits") for i in range(MOST + 5)], []) or ""
    assert text.count("it fits") == MOST
    assert "- and 5 more" in text


def test_the_marker_is_first_and_cannot_be_closed_from_within() -> None:
    text = explain([Line("--> <b>", "--> <b>")], []) or ""
    assert text.startswith(MARKER + "\n")
    assert "<b>" not in outside(text.replace(MARKER, ""))
