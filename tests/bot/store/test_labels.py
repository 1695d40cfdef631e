from __future__ import annotations

from bot.store import Store
from bot.store.rows import Issue, Label
from tests.bot.store.conftest import Clock


def names(store: Store, repository_id: int, include_deleted: bool = False) -> list[str]:
    return [label.name for label in store.labels.all(repository_id, include_deleted)]


def test_a_sync_takes_over_github_s_list(store: Store, repository_id: int, clock: Clock) -> None:
    store.labels.sync(
        repository_id, [Label(repository_id, 1, "bug"), Label(repository_id, 2, "ui")]
    )
    store.labels.sync(
        repository_id, [Label(repository_id, 2, "area/ui", "what one sees", "ff0000")]
    )
    assert names(store, repository_id) == ["area/ui"]
    assert names(store, repository_id, include_deleted=True) == ["area/ui", "bug"]
    repository = store.repositories.get(repository_id)
    assert repository is not None
    assert repository.labels_synced_at == clock()


def test_a_label_is_found_by_its_name_in_any_case(store: Store, repository_id: int) -> None:
    store.labels.upsert(Label(repository_id, 1, "Bug"))
    assert store.labels.by_name(repository_id, "bUG") == Label(repository_id, 1, "Bug")
    assert store.labels.by_name(repository_id, "ui") is None


def test_a_deleted_label_is_kept_and_comes_off_its_issues(store: Store, repository_id: int) -> None:
    store.labels.upsert(Label(repository_id, 1, "bug"))
    store.issues.upsert(Issue(repository_id, 3, 100, "t", "b", labels=(1,)))
    store.labels.delete(repository_id, 1)
    assert store.labels.get(repository_id, 1) == Label(repository_id, 1, "bug", deleted=True)
    assert store.labels.by_name(repository_id, "bug") is None
    issue = store.issues.get(repository_id, 3)
    assert issue is not None
    assert issue.labels == ()


def test_a_name_may_be_used_again_by_another_label(store: Store, repository_id: int) -> None:
    store.labels.upsert(Label(repository_id, 1, "bug"))
    store.labels.delete(repository_id, 1)
    store.labels.upsert(Label(repository_id, 2, "bug"))
    assert store.labels.by_name(repository_id, "bug") == Label(repository_id, 2, "bug")


def test_of_two_labels_with_one_name_the_one_heard_of_last_is_there(
    store: Store, repository_id: int
) -> None:
    store.labels.upsert(Label(repository_id, 1, "bug"))
    store.labels.upsert(Label(repository_id, 2, "Bug"))
    assert names(store, repository_id) == ["Bug"]
    store.labels.upsert(Label(repository_id, 3, "bug", deleted=True))
    assert names(store, repository_id) == ["Bug"]


def test_two_labels_that_swap_their_names_are_both_there(store: Store, repository_id: int) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        store.labels.sync(
            repository_id, [Label(repository_id, 1, one), Label(repository_id, 2, other)]
        )
    assert names(store, repository_id) == ["a", "b"]


def test_that_we_made_a_label_is_not_forgotten(store: Store, repository_id: int) -> None:
    store.labels.upsert(Label(repository_id, 1, "bug", made_by_us=True))
    store.labels.sync(repository_id, [Label(repository_id, 1, "bug")])
    found = store.labels.get(repository_id, 1)
    assert found is not None and found.made_by_us


def test_usage_counts_the_issues_of_each_label(store: Store, repository_id: int) -> None:
    store.issues.upsert(Issue(repository_id, 3, 100, "t", "b", labels=(1, 2)))
    store.issues.upsert(Issue(repository_id, 4, 101, "t", "b", labels=(1,)))
    assert store.labels.usage(repository_id) == {1: 2, 2: 1}


def test_two_repositories_may_share_names_and_ids(store: Store, repository_id: int) -> None:
    other = store.repositories.upsert(6, "octo/other").id
    store.labels.upsert(Label(repository_id, 1, "bug"))
    store.labels.upsert(Label(other, 1, "bug"))
    store.labels.sync(other, [])
    assert names(store, repository_id) == ["bug"]
