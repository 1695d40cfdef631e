"""From the store to a snapshot: all that a training gets to see of a repository, and no more."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.hearing import hearing_of
from bot.provenance import standing
from bot.repo_config import GroupRule, RepoConfig, matches
from bot.times import from_epoch
from bot.trust import DEFAULT_CAP, Cap
from models import snapshot
from models.snapshot import SnapshotIssue, SnapshotLabel, SnapshotRepository
from models.text import prepare
from models.zero_shot import label_text

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import AppliedLabel, Issue, Label, Repository

_PAGE = 500
_SILENT = ("us", "unheard")
"""Whose labels say nothing of what belongs."""


@dataclass
class Contents:
    """What went into a snapshot. `uses` counts labels whose presence says something."""

    issues: int = 0
    labeled: int = 0
    vectors: int = 0
    uses: Counter[str] = field(default_factory=Counter)


def write_snapshot(
    store: Store,
    repository: Repository,
    folder: Path,
    *,
    encoder: str | None = None,
    as_of: str | None = None,
    cap: Cap = DEFAULT_CAP,
) -> Contents:
    """Write a repository's snapshot, page by page.

    `encoder` names the encoder (its version) whose known vectors go along. With `as_of` (GitHub's
    time) it is the past: issues opened before, with the labels that they had then, as far as label
    events tell. Over the `cap` nobody is heard. Raises FileExistsError.
    """
    source = _Source(store, repository, as_of, cap)
    vectors = _known_vectors(source, encoder) if encoder else {}
    counted = Contents(vectors=len(vectors))
    snapshot.write(
        folder,
        source.facts(),
        _counted(source.issues(), counted),
        encoder=encoder if vectors else None,
        vectors=vectors,
        taken_at=as_of or from_epoch(store.now()),
    )
    return counted


def contents(folder: Path) -> Contents:
    """What is in a snapshot that was written before. Raises ArtifactRefused."""
    found = snapshot.read(folder)
    counted = Contents(vectors=len(found.vectors))
    for _ in _counted(iter(found.issues), counted):
        pass
    return counted


def _counted(issues: Iterator[SnapshotIssue], contents: Contents) -> Iterator[SnapshotIssue]:
    for issue in issues:
        contents.issues += 1
        said = [name for name, by in issue.labels.items() if by not in _SILENT]
        if not issue.is_pull_request:
            contents.labeled += bool(said or issue.removed)
            contents.uses.update(said)
        yield issue


def _known_vectors(source: _Source, encoder: str) -> dict[str, Any]:
    """The vectors of labeled issues and of labels that were computed before, by text hash."""
    hashes = [
        prepare(issue.title, issue.body).hash
        for issue in source.issues(pull_requests=False)
        if issue.labels or issue.removed
    ]
    hashes += [label_text(x.name, x.description).hash for x in source.labels.values()]
    return dict(source.store.vectors.get_many(encoder, hashes))


class _Source:
    """A repository as the store has it, read once for the small things and in pages for issues."""

    def __init__(self, store: Store, repository: Repository, as_of: str | None, cap: Cap) -> None:
        self.store = store
        self.repository = repository
        self.as_of = as_of
        self.config = RepoConfig.from_dict(repository.config)
        self.hearing = hearing_of(store, repository, cap, as_of=as_of)
        self.labels: dict[int, Label] = {x.id: x for x in store.labels.all(repository.id)}
        self.applied: dict[int, list[AppliedLabel]] = defaultdict(list)
        for row in store.decisions.applied(repository.id):
            self.applied[row.number].append(row)
        self.answers = store.answers.all(repository.id)

    def facts(self) -> SnapshotRepository:
        """What a training needs to know beside the issues."""
        config = self.config
        labels = [
            SnapshotLabel(x.name, x.id if x.id > 0 else None, x.description)
            for x in self.labels.values()
        ]
        targets = {x.name: config.target(x.name) for x in self.labels.values()}
        return SnapshotRepository(
            id=self.repository.id,
            full_name=self.repository.full_name,
            labels=tuple(labels),
            groups=tuple(self._group(group) for group in config.groups),
            target_precision=config.target_precision,
            label_targets={k: v for k, v in targets.items() if v != config.target_precision},
        )

    def _group(self, group: GroupRule) -> dict[str, Any]:
        """A group with its members by name: patterns are the configuration's affair."""
        members = [x.name for x in self.labels.values() if matches(group.match, x.name)]
        return {"name": group.name, "members": members, "max": group.max}

    def issues(self, *, pull_requests: bool = True) -> Iterator[SnapshotIssue]:
        """Every issue (and pull request) by number, with the text as it was opened."""
        after = 0
        while page := self.store.issues.page(self.repository.id, after, _PAGE):
            after = page[-1].number
            for issue in page:
                wanted = pull_requests or not issue.is_pull_request
                if wanted and (self.as_of is None or issue.created_at < self.as_of):
                    yield self._issue(issue)

    def _issue(self, issue: Issue) -> SnapshotIssue:
        found = standing(
            issue,
            self.hearing.mark(self.store.events.for_issue(self.repository.id, issue.number)),
            self.applied.get(issue.number, ()),
            self.labels,
            self.config,
            answers=self.answers.get(issue.number, ()),
            as_of=self.as_of,
        )
        title, body = opened_text(issue)
        return SnapshotIssue(
            number=issue.number,
            title=title,
            body=body,
            created_at=issue.created_at,
            labels=dict(found.labels),
            removed=found.removed,
            is_pull_request=issue.is_pull_request,
            said_at=dict(found.said_at),
        )


def opened_text(issue: Issue) -> tuple[str, str]:
    """(title, body) as the issue was opened; as it is now where that is not known."""
    title = issue.title if issue.opened_title is None else issue.opened_title
    return title, issue.body if issue.opened_body is None else issue.opened_body
