"""Who may learn from what, and what is judged: fixed test sets, nested slices, no duplicates.

Two protocols. "time": the newest fifth of the labeled issues is the test set (a stratified fifth
where no issue is newer than another), and no text from its time on is seen. "chapter": random
stratified parts for training, validation and test, as in the few-label chapter of "Natural
Language Processing with Transformers" (Tunstall, von Werra, Wolf 2022, chapter 9).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

from models.encoder import Progress
from models.errors import ModelError
from models.snapshot import Snapshot, SnapshotIssue
from models.text import IssueText, prepare
from training import data
from training.data import Examples
from training.methods.base import Task
from training.methods.space import Space

Array = np.ndarray[Any, Any]
Protocol = Literal["time", "chapter"]
Size = int | Literal["all"]

SLICES: tuple[int, ...] = (8, 16, 32, 64, 128, 223)
"""The chapter's. They are always nested in one another, whichever of them are asked for."""
TEST_SHARE = 0.2
CHAPTER_TRAIN, CHAPTER_VALIDATION, CHAPTER_TEST = 223, 106, 400
"""At most. The chapter tests on 111 issues; more give steadier figures."""
SPLIT_SEED = 0
"""Of the parts, which are the same for every seed of the slices."""


class NothingToCompare(ModelError):
    """A data set that cannot be split into parts worth comparing on."""


@dataclass(frozen=True)
class Source:
    """A whole repository: labeled issues, and unlabeled texts by creation time.

    The newest issue's text comes first, that of the oldest pull request last: where a method takes
    the first texts only, these are the nearest.
    """

    name: str
    examples: Examples
    unlabeled: tuple[tuple[str, IssueText], ...] = ()


@dataclass(frozen=True)
class Part:
    """A repository's labeled issues to learn from, those to judge on, and its unlabeled texts.

    `validation` is the fixed set of the chapter's protocol, where thresholds are chosen.
    `duplicates` counts the texts that were taken out because another part has them as well.
    """

    name: str
    pool: Examples
    test: Examples
    unlabeled: tuple[IssueText, ...] = ()
    validation: Examples | None = None
    duplicates: dict[str, int] = field(default_factory=dict)


def read(name: str, snapshot: Snapshot, space: Space, progress: Progress | None = None) -> Source:
    """A snapshot's issues with the space's vectors; pull requests are unlabeled text."""
    known = replace(snapshot, encoder=space.encoder.version, vectors=space.known)
    examples, vectors = data.load(known, space.encoder, progress=progress)
    space.known.update(vectors)
    others = [issue for issue in reversed(snapshot.issues) if not data.is_labeled(issue)]
    others.sort(key=lambda issue: issue.is_pull_request)
    texts = tuple((x.created_at, prepare(x.title, x.body)) for x in others)
    return Source(name, examples, texts)


def split(source: Source, protocol: Protocol) -> Part:
    """The fixed parts of a repository. Raises NothingToCompare."""
    count = len(source.examples)
    if count < 2 * min(SLICES):
        raise NothingToCompare(
            f"{source.name}: {count} labeled issues, {2 * min(SLICES)} are needed"
        )
    if protocol == "chapter":
        return _chapter(source)
    if np.ptp(source.examples.days) == 0:
        test, pool = stratified(source.examples.truth, round(count * TEST_SHARE), SPLIT_SEED)
        return _part(source, pool, test)
    cut = int(count * (1 - TEST_SHARE))
    end = source.examples.issues[cut].created_at
    before = tuple(each for each in source.unlabeled if each[0] < end)
    return _part(replace(source, unlabeled=before), np.arange(cut), np.arange(cut, count))


def slices(part: Part, sizes: Iterable[Size], seed: int) -> dict[Size, Array]:
    """Rows of the pool for each size, in time order; a smaller slice lies inside a larger one.

    A slice that would be as large as the pool is left out; "all" is the whole pool.
    """
    wanted = set(sizes)
    rows = np.arange(len(part.pool))
    found: dict[Size, Array] = {"all": rows}
    for size in sorted({*SLICES, *(s for s in wanted if s != "all")}, reverse=True):
        if size < len(rows):
            rows = rows[stratified(part.pool.truth[rows], size, seed)[0]]
            found[size] = rows
    return {size: chosen for size, chosen in found.items() if size in wanted}


def task(part: Part, rows: Array, limit: int) -> Task:
    """A slice with labels; the pool's other issues are text without labels, like the unlabeled.

    At most `limit` unlabeled texts: the pool's newest first, then issues, then pull requests.
    """
    rest = np.setdiff1d(np.arange(len(part.pool)), rows)[::-1]
    texts = [part.pool.texts[i] for i in rest] + list(part.unlabeled)
    return Task(part.pool.take(rows), tuple(texts[:limit]))


def stratified(truth: Array, size: int, seed: int) -> tuple[Array, Array]:
    """Rows of `size` issues in which every label has its share, and all other rows; both sorted.

    Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011), which keeps the shares at the
    cost of a size that is off by a few: rows drawn at random mend that.
    """
    if size >= len(truth):
        return np.arange(len(truth)), np.arange(0)
    rng = np.random.default_rng((seed, size, len(truth)))
    # Issues without any label are a class of their own; a single label would not count as many.
    kinds = np.column_stack([truth, ~truth.any(axis=1)])
    splitter = MultilabelStratifiedShuffleSplit(
        n_splits=1, train_size=size, test_size=len(truth) - size, random_state=seed
    )
    inside, outside = next(splitter.split(kinds, kinds.astype(int)))
    inside, outside = rng.permutation(inside), rng.permutation(outside)
    missing = max(0, size - len(inside))
    chosen = np.sort(np.concatenate([inside[:size], outside[:missing]]))
    return chosen, np.setdiff1d(np.arange(len(truth)), chosen)


def fingerprint(parts: Sequence[Part], tasks: Sequence[Task]) -> str:
    """Twelve digits that change with the texts or the labels that are learned or judged."""
    digest = hashlib.sha256()
    for part, given in zip(parts, tasks, strict=True):
        digest.update("".join(text.hash for text in given.unlabeled).encode())
        for examples in (given.labeled, part.test, part.validation or part.test):
            digest.update("".join(text.hash for text in examples.texts).encode())
            digest.update("\0".join(examples.names).encode())
            digest.update(np.packbits(examples.truth).tobytes())
    return digest.hexdigest()[:12]


def details(parts: Sequence[Part]) -> str:
    """Twelve digits that change with what is said of labels and issues beside the text: labels'
    descriptions and groups, what each label of an issue weighs, and the issues' age."""
    digest = hashlib.sha256()
    for part in parts:
        labels = [(label.name, label.description) for label in part.pool.labels]
        digest.update(repr((labels, part.pool.groups)).encode())
        for examples in (part.pool, part.test, part.validation or part.test):
            digest.update(examples.weights.tobytes() + examples.days.tobytes())
    return digest.hexdigest()[:12]


def fingerprint_whole(others: Sequence[Examples]) -> str:
    """Twelve digits that change with the texts, labels or truth of whole repositories."""
    digest = hashlib.sha256()
    for examples in others:
        digest.update("".join(text.hash for text in examples.texts).encode())
        digest.update(repr([(label.name, label.description) for label in examples.labels]).encode())
        digest.update(np.packbits(examples.truth).tobytes())
    return digest.hexdigest()[:12]


def corpus(snapshot: Snapshot, parts: Sequence[Part]) -> Iterator[SnapshotIssue]:
    """The snapshot's issues that an encoder may be adapted on under every protocol, unlabeled.

    `parts` are the same repository's. What validates or tests in one of them is left out.
    """
    allowed = [{text.hash for text in (*p.pool.texts, *p.unlabeled)} for p in parts]
    for issue in snapshot.issues:
        key = prepare(issue.title, issue.body).hash
        if all(key in hashes for hashes in allowed):
            yield replace(issue, labels={}, removed=())


def _chapter(source: Source) -> Part:
    # The test issues are no newer than the others, so age must not weigh: with real days the
    # product's head chose a half-life that served none of them (micro F1 0.31 in place of 0.80).
    examples = replace(source.examples, days=np.zeros(len(source.examples)))
    source = replace(source, examples=examples)
    count = len(examples)
    sizes = (
        min(CHAPTER_TRAIN, count // 2),
        min(CHAPTER_VALIDATION, count // 4),
        min(CHAPTER_TEST, count // 4),
    )
    rest, found = np.arange(count), []
    for size in sizes:
        inside, outside = stratified(examples.truth[rest], size, SPLIT_SEED)
        found.append(rest[inside])
        rest = rest[outside]
    left = [(examples.issues[i].created_at, examples.texts[i]) for i in reversed(rest)]
    pool, validation, test = found
    return _part(replace(source, unlabeled=(*left, *source.unlabeled)), pool, test, validation)


def _part(source: Source, pool: Array, test: Array, validation: Array | None = None) -> Part:
    """The parts without texts that another part has: test before validation before training."""
    texts = source.examples.texts
    taken = {texts[i].hash for i in test}
    removed = {}
    if validation is not None:
        kept = _new(validation, [texts[i].hash for i in validation], taken)
        removed["validation"], validation = len(validation) - len(kept), kept
    kept = _new(pool, [texts[i].hash for i in pool], taken)
    removed["train"] = len(pool) - len(kept)
    hashes = [text.hash for _, text in source.unlabeled]
    free = _new(np.arange(len(hashes)), hashes, taken)
    removed["unlabeled"] = len(hashes) - len(free)
    return Part(
        source.name,
        source.examples.take(kept),
        source.examples.take(test),
        tuple(source.unlabeled[i][1] for i in free),
        None if validation is None else source.examples.take(validation),
        removed,
    )


def _new(rows: Array, hashes: Sequence[str], taken: set[str]) -> Array:
    """The rows whose text nobody has taken; they take it."""
    kept = []
    for row, key in zip(rows, hashes, strict=True):
        if key not in taken:
            taken.add(key)
            kept.append(row)
    return np.array(kept, dtype=int)
