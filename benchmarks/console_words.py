"""Made-up issues for the console's benchmark: labels with words of their own, and texts of both."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Topic:
    """A label of every repository, and words that issues with it tend to have."""

    name: str
    color: str
    description: str
    words: tuple[str, ...]
    weight: int


def _topic(name: str, color: str, weight: int, description: str, words: str) -> Topic:
    return Topic(name, color, description, tuple(words.split()), weight)


TOPICS = (
    _topic("bug", "d73a4a", 30, "Something does not work", "crash error fails wrong broken null"),
    _topic("feature", "a2eeef", 18, "Something new is wished for", "add support allow option wish"),
    _topic("docs", "0075ca", 10, "Pages, guides, examples", "typo manual guide page example link"),
    _topic("question", "d876e3", 9, "Somebody wants to know", "how why where possible should"),
    _topic("performance", "fbca04", 6, "It takes too long", "slow seconds latency faster memory"),
    _topic("area: parser", "c5def5", 6, "Reading input", "parser token grammar syntax comma"),
    _topic(
        "area: network", "bfd4f2", 5, "Requests and sockets", "socket timeout proxy request dns"
    ),
    _topic("area: interface", "fef2c0", 5, "What people see", "button dialog window colour font"),
    _topic("dependencies", "0366d6", 4, "What others make", "upgrade version release bump pinned"),
    _topic("security", "b60205", 2, "Handle with care", "token leak permission escape secret"),
    _topic("windows", "006b75", 3, "Only on Windows", "registry drive backslash installer exe"),
    _topic("good first issue", "7057ff", 2, "To begin with", "simple small easy rename comment"),
)

_COMMON_TEXT = """
the a of in on when with after before and but then it this that we they is was has not only always
again every some one two file folder line value list table test build run start stop call return
function module class server client user setting default output input message log screen program
command result change update remove open close read write show hide find keep use need see try
expected instead actually since between without under over still here there now later
"""
_COMMON = _COMMON_TEXT.split()
_OWN_SHARE = 0.2
_SHORT, _LONG = 20, 150


def title(rng: Random, topics: list[Topic]) -> str:
    """Five to nine words, the first with a capital."""
    return _words(rng, topics, rng.randint(5, 9)).capitalize()


def body(rng: Random, topics: list[Topic]) -> str:
    """One to three paragraphs."""
    parts = [_words(rng, topics, rng.randint(_SHORT, _LONG) // 2) for _ in range(rng.randint(1, 3))]
    return "\n\n".join(f"{part.capitalize()}." for part in parts)


def _words(rng: Random, topics: list[Topic], count: int) -> str:
    chosen = rng.choices(_COMMON, k=count)
    own = [word for topic in topics for word in topic.words]
    if own:
        for i in rng.sample(range(count), max(1, int(count * _OWN_SHARE))):
            chosen[i] = rng.choice(own)
    return " ".join(chosen)
