"""What runs for every delivery, every claim and every issue must not read whole tables."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

import pytest

from bot.store import Store
from bot.store.browsing import Filter
from bot.store.rows import Decision, Issue, Label, LabelEvent, ShadowScore

EVENT = LabelEvent(5, 3, 1, "bug", "labeled", 1, "ann", "person", "2026-01-01", "webhook")
BUG = Label(5, 1, "bug")
SOME = Decision(5, 3, "v1", "apply", (), id=1)
LABELED = Filter(label_id=1, decided=True)
SMALL = re.compile("json_each|CONSTANT ROW")
"""What is scanned and is no table."""

HOT: dict[str, Callable[[Store], object]] = {
    "claim": lambda store: store.jobs.claim("w", lane="fast", kinds=["label"]),
    "enqueue": lambda store: store.jobs.enqueue("label", key="k", repository_id=5, number=3),
    "oldest_waiting": lambda store: store.jobs.oldest_waiting(),
    "accept": lambda store: store.deliveries.accept("g", "issues", "opened", 7, 5, b""),
    "erase_issue": lambda store: store.deliveries.erase_issue(5, 3),
    "by_name": lambda store: store.repositories.by_name("octo/app"),
    "repository": lambda store: store.repositories.upsert(5, "octo/app"),
    "label": lambda store: store.labels.upsert(BUG),
    "label by_name": lambda store: store.labels.by_name(5, "bug"),
    "label delete": lambda store: store.labels.delete(5, 1),
    "labels": lambda store: store.labels.all(5),
    "issue": lambda store: store.issues.upsert(Issue(5, 3, 1, "t", "b", labels=(1,))),
    "page": lambda store: store.issues.page(5, 10),
    "listed": lambda store: store.browsing.page(5, Filter("x"), offset=0, limit=9),
    "listed by label": lambda store: store.browsing.page(5, LABELED, offset=0, limit=9),
    "titles": lambda store: store.browsing.titles(5, [3, 4]),
    "counted": lambda store: store.issues.count(5),
    "events": lambda store: store.events.add([EVENT, EVENT]),
    "for_issue": lambda store: store.events.for_issue(5, 3),
    "for_repository": lambda store: store.events.for_repository(5, since="2026"),
    "record": lambda store: store.decisions.record(Decision(5, 3, "v1", "apply", ()), [BUG]),
    "unfinished": lambda store: store.decisions.unfinished(5, 3),
    "applied": lambda store: store.decisions.applied(5, since=1.0),
    "latest": lambda store: store.decisions.latest(5, 3),
    "recent": lambda store: store.decisions.recent(5, 20),
    "first decision": lambda store: store.decisions.first_at(5),
    "actors": lambda store: store.actors.all(5),
    "unasked actors": lambda store: store.actors.unasked(5, since="2026", before=1.0),
    "answers": lambda store: store.answers.all(5),
    "trial": lambda store: store.trials.running(5),
    "refused": lambda store: store.gates.refused(5, "v1"),
    "shadow scores": lambda store: store.trials.keep(SOME, "v2", [ShadowScore(1, 0.5, "none")]),
    "shadow pairs": lambda store: store.trials.pairs(5, "v2"),
    "labeled": lambda store: store.lessons.labeled(5),
    "uses": lambda store: store.lessons.uses(5),
    "texts": lambda store: store.lessons.texts([5, 6]),
    "report": lambda store: store.reports.newest(5, "curves"),
    "report of a version": lambda store: store.reports.of_version(5, "curves", "v1"),
    "progress": lambda store: store.progress.newest("figures", 5),
    "opened": lambda store: store.issues.opened(5, "2026", "2027"),
    "tries": lambda store: store.tries.sweep(),
    "nights": lambda store: store.live_days.all(5, 30),
    "begun": lambda store: store.jobs.is_begun("train", 5),
    "due": lambda store: store.jobs.is_due("slow"),
    "vectors": lambda store: store.vectors.get_many("e", ["a", "b"]),
}


def statements(store: Store, run: Callable[[Store], object]) -> list[str]:
    seen: list[str] = []
    with store.transaction() as db:
        raw = db.conn
    raw.set_trace_callback(seen.append)
    run(store)
    raw.set_trace_callback(None)
    # A line that begins with -- is what a statement does inside (a foreign key's action).
    return [sql for sql in seen if sql.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")]


@pytest.mark.usefixtures("repository_id")
@pytest.mark.parametrize("name", HOT)
def test_no_hot_query_reads_a_whole_table(store: Store, name: str) -> None:
    store.jobs.enqueue("label", installation_id=7, repository_id=5, number=3)
    found = statements(store, HOT[name])
    assert found
    for sql in found:
        plan = details(store, sql)
        scans = [line for line in plan if line.startswith("SCAN") and not SMALL.search(line)]
        # The job index is ordered as jobs are claimed: its first fitting entry is the answer.
        assert scans == [], (sql, plan)


@pytest.mark.usefixtures("repository_id")
def test_the_newest_decisions_are_read_in_their_order(store: Store) -> None:
    [sql] = statements(store, HOT["recent"])
    assert not any("TEMP B-TREE" in line for line in details(store, sql))


@pytest.mark.usefixtures("repository_id")
@pytest.mark.parametrize("name", ["listed", "titles", "counted"])
def test_a_list_of_issues_is_found_in_an_index_without_their_texts(store: Store, name: str) -> None:
    sql = statements(store, HOT[name])[0]
    assert any("COVERING INDEX issues_in_list" in line for line in details(store, sql)), sql
    assert not any("TEMP B-TREE" in line for line in details(store, sql))


@pytest.mark.usefixtures("repository_id")
@pytest.mark.parametrize("name", ["for_issue", "latest", "unfinished"])
def test_what_is_known_of_one_issue_is_found_by_its_number(store: Store, name: str) -> None:
    """Not by its repository alone: a look back asks for each of thousands of issues."""
    [sql] = statements(store, HOT[name])
    assert any("number=?" in line for line in details(store, sql)), details(store, sql)


def details(store: Store, sql: str) -> list[str]:
    with store.transaction() as db:
        rows: list[sqlite3.Row] = db.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
        return [row["detail"] for row in rows]
