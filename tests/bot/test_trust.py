"""Whose word counts: nobody over the cap, nobody excluded; and what others said still stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.feedback import derive
from bot.hearing import heard_since, hearing_of
from bot.repo_config import RepoConfig
from bot.snapshots import write_snapshot
from bot.store import Store
from bot.store.rows import AppliedLabel, LabelEvent
from bot.times import from_epoch
from bot.trust import Cap, Hearing, hearing, over_cap, touched
from models import snapshot
from models.snapshot import SnapshotIssue
from tests.bot.trust_world import (
    ADA,
    CAME,
    CAP,
    DAY,
    LABELS,
    MALLORY,
    REPO,
    decide,
    make_store,
    poisoned,
    put,
    repository,
    said,
)
from training.data import truth_and_weights


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with make_store(tmp_path) as made:
        yield made


def taken(store: Store, folder: Path, cap: Cap = CAP) -> dict[int, SnapshotIssue]:
    """A snapshot's issues by number."""
    write_snapshot(store, repository(store), folder / "s", cap=cap)
    return {issue.number: issue for issue in snapshot.read(folder / "s").issues}


# A planted poisoning


def test_two_hundred_flipped_labels_teach_nothing(store: Store, tmp_path: Path):
    poisoned(store)
    issues = taken(store, tmp_path)
    assert all(issues[n].labels == {"bug": "person"} for n in range(1, 101))
    assert all(issues[n].labels == {"bug": "unheard"} for n in range(101, 201))
    assert not any(issue.removed for issue in issues.values())
    truth, weights = truth_and_weights([issues[n] for n in (1, 150, 250)], ["bug", "ui"])
    assert truth.tolist() == [[True, False], [False, False], [False, False]]
    assert weights.tolist() == [[1, 1], [0, 1], [1, 1]]


def test_without_a_cap_they_would(store: Store, tmp_path: Path):
    poisoned(store)
    issues = taken(store, tmp_path, Cap(0))
    assert issues[1].removed == ("bug",)
    assert issues[101].labels == {"bug": "person"}


def test_what_an_unheard_actor_took_off_is_unheard_where_nobody_else_spoke(
    store: Store, tmp_path: Path
):
    put(store, [said(1, 10, MALLORY), said(1, 20, MALLORY, "unlabeled")])
    decide(store, MALLORY, "excluded")
    assert taken(store, tmp_path)[1].labels == {"bug": "unheard"}


def test_a_label_that_was_on_before_anybody_spoke_still_stands(store: Store, tmp_path: Path):
    put(store, [said(1, 10, MALLORY, "unlabeled")])
    decide(store, MALLORY, "excluded")
    assert taken(store, tmp_path)[1].labels == {"bug": "unknown"}


def test_of_two_who_contradict_each_other_the_one_who_is_heard_holds(store: Store, tmp_path: Path):
    put(store, [said(1, 10), said(1, 20, MALLORY, "unlabeled")])
    put(store, [said(2, 10, MALLORY), said(2, 20)])
    put(store, [said(3, 10, MALLORY), said(3, 20, ADA, "unlabeled"), said(3, 30, MALLORY)])
    both = taken(store, tmp_path / "both")
    assert (both[1].removed, both[3].labels) == (("bug",), {"bug": "person"})
    decide(store, MALLORY, "excluded")
    one = taken(store, tmp_path / "one")
    assert one[1].labels == one[2].labels == {"bug": "person"}
    assert (one[3].labels, one[3].removed) == ({}, ("bug",))


def test_an_excluded_actors_whole_past_counts_no_more(store: Store, tmp_path: Path):
    put(store, [said(1, -300 * DAY, MALLORY), said(2, -300 * DAY)])
    assert taken(store, tmp_path / "a")[1].labels == {"bug": "person"}
    decide(store, MALLORY, "excluded")
    issues = taken(store, tmp_path / "b")
    assert (issues[1].labels, issues[2].labels) == ({"bug": "unheard"}, {"bug": "person"})


def test_a_trusted_actor_is_not_capped(store: Store, tmp_path: Path):
    poisoned(store)
    decide(store, MALLORY, "trusted")
    assert taken(store, tmp_path)[101].labels == {"bug": "person"}


def test_an_account_that_relays_what_many_say_is_not_capped(store: Store, tmp_path: Path):
    poisoned(store)
    store.repositories.set_config(REPO, {"people": ["mallory"]}, None, [])
    assert taken(store, tmp_path)[101].labels == {"bug": "person"}


def test_an_actor_with_a_new_name_is_the_same_one(store: Store, tmp_path: Path):
    put(store, [said(n, n, MALLORY, login="mallory") for n in range(1, 61)])
    put(store, [said(n, n, MALLORY, login="alice") for n in range(61, 121)])
    assert {str(issue.labels) for n, issue in taken(store, tmp_path).items() if n <= 120} == {
        "{'bug': 'unheard'}"
    }


def test_an_actor_without_a_number_is_told_by_login(store: Store):
    nameless = [replace(said(n, n), actor_id=None) for n in range(1, 102)]
    store.events.add(nameless[:50] + [replace(e, actor_login="ADA") for e in nameless[50:]])
    [over] = hearing_of(store, repository(store), CAP).over.values()
    assert len(over) == 101


def test_a_bulk_triage_before_we_came_counts(store: Store, tmp_path: Path):
    put(store, [said(n, -10 * DAY + n) for n in range(1, 251)])
    issues = taken(store, tmp_path)
    assert all(issues[n].labels == {"bug": "person"} for n in range(1, 251))


def test_where_we_have_not_come_yet_nobody_is_capped(tmp_path: Path):
    store = Store.open(tmp_path / "labelwright.db")
    store.repositories.upsert(REPO, "octo/app")
    store.labels.upsert(LABELS[0])
    store.events.add([said(n, n) for n in range(1, 200)])
    assert heard_since(store, REPO) is None
    assert hearing_of(store, repository(store), CAP) == Hearing()
    store.close()


def test_a_label_that_was_deleted_caps_nobody(store: Store):
    store.events.add([said(n, n, label=3, action="unlabeled") for n in range(1, 201)])
    store.events.add([said(1, 500)])
    assert hearing_of(store, repository(store), CAP).over == {}


def test_what_templates_do_for_one_author_is_capped_and_what_a_bot_does_is_not(store: Store):
    spam = [replace(said(n, n, MALLORY), actor_kind="template") for n in range(1, 151)]
    busy = [
        replace(said(n, n, 8, login="mover[bot]", label=2), actor_kind="bot") for n in range(1, 151)
    ]
    store.events.add([*spam, *busy])
    assert [*hearing_of(store, repository(store), CAP).over] == [MALLORY]


def test_in_the_past_only_what_had_been_said_is_counted(store: Store):
    poisoned(store)
    then = hearing_of(store, repository(store), CAP, as_of=from_epoch(CAME + 40 * DAY + 50))
    assert then.over == {}


# The edges of the window


def times(*after: float) -> list[LabelEvent]:
    return [replace(said(n, at), id=n) for n, at in enumerate(after, 1)]


def numbers(events: Sequence[LabelEvent]) -> list[int]:
    return [event.number for event in events]


def test_as_many_as_the_cap_are_heard_and_one_more_silences_all():
    assert over_cap(times(0, 1, 2), Cap(3, 60)) == []
    assert numbers(over_cap(times(0, 1, 2, 3), Cap(3, 60))) == [1, 2, 3, 4]


def test_a_window_ends_where_the_next_begins():
    assert over_cap(times(0, 30, 60), Cap(2, 60)) == []
    assert numbers(over_cap(times(0, 30, 59), Cap(2, 60))) == [1, 2, 3]


def test_windows_that_overlap_silence_each_event_once():
    found = over_cap(times(0, 10, 50, 65, 70, 500), Cap(2, 60))
    assert numbers(found) == [1, 2, 3, 4, 5]


def test_what_was_said_outside_of_the_window_is_heard():
    found = over_cap(times(0, 1000, 1001, 1002, 5000), Cap(2, 60))
    assert numbers(found) == [2, 3, 4]


def test_only_what_was_said_since_we_came_is_counted():
    events = times(-2, -1, 0, 1)
    given = {"labels": LABELS, "config": RepoConfig(), "since": from_epoch(CAME)}
    assert hearing(events, Cap(2, 60), **given).over == {}  # type: ignore[arg-type]
    assert [*hearing(events, Cap(1, 60), **given).over] == [ADA]  # type: ignore[arg-type]


def test_two_changes_of_one_label_of_an_issue_touch_one_label():
    assert touched([said(1, 0), said(1, 5, MALLORY, "unlabeled"), said(1, 6, label=2)]) == 2


# Feedback


OURS = replace(said(1, 0), actor_kind="us", actor_login="labelwright[bot]", actor_id=1)
APPLIED = AppliedLabel(3, REPO, 1, 1, "bug", "v1", 1, CAME, CAME, "applied", "")


def kinds(*events: LabelEvent, excluded: int = MALLORY) -> list[tuple[str, str]]:
    marked = Hearing(frozenset({excluded})).mark(events)
    found = derive(marked, [APPLIED], RepoConfig(), decided_at=CAME, version="v1")
    return [(each.label, each.kind) for each in found]


def test_a_removal_that_is_not_heard_is_no_false_positive():
    assert kinds(OURS, said(1, 10, MALLORY, "unlabeled")) == [("bug", "withdrawn")]


def test_an_addition_that_is_not_heard_is_no_false_negative():
    assert kinds(OURS, said(1, 10, MALLORY, label=2)) == [("bug", "untouched")]


def test_what_another_person_said_before_an_unheard_one_still_counts():
    off, on = said(1, 10, ADA, "unlabeled"), said(1, 20, MALLORY)
    assert kinds(OURS, off, on) == [("bug", "false positive")]
    missed, denied = said(1, 10, ADA, label=2), said(1, 20, MALLORY, "unlabeled", label=2)
    assert kinds(OURS, missed, denied) == [("bug", "confirmed"), ("ui", "false negative")]


def test_a_label_that_an_unheard_actor_took_off_is_not_confirmed_by_silence():
    off, other = said(1, 10, MALLORY, "unlabeled"), said(1, 20, ADA, label=2)
    assert ("bug", "withdrawn") in kinds(OURS, off, other)


def test_our_own_acts_are_never_silenced():
    assert kinds(OURS, excluded=1) == [("bug", "untouched")]
