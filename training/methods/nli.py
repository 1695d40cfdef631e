"""Zero-shot by natural-language inference: does the issue entail "This issue is about bugs."?

Yin et al. 2019, "Benchmarking zero-shot text classification", by the zero-shot-classification
pipeline of transformers, as in Tunstall, von Werra and Wolf 2022, chapter "Dealing with Few to No
Labels". No weight is learned: the slice only chooses between a threshold and the likeliest labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, pipeline

from models.encoder import find_encoder
from models.errors import EncoderRefused
from models.text import IssueText
from models.zero_shot import label_text
from training.checkpoint import Checkpoint, load
from training.data import Examples
from training.methods.base import Fitted, Resources, Task, Unavailable
from training.methods.choosing import best_cut

Array = np.ndarray[Any, Any]

TEMPLATE = "This issue is about {}."
JUDGED = 128
"""Issues of the slice on which the cut is chosen: each costs one pass per label."""
BATCH = 16
_CHARACTERS_A_TOKEN = 20
"""No text of more characters than this a token is read; the tokenizer cuts the rest."""


class Inference:
    """A checkpoint that was trained on natural-language inference."""

    def __init__(self, checkpoint: str, max_tokens: int) -> None:
        """By id or folder. Raises Unavailable where it is no such checkpoint."""
        try:
            found = Checkpoint.find(checkpoint)
            model = load(AutoModelForSequenceClassification, find_encoder(checkpoint))
        except EncoderRefused as error:
            raise Unavailable(f"needs a checkpoint: {error}") from error
        if not any(name.lower().startswith("entail") for name in model.config.label2id):
            raise Unavailable(
                f"needs a checkpoint: {checkpoint} knows {sorted(model.config.label2id)},"
                " and no entailment"
            )
        found.tokenizer.model_max_length = min(max_tokens, found.tokenizer.model_max_length)
        self._max_characters = max_tokens * _CHARACTERS_A_TOKEN
        device = 0 if torch.cuda.is_available() else -1
        self._pipeline: Any = pipeline(
            "zero-shot-classification",
            model=model,
            tokenizer=cast(Any, found.tokenizer),
            device=device,
        )

    def probabilities(self, texts: Sequence[IssueText], labels: Sequence[str]) -> Array:
        """Of entailment against contradiction, (texts, labels)."""
        made = np.zeros((len(texts), len(labels)))
        # Texts of about the same length together: a batch is padded to its longest.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i].full))
        answers = self._pipeline(
            # A premise of nothing at all would be an error.
            [texts[i].full[: self._max_characters] or " " for i in order],
            candidate_labels=list(labels),
            hypothesis_template=TEMPLATE,
            multi_label=True,
            batch_size=BATCH,
        )
        for row, answer in zip(order, answers, strict=True):
            by_label = dict(zip(answer["labels"], answer["scores"], strict=True))
            made[row] = [by_label[label] for label in labels]
        return made


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """One checkpoint for all tasks. Raises Unavailable without one."""
    if resources.nli is None:
        raise Unavailable("needs a checkpoint: one for natural-language inference, by id or folder")
    inference = Inference(resources.nli, resources.max_tokens)
    return [_fit(task.labeled, inference, resources) for task in tasks]


def _fit(labeled: Examples, inference: Inference, resources: Resources) -> Fitted:
    labels = [label_text(label.name, "").title for label in labeled.labels]
    rng = np.random.default_rng(resources.seed)
    rows = rng.permutation(len(labeled))[: max(1, JUDGED // resources.effort)]
    judged = labeled.take(rows)
    cut = best_cut(inference.probabilities(judged.texts, labels), judged)

    def predict(texts: Sequence[IssueText]) -> Array:
        if not texts:
            return np.zeros((0, len(labels)))
        return cut.apply(inference.probabilities(texts, labels))

    return Fitted(predict, cut.threshold, {"template": TEMPLATE, "top": cut.top})
