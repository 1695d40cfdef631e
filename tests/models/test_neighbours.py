import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.neighbours import Neighbours, PastIssue, cosines, explain, far_below
from models.prediction import Neighbour
from tests.models.builders import make_vectors

VECTORS = make_vectors(200, 16)
ISSUES = tuple(PastIssue(i, f"issue {i}", ("bug",) if i % 2 else ()) for i in range(200))
INDEX = Neighbours(ISSUES, VECTORS)


def near(number: int, *labels: str) -> Neighbour:
    return Neighbour(number, "a title", labels, 0.9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 210))
def test_nearest_issues_are_those_of_brute_force(seed: int, count: int):
    vector = np.random.default_rng(seed).normal(size=16)
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    similarity = unit @ (vector / np.linalg.norm(vector))
    expected = np.argsort(-similarity)[:count]
    found = INDEX.nearest(vector, count)
    assert [n.number for n in found] == expected.tolist()
    assert np.allclose([n.similarity for n in found], similarity[expected], atol=1e-4)


def test_past_issue_is_its_own_nearest_neighbour():
    (first, *_) = INDEX.nearest(VECTORS[17])
    assert (first.number, first.title, first.labels) == (17, "issue 17", ("bug",))
    assert first.similarity == pytest.approx(1, abs=1e-3)


def test_there_are_no_neighbours_without_a_past():
    assert Neighbours((), np.zeros((0, 16))).nearest(VECTORS[0]) == ()


def test_there_are_no_more_neighbours_than_past_issues():
    assert len(Neighbours(ISSUES[:2], VECTORS[:2]).nearest(VECTORS[0])) == 2


def test_vector_without_length_resembles_nothing():
    assert cosines(VECTORS, np.zeros(16)).tolist() == [0.0] * 200


def test_far_is_what_is_farther_than_labeled_issues_are_from_each_other():
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    similarity = unit @ unit.T - 2 * np.eye(200)
    nearest = similarity.max(axis=1)
    assert nearest.min() <= far_below(VECTORS) <= np.sort(nearest)[2]


def test_nothing_is_far_while_little_was_seen():
    assert far_below(VECTORS[:49]) == -1.0


@pytest.mark.parametrize(
    ("neighbours", "words"),
    [
        ([near(123, "bug"), near(98, "bug", "docs")], "like #123, #98, both `bug`"),
        ([near(123, "bug")], "like #123, `bug`"),
        ([near(1, "bug"), near(2, "bug"), near(3, "bug")], "like #1, #2, #3, all `bug`"),
        ([near(1, "docs"), near(2, "bug")], "like #2, `bug`"),
        ([near(1, "docs")], ""),
        ([], ""),
    ],
)
def test_explanation_names_the_neighbours_with_the_label(neighbours: list[Neighbour], words: str):
    assert explain(neighbours, "bug") == words
