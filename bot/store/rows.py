"""What the store hands out: frozen values, keyed by GitHub's numeric ids.

GitHub's times are its own text ("2026-01-31T12:00:00Z"), compared as text; ours are epoch seconds.
An id below zero is our own: a repository or label that was imported without asking GitHub.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from bot.repo_config import Mode

Lane = Literal["fast", "slow"]
JobState = Literal["waiting", "running", "done", "dead"]
Action = Literal["labeled", "unlabeled"]
ActorKind = Literal["person", "bot", "us", "template", "unknown", "unheard"]
"""`unheard`: somebody whose word does not count, see `bot.trust`; kept only where the actor's name
is forgotten, or where they took it back in the console."""
Stance = Literal["trusted", "excluded"]
Source = Literal["webhook", "history", "import", "ours", "command"]
Standing = Literal["as trained", "raised", "suggested only", "retired"]
TrialState = Literal["running", "published", "ended"]
Outcome = Literal["intended", "applied", "abandoned", "undone"]
Acceptance = Literal["queued", "duplicate", "requeued"]
Change = Literal["new", "changed", "same", "stale", "deleted"]


def local_id(*names: str) -> int:
    """A stable id below zero for something that GitHub has given no id; case does not matter."""
    digest = hashlib.sha256("\0".join(names).lower().encode("utf-8", "replace")).digest()
    return -(int.from_bytes(digest[:6], "big") + 1)


@dataclass(frozen=True)
class Installation:
    """The App on one account."""

    id: int
    account_id: int
    account_login: str
    account_type: str
    suspended: bool = False
    deleted: bool = False
    permissions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Repository:
    """A repository. `config` is the last valid configuration, `mode` the operator's override.

    `watermark` is the newest `updated_at` that polling has seen. `removed_at` (epoch seconds) is
    since when we may not work there; what is `forgotten` has no name and nothing else left.
    """

    id: int
    full_name: str
    private: bool = False
    installation_id: int | None = None
    archived: bool = False
    removed: bool = False
    config: Mapping[str, Any] | None = None
    config_etag: str | None = None
    config_errors: tuple[str, ...] = ()
    mode: Mode | None = None
    watermark: str | None = None
    labels_synced_at: float | None = None
    removed_at: float | None = None
    forgotten: bool = False


@dataclass(frozen=True)
class Label:
    """A label of a repository; its id stays when its name changes."""

    repository_id: int
    id: int
    name: str
    description: str = ""
    color: str = ""
    deleted: bool = False
    made_by_us: bool = False


@dataclass(frozen=True)
class Issue:
    """An issue as it is now, with its text as it was opened where that is known.

    `labels` are the ids of the labels that are on it now. A deleted issue has no text left.
    """

    repository_id: int
    number: int
    id: int
    title: str
    body: str
    opened_title: str | None = None
    opened_body: str | None = None
    state: str = "open"
    locked: bool = False
    is_pull_request: bool = False
    author_login: str | None = None
    author_id: int | None = None
    author_type: str | None = None
    author_association: str = "NONE"
    created_at: str = ""
    updated_at: str = ""
    closed_at: str | None = None
    deleted: bool = False
    arrived_by_transfer: bool = False
    labels: tuple[int, ...] = ()
    imported: bool = False


@dataclass(frozen=True)
class LabelEvent:
    """A label put on an issue or taken off it: who, when, and how we know."""

    repository_id: int
    number: int
    label_id: int | None
    label_name: str
    action: Action
    actor_id: int | None
    actor_login: str | None
    actor_kind: ActorKind
    at: str
    source: Source
    id: int = 0


@dataclass(frozen=True)
class Actor:
    """Somebody who labels in a repository.

    `role` is GitHub's: admin, maintain, write, triage, read, none, or unknown where GitHub would
    not say; None where it was not asked; `role_at` (epoch seconds) is when it was. `stance` is what
    the operator decided, `capped` how many label events were over the cap at the last review.
    """

    repository_id: int
    actor_id: int
    login: str
    role: str | None = None
    role_at: float | None = None
    stance: Stance | None = None
    capped: int = 0


@dataclass(frozen=True)
class LiveState:
    """What live precision says of a label: of its newest `judged` decisions `right` were right.

    It is applied from the probability `bar` on (0: wherever the model would, None: nowhere), and
    so it has been since `since` (epoch seconds). `retired`: nobody uses it any more.
    """

    label_id: int
    state: Standing
    bar: float | None
    reason: str
    judged: int = 0
    right: int = 0
    since: float = 0.0


@dataclass(frozen=True)
class LiveChange:
    """A label whose state changed, `at` epoch seconds, while `version` was in force."""

    repository_id: int
    label_id: int
    at: float
    state: Standing
    reason: str
    version: str | None


@dataclass(frozen=True)
class Answer:
    """What a person said here, not on GitHub: whether a label belongs to an issue."""

    repository_id: int
    number: int
    label_id: int
    belongs: bool
    at: str


@dataclass(frozen=True)
class Delivery:
    """A webhook delivery as it was received; `received_at` is epoch seconds."""

    guid: str
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    received_at: float
    payload: bytes
    job_id: int


@dataclass(frozen=True)
class Job:
    """A piece of work. Times are epoch seconds; `attempts` counts the one that is running."""

    id: int
    kind: str
    lane: Lane
    priority: int
    installation_id: int | None
    repository_id: int | None
    number: int | None
    key: str | None
    payload: Mapping[str, Any]
    state: JobState
    run_at: float
    attempts: int
    max_attempts: int
    lease_until: float | None
    leased_by: str | None
    error: str | None
    result: str | None
    created_at: float
    finished_at: float | None

    @property
    def queued_at(self) -> float:
        """When it was queued, the last time where it was a dead letter between."""
        return float(self.payload.get("queued_again", self.created_at))


@dataclass(frozen=True)
class Decision:
    """What was decided about an issue, with a reason for every label; `at` is epoch seconds.

    A verdict has label_id, label, probability, verdict and reason; a neighbour has number, labels
    and similarity: its title is looked up when it is shown. `id` is 0 until it is recorded.
    """

    repository_id: int
    number: int
    version: str
    mode: str
    verdicts: tuple[Mapping[str, Any], ...]
    neighbours: tuple[Mapping[str, Any], ...] = ()
    trigger: str = ""
    at: float = 0.0
    id: int = 0

    @property
    def suggested(self) -> dict[int, str]:
        """The labels that were suggested, by id."""
        found = [verdict for verdict in self.verdicts if verdict.get("verdict") == "suggest"]
        return {each["label_id"]: each["label"] for each in found if each.get("label_id")}


@dataclass(frozen=True)
class AppliedLabel:
    """A label that we meant to put on an issue, and what became of it; times are epoch seconds."""

    id: int
    repository_id: int
    number: int
    label_id: int
    label: str
    version: str
    decision_id: int
    intended_at: float
    applied_at: float | None
    outcome: Outcome
    note: str


@dataclass(frozen=True)
class Gated:
    """What the gate said of a version, `at` epoch seconds, with the figures that it went by.

    `champion` was in force then, `best` was the best so far; `is_best`: this version is since.
    """

    repository_id: int
    version: str
    at: float
    passed: bool
    reason: str
    champion: str | None = None
    best: str | None = None
    is_best: bool = False
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """A version that the gate refused, while it scores new issues beside the `champion` in force.

    Of `judged` issues people have said what is right; `report` is how the two compared on them,
    empty until they were. Times are epoch seconds; `reason` is why it ended.
    """

    repository_id: int
    version: str
    champion: str
    began_at: float
    state: TrialState = "running"
    judged: int = 0
    report: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    ended_at: float | None = None


@dataclass(frozen=True)
class ShadowScore:
    """What a version on trial says of one label: its probability, and what would become of it."""

    label_id: int
    probability: float
    verdict: Literal["apply", "suggest", "none"]


@dataclass(frozen=True)
class Heartbeat:
    """The last sign of life of a process, in epoch seconds."""

    process: str
    pid: int
    at: float
