"""What an attacker writes: a repository whose every title, text, label and login wants to run."""

from __future__ import annotations

from typing import Any

from demo.github import StandIn

HOSTILE = "mallory/hostile"
FILE = ".github/labelwright.yml"
IMAGE = "<img src=x onerror=window.__hit=1>"
SCRIPT = "<script>window.__hit=1</script>"
VECTOR = "<svg onload=window.__hit=1><a href='javascript:window.__hit=1'>press</a></svg>"
QUOTED = "\"'><script>window.__hit=1</script>"
LINK = "[press](javascript:window.__hit=1) javascript:window.__hit=1"
BRACES = "{{ 7 * 7 }} ${7 * 7} {% raw %}"
COLOURS = "\x1b[31mred\x1b[0m \x1b]8;;javascript:window.__hit=1\x07here\x1b]8;;\x07"
TURNED = "txt.\u202egpj.exe\u202c \u2066turned"
LONG = "W" * 10_000
LOGIN = "mallory<img src=x onerror=window.__hit=1>"
LABELS = (IMAGE, SCRIPT, "turned \u202e\x1b[31mlabel", f"long {'L' * 10_000}", "`code` {{ 7 * 7 }}")
"""Names of labels: GitHub takes most of this, and fifty characters at most; history has more."""
TITLES = (SCRIPT, IMAGE, VECTOR, QUOTED, LINK, BRACES, COLOURS, TURNED, LONG)
CONFIGURATION = f"version: 1\nmode: '{SCRIPT}'\n'{IMAGE}': 1\n\"\\e[31mred \\u202e\": {'x' * 500}\n"
WORDS = (
    "the window stays white after the update and the log has an error",
    "please add a way to sort the pictures by the day they were taken",
    "the guide does not say how the address of the server is changed",
    "uploads are slow and the memory grows until the process is killed",
    "who may see a shared album once the link was sent to somebody",
)
PAST, UNLABELED = 60, 6
NEW = f"{IMAGE} {SCRIPT}"
"""The title of an issue that is opened once there is a model."""


def plant(github: StandIn) -> None:
    """Put the repository with its past and its configuration onto the stand-in."""
    github.control.add_repository(HOSTILE)
    github.control.plant_issues(
        HOSTILE, [past(n) for n in range(1, PAST + UNLABELED + 1)], author=LOGIN
    )
    github.control.put_file(HOSTILE, FILE, CONFIGURATION)


def past(number: int) -> dict[str, Any]:
    """One of the old issues; its words tell its label, so that there is something to learn."""
    kind = number % len(LABELS)
    title = TITLES[number % len(TITLES)]
    return {
        "number": number,
        "title": f"{title} {number}",
        "body": f"{WORDS[kind]}\n\n{SCRIPT}{IMAGE}{LINK}\n{COLOURS}{TURNED}\n{'w' * 3000}",
        "created_at": f"2025-{1 + number // 28:02}-{1 + number % 28:02}T08:00:00Z",
        "labels": [LABELS[kind]] if number <= PAST else [],
    }
