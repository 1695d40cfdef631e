from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.store import Store, erasure
from bot.store.erasure import StillRead
from bot.store.reports import Report
from bot.store.rows import Actor, Answer, Decision, Issue, Label, LabelEvent, ShadowScore
from tests.bot.store.conftest import Clock

PLANTED = "the planted sentence about the silver teapot"
KEPT = "a sentence that nobody wants to forget"
BUG = Label(5, 1, "bug")
EVENT = LabelEvent(5, 3, 1, "bug", "labeled", 1, "ann", "person", "2026-01-01", "webhook")


def delivery(number: int, text: str, login: str = "ann") -> bytes:
    user = {"login": login, "id": 1}
    return json.dumps({"issue": {"number": number, "title": text, "user": user}}).encode()


def fill(store: Store, repository_id: int, number: int, text: str, author: str = "ann") -> None:
    """A row about one issue in every table that has rows about issues."""
    label = replace(BUG, repository_id=repository_id)
    issue = Issue(repository_id, number, number, text, text, text, text, author_login=author)
    store.labels.upsert(label)
    store.issues.upsert(replace(issue, author_id=1 if author == "ann" else 2, labels=(1,)))
    store.events.add([replace(EVENT, repository_id=repository_id, number=number)])
    store.answers.add([Answer(repository_id, number, 1, True, "2026-01-01")])
    store.actors.set_role(Actor(repository_id, 1, "ann"), "write", 0.0)
    made = Decision(repository_id, number, "v1", "apply", ())
    kept, _ = store.decisions.record(made, [label])
    store.trainings.begin("head", "1 x", repository_id=repository_id)
    store.trials.begin(repository_id, "v2", "v1", 0.0)
    store.trials.keep(kept, "v2", [ShadowScore(1, 0.5, "apply")])
    store.explanations.written(repository_id, number, 900 + number, "digest")
    store.commands.take(repository_id, number, 950 + number)
    store.commands.switch_off(repository_id, number)
    store.suggestions.intend(repository_id, number, [1])
    store.reports.keep(Report(repository_id, "curves", "v1", 0.0, {}))
    store.jobs.enqueue("label", repository_id=repository_id, number=number)
    guid = f"{repository_id}-{number}"
    payload = delivery(number, text, author)
    store.deliveries.accept(guid, "issues", "opened", 7, repository_id, payload)
    store.vectors.put_many("e", {f"{repository_id}-{number}": np.ones(2, dtype=np.float16)})


@pytest.fixture
def full(store: Store, repository_id: int) -> Store:
    """Two repositories with two issues each."""
    store.repositories.upsert(6, "octo/web", False, 7)
    for repository in (repository_id, 6):
        fill(store, repository, 3, PLANTED)
        fill(store, repository, 4, KEPT, author="bob")
        store.meta.set(f"backfill:{repository}", "{}")
    return store


def tables(store: Store, *columns: str) -> list[str]:
    with closing(sqlite3.connect(store.path)) as raw:
        names = [row[0] for row in raw.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
        of = {name: {row[1] for row in raw.execute(f"PRAGMA table_info({name})")} for name in names}
    return [name for name in names if set(columns) <= of[name]]


def rows(store: Store, table: str, **wanted: object) -> int:
    where = " AND ".join(f"{name} = ?" for name in wanted)
    with closing(sqlite3.connect(store.path)) as raw:
        sql = f"SELECT count(*) FROM {table} WHERE {where}"
        return int(raw.execute(sql, list(wanted.values())).fetchone()[0])


def test_of_a_repository_no_table_keeps_a_row(full: Store) -> None:
    spoken = [
        table for table in tables(full, "repository_id") if rows(full, table, repository_id=5)
    ]
    wanted = {"issues", "labels", "answers", "actors", "deliveries", "jobs", "applied_labels"}
    wanted |= {"trainings", "trials", "shadow_scores", "reports"}
    wanted |= {"explanations", "commands", "switched_off", "suggestions"}
    assert wanted <= {*spoken}
    before = {table: rows(full, table, repository_id=6) for table in spoken}
    full.erasure.erase(full.erasure.repository(5))
    assert {table: rows(full, table, repository_id=5) for table in spoken} == dict.fromkeys(
        spoken, 0
    )
    assert {table: rows(full, table, repository_id=6) for table in spoken} == before
    assert (full.meta.get("backfill:5"), full.meta.get("backfill:6")) == (None, "{}")
    assert [job.kind for job in full.jobs.list()] == ["deliver", "label"] * 2  # of the other one


def test_a_forgotten_repository_has_no_name_and_stays_away(full: Store) -> None:
    full.erasure.erase(full.erasure.repository(5))
    row = full.repositories.upsert(5, "octo/app", False, 7)
    assert (row.full_name, row.removed, row.forgotten) == ("", True, True)
    assert full.repositories.by_name("octo/app") is None


@pytest.mark.parametrize("how", ["another installation", "taken back", "imported"])
def test_a_forgotten_repository_comes_back_where_somebody_wants_it(full: Store, how: str) -> None:
    full.erasure.erase(full.erasure.repository(5))
    if how == "imported":
        back = full.repositories.local("octo/app")
    else:
        if how == "taken back":
            full.repositories.take_back(5)
        back = full.repositories.upsert(5, "octo/app", False, 8 if how != "taken back" else 7)
    assert (back.full_name, back.removed, back.forgotten) == ("octo/app", False, False)


def test_an_imported_repository_can_be_forgotten_and_imported_again(store: Store) -> None:
    row = store.repositories.local("octo/old")
    fill(store, row.id, 3, PLANTED)
    store.erasure.erase(store.erasure.issues(row.id, [3]))
    store.erasure.erase(store.erasure.repository(row.id))
    again = store.repositories.local("octo/old")
    assert (again.id, again.forgotten) == (row.id, False)
    assert store.issues.upsert(Issue(row.id, 3, 3, PLANTED, "")) == "deleted"  # forgotten before


def test_one_that_left_us_while_forgotten_may_come_back_by_the_same_installation(
    full: Store,
) -> None:
    full.erasure.erase(full.erasure.repository(5))
    full.repositories.remove(5)
    assert not full.repositories.upsert(5, "octo/app", False, 7).forgotten


def test_of_an_issue_a_row_without_text_stays_and_nothing_else(full: Store) -> None:
    about = [x for x in tables(full, "repository_id", "number") if rows(full, x, number=3)]
    found = full.erasure.erase(full.erasure.issues(5, [3]))
    assert found["issues"] == found["label_events"] == found["deliveries"] == 1
    assert found["shadow_scores"] == 1
    left = {table: rows(full, table, repository_id=5, number=3) for table in about}
    assert left == dict.fromkeys(about, 0) | {"issues": 1}
    issue = full.issues.get(5, 3)
    assert issue and issue.deleted and not (issue.title or issue.body or issue.author_login)
    delivery = full.deliveries.get("5-3")
    assert delivery and delivery.payload == b"{}"  # the row stays: a redelivery is known as one
    assert all(rows(full, table, repository_id=5, number=4) for table in about)
    assert all(rows(full, table, repository_id=6, number=3) for table in about)


def test_what_was_counted_is_what_goes_and_a_second_time_nothing(full: Store) -> None:
    for parts in (full.erasure.issues(5, [3]), full.erasure.repository(6)):
        planned = full.erasure.count(parts)
        assert full.erasure.erase(parts) == planned
    assert not any(full.erasure.count(full.erasure.issues(5, [3])).values())


def test_a_running_job_is_left_to_its_worker(full: Store) -> None:
    job = full.jobs.claim("w", lane="fast", kinds=["label"])
    assert job is not None
    full.erasure.erase(full.erasure.repository(job.repository_id or 0))
    full.jobs.finish(job, "done")


def test_a_user_is_found_by_login_and_by_number(full: Store) -> None:
    assert full.erasure.ids_of("ANN") == [1]
    assert full.erasure.opened_by("ann", []) == {5: [3], 6: [3]}
    assert full.erasure.opened_by("renamed", [1]) == {5: [3], 6: [3]}


def test_of_a_user_the_kind_stays(full: Store) -> None:
    twin = replace(EVENT, number=4, actor_login="ann-before", actor_id=1)
    full.events.add([twin])
    full.erasure.erase(erasure.of_user("Ann", [1]))
    found = full.events.for_repository(5)
    assert [(e.number, e.actor_login, e.actor_id, e.actor_kind) for e in found] == [
        (3, None, None, "person"),
        (4, None, None, "person"),
    ]
    payloads = {n: full.deliveries.get(f"5-{n}") for n in (3, 4)}
    assert [n for n, each in payloads.items() if each and each.payload == b"{}"] == [3]


def test_a_payload_that_cannot_be_read_goes_with_the_first_that_is_forgotten(full: Store) -> None:
    full.deliveries.accept("odd", "issues", "opened", 7, 5, b"{" + PLANTED.encode())
    full.erasure.erase(full.erasure.issues(5, [3]))
    odd = full.deliveries.get("odd")
    assert odd and odd.payload == b"{}"


def test_vectors_go_whatever_their_encoder(full: Store) -> None:
    full.vectors.put_many("f", {"5-3": np.ones(2, dtype=np.float16)})
    assert full.erasure.erase(erasure.of_vectors(["5-3"])) == {"vectors": 2}
    assert (full.vectors.count("e"), full.vectors.count("f")) == (3, 0)


def bytes_under(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_nothing_is_left_in_the_file_or_its_journal(full: Store, tmp_path: Path) -> None:
    # An older text, replaced long ago, and one that takes pages of its own.
    issue = full.issues.get(5, 3)
    assert issue is not None
    long = replace(issue, body=PLANTED * 1000, updated_at="2026-01-02")
    full.issues.upsert(long)
    full.issues.upsert(replace(long, body=PLANTED, updated_at="2026-01-03"))
    full.erasure.leave_nothing_behind()
    assert bytes_under(tmp_path).count(PLANTED.encode()) > 0
    full.erasure.erase([*full.erasure.issues(5, [3]), *full.erasure.repository(6)])
    full.erasure.leave_nothing_behind()
    found = bytes_under(tmp_path)
    assert (PLANTED.encode() in found, KEPT.encode() in found) == (False, True)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Another process in the middle of a long look at the database."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM issues").fetchone()
        yield


def test_a_journal_that_is_being_read_is_said_so(full: Store) -> None:
    with full.transaction() as db:
        raw = db.conn
    raw.execute("PRAGMA busy_timeout = 10")
    with reading(full.path):
        full.erasure.erase(full.erasure.issues(5, [3]))
        with pytest.raises(StillRead, match="still in its -wal"):
            full.erasure.leave_nothing_behind()
    full.erasure.leave_nothing_behind()


def test_since_when_a_repository_is_removed(full: Store, clock: Clock) -> None:
    full.repositories.remove(5)
    clock.advance(10)
    full.installations.delete(7)
    assert [row.id for row in full.repositories.removed_before(clock())] == [5]
    clock.advance(1)
    assert [row.id for row in full.repositories.removed_before(clock())] == [5, 6]
    full.erasure.erase(full.erasure.repository(5))
    assert [row.id for row in full.repositories.removed_before(clock())] == [6]
    full.repositories.upsert(6, "octo/web", False, 8)
    assert full.repositories.removed_before(clock()) == []


def test_a_history_imported_by_name_does_not_bring_forgotten_issues_back(full: Store) -> None:
    full.erasure.erase(full.erasure.issues(5, [3]))
    full.repositories.remove(5)
    local = full.repositories.local("octo/app")
    fill(full, local.id, 3, PLANTED)
    full.repositories.upsert(5, "octo/app", False, 7)
    issue = full.issues.get(5, 3)
    assert issue and issue.deleted and full.repositories.get(local.id) is None
    assert (full.events.for_issue(5, 3), full.answers.all(5).get(3)) == ([], None)
