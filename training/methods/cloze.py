"""Zero-shot by cloze prompt: which label's words fit into "This issue is about [MASK]."?

Schick and Schütze 2021, "Exploiting cloze questions for few-shot text classification", without
their training: a label's words are the word pieces of its name. How likely a word is anyway is
taken off first: by what the model says to a prompt without content (Zhao et al. 2021, "Calibrate
before use"), or to the project's texts on average (Zhou et al. 2024, "Batch calibration"). No
weight is learned: the slice chooses between these and between a threshold and the likeliest labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from models.errors import EncoderRefused
from models.text import IssueText
from models.zero_shot import label_text
from training.guesses import Guesser
from training.methods.base import Fitted, Resources, Task, Unavailable
from training.methods.choosing import best_cut

Array = np.ndarray[Any, Any]

PROMPT = "This issue is about {mask}."
WITHOUT_CONTENT = (IssueText("", ""), IssueText("N/A", ""))
MOST_TOKENS = 128
"""Of an issue, prompt included: what it is about is said at its beginning."""
JUDGED, AVERAGED = 512, 256
"""Issues of the slice on which settings are chosen, unlabeled texts whose mean is taken."""


class Cloze:
    """Log probabilities of labels' words in the prompt's gap."""

    def __init__(self, guesser: Guesser, names: Sequence[str], max_tokens: int) -> None:
        self._guesser = guesser
        tokenizer = guesser.tokenizer
        self._prompt = PROMPT.format(mask=tokenizer.mask_token)
        special_and_prompt = len(tokenizer(self._prompt)["input_ids"])
        self._room = max(1, min(max_tokens, MOST_TOKENS) - special_and_prompt)
        words = [label_text(name, "").title for name in names]
        # With a space before: byte-level tokenizers write a word inside a text otherwise.
        pieces = [tokenizer(f" {word}", add_special_tokens=False)["input_ids"] for word in words]
        self._pieces = [ids or [tokenizer.unk_token_id] for ids in pieces]

    def log_probabilities(self, texts: Sequence[IssueText]) -> Array:
        """Mean over a label's word pieces, (texts, labels)."""
        made = np.zeros((len(texts), len(self._pieces)))
        if not texts:
            return made
        rows = self._guesser.tokenizer(self._prompted(texts))["input_ids"]
        for owners, logits in self._guesser.at_masks(rows):
            log = logits.log_softmax(dim=1).numpy()
            # The prompt's gap is the last one: a text may hold masks of its own.
            last = np.append(owners[1:] != owners[:-1], True)
            found = [log[last][:, pieces].mean(axis=1) for pieces in self._pieces]
            made[owners[last]] = np.column_stack(found)
        return made

    def _prompted(self, texts: Sequence[IssueText]) -> list[str]:
        """Title and the body's beginning, then the prompt."""
        full = [text.full for text in texts]
        spans = self._guesser.tokenizer(
            full,
            add_special_tokens=False,
            truncation=True,
            max_length=self._room,
            return_offsets_mapping=True,
        )["offset_mapping"]
        ends = [span[-1][1] if span else 0 for span in spans]
        return [
            f"{text[:end]} {self._prompt}".strip() for text, end in zip(full, ends, strict=True)
        ]


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """From the adapted checkpoint where there is one. Raises Unavailable without a mask token."""
    try:
        guesser = Guesser((resources.adapted or resources.vanilla).folder, resources.max_tokens)
    except EncoderRefused as error:
        raise Unavailable(f"needs a masked language model: {error}") from error
    return [_fit(task, guesser, resources) for task in tasks]


def _fit(task: Task, guesser: Guesser, resources: Resources) -> Fitted:
    cloze = Cloze(guesser, task.labeled.names, resources.max_tokens)
    rng = np.random.default_rng(resources.seed)
    rows = rng.permutation(len(task.labeled))[:JUDGED]
    judged = task.labeled.take(rows)
    found = cloze.log_probabilities(judged.texts)
    project = cloze.log_probabilities(task.unlabeled[:AVERAGED]) if task.unlabeled else found
    anyway = {
        "nothing": np.zeros(found.shape[1]),
        "without content": cloze.log_probabilities(WITHOUT_CONTENT).mean(axis=0),
        "the project's texts": project.mean(axis=0),
    }
    cuts = {name: best_cut(_scores(found, off), judged) for name, off in anyway.items()}
    best = max(cuts, key=lambda name: cuts[name].micro_f1)
    cut, off = cuts[best], anyway[best]

    def predict(texts: Sequence[IssueText]) -> Array:
        return cut.apply(_scores(cloze.log_probabilities(texts), off))

    chosen = {"calibrated by": best, "top": cut.top, "guesses": guesser.head}
    return Fitted(predict, cut.threshold, chosen)


def _scores(log_probabilities: Array, anyway: Array) -> Array:
    """Probabilities as they are, or the odds against how likely the words are anyway."""
    if not anyway.any():
        return np.asarray(np.exp(log_probabilities))
    return np.asarray(expit(log_probabilities - anyway))
