"""The one text function: what a model sees of an issue, in training and in serving.

Template noise goes (HTML comments, unticked boxes, empty form answers), long code blocks and logs
are shortened around the line that names the error, links become their words. The result depends
on the title and the body alone, so the same issue gives the same bytes everywhere.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

TEXT_VERSION = "1"
"""Part of every text hash: a change of the rules below must change it, and so drop old vectors."""

MAX_BODY_CHARACTERS = 20_000
_MAX_RAW_CHARACTERS = 131_072
_BLOCK_HEAD, _BLOCK_TAIL, _BLOCK_ERRORS = 4, 4, 3
_MAX_LINE_CHARACTERS = 400

_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff\ud800-\udfff]")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_IMAGE = re.compile(r"!\[([^\]\n]{0,300})\]\([^)\n]{0,2000}\)")
_LINK = re.compile(r"\[([^\]\n]{1,300})\]\([^)\n]{0,2000}\)")
_URL = re.compile(r"https?://(?:www\.)?([^\s/?#)>\]\"']{1,255})([^\s)>\]\"']*)")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,500}>")
# None of these may run over a line's end: on thousands of blank lines they would take minutes.
_UNTICKED = re.compile(r"^[^\S\n]*[-*] \[ \].*$", re.MULTILINE)
_TICK = re.compile(r"^([^\S\n]*[-*]) \[[xX]\]", re.MULTILINE)
_NO_RESPONSE = re.compile(r"^[^\S\n]*_No response_[^\S\n]*$", re.MULTILINE)
_ERROR_LINE = re.compile(
    r"\b(?:\w*(?:Error|Exception)\b"
    r"|(?i:error|fatal|panic|failed|exception|segfault|traceback|caused by)\b)"
)
_FRAME = re.compile(r"^\s*(?:File \"[^\"]*\", line \d+|at [\w$.<>/]+[ (]|\d+: 0x|#\d+ )")
_SPACES = re.compile(r"[ \t\u00a0]+")
_BLANK_LINES = re.compile(r"\n\s*\n+")


@dataclass(frozen=True)
class IssueText:
    """The cleaned title and body of one issue."""

    title: str
    body: str

    @property
    def full(self) -> str:
        """Title and body as one string, the title on its own line."""
        return f"{self.title}\n{self.body}" if self.body else self.title

    @cached_property
    def hash(self) -> str:
        """32 hexadecimal digits that name this text (and the rules that made it)."""
        payload = "\0".join((TEXT_VERSION, self.title, self.body))
        return hashlib.sha256(payload.encode()).hexdigest()[:32]


def prepare(title: str | None, body: str | None) -> IssueText:
    """Clean an issue's text. Never raises: null, empty, huge and malformed input gives a text."""
    return IssueText(_one_line(title or ""), clean_body(body or ""))


def clean_body(body: str) -> str:
    """Clean an issue's body; see the module's first lines for what goes and what stays."""
    text = _UNWANTED.sub("", body[:_MAX_RAW_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n"))
    text = _without_comments(text)
    parts = [_shorten(lines) if code else _prose("\n".join(lines)) for code, lines in _blocks(text)]
    text = _BLANK_LINES.sub("\n\n", "\n".join(parts)).strip()
    return text[:MAX_BODY_CHARACTERS]


def headings(body: str | None) -> tuple[str, ...]:
    """The headings of an issue's raw body in order, lower case: the mark of the template used."""
    text = _without_comments((body or "")[:_MAX_RAW_CHARACTERS].replace("\r\n", "\n"))
    lines = (line for code, block in _blocks(text) if not code for line in block)
    found = (_heading(line.strip()[:200]) for line in lines)
    return tuple(_one_line(heading).lower() for heading in found if heading)


def _heading(line: str) -> str:
    """The words of a Markdown heading, or of a line that is bold as a whole; else nothing."""
    words = line.lstrip("#")
    if words != line and len(line) - len(words) <= 6 and words[:1] in (" ", "\t"):
        return words.strip(" \t#:")
    bold = line.rstrip(": ")
    if len(bold) > 4 and bold.startswith("**") and bold.endswith("**"):
        return bold.strip("*: ")
    return ""


def _one_line(text: str) -> str:
    return " ".join(_UNWANTED.sub("", text.replace("\n", " ").replace("\r", " ")).split())[:1000]


def _without_comments(text: str) -> str:
    """Drop `<!-- … -->`. Written without a regular expression: an unclosed one must stay linear."""
    kept, position = [], 0
    while (start := text.find("<!--", position)) >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            break
        kept.append(text[position:start])
        position = end + 3
    kept.append(text[position:])
    return "".join(kept)


def _blocks(text: str) -> list[tuple[bool, list[str]]]:
    """Split into (is code, lines), by fences and by runs of stack frames outside of fences."""
    blocks: list[tuple[bool, list[str]]] = [(False, [])]
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
            blocks.append((bool(fence), []))
        else:
            blocks[-1][1].append(line)
    return blocks


def _prose(text: str) -> str:
    text = _NO_RESPONSE.sub("", _TICK.sub(r"\1", _UNTICKED.sub("", text)))
    text = _IMAGE.sub(r"\1 ", text)
    text = _LINK.sub(r"\1", text)
    text = _URL.sub(_short_url, text)
    text = _TAG.sub(" ", text)
    lines = [_SPACES.sub(" ", line).strip() for line in text.split("\n")]
    return "\n".join(_without_frames(lines))


def _short_url(match: re.Match[str]) -> str:
    last = match.group(2).rstrip("/").rsplit("/", 1)[-1][:60]
    return f"{match.group(1)} {last}" if last else match.group(1)


def _without_frames(lines: list[str]) -> list[str]:
    """Keep the first frame of each run of stack frames, and whatever is not a frame."""
    kept, previous_was_frame = [], False
    for line in lines:
        is_frame = bool(_FRAME.match(line))
        if not (is_frame and previous_was_frame):
            kept.append(line[: 2 * _MAX_LINE_CHARACTERS] if is_frame else line)
        previous_was_frame = is_frame
    return kept


def _shorten(lines: list[str]) -> str:
    """Shorten a code block or log to its head, its tail and the lines that name an error."""
    lines = [line.rstrip()[:_MAX_LINE_CHARACTERS] for line in lines if line.strip()]
    if len(lines) <= _BLOCK_HEAD + _BLOCK_TAIL + _BLOCK_ERRORS:
        return "\n".join(lines)
    middle = range(_BLOCK_HEAD, len(lines) - _BLOCK_TAIL)
    errors = [i for i in middle if _ERROR_LINE.search(lines[i]) and not _FRAME.match(lines[i])]
    keep = [
        *range(_BLOCK_HEAD),
        *errors[-_BLOCK_ERRORS:],
        *range(len(lines) - _BLOCK_TAIL, len(lines)),
    ]
    return "\n".join(lines[i] for i in keep)
