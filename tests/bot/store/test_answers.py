from __future__ import annotations

import pytest

from bot.store import Store
from bot.store.rows import Answer, Label, local_id

AT, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


@pytest.mark.usefixtures("repository_id")
def test_the_last_answer_counts(store: Store) -> None:
    store.answers.add([Answer(5, 3, 1, True, AT), Answer(5, 3, 2, False, AT)])
    store.answers.add([Answer(5, 3, 1, False, LATER), Answer(5, 4, 1, True, AT)])
    assert store.answers.all(5) == {
        3: [Answer(5, 3, 1, False, LATER), Answer(5, 3, 2, False, AT)],
        4: [Answer(5, 4, 1, True, AT)],
    }
    assert store.answers.all(6) == {}


def test_answers_follow_an_imported_label_and_repository_to_those_of_github(store: Store) -> None:
    here = store.repositories.upsert(local_id("octo/new"), "octo/new").id
    store.labels.upsert(Label(here, -9, "bug"))
    store.answers.add([Answer(here, 3, -9, True, AT)])
    store.labels.upsert(Label(here, 11, "bug"))
    assert store.answers.all(here) == {3: [Answer(here, 3, 11, True, AT)]}
    store.repositories.upsert(77, "octo/new")
    assert store.answers.all(77) == {3: [Answer(77, 3, 11, True, AT)]}
