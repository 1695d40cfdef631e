from __future__ import annotations

import pytest

from bot.store import Store
from bot.store.rows import Decision, Installation, Issue, Label, LabelEvent, local_id


def test_an_installation_is_kept_up_to_date(store: Store) -> None:
    store.installations.upsert(Installation(7, 70, "octo", "User", permissions={"issues": "write"}))
    renamed = store.installations.upsert(Installation(7, 70, "octo2", "User"))
    assert renamed == store.installations.get(7)
    assert (renamed.account_login, renamed.permissions) == ("octo2", {"issues": "write"})
    assert store.installations.all() == [renamed]


def test_a_deleted_installation_takes_its_repositories_and_jobs_along(
    store: Store, repository_id: int
) -> None:
    job = store.jobs.enqueue("label", installation_id=7)
    store.installations.delete(7)
    assert store.installations.all() == []
    assert store.repositories.all() == []
    deleted, discarded = store.installations.get(7), store.jobs.get(job.id if job else 0)
    assert deleted is not None and deleted.deleted
    assert discarded is not None
    assert discarded.result == "discarded: the installation was deleted"


def test_an_installation_that_comes_back_is_not_deleted(store: Store) -> None:
    store.installations.upsert(Installation(7, 70, "octo", "User"))
    store.installations.delete(7)
    assert not store.installations.upsert(Installation(7, 70, "octo", "User")).deleted


def test_a_repository_is_found_by_id_and_by_name_in_any_case(
    store: Store, repository_id: int
) -> None:
    found = store.repositories.by_name("Octo/APP")
    assert found is not None
    assert found == store.repositories.get(repository_id)
    assert (found.full_name, found.installation_id) == ("octo/app", 7)


def test_an_upsert_without_installation_keeps_the_known_one(
    store: Store, repository_id: int
) -> None:
    assert store.repositories.upsert(repository_id, "octo/app", True).installation_id == 7


def test_a_removed_repository_is_kept_but_not_found_by_name(
    store: Store, repository_id: int
) -> None:
    job = store.jobs.enqueue("label", repository_id=repository_id, number=1)
    store.repositories.remove(repository_id)
    assert store.repositories.by_name("octo/app") is None
    assert store.repositories.all() == []
    kept, discarded = store.repositories.get(repository_id), store.jobs.get(job.id if job else 0)
    assert kept is not None and kept.removed
    assert discarded is not None and discarded.state == "done"
    assert not store.repositories.upsert(repository_id, "octo/app").removed


def test_what_happens_to_a_repository_is_kept(store: Store, repository_id: int) -> None:
    store.repositories.upsert(repository_id, "octo/old", True, archived=True)
    store.repositories.rename(repository_id, "octo/new")
    store.repositories.set_mode(repository_id, "apply")
    store.repositories.set_watermark(repository_id, "2026-01-31T12:00:00Z")
    found = store.repositories.get(repository_id)
    assert found is not None
    assert (found.full_name, found.archived, found.private, found.mode, found.watermark) == (
        "octo/new",
        True,
        True,
        "apply",
        "2026-01-31T12:00:00Z",
    )


def test_repositories_of_one_installation(store: Store, repository_id: int) -> None:
    store.repositories.upsert(6, "other/app", False, 8)
    assert [each.id for each in store.repositories.all(installation_id=7)] == [repository_id]
    assert len(store.repositories.all()) == 2


def test_a_wrong_configuration_leaves_the_last_valid_one_in_force(
    store: Store, repository_id: int
) -> None:
    store.repositories.set_config(repository_id, {"mode": "apply"}, '"e1"')
    store.repositories.set_config(repository_id, None, '"e2"', ["line 1: mode: wrong"])
    found = store.repositories.get(repository_id)
    assert found is not None
    assert (found.config, found.config_etag) == ({"mode": "apply"}, '"e2"')
    assert found.config_errors == ("line 1: mode: wrong",)
    store.repositories.set_config(repository_id, None, None)
    gone = store.repositories.get(repository_id)
    assert gone is not None
    assert (gone.config, gone.config_errors) == (None, ())


def test_a_local_repository_is_the_same_one_each_time(store: Store) -> None:
    local = store.repositories.local("octo/App")
    assert local.id < 0
    assert store.repositories.local("octo/app") == local


def test_a_name_that_github_knows_is_not_local(store: Store, repository_id: int) -> None:
    assert store.repositories.local("octo/app").id == repository_id


def imported(store: Store) -> int:
    """A repository imported by name, with something in every table."""
    local = store.repositories.local("octo/app").id
    label = Label(local, local_id("octo/app", "bug"), "bug")
    store.labels.upsert(label)
    store.issues.upsert(Issue(local, 1, 100, "t", "b", labels=(label.id,), imported=True))
    at = "2026-01-01T00:00:00Z"
    store.events.add(
        [LabelEvent(local, 1, label.id, "bug", "labeled", None, "ann", "person", at, "import")]
    )
    store.decisions.record(Decision(local, 1, "v1", "suggest", ()), [label])
    store.jobs.enqueue("train", repository_id=local)
    return local


@pytest.mark.parametrize("how", ["installed", "renamed"])
def test_an_imported_repository_is_adopted_with_all_it_has(store: Store, how: str) -> None:
    local = imported(store)
    store.repositories.upsert(5, "octo/app" if how == "installed" else "octo/old", False, 7)
    if how == "renamed":
        store.repositories.rename(5, "octo/app")
    store.labels.sync(5, [Label(5, 90, "Bug")])
    assert store.repositories.get(local) is None
    issue, latest = store.issues.get(5, 1), store.decisions.latest(5, 1)
    assert issue is not None and latest is not None
    assert issue.labels == (90,)
    assert [label.id for label in store.labels.all(5, include_deleted=True)] == [90]
    assert [event.label_id for event in store.events.for_issue(5, 1)] == [90]
    assert [label.label_id for label in store.decisions.unfinished(5, 1)] == [90]
    assert {(job.kind, job.repository_id) for job in store.jobs.list()} == {
        ("train", 5),
        ("adopt_models", 5),
    }


def test_adoption_keeps_what_github_has_said(store: Store) -> None:
    imported(store)
    store.repositories.upsert(5, "octo/old", False, 7)
    store.issues.upsert(Issue(5, 1, 100, "newer", "b"))
    store.repositories.rename(5, "octo/app")
    issue = store.issues.get(5, 1)
    assert issue is not None
    assert (issue.title, issue.labels) == ("newer", ())


def test_local_ids_are_below_zero_and_ignore_case() -> None:
    assert local_id("octo/app", "bug") == local_id("Octo/App", "BUG") < 0
    assert local_id("octo/app", "bug") != local_id("octo/app", "ui")
