"""Sentences of ours on a page: what is code, what is a moment, and nothing else."""

from __future__ import annotations

import pytest

from bot.console.looks import coded


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("run `labelwright pull`", "run <code>labelwright pull</code>"),
        (
            "it arrived at 2026-11-26T15:32:56Z.",
            'it arrived at <time datetime="2026-11-26T15:32:56Z">2026-11-26 15:32:56 UTC</time>.',
        ),
        ("`--since 2026-11-26T15:32:56Z`", "<code>--since 2026-11-26T15:32:56Z</code>"),
        ("2026-11-26 and 12:00", "2026-11-26 and 12:00"),
        ("<b> at `<i>`", "&lt;b&gt; at <code>&lt;i&gt;</code>"),
    ],
)
def test_a_sentence_has_its_code_and_its_moments_marked(text: str, page: str) -> None:
    assert coded(text) == page
