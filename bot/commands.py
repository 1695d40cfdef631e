"""What people tell us in comments on GitHub: `/label why`, `/label apply`, `/label off`. Pure.

A command is a line of its own, from its first character on. In a quote, in code and in what
Markdown does not show it is only talked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from bot.context import BotIdentity
    from bot.github.talk import RemoteComment
    from bot.repo_config import RepoConfig

Command = Literal["why", "apply", "off"]
MAY = frozenset({"admin", "maintain", "write", "triage"})
"""The roles whose commands are obeyed: those who may label by hand."""
LONGEST = 65_536
"""Characters of a comment, as GitHub takes them; of a longer text the rest is not read."""
_COMMAND = re.compile(r"/label[ \t]+(why|apply|off)[ \t]*", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_QUOTE = re.compile(r" {0,3}>")
_HIDDEN = {"<!--": "-->", "<pre": "</pre>", "<code": "</code>"}
_OPENS = re.compile(r"<!--|<pre(?=[\s>]|$)|<code(?=[\s>]|$)", re.IGNORECASE)


def read(body: str) -> tuple[Command, ...]:
    """The commands of a comment, each once, in their order; an unknown word is none."""
    found = [match[1].lower() for line in _spoken(body) if (match := _COMMAND.fullmatch(line))]
    return cast("tuple[Command, ...]", tuple(dict.fromkeys(found)))


def is_by_a_person(comment: RemoteComment, config: RepoConfig, us: BotIdentity | None) -> bool:
    """Whether a comment is by somebody whom we may obey: neither a bot, nor we ourselves."""
    login = comment.author_login.casefold()
    if not login or comment.author_type == "Bot" or login.endswith("[bot]"):
        return False
    if us is not None and (comment.author_id == us.id or login == us.login.casefold()):
        return False
    return login not in {name.casefold().removesuffix("[bot]") for name in config.bots}


def _spoken(body: str) -> Iterator[str]:
    """The lines that are neither quoted, nor code, nor hidden."""
    fence = hidden = ""
    quoted = False
    for line in body[:LONGEST].splitlines():
        if fence:
            fence = "" if _closes(line, fence) else fence
            continue
        if hidden:
            hidden = _still_hidden(line, hidden)
            continue
        opened = _FENCE.match(line)
        if opened:
            fence = opened[1]
            continue
        # A line right below a quote still belongs to it, as GitHub shows it.
        quoted = bool(_QUOTE.match(line)) or (quoted and bool(line.strip()))
        hidden = _still_hidden(line, "")
        if not quoted:
            yield line


def _closes(line: str, fence: str) -> bool:
    text = line.strip()
    return len(text) >= len(fence) and set(text) == {fence[0]}


def _still_hidden(line: str, hidden: str) -> str:
    """What ends the part that is hidden where a line ends; "" where nothing is."""
    at = 0
    while True:
        if hidden:
            end = line.lower().find(hidden, at)
            if end < 0:
                return hidden
            at, hidden = end + len(hidden), ""
        opened = _OPENS.search(line, at)
        if opened is None:
            return ""
        at, hidden = opened.end(), _HIDDEN[opened[0].lower()]
