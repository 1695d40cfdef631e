"""What is forgotten is in no file of the server any more, and what learned from it is replaced."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot import forgetting
from bot.forgetting import CameBack, NothingToForget, Subject
from bot.store.erasure import StillRead
from bot.store.rows import Issue
from bot.training import RunRemoved, Trainer
from models.text import prepare
from tests.bot.forgetting_world import (
    APP,
    ENCODER,
    KEPT,
    NOW,
    OPENED,
    PLANTED,
    WEB,
    Home,
    make_home,
    text_of,
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "var") as made:
        yield made


def vectors(home: Home) -> list[int]:
    """The issues whose texts' vectors are known."""
    hashes = {prepare(text_of(n), text_of(n)).hash: n for n in (1, 2)}
    return sorted(hashes[key] for key in home.store.vectors.get_many(ENCODER, hashes))


def contents(home: Home) -> dict[str, bytes]:
    files = (path for path in home.settings.home.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files if ".db" not in path.name}


def test_a_plan_changes_nothing_and_says_what_goes(home: Home):
    version = home.publish(APP, 1, 2)
    folder = home.begin_training(APP)
    subject = forgetting.issue(home.store, "octo/app", 1)
    before = contents(home)
    plan = home.forgetter.plan(subject)
    assert contents(home) == before
    assert plan.versions == {APP: (version,)}
    assert (plan.runs, plan.trainings) == ((folder.name,), (APP,))
    assert plan.rows["issues"] == plan.rows["label_events"] == plan.rows["vectors"] == 1
    done = home.forgetter.carry_out(subject)
    assert (done.rows, done.versions, done.runs) == (plan.rows, plan.versions, plan.runs)


def test_of_an_issue_nothing_is_left_in_any_file(home: Home):
    home.publish(APP, 1, 2)
    home.begin_training(APP)
    home.store.erasure.erase(home.store.erasure.repository(WEB))  # has the same text
    assert home.holds(PLANTED)
    home.forgetter.carry_out(forgetting.issue(home.store, "octo/app", 1))
    assert home.holds(PLANTED) == []
    assert home.holds(KEPT) == ["labelwright.db"]
    assert vectors(home) == [2]


def test_the_version_before_serves_until_the_training_without_it(home: Home):
    without = home.publish(APP, 2)
    home.publish(APP, 1, 2)
    untouched = home.publish(WEB, 2)
    home.forgetter.carry_out(forgetting.issue(home.store, "octo/app", 1))
    assert [version.name for version in home.registry.list(APP)] == [without]
    assert home.registry.current(APP) == without
    assert home.registry.current(WEB) == untouched
    assert home.jobs("train") == [APP]


def test_where_every_version_holds_it_suggestions_come_from_the_labels_names(home: Home):
    home.publish(APP, 1)
    home.publish(APP, 1, 2)
    home.forgetter.carry_out(forgetting.issue(home.store, "octo/app", 1))
    assert home.registry.current(APP) is None
    assert home.jobs("train") == [APP]


def test_an_issue_that_no_model_learned_from_asks_for_no_training(home: Home):
    version = home.publish(APP, 2)
    home.forgetter.carry_out(forgetting.issue(home.store, "octo/app", 1))
    assert home.registry.current(APP) == version
    assert home.jobs("train") == home.jobs("forget") == []


def test_an_issue_whose_text_was_erased_before_is_found_in_the_models_by_its_number(home: Home):
    home.publish(APP, 1, 2)
    home.store.issues.delete(APP, 1)
    plan = home.forgetter.carry_out(forgetting.issue(home.store, "octo/app", 1))
    assert plan.versions and plan.rows["vectors"] == 1
    assert vectors(home) == [2]


def test_a_forgotten_issue_stays_out(home: Home):
    home.forgetter.carry_out(forgetting.issue(home.store, "octo/app", 1))
    home.forgetter.carry_out(forgetting.issue(home.store, "octo/app", 99))  # never heard of
    for number in (1, 99):
        row = Issue(APP, number, number, PLANTED, "", updated_at="2030-01-01T00:00:00Z")
        assert home.store.issues.upsert(row) == "deleted"


def test_of_a_repository_nothing_is_left_in_any_file(home: Home):
    home.publish(APP, 1, 2)
    other = home.publish(WEB, 2)
    log = home.settings.runs / f"train.{APP}.20260101T000000Z.old" / "training.log"
    log.parent.mkdir(parents=True)
    log.write_text("label bug\n")
    running, kept = home.begin_training(APP), home.begin_training(WEB)
    home.forgetter.carry_out(forgetting.repository(home.store, "OCTO/APP"))
    assert not (home.settings.models / str(APP)).exists()
    assert not running.exists() and not log.parent.exists() and kept.exists()
    assert home.registry.current(WEB) == other
    assert home.store.repositories.by_name("octo/app") is None
    assert home.holds("octo/app") == []
    assert home.jobs("train") == []
    home.forgetter.carry_out(forgetting.repository(home.store, "octo/web"))
    assert home.holds(PLANTED) == home.holds(KEPT) == []


def test_a_removed_repository_can_be_forgotten_by_its_name(home: Home):
    home.store.repositories.remove(APP)
    home.forgetter.carry_out(forgetting.repository(home.store, "octo/app"))
    row = home.store.repositories.get(APP)
    assert row and row.forgotten and row.full_name == ""
    with pytest.raises(NothingToForget, match=r"no repository octo/app here \(there is octo/web\)"):
        forgetting.repository(home.store, "octo/app")


def test_one_that_came_back_is_not_forgotten(home: Home):
    with pytest.raises(CameBack):
        home.forgetter.carry_out(Subject(repositories=(APP,)), only_removed=True)
    assert home.holds(PLANTED) and home.jobs("forget") == []


def test_of_a_user_the_issues_go_everywhere_and_the_name(home: Home):
    for repository_id in (APP, WEB):
        home.publish(repository_id, 1, 2)
    home.forgetter.carry_out(forgetting.user(home.store, "Ann"))
    assert home.holds(PLANTED) == home.holds('"ann"') == []
    assert sorted(filter(None, home.jobs("train"))) == [APP, WEB]
    bobs = home.store.issues.get(APP, 2)
    assert bobs and bobs.author_login == "bob" and bobs.title == text_of(2)


def test_a_forgotten_users_new_issue_is_taken_in_and_an_old_one_is_not(home: Home):
    home.forgetter.carry_out(forgetting.user(home.store, "ann"))
    old = Issue(APP, 7, 7, "old", "", author_login="ann", author_id=1, created_at=OPENED)
    new = Issue(APP, 8, 8, "new", "", author_login="ann", author_id=1, created_at="2030-01-01")
    assert (home.store.issues.upsert(old), home.store.issues.upsert(new)) == ("deleted", "new")


def test_a_user_of_whom_nothing_is_known_is_no_error(home: Home):
    found = home.forgetter.carry_out(forgetting.user(home.store, "nobody"))
    assert not any(found.rows.values())
    assert home.holds(PLANTED)


def test_doing_it_twice_finds_nothing_the_second_time(home: Home):
    home.publish(APP, 1, 2)
    subject = forgetting.issue(home.store, "octo/app", 1)
    home.forgetter.carry_out(subject)
    again = home.forgetter.carry_out(subject)
    assert not any(again.rows.values()) and not again.versions


def test_while_the_database_is_read_the_rest_is_left_to_a_job(home: Home):
    with home.store.transaction() as db:
        raw = db.conn
    raw.execute("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(home.store.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM issues").fetchone()
        with pytest.raises(StillRead, match="once more"):
            home.forgetter.carry_out(forgetting.issue(home.store, "octo/app", 1))
    assert len(home.jobs("forget")) == 1


def test_the_backups_that_may_hold_it_and_when_they_are_gone(home: Home):
    home.settings.backups.mkdir()
    (home.settings.backups / "labelwright-x-1.db").touch()
    kept = home.settings.database.with_name("labelwright.db.before-m004.20260101T000000Z")
    kept.touch()
    found = home.forgetter.plan(forgetting.issue(home.store, "octo/app", 1)).backups
    assert [path.name for path in found.expire] == ["labelwright-x-1.db"]
    assert found.kept == (kept,)
    # Seven nights from NOW, which is 08:00 on a day: the last of them at three.
    assert found.gone_by is not None and 6 * 86_400 < found.gone_by - NOW <= 7 * 86_400


def test_a_training_that_is_stopped_so_says_why(home: Home):
    trainer = Trainer(home.settings, home.store, home.registry, now=lambda: NOW)
    with (
        pytest.raises(RunRemoved, match="forgotten meanwhile: train again"),
        trainer.folder(f"train.{APP}") as folder,
    ):
        (folder / "snapshot").mkdir()
        home.forgetter.carry_out(forgetting.issue(home.store, "octo/app", 1))
        (folder / "snapshot" / "issues.jsonl").read_text()


def test_nothing_follows_a_link_out_of_the_runs(home: Home, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("not ours")
    folder = home.begin_training(APP)
    (folder / "snapshot" / "link").symlink_to(outside)
    home.forgetter.carry_out(forgetting.repository(home.store, "octo/app"))
    assert not folder.exists() and (outside / "mine").read_text() == "not ours"
