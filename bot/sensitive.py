"""Label names that start something or state something: a crafted issue must not earn them.

They are suggested and never applied, unless the configuration allows them by name.
"""

from __future__ import annotations

import re

_STARTS_SOMETHING = (
    "safe-to-test", "safe-to-run", "ok-to-test", "ready-to-test", "needs-ok-to-test",
    "lgtm", "approve", "approved", "auto-approve", "auto-approved",
    "automerge", "auto-merge", "autoapprove", "merge", "mergequeue", "merge-queue",
    "merge-when-green", "ready-to-merge", "squash", "rebase", "ship-it", "shipit",
    "trusted", "full-ci",
)  # fmt: skip
_STARTS_PREFIXES = ("run-", "trigger-", "deploy-", "backport-", "cherry-pick", "auto-")
_STATES_SOMETHING = (
    "duplicate", "invalid", "stale", "wontfix", "won't-fix", "wont-do", "wontdo",
    "worksforme", "works-for-me", "cannot-reproduce", "not-a-bug", "not-planned", "by-design",
    "good-first-issue", "good-second-issue", "good-first-bug", "help-wanted", "up-for-grabs",
    "hacktoberfest", "hacktoberfest-accepted", "first-timers-only", "beginner-friendly",
    "confirmed", "verified", "reproduced", "triaged", "accepted", "rejected", "blocked",
    "in-progress", "on-hold", "do-not-merge", "fixed", "resolved", "done", "spam",
    "needs-info", "needs-more-info", "waiting-for-response", "awaiting-response", "release-blocker",
)  # fmt: skip
_SEPARATORS = re.compile(r"[\s_/:.]+|-+")
_EDGES = re.compile(r"^[^a-z0-9]+|[^a-z0-9]+$")


def why_sensitive(name: str) -> str | None:
    """Why a label of this name is suggest-only, or None. Case, emoji and separators do not count.

    A scope before a slash or colon is looked through: `status: duplicate` is `duplicate`.
    """
    plain = _plain(name)
    scoped = _plain(re.split(r"[/:]", name)[-1])
    for word in (plain, scoped):
        if word in _STARTS_SOMETHING or word.startswith(_STARTS_PREFIXES):
            return "a label of this name often starts a workflow or a merge"
        if word in _STATES_SOMETHING:
            return "a label of this name tells a state, which an issue's text does not give away"
    return None


def _plain(name: str) -> str:
    return _EDGES.sub("", _SEPARATORS.sub("-", name.casefold()))
