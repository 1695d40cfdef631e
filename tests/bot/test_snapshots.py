"""From the store to a snapshot, read back as a training reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bot.snapshots import write_snapshot
from bot.store import Store
from bot.store.rows import Issue, Label, LabelEvent, Repository, local_id
from models import snapshot
from models.snapshot import Snapshot, SnapshotLabel
from models.text import prepare

REPO = 9
CONFIG = {
    "target_precision": 0.9,
    "groups": [{"name": "area", "match": "area/*", "max": 1}],
    "labels": {"overrides": {"area/*": {"target_precision": 0.95}}},
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "labelwright.db")
    opened.repositories.upsert(REPO, "octo/app")
    opened.repositories.set_config(REPO, CONFIG, None)
    opened.labels.upsert(Label(REPO, 1, "bug", "it is broken"))
    opened.labels.upsert(Label(REPO, 2, "area/ui"))
    yield opened
    opened.close()


def add(store: Store, number: int = 1, **facts: object) -> None:
    at = f"2025-01-{number % 28 + 1:02}T00:00:00Z"
    given = {"title": f"t{number}", "body": "b", "labels": (1,), **facts}
    store.issues.upsert(
        Issue(REPO, number, number, created_at=at, updated_at=at, **given)  # type: ignore[arg-type]
    )


def take(store: Store, folder: Path, **how: str) -> Snapshot:
    found = store.repositories.get(REPO)
    assert found is not None
    write_snapshot(store, found, folder / "snapshot", **how)
    return snapshot.read(folder / "snapshot")


def test_the_text_is_as_it_was_opened(store: Store, tmp_path: Path):
    add(store, 1, title="now", body="now", opened_title="then", opened_body="")
    add(store, 2, title="only now", body="b")
    issues = take(store, tmp_path).issues
    assert [(i.title, i.body) for i in issues] == [("then", ""), ("only now", "b")]


def test_provenance_and_removals_go_along(store: Store, tmp_path: Path):
    add(store, 1)
    facts = (7, "grace", "person", "2025-01-02T00:00:00Z", "history")
    store.events.add(
        [
            LabelEvent(REPO, 1, 1, "bug", "labeled", *facts),  # type: ignore[arg-type]
            LabelEvent(REPO, 1, 2, "area/ui", "unlabeled", *facts),  # type: ignore[arg-type]
        ]
    )
    issue = take(store, tmp_path).issues[0]
    assert (issue.labels, issue.removed) == ({"bug": "person"}, ("area/ui",))
    assert issue.said_at == dict.fromkeys(("bug", "area/ui"), "2025-01-02T00:00:00Z")


def moved(number: int, label: Label, action: str, hour: int) -> LabelEvent:
    at = f"2025-02-01T{hour:02}:00:00Z"
    return LabelEvent(
        REPO, number, label.id, label.name, action, 7, "grace", "person", at, "webhook"
    )


BUG, UI, CORE = Label(REPO, 1, "bug"), Label(REPO, 3, "bug/ui"), Label(REPO, 4, "bug/core")


def test_a_label_that_was_split_teaches_its_parts_as_people_dealt_them_out(
    store: Store, tmp_path: Path
):
    for label in (UI, CORE):
        store.labels.upsert(label)
    for number, part in ((1, UI), (2, CORE)):
        add(store, number, labels=(part.id,))
        store.events.add(
            [
                moved(number, BUG, "labeled", 1),
                moved(number, BUG, "unlabeled", 9),
                moved(number, part, "labeled", 9),
            ]
        )
    found = [(dict(issue.labels), issue.removed) for issue in take(store, tmp_path).issues]
    assert found == [({"bug/ui": "person"}, ("bug",)), ({"bug/core": "person"}, ("bug",))]


def test_the_old_label_says_nothing_any_more_once_it_is_deleted(store: Store, tmp_path: Path):
    store.labels.upsert(UI)
    add(store, 1, labels=(UI.id,))
    store.events.add([moved(1, BUG, "labeled", 1), moved(1, BUG, "unlabeled", 9)])
    store.labels.delete(REPO, BUG.id)
    (issue,) = take(store, tmp_path).issues
    assert (dict(issue.labels), issue.removed) == ({"bug/ui": "unknown"}, ())


def test_labels_that_were_merged_teach_the_one_that_is_left(store: Store, tmp_path: Path):
    for number, part in ((1, UI), (2, CORE)):
        store.labels.upsert(part)
        add(store, number, labels=(BUG.id,))
        store.events.add([moved(number, part, "labeled", 1), moved(number, BUG, "labeled", 9)])
        store.labels.delete(REPO, part.id)
    taken = take(store, tmp_path)
    assert [dict(issue.labels) for issue in taken.issues] == [{"bug": "person"}] * 2
    assert "bug/ui" not in {label.name for label in taken.repository.labels}


def test_a_snapshot_says_when_it_was_taken(tmp_path: Path):
    with closing(Store.open(tmp_path / "labelwright.db", now=lambda: 1736000000.5)) as store:
        store.repositories.upsert(REPO, "octo/app")
        add(store)
        assert take(store, tmp_path).taken_at == "2025-01-04T14:13:20Z"
        then = "2025-01-03T00:00:00Z"
        assert take(store, tmp_path / "past", as_of=then).taken_at == then


def test_configuration_and_labels_go_along(store: Store, tmp_path: Path):
    add(store)
    repository = take(store, tmp_path).repository
    assert repository.groups == ({"name": "area", "members": ["area/ui"], "max": 1},)
    assert (repository.target_precision, repository.label_targets) == (0.9, {"area/ui": 0.95})
    assert SnapshotLabel("bug", 1, "it is broken") in repository.labels


def test_an_imported_label_has_no_id(store: Store, tmp_path: Path):
    store.labels.upsert(Label(REPO, local_id("octo/app", "docs"), "docs"))
    add(store)
    labels = {label.name: label.id for label in take(store, tmp_path).repository.labels}
    assert labels == {"bug": 1, "area/ui": 2, "docs": None}


def test_deleted_issues_and_labels_are_left_out(store: Store, tmp_path: Path):
    add(store, 1, labels=(1, 2))
    add(store, 2)
    store.issues.delete(REPO, 2)
    store.labels.delete(REPO, 2)
    taken = take(store, tmp_path)
    assert [(i.number, dict(i.labels)) for i in taken.issues] == [(1, {"bug": "unknown"})]
    assert [label.name for label in taken.repository.labels] == ["bug"]


def test_more_issues_than_a_page_all_go_along(store: Store, tmp_path: Path):
    with store.transaction():
        for number in range(1, 1102):
            add(store, number, is_pull_request=number % 2 == 0)
    found: Repository | None = store.repositories.get(REPO)
    assert found is not None
    contents = write_snapshot(store, found, tmp_path / "s")
    assert (contents.issues, contents.labeled, contents.uses["bug"]) == (1101, 551, 551)
    assert len(snapshot.read(tmp_path / "s").issues) == 1101


def test_the_past_ends_at_its_moment(store: Store, tmp_path: Path):
    add(store, 1)
    add(store, 20)
    assert [i.number for i in take(store, tmp_path, as_of="2025-01-10T00:00:00Z").issues] == [1]


def test_known_vectors_of_that_encoder_go_along(store: Store, tmp_path: Path):
    add(store, 1)
    add(store, 2, labels=())
    wanted = prepare("t1", "b").hash
    store.vectors.put_many("mini", {wanted: np.ones(4), prepare("t2", "b").hash: np.ones(4)})
    store.vectors.put_many("other", {wanted: np.zeros(4)})
    taken = take(store, tmp_path, encoder="mini")
    assert taken.encoder == "mini"
    assert {key: row.tolist() for key, row in taken.vectors.items()} == {wanted: [1, 1, 1, 1]}


def test_nothing_is_said_of_an_encoder_without_known_vectors(store: Store, tmp_path: Path):
    add(store)
    assert take(store, tmp_path, encoder="new").encoder is None
