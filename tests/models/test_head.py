import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.head import SIMILARITY_SCALE, Head, squash, stack_columns
from models.labels import Group
from tests.models.builders import NAMES, TEXTS, make_head, make_vectors

VECTORS = make_vectors(4, 16)
KIND = Group("kind", ("bug", "docs"))
logits = arrays(float, st.tuples(st.integers(0, 5), st.just(3)), elements=st.floats(-1e6, 1e6))


def test_head_read_back_gives_the_same_probabilities():
    head = make_head(groups=(KIND,))
    terms, _ = head.lexicon.to_parts()
    read = Head.from_arrays(NAMES, (KIND,), terms, head.to_arrays())
    before, after = (h.probabilities(TEXTS, VECTORS) for h in (head, read))
    assert np.allclose(before, after, atol=1e-6)


def test_probabilities_are_one_for_each_issue_and_label():
    probabilities = make_head().probabilities(TEXTS, VECTORS)
    assert probabilities.shape == (4, 3)
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_an_issue_alone_has_the_probabilities_it_has_among_others():
    head = make_head()
    together = head.probabilities(TEXTS, VECTORS)
    alone = [head.probabilities([t], VECTORS[i : i + 1])[0] for i, t in enumerate(TEXTS)]
    assert np.allclose(together, alone, atol=1e-12)


def test_stack_of_another_shape_is_refused():
    head = make_head()
    terms, _ = head.lexicon.to_parts()
    with pytest.raises(ValueError, match="2 labels, but a stack of shape"):
        Head.from_arrays(NAMES[:2], (), terms, head.to_arrays())


def test_missing_array_is_refused():
    head = make_head()
    terms, weights = head.lexicon.to_parts()
    with pytest.raises(KeyError):
        Head.from_arrays(NAMES, (), terms, weights)


def test_similarity_is_that_of_text_and_title_to_the_label():
    label_vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
    vectors = np.array([[0.6, 0.8, 1.0, 0.0]])
    nothing = np.zeros((1, 2))
    columns = stack_columns(nothing, nothing, vectors, label_vectors)
    assert columns.shape == (1, 2, 5)
    assert np.allclose(columns[0, :, 2] / SIMILARITY_SCALE, [0.6, 0.8])
    assert np.allclose(columns[0, :, 3] / SIMILARITY_SCALE, [1.0, 0.0])
    assert (columns[0, :, 4] == 1).all()


@given(logits)
def test_labels_outside_a_group_are_on_their_own(x: np.ndarray):
    p = squash(x, NAMES, (KIND,))
    assert np.allclose(p[:, 2], 1 / (1 + np.exp(-np.clip(x[:, 2], -40, 40))))


@given(logits)
def test_complete_group_sums_to_one(x: np.ndarray):
    p = squash(x, NAMES, (Group("kind", ("bug", "docs"), complete=True),))
    assert np.allclose(p[:, :2].sum(axis=1), 1)


@given(logits)
def test_other_group_sums_to_one_together_with_none_of_them(x: np.ndarray):
    p = squash(x, NAMES, (KIND,))
    top = np.maximum(x[:, :2].max(axis=1), 0)
    none = np.exp(-top) / (np.exp(x[:, :2] - top[:, None]).sum(axis=1) + np.exp(-top))
    assert np.allclose(p[:, :2].sum(axis=1) + none, 1)


def test_members_of_a_group_may_stand_anywhere():
    x = np.array([[1.0, 9.0, 2.0]])
    p = squash(x, NAMES, (Group("kind", ("area/ui", "bug"), complete=True),))[0]
    assert np.allclose([p[0] + p[2], p[2] / p[0]], [1, np.e])
