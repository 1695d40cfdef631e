"""How values look on a page. What came from GitHub is text, whatever it holds."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup, escape

from bot.alarms import in_words
from bot.times import from_epoch, to_epoch

if TYPE_CHECKING:
    from flask import Flask

LONGEST = 300
_COLOR = re.compile(r"[0-9a-fA-F]{6}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


def add_looks(app: Flask) -> None:
    """The filters and functions of every template."""
    app.jinja_env.filters |= {
        "plain": plain,
        "when": when,
        "percent": percent,
        "swatch": swatch,
        "coded": coded,
        "words": in_words,
        "path": lambda name: quote(str(name), safe="/"),
    }


def plain(text: object, longest: int = LONGEST) -> str:
    """One line of somebody else's text: nothing that moves the cursor or turns the line around."""
    kept = "".join(_shown(c) for c in str(text if text is not None else "")[: 4 * longest])
    line = " ".join(kept.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def many_lines(text: object, longest: int = 20_000) -> str:
    """The same for a text of several lines."""
    kept = str(text if text is not None else "")[:longest]
    return "".join(c if c in "\n\t" else _shown(c) for c in kept.replace("\r\n", "\n"))


def when(at: float | str | None, *, ago: float | None = None) -> Markup:
    """A moment (epoch seconds, or GitHub's text), which the page turns into the reader's zone.

    `ago` is the time now, for how long ago it was as well.
    """
    if at is None or at == "":
        return Markup("–")
    text = at if isinstance(at, str) else from_epoch(at)
    words = text.replace("T", " ").replace("Z", " UTC")
    shown = Markup('<time datetime="{}">{}</time>').format(text, words)
    if ago is None:
        return shown
    return shown + Markup(", {} ago").format(in_words(max(0.0, ago - to_epoch(text))))


def percent(value: float | None, digits: int = 0) -> str:
    """A share from 0 to 1; a dash where it is not known."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def swatch(color: str | None) -> Markup:
    """A spot in a label's colour. The name stands beside it, so that any colour can be read."""
    known = color if color and _COLOR.fullmatch(color) else "8c959f"
    return Markup(
        '<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">'
        '<circle cx="5" cy="5" r="4.5" fill="#{}"/></svg>'
    ).format(known)


def coded(text: str) -> Markup:
    """A sentence of ours: its parts in backquotes are code, its moments in the reader's zone."""
    parts = str(text).split("`")
    marked: list[Any] = [
        Markup("<code>{}</code>").format(part) if i % 2 else _dated(part)
        for i, part in enumerate(parts)
    ]
    return Markup("").join(marked)


def _dated(text: str) -> Markup:
    parts = _MOMENT.split(text)
    return Markup("").join(when(part) if i % 2 else escape(part) for i, part in enumerate(parts))


def _shown(character: str) -> str:
    """A character as it may stand on a page: controls and the marks of direction do not."""
    if character in "\n\t ":
        return character
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co") else character
