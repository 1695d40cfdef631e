"""Copies of texts that say the same in other words, from the training slice alone.

Contextual augmentation (Kobayashi 2018): words replaced by what a masked language model would write
there. Easy data augmentation (Wei and Zou 2019, "EDA"): words swapped, words left out. What becomes
of a text depends on the seed and on the text alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.text import IssueText
from training.guesses import Guesser

Array = np.ndarray[Any, Any]

REPLACED = 0.15
"""Share of the words that are replaced, where the model knows them as one token."""
SWAPPED = DELETED = 0.1
LIKELIEST = 20
"""A replacement is drawn from as many words."""

_SPACE = re.compile(r"(\s+)")
_SPACES = re.compile(r"[^\S\n]+")


@dataclass(frozen=True)
class _Gaps:
    """A text's tokens with some words masked: where, what was there, and a draw for each."""

    ids: Array
    places: Array
    spans: tuple[tuple[int, int], ...]
    before: Array
    draws: Array

    def filled(self, full: str, guesses: Sequence[str]) -> str:
        """The text with a guess in each gap."""
        for (start, end), guess in reversed(list(zip(self.spans, guesses, strict=True))):
            full = full[:start] + guess + full[end:]
        return full


def replace_words(
    texts: Sequence[IssueText], guesser: Guesser, seed: int, share: float = REPLACED
) -> list[IssueText]:
    """Each text with a share of its words replaced, the rest of it untouched.

    Only the guesser's window of tokens is rewritten. No word is replaced by itself. A text that
    holds the mask's own name stays as it is.
    """
    words = guesser.whole_words()
    gaps = _gaps(texts, guesser, words, seed, share)
    mask = guesser.tokenizer.mask_token_id
    clean = [i for i, gap in enumerate(gaps) if (gap.ids == mask).sum() == len(gap.places)]
    made = list(texts)
    for owners, logits in guesser.at_masks([gaps[i].ids.tolist() for i in clean]):
        for owner in np.unique(owners):
            i = clean[owner]
            guesses = _draw(logits[torch.from_numpy(owners == owner)], words, gaps[i])
            full = gaps[i].filled(texts[i].full, [guesser.word(g) for g in guesses])
            made[i] = _split(full, texts[i])
    return made


def distort(texts: Sequence[IssueText], seed: int) -> list[IssueText]:
    """Each text with some words swapped and some left out, in title and body apart."""
    made = []
    for text in texts:
        rng = _rng(text, seed)
        title, body = (delete_words(swap_words(part, rng), rng) for part in (text.title, text.body))
        made.append(IssueText(title, body))
    return made


def swap_words(text: str, rng: np.random.Generator, share: float = SWAPPED) -> str:
    """Two words change places, as often as `share` of the words, at least once."""
    pieces, words = _pieces(text)
    if len(words) < 2:
        return text
    for _ in range(max(1, round(share * len(words)))):
        a, b = rng.choice(words, size=2, replace=False)
        pieces[a], pieces[b] = pieces[b], pieces[a]
    return "".join(pieces)


def delete_words(text: str, rng: np.random.Generator, share: float = DELETED) -> str:
    """Each word goes with probability `share`; one stays."""
    pieces, words = _pieces(text)
    if len(words) < 2:
        return text
    goes = rng.random(len(words)) < share
    if goes.all():
        goes[rng.integers(len(words))] = False
    for word in np.array(words)[goes]:
        pieces[word] = ""
    return _SPACES.sub(" ", "".join(pieces)).strip()


def _gaps(
    texts: Sequence[IssueText], guesser: Guesser, words: Array, seed: int, share: float
) -> list[_Gaps]:
    if not texts:
        return []
    encoded = guesser.tokenizer(
        [text.full for text in texts],
        truncation=True,
        max_length=guesser.max_tokens,
        return_offsets_mapping=True,
    )
    made = []
    for i, text in enumerate(texts):
        rng = _rng(text, seed)
        ids, spans = np.array(encoded["input_ids"][i]), encoded["offset_mapping"][i]
        places = _choose(ids, encoded.word_ids(i), words, share, rng)
        masked = ids.copy()
        masked[places] = guesser.tokenizer.mask_token_id
        at = tuple(spans[place] for place in places)
        made.append(_Gaps(masked, places, at, ids[places], rng.random(len(places))))
    return made


def _choose(
    ids: Array, word_ids: Sequence[int | None], words: Array, share: float, rng: np.random.Generator
) -> Array:
    """Positions to replace, in reading order, of the words that are one token each."""
    pieces = Counter(word_ids)
    alone = np.array([word is not None and pieces[word] == 1 for word in word_ids], dtype=bool)
    places = np.flatnonzero(alone & np.isin(ids, words))
    count = min(len(places), max(1, round(share * len(places))))
    return np.sort(rng.choice(places, size=count, replace=False)) if count else places


def _draw(logits: Tensor, words: Array, gaps: _Gaps) -> list[int]:
    """For each gap one of the LIKELIEST words by its probability, never the one that was there."""
    logits = logits[:, torch.from_numpy(words)]
    same = torch.from_numpy(words[None, :] == gaps.before[:, None])
    found = logits.masked_fill(same, -torch.inf).topk(min(LIKELIEST, len(words) - 1))
    shares = torch.softmax(found.values, dim=1).cumsum(dim=1).numpy()
    picked = np.minimum((shares < gaps.draws[:, None]).sum(axis=1), shares.shape[1] - 1)
    return [int(i) for i in words[found.indices.numpy()[np.arange(len(picked)), picked]]]


def _split(full: str, text: IssueText) -> IssueText:
    """Title and body again: the line end between them is no word, and so still there."""
    if not text.body:
        return IssueText(full, "")
    title, body = full.split("\n", 1)
    return IssueText(title, body)


def _pieces(text: str) -> tuple[list[str], list[int]]:
    """Words and spaces in turn, and the positions of the words."""
    pieces = _SPACE.split(text)
    return pieces, [i for i in range(0, len(pieces), 2) if pieces[i]]


def _rng(text: IssueText, seed: int) -> np.random.Generator:
    return np.random.default_rng((seed, int(text.hash, 16)))
