"""What we would have done on the newest issues, by a model that knew only what came before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import BotError
from bot.policy import IssueFacts
from bot.snapshots import opened_text

if TYPE_CHECKING:
    from bot.offline import Offline
    from bot.store import Store
    from bot.store.rows import Issue, Repository

_PAGE = 500


class NothingToReplay(BotError):
    """There are no such issues."""


@dataclass(frozen=True)
class Replayed:
    """One issue: what people made of it, and what we would have done. Labels by name.

    `labels` are those of people and templates alike; an issue without any is not judged.
    """

    number: int
    title: str
    labels: tuple[str, ...]
    apply: tuple[str, ...]
    suggest: tuple[str, ...]
    caution: str | None

    @property
    def right(self) -> tuple[str, ...]:
        """What would have been applied and is on the issue."""
        return tuple(name for name in self.apply if name in self.labels)


def newest(store: Store, repository: Repository, count: int) -> list[Issue]:
    """The last `count` issues in order of opening, pull requests left out.

    Raises NothingToReplay where there are none.
    """
    found: list[Issue] = []
    after = 0
    while page := store.issues.page(repository.id, after, _PAGE):
        after = page[-1].number
        found += [issue for issue in page if not issue.is_pull_request]
    if not found:
        raise NothingToReplay(f"{repository.full_name} has no issues here: import them first")
    return sorted(found, key=lambda issue: (issue.created_at, issue.number))[-count:]


def replay(
    store: Store,
    repository: Repository,
    offline: Offline,
    issues: list[Issue],
    *,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Iterator[Replayed]:
    """Decide on issues as they were opened; the bodies of `issues` are read by then."""
    names = {label.id: label.name for label in store.labels.all(repository.id)}
    for done, issue in enumerate(issues, start=1):
        title, body = opened_text(issue)
        facts = IssueFacts(issue.author_login, issue.author_association)
        opinion = offline.decide(title, body, facts)
        progress(done, len(issues))
        yield Replayed(
            number=issue.number,
            title=title,
            labels=tuple(names[id] for id in issue.labels if id in names),
            apply=tuple(opinion.apply),
            suggest=tuple(opinion.suggest),
            caution=opinion.prediction.caution,
        )


def summarize(rows: list[Replayed]) -> dict[str, Any]:
    """Counts and shares of a replay; judged are the issues that people labeled.

    precision: of what would have been applied, the share that is on the issue. coverage: of the
    labels on the issues, the share that would have been applied. `shown_` is of
    apply and suggest together.
    """
    judged = [row for row in rows if row.labels]
    applied = sum(len(row.apply) for row in judged)
    right = sum(len(row.right) for row in judged)
    there = sum(len(row.labels) for row in judged)
    shown = [set(row.apply) | set(row.suggest) for row in judged]
    hits = sum(len(each & set(row.labels)) for each, row in zip(shown, judged, strict=True))
    return {
        "issues": len(rows),
        "judged": len(judged),
        "applied": applied,
        "right": right,
        "precision": _share(right, applied),
        "coverage": _share(right, there),
        "shown_precision": _share(hits, sum(map(len, shown))),
        "shown_recall": _share(hits, there),
    }


def row_json(row: Replayed) -> dict[str, Any]:
    """One issue of a replay as JSON."""
    return asdict(row) | {"right": list(row.right)}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
