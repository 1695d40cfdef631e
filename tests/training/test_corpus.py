from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest
from transformers import AutoTokenizer

from models.snapshot import Snapshot, SnapshotIssue, SnapshotRepository
from models.text import IssueText, prepare
from tests.training.tiny import write_wordpiece
from training.corpus import (
    NoText,
    before_holdout,
    gather,
    holdout_start,
    unlabeled_before_holdout,
    windows,
)
from training.fits import holdout_cut
from training.recipe import Recipe


def issue(
    number: int, title: str = "", body: str = "text", label: str | None = "bug", pull: bool = False
) -> SnapshotIssue:
    stamp = f"2025-01-{1 + number // 24:02d}T{number % 24:02d}:00:00Z"
    labels = {label: "person"} if label else {}
    return SnapshotIssue(number, title or f"title {number}", body, stamp, labels, (), pull)  # type: ignore[arg-type]


def snap(issues: Iterable[SnapshotIssue], name: str = "s") -> Snapshot:
    return Snapshot(name, SnapshotRepository(1, "o/r", ()), tuple(issues))


def titles(texts: Iterable[IssueText]) -> set[str]:
    return {text.title for text in texts}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> AutoTokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    write_wordpiece(folder, [f"w{i}" for i in range(300)])
    return AutoTokenizer.from_pretrained(folder)


def test_text_ends_where_the_holdout_begins():
    source = snap(issue(n) for n in range(40))
    assert holdout_start(source, 0.25) == 30
    corpus = gather([source], 0.25, 0.1)
    assert titles(corpus.texts + corpus.held_out) == {f"title {n}" for n in range(30)}
    assert corpus.cuts == {"s": issue(30)}
    (said,) = corpus.to_json()["snapshots"]
    assert said == {"id": "s", "ends": issue(30).created_at, "before_issue": 30}


def test_issues_of_one_creation_time_are_divided_by_their_numbers():
    same = [replace(issue(n), created_at="2024-01-01T00:00:00Z") for n in range(40)]
    corpus = gather([snap(same), snap((issue(n) for n in range(50, 90)), "t")], 0.25, 0.1)
    texts = titles(corpus.texts + corpus.held_out)
    assert texts == {f"title {n}" for n in (*range(30), *range(50, 80))}


def test_text_ends_where_the_evaluation_of_a_training_begins():
    source = snap(issue(n, label="bug" if n % 3 else None) for n in range(95))
    labeled = [x for x in source.issues if x.labels]
    cut = holdout_cut(Recipe(holdout=0.3), len(labeled))
    before = before_holdout(source, 0.3)
    assert [x for x in before if x.labels] == labeled[:cut]
    assert source.issues[len(before)] == labeled[cut]


def test_holdout_is_counted_in_labeled_issues_and_unlabeled_text_is_in():
    labeled = [issue(n) for n in range(0, 80, 2)]
    unlabeled = [issue(n, label=None, pull=n % 4 == 1) for n in range(1, 80, 2)]
    source = snap(sorted(labeled + unlabeled, key=lambda x: x.created_at))
    corpus = gather([source], 0.5, 0.1)
    assert titles(corpus.texts + corpus.held_out) == {f"title {n}" for n in range(40)}


def test_text_without_labels_comes_newest_first_and_none_is_of_the_holdouts_time():
    labeled = [issue(n) for n in range(0, 80, 2)]
    unlabeled = [issue(n, label=None, pull=n % 4 == 1) for n in range(1, 80, 2)]
    source = snap(sorted(labeled + unlabeled, key=lambda x: x.created_at))
    found = unlabeled_before_holdout(source, 0.5)
    assert [text.title for text in found] == [f"title {n}" for n in range(39, 0, -4)]


def test_repository_that_is_too_small_for_a_training_has_no_holdout():
    corpus = gather([snap(issue(n) for n in range(9))], 0.2, 0.2)
    assert len(corpus.texts + corpus.held_out) == 9
    assert corpus.cuts == {"s": None}


def test_same_text_counts_once_across_snapshots():
    first = snap([issue(1, "same"), issue(2, "same"), issue(3)], "a")
    second = snap([issue(7, "same"), issue(8)], "b")
    corpus = gather([first, second], 0.2, 0.2)
    assert (corpus.duplicates, len(corpus.texts + corpus.held_out)) == (2, 3)
    assert corpus.to_json()["duplicates_removed"] == 2


def test_text_that_a_holdout_has_as_well_is_left_out():
    issues = [issue(n) for n in range(39)]
    late = issue(39, "title 3")
    corpus = gather([snap([*issues, late])], 0.2, 0.2)
    assert "title 3" not in titles(corpus.texts + corpus.held_out)
    assert corpus.leaked == 1


def test_held_out_texts_are_the_same_when_the_corpus_grows():
    small = gather([snap(issue(n, label=None) for n in range(100))], 0.2, 0.2)
    large = gather([snap(issue(n, label=None) for n in range(200))], 0.2, 0.2)
    assert 8 < len(small.held_out) < 35
    # The lowest hash always judges, so one text may change sides.
    assert len(titles(small.held_out) - titles(large.held_out)) <= 1


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_both_sides_have_a_text_whatever_the_share(share: float):
    corpus = gather([snap([issue(1), issue(2)])], 0.2, share)
    assert (len(corpus.texts), len(corpus.held_out)) == (1, 1)


@pytest.mark.parametrize(
    "issues", [[], [issue(1)], [issue(n, title=" ", body="") for n in range(5)]]
)
def test_no_text_is_a_clear_error(issues: list[SnapshotIssue]):
    with pytest.raises(NoText, match="import issues"):
        gather([snap(issues)], 0.2, 0.1)


def test_long_text_is_windowed_and_nothing_of_it_is_lost(tokenizer):
    text = prepare("long", " ".join(f"w{i}" for i in range(300)))
    found = windows([text], tokenizer, max_tokens=32, overlap=4)
    inner = [w.ids[1:-1] for w in found]
    assert all(len(w.ids) <= 32 and w.special[0] == w.special[-1] == 1 for w in found)
    assert all(a[-4:] == b[:4] for a, b in pairwise(inner))
    joined = inner[0] + tuple(token for part in inner[1:] for token in part[4:])
    assert list(joined) == tokenizer(text.full, add_special_tokens=False)["input_ids"]


def test_short_text_is_one_window(tokenizer):
    (window,) = windows([prepare("app", "crash")], tokenizer, max_tokens=32, overlap=4)
    assert (window.special[0], sum(window.special)) == (1, 2)


def test_title_and_body_are_a_pair_in_the_first_window_of_a_text_that_has_both(tokenizer):
    texts = [prepare("one", "w1 " * 50), prepare("alone", ""), prepare("", "w3")]
    found = windows(texts, tokenizer, max_tokens=32, overlap=4)
    assert [bool(w.title) for w in found] == [True, False, False, False]
    assert list(found[0].title) == tokenizer("one")["input_ids"]
    assert len(found[0].body) == 32 and not found[1].body
