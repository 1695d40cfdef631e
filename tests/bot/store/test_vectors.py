from __future__ import annotations

import subprocess
import sys

import numpy as np

from bot.store import Store


def test_vectors_come_back_in_half_precision_and_in_shape(store: Store) -> None:
    rng = np.random.default_rng(0)
    given = {"a": rng.normal(size=384), "b": rng.normal(size=(3, 8)).astype(np.float32)}
    store.vectors.put_many("e1", given)
    found = store.vectors.get_many("e1", ["a", "b", "unknown"])
    assert set(found) == {"a", "b"}
    for hash, vector in given.items():
        assert found[hash].dtype == np.float16
        np.testing.assert_array_equal(found[hash], vector.astype(np.float16))


def test_each_encoder_has_its_own_vectors(store: Store) -> None:
    store.vectors.put_many("e1", {"a": np.zeros(2)})
    assert store.vectors.get_many("e2", ["a"]) == {}
    assert (store.vectors.count("e1"), store.vectors.count("e2")) == (1, 0)


def test_a_vector_given_again_is_replaced(store: Store) -> None:
    store.vectors.put_many("e1", {"a": np.zeros(2)})
    store.vectors.put_many("e1", {"a": np.ones(2)})
    assert store.vectors.get_many("e1", ["a"])["a"].tolist() == [1.0, 1.0]


def test_thousands_of_vectors_are_asked_for_at_once(store: Store) -> None:
    given = {f"h{n}": np.full(4, n % 100) for n in range(2500)}
    store.vectors.put_many("e1", given)
    assert len(store.vectors.get_many("e1", given)) == 2500
    assert store.vectors.get_many("e1", []) == {}


def test_the_store_does_not_import_torch() -> None:
    code = "import sys, bot.store; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
