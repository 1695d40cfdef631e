import json

import numpy as np
import pytest

from models.lexicon import Counts, Lexicon
from models.text import prepare
from tests.models.builders import TEXTS, texts

UNSEEN = [prepare("Crash of the dialog", "The button crashes? Again!"), prepare("", ""), *TEXTS]


def test_lexicon_read_back_gives_the_same_features():
    lexicon, _ = Lexicon.fit(TEXTS)
    terms, weights = lexicon.to_parts()
    read = Lexicon.from_parts(json.loads(json.dumps(terms)), weights)
    before, after = (x.transform(UNSEEN).toarray() for x in (lexicon, read))
    assert np.allclose(before, after, atol=1e-6)


def test_fit_gives_the_features_of_its_texts():
    lexicon, features = Lexicon.fit(TEXTS)
    assert np.allclose(features.toarray(), lexicon.transform(TEXTS).toarray())


def test_title_counts_once_more():
    lexicon, features = Lexicon.fit(TEXTS)
    terms, _ = lexicon.to_parts()
    assert features.shape == (4, len(terms["full"]) + len(terms["title"]))
    assert "start" in terms["title"]
    assert "starts" not in terms["title"]


def test_words_that_were_never_seen_give_nothing():
    lexicon, _ = Lexicon.fit(TEXTS)
    assert lexicon.transform(texts("zebra")).nnz == 0


def test_question_mark_is_a_word():
    lexicon, _ = Lexicon.fit(texts("why ?", "crash", "how ?"))
    assert "?" in lexicon.to_parts()[0]["title"]


def test_features_are_in_canonical_form():
    _, features = Lexicon.fit(TEXTS)
    assert features.has_canonical_format


def test_many_texts_drop_words_that_occur_once():
    lexicon, _ = Lexicon.fit([prepare("a crash", f"unique{i}") for i in range(40)])
    assert lexicon.to_parts()[0]["full"] == ["a", "a crash", "crash"]


@pytest.mark.parametrize("count", [3, 40])
def test_texts_without_a_word_can_be_fitted(count: int):
    lexicon, features = Lexicon.fit([prepare("😀", "🎉" * (i + 1)) for i in range(count)])
    assert features.shape[0] == count
    assert lexicon.transform(TEXTS).shape[0] == len(TEXTS)


def test_texts_without_a_common_word_can_be_fitted():
    lexicon, features = Lexicon.fit(texts(*(f"word{i}" for i in range(40))))
    assert features.shape[0] == 40
    assert lexicon.transform(texts("word3")).nnz > 0


def test_parts_that_do_not_fit_are_refused():
    lexicon, _ = Lexicon.fit(TEXTS)
    terms, weights = lexicon.to_parts()
    with pytest.raises(KeyError):
        Lexicon.from_parts({"full": terms["full"]}, weights)
    with pytest.raises(ValueError):
        Lexicon.from_parts(terms, {**weights, "idf.full": np.ones(3, dtype=np.float32)})


def test_terms_counted_once_give_what_a_fit_of_the_part_gives():
    texts = [
        prepare(f"crash {i % 7} on start", f"error {i % 5} in module {i % 3}") for i in range(60)
    ]
    train, test = np.arange(40), np.arange(40, 60)
    lexicon, fitted = Lexicon.fit([texts[i] for i in train])
    shared = Counts(texts).features(train, test)
    assert np.allclose(shared[0].toarray(), fitted.toarray())
    assert np.allclose(shared[1].toarray(), lexicon.transform([texts[i] for i in test]).toarray())


def test_terms_of_texts_without_a_word_can_be_counted():
    texts = [prepare("😀", "🎉") for _ in range(5)]
    train, test = Counts(texts).features(np.arange(3), np.arange(3, 5))
    assert (train.shape, test.shape) == ((3, 2), (2, 2))
