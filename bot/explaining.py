"""The text of our one comment on an issue: which labels, and why. Pure.

Label names and reasons hold what others wrote. A label name is always code; of a reason whatever
is not plainly a word or a number is code as well. So nothing in it mentions anybody, links to
anything, refers to another issue, or is HTML.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MARKER = "<!-- labelwright: why -->"
"""The first line of the comment, which GitHub does not show: by it the comment is found again."""
MOST = 20
"""Labels of a list; of more there is only the number."""
LONGEST_REASON = 300
LONGEST_RATIONALE = 280
"""Characters. GitHub's own tools cut a suggestion's reason there."""
_WORD = r"[A-Za-z]+(?:['-][A-Za-z]+)*"
_PLAIN = re.compile(rf"[(\"']*(?:{_WORD}|\d{{1,6}}(?:\.\d{{1,6}})?)[.,:;)\"']*")
_RISKY = re.compile(r"[@#<>\[\]`\\|*_~/&]|www\.", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One label with its reason."""

    label: str
    reason: str


def explain(
    applied: Sequence[Line],
    suggested: Sequence[Line],
    *,
    off: bool = False,
    asked: Sequence[Line] | None = None,
) -> str | None:
    """The whole comment; None where there is nothing to say and nobody asked.

    `off`: a person wants no more labels from us here. `asked`: somebody asked why, and these are
    the labels that came nearest.
    """
    if not (applied or suggested or off) and asked is None:
        return None
    parts = [MARKER]
    if applied:
        parts.append(_section("Labels that were applied:", applied))
    if suggested and not off:
        parts.append(_section("Labels that are suggested:", suggested))
    if not applied and not suggested:
        parts.append("No label is applied or suggested from here.")
        if asked:
            parts.append(_section("Labels that came nearest:", asked))
    parts.append(_footer(bool(suggested), off))
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """A text as Markdown code on one line, whatever it holds."""
    cleaned = clean(text) or "(no name)"
    longest = max((len(run) for run in re.findall("`+", cleaned)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if cleaned[0] == "`" or cleaned[-1] == "`" else ""
    return f"{fence}{pad}{cleaned}{pad}{fence}"


def prose(reason: str) -> str:
    """A reason as Markdown: its words as they are, all else as code."""
    words = clean(reason.replace("`", ""))[:LONGEST_REASON].split()
    shown: list[str] = []
    odd: list[str] = []
    for word in words:
        if _PLAIN.fullmatch(word):
            if odd:
                shown.append(code(" ".join(odd)))
            odd = []
            shown.append(word)
        else:
            odd.append(word)
    if odd:
        shown.append(code(" ".join(odd)))
    return " ".join(shown)


def rationale(reason: str) -> str:
    """A reason for GitHub's own suggestion: plain text, whether or not it is read as Markdown."""
    return " ".join(_RISKY.sub(" ", clean(reason)).replace("://", " ").split())[:LONGEST_RATIONALE]


def clean(text: str) -> str:
    """A text on one line, without characters that control how others are shown."""
    kept = (" " if c.isspace() else c for c in text if c.isspace() or _is_shown(c))
    return " ".join("".join(kept).split())


def _is_shown(character: str) -> bool:
    # Cf holds the marks that turn the direction of writing; the joiner is part of emoji.
    kind = unicodedata.category(character)
    return character == "\u200d" or kind not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _section(title: str, lines: Sequence[Line]) -> str:
    shown = [f"- {code(line.label)}: {prose(line.reason)}" for line in lines[:MOST]]
    rest = len(lines) - len(shown)
    return "\n".join([title, "", *shown, *([f"- and {rest} more"] if rest else [])])


def _footer(suggested: bool, off: bool) -> str:
    if off:
        return "A maintainer turned labels from here off for this issue."
    take = "`/label apply` in a comment applies what is suggested, " if suggested else ""
    return f"<sub>For those who may triage: {take}`/label off` keeps labels from here away.</sub>"
