"""Copies of texts in other words."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import IssueText
from tests.training.planted import planted
from tests.training.tiny import tiny_masked_lm
from training.augment import delete_words, distort, replace_words, swap_words
from training.guesses import Guesser

TEXTS = [
    IssueText("The app crashes on start", "Open the app.\n\n  It crashes, again and again (v1.2)"),
    IssueText("no body", ""),
    IssueText("", ""),
    IssueText("🐛 ¿", "```\n\t!!\n```"),
    IssueText("the [MASK] in the text", "and the rest"),
]


@pytest.fixture(scope="module")
def guesser(tmp_path_factory: pytest.TempPathFactory) -> Guesser:
    """A tiny masked language model."""
    return Guesser(tiny_masked_lm(tmp_path_factory.mktemp("augment") / "masked"), 64)


def words(text: IssueText) -> list[str]:
    """In reading order."""
    return re.findall(r"\w+", text.full)


def test_only_words_are_replaced_and_a_share_of_them(guesser: Guesser):
    before = planted(40).texts
    after = replace_words(before, guesser, seed=0)
    changed = [
        sum(a != b for a, b in zip(words(x), words(y), strict=True))
        for x, y in zip(before, after, strict=True)
    ]
    assert min(changed) >= 1
    assert 0.05 < sum(changed) / sum(len(words(text)) for text in before) < 0.2


def test_all_that_is_no_word_stays_where_it_is(guesser: Guesser):
    after = replace_words(TEXTS, guesser, seed=0, share=1.0)
    for old, new in zip(TEXTS, after, strict=True):
        assert re.sub(r"\w+", "", new.title) == re.sub(r"\w+", "", old.title)
        assert re.sub(r"\w+", "", new.body) == re.sub(r"\w+", "", old.body)
    assert after[2:] == TEXTS[2:], "nothing to replace, or a mask of its own"
    assert after[0].title != TEXTS[0].title


def test_no_word_is_replaced_by_itself(guesser: Guesser):
    before = [IssueText(text.title.lower(), text.body.lower()) for text in planted(20).texts]
    known = {guesser.word(i) for i in guesser.whole_words()}
    for old, new in zip(before, replace_words(before, guesser, seed=1, share=1.0), strict=True):
        pairs = list(zip(words(old), words(new), strict=True))
        assert all(a != b for a, b in pairs if a in known)


def test_a_replacement_depends_on_seed_and_text_alone(guesser: Guesser):
    texts = planted(12).texts
    together = replace_words(texts, guesser, seed=3)
    assert together == replace_words(texts, guesser, seed=3)
    assert together != replace_words(texts, guesser, seed=4)
    assert together[5:6] == replace_words(texts[5:6], guesser, seed=3)


def test_a_long_text_is_rewritten_in_its_window_and_kept_beyond(guesser: Guesser):
    text = IssueText("title", "the app " * 400)
    (after,) = replace_words([text], guesser, seed=0)
    assert after != text
    assert after.body.endswith(text.body[1000:])


def test_no_text_is_no_copy(guesser: Guesser):
    assert replace_words([], guesser, seed=0) == []
    assert distort([], seed=0) == []


@given(text=st.text(st.sampled_from("ab \n"), max_size=60), seed=st.integers(0, 99))
def test_swapping_keeps_every_word_and_every_space(text: str, seed: int):
    after = swap_words(text, np.random.default_rng(seed))
    assert Counter(after.split()) == Counter(text.split())
    assert re.sub(r"\S+", "", after) == re.sub(r"\S+", "", text)


@given(text=st.text(st.sampled_from("ab \n"), max_size=60), seed=st.integers(0, 99))
def test_deleting_keeps_the_order_and_at_least_one_word(text: str, seed: int):
    after = delete_words(text, np.random.default_rng(seed), share=0.9)
    rest = iter(text.split())
    assert all(any(word == other for other in rest) for word in after.split())
    assert bool(after.split()) == bool(text.split())


def test_about_the_share_is_deleted():
    text = " ".join(["word"] * 2000)
    assert 150 < 2000 - len(delete_words(text, np.random.default_rng(0)).split()) < 250


def test_a_distorted_text_is_a_text_of_the_same_words():
    texts = planted(20).texts
    after = distort(texts, seed=0)
    assert after == distort(texts, seed=0) != distort(texts, seed=1)
    assert all(not Counter(words(b)) - Counter(words(a)) for a, b in zip(texts, after, strict=True))
    assert sum(a != b for a, b in zip(texts, after, strict=True)) >= 19
