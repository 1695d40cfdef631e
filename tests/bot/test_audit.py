"""Which labels of past issues look wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bot.audit import NoAudit, audit
from bot.store import Store
from bot.store.rows import Answer, Issue, Label, Repository

REPOSITORY = Repository(5, "octo/app")
NUMBERS = np.arange(1, 9)
TRUTH = np.array([[True], [True], [True], [False], [False], [False], [True], [False]])
SCORES = np.array([[0.9], [0.8], [0.9], [0.1], [0.2], [0.1], [0.02], [0.99]])


def version(**changed: Any) -> Any:
    """A version with one label, of which it doubts #7 (given) and #8 (missing)."""
    validation: Mapping[str, Any] = {
        "numbers": NUMBERS,
        "probabilities": SCORES,
        "truth": TRUTH,
        "known": np.ones(TRUTH.shape, bool),
    }
    return SimpleNamespace(
        labels=SimpleNamespace(names=("bug",)), validation={**validation, **changed}
    )


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = Store.open(tmp_path / "labelwright.db")
    opened.repositories.upsert(5, "octo/app")
    opened.labels.upsert(Label(5, 1, "bug"))
    for number, (on,) in zip(NUMBERS.tolist(), TRUTH.tolist(), strict=True):
        opened.issues.upsert(Issue(5, number, number, f"title {number}", "", labels=(1,) * on))
    yield opened
    opened.close()


def test_labels_that_look_wrong_are_found_with_their_issues(store: Store):
    given, missing = sorted(audit(store, REPOSITORY, version()), key=lambda found: found.number)
    assert given.to_json() == {
        "number": 7,
        "title": "title 7",
        "label": "bug",
        "given": True,
        "probability": 0.02,
        "bits": 5.64,
    }
    assert (missing.number, missing.given, missing.probability) == (8, False, 0.99)


def test_what_is_not_known_is_not_doubted(store: Store):
    known = np.ones(TRUTH.shape, bool)
    known[6] = False
    assert [f.number for f in audit(store, REPOSITORY, version(known=known))] == [8]


def test_what_was_changed_meanwhile_is_left_out(store: Store):
    store.issues.set_labels(5, 7, ())
    assert [f.number for f in audit(store, REPOSITORY, version())] == [8]
    store.answers.add([Answer(5, 8, 1, True, "2026-01-01T00:00:00Z")])
    assert audit(store, REPOSITORY, version()) == []


def test_issues_and_labels_that_are_gone_are_left_out(store: Store):
    store.issues.delete(5, 7)
    assert [f.number for f in audit(store, REPOSITORY, version())] == [8]
    store.labels.delete(5, 1)
    assert audit(store, REPOSITORY, version()) == []


def test_a_version_older_than_audits_says_what_to_do(store: Store):
    old = version()
    del old.validation["numbers"]
    with pytest.raises(NoAudit, match="labelwright train octo/app"):
        audit(store, REPOSITORY, old)
