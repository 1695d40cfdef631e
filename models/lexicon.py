"""Words to features: TF-IDF over the whole text, and over the title once more.

The vectorizers are scikit-learn's; what is saved of them is their vocabulary and their weights as
JSON and arrays, never a pickle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer

from models.text import IssueText

Rows = np.ndarray[Any, Any]

_TOKEN = r"(?u)\b\w+\b|[?!]"
_PARTS = ("full", "title")


class Lexicon:
    """TF-IDF of unigrams and bigrams, sublinear; features (full | title) side by side."""

    def __init__(self, vectorizers: dict[str, Any]) -> None:
        self._vectorizers = vectorizers

    @classmethod
    def fit(cls, texts: Sequence[IssueText]) -> tuple[Lexicon, csr_matrix]:
        """Learn the vocabulary; returns the lexicon and the texts' features, (texts, features)."""
        fits = {
            part: _fit(_vectorizer(_min_df(part, len(texts))), _strings(texts, part))
            for part in _PARTS
        }
        vectorizers = {part: vectorizer for part, (vectorizer, _) in fits.items()}
        return cls(vectorizers), _side_by_side([features for _, features in fits.values()])

    def transform(self, texts: Sequence[IssueText]) -> csr_matrix:
        """Features of texts, sparse float of shape (texts, features)."""
        parts = [self._vectorizers[part].transform(_strings(texts, part)) for part in _PARTS]
        return _side_by_side(parts)

    def to_parts(self) -> tuple[dict[str, list[str]], dict[str, np.ndarray[Any, Any]]]:
        """(terms by part in column order, inverse document frequencies by part)."""
        terms = {p: list(v.get_feature_names_out()) for p, v in self._vectorizers.items()}
        weights = {f"idf.{p}": v.idf_.astype(np.float32) for p, v in self._vectorizers.items()}
        return terms, weights

    @classmethod
    def from_parts(
        cls, terms: dict[str, list[str]], weights: dict[str, np.ndarray[Any, Any]]
    ) -> Lexicon:
        """The inverse of `to_parts`. Raises KeyError or ValueError on parts that do not fit."""
        vectorizers = {}
        for part in _PARTS:
            vectorizer = _vectorizer(1, vocabulary={t: i for i, t in enumerate(terms[part])})
            vectorizer.idf_ = np.asarray(weights[f"idf.{part}"], dtype=np.float64)
            vectorizers[part] = vectorizer
        return cls(vectorizers)


class Counts:
    """The terms of many texts, counted once, for fits on many parts of them.

    Reading words takes longer than fitting: thirteen folds would read the same texts each.
    """

    def __init__(self, texts: Sequence[IssueText]) -> None:
        self._parts = {p: _counted(_strings(texts, p)) for p in _PARTS}

    def features(self, train: Rows, test: Rows) -> tuple[csr_matrix, csr_matrix]:
        """What `Lexicon.fit` on the rows `train` would make of them, and then of `test`."""
        pairs = [self._weighed(part, train, test) for part in _PARTS]
        return _side_by_side([a for a, _ in pairs]), _side_by_side([b for _, b in pairs])

    def _weighed(self, part: str, train: Rows, test: Rows) -> tuple[csr_matrix, csr_matrix]:
        known, new = self._parts[part][train], self._parts[part][test]
        uses = known.getnnz(axis=0)
        terms = np.flatnonzero(uses >= _min_df(part, len(train)))
        if not len(terms):
            return csr_matrix((len(train), 1)), csr_matrix((len(test), 1))
        transformer = TfidfTransformer(sublinear_tf=True).fit(known[:, terms])
        return transformer.transform(known[:, terms]), transformer.transform(new[:, terms])


def _counted(strings: Sequence[str]) -> csr_matrix:
    counter = CountVectorizer(ngram_range=(1, 2), token_pattern=_TOKEN)
    try:
        return counter.fit_transform(strings)
    except ValueError:  # not a word in all of them
        return csr_matrix((len(strings), 1), dtype=np.int64)


def _min_df(part: str, count: int) -> int:
    """In how many texts a term must stand: bodies of many issues repeat what matters."""
    return 2 if part == "full" and count > 30 else 1


def _vectorizer(min_df: int, vocabulary: dict[str, int] | None = None) -> Any:
    return TfidfVectorizer(
        sublinear_tf=True,
        ngram_range=(1, 2),
        min_df=min_df,
        token_pattern=_TOKEN,
        vocabulary=vocabulary,
    )


def _fit(vectorizer: Any, strings: Sequence[str]) -> tuple[Any, csr_matrix]:
    try:
        return vectorizer, vectorizer.fit_transform(strings)
    except ValueError:  # no term is left: texts of emoji alone, or without a word in common
        fallback = _vectorizer(1, {"untitled": 0})
        return fallback, fallback.fit_transform(strings)


def _side_by_side(parts: Sequence[csr_matrix]) -> csr_matrix:
    features = hstack(parts).tocsr()
    # In canonical form from here on: scipy would bring it there in place at the first use, and two
    # threads that fit on the same matrix would do so at the same time.
    features.sum_duplicates()
    return features


def _strings(texts: Sequence[IssueText], part: str) -> list[str]:
    return [text.full if part == "full" else text.title for text in texts]
