"""Fine-tune an encoder on labels: one shared encoder, one linear head for each repository.

The loss is what transformers calls `problem_type="multi_label_classification"`: a sigmoid and
binary cross entropy for each label; labels that exclude each other share a softmax. Heads start
from a logistic regression on the frozen vectors, because random ones would pull the encoder out of
shape before they are any good (LP-FT, Kumar et al. 2022, arXiv 2202.10054).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional

from models.head import squash
from models.labels import Group
from models.text import IssueText
from training.batches import by_length, pad
from training.checkpoint import Checkpoint
from training.data import Examples
from training.hardware import autocast
from training.metrics import decide, micro_f1
from training.progress import Report, silent
from training.trainer import History, Schedule, Work, train

Array = np.ndarray[Any, Any]
Addition = Callable[["Tagger"], Tensor]
Focus = Callable[[Tensor, int], Tensor]
"""From the probability of what is true, and the number of classes, to what its loss counts."""

TOKENS_PER_PREDICTION = 8192
PROBE_C = 1.0
MOST_WEIGHT = 5.0


@dataclass(frozen=True)
class Lesson:
    """One repository's texts with what is known of their labels.

    targets  (texts, labels) float from 0 to 1: a label's probability, 0 and 1 where it is known
    weights  (texts, labels) float: what each of them counts, 0 where nothing is known
    """

    texts: tuple[IssueText, ...]
    targets: Array
    weights: Array
    names: tuple[str, ...]
    groups: tuple[Group, ...] = ()

    @classmethod
    def of(cls, examples: Examples) -> Lesson:
        """What a repository's labeled issues teach."""
        truth = examples.truth.astype(np.float32)
        return cls(examples.texts, truth, examples.weights, examples.names, examples.groups)


@dataclass(frozen=True)
class Tuning:
    """How to fine-tune. `imbalance` from 0 (every example counts alike) to 1 (a label's examples
    and the others count alike in sum); `probe` starts from the frozen encoder's linear head."""

    schedule: Schedule = field(default_factory=Schedule)
    max_tokens: int = 256
    dropout: float = 0.1
    imbalance: float = 0.5
    probe: bool = True


class Tagger(nn.Module):
    """An encoder with one linear head for each repository, over vectors of length 1."""

    def __init__(self, checkpoint: Checkpoint, lessons: Sequence[Lesson], tuning: Tuning) -> None:
        super().__init__()
        self.checkpoint = checkpoint
        self.max_tokens = tuning.max_tokens
        self.encoder = checkpoint.encoder(dropout=tuning.dropout)
        width = self.encoder.config.hidden_size
        self.heads = nn.ModuleList(nn.Linear(width, len(each.names)) for each in lessons)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Vectors of length 1, (texts, width) float32, from ids and mask (texts, tokens)."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.checkpoint.pool(hidden, mask)

    def logits(self, vectors: Tensor, head: int) -> Tensor:
        """(texts, labels of that repository), float32."""
        with torch.autocast(vectors.device.type, enabled=False):
            found: Tensor = self.heads[head](vectors.float())
        return found

    def tokens(self, texts: Sequence[IssueText]) -> list[list[int]]:
        """Token ids of issues, cut after `max_tokens`."""
        return self.checkpoint.tokens([text.full for text in texts], self.max_tokens)

    def encode(self, texts: Sequence[IssueText]) -> Array:
        """Vectors of issues, (texts, width) float32, without gradients."""
        tokens = self.tokens(texts)
        found = np.zeros((len(texts), self.encoder.config.hidden_size), dtype=np.float32)
        training = self.training
        self.eval()
        for batch in by_length([len(each) for each in tokens], TOKENS_PER_PREDICTION):
            ids, mask = self.batch([tokens[i] for i in batch])
            with torch.inference_mode(), autocast(self.device):
                found[batch] = self(ids, mask).float().cpu().numpy()
        self.train(training)
        return found

    def predict(self, texts: Sequence[IssueText], lesson: Lesson, head: int = 0) -> Array:
        """Probabilities of a repository's labels, float (texts, labels)."""
        with torch.inference_mode():
            vectors = torch.from_numpy(self.encode(texts)).to(self.device)
            logits = self.logits(vectors, head).cpu().numpy()
        return squash(logits, lesson.names, lesson.groups)

    def batch(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Rows of token ids as (ids, mask) where the model is."""
        ids, mask = pad(rows, self.checkpoint.tokenizer.pad_token_id or 0)
        return ids.to(self.device), mask.to(self.device)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device


def finetune(
    start: Checkpoint | Tagger,
    lessons: Sequence[Lesson],
    tuning: Tuning,
    *,
    validation: Sequence[Lesson] | None = None,
    addition: Addition | None = None,
    focus: Focus | None = None,
    report: Report = silent,
) -> tuple[Tagger, History]:
    """Tune the encoder on all lessons together; same lessons and seed, same weights.

    `start` is a checkpoint, or a model of the same lessons, of which a copy is tuned further.
    With `validation` (a lesson for each lesson) the epoch with the best micro F1 on it is kept.
    `addition` is a loss that is added at each step, given the model: what semi-supervised methods
    learn from unlabeled text; `focus` weighs each example's loss by how well it is known already.
    Without a text the model stays as it is. Raises Diverged, OutOfMemory.
    """
    torch.manual_seed(tuning.schedule.seed)
    checkpoint = start.checkpoint if isinstance(start, Tagger) else start
    model = Tagger(checkpoint, lessons, tuning)
    if isinstance(start, Tagger):
        model.load_state_dict(start.state_dict())
    elif tuning.probe:
        probe(model, lessons)
    rows = [(k, i) for k, lesson in enumerate(lessons) for i in range(len(lesson.texts))]
    tokens = [model.tokens(lesson.texts) for lesson in lessons]
    loss = _Loss(lessons, tuning.imbalance, focus)
    if not rows:
        return model.eval(), History([], None, tuning.schedule.tokens)

    def collate(batch: list[tuple[int, int]]) -> dict[str, Any]:
        ids, mask = pad([tokens[k][i] for k, i in batch], checkpoint.tokenizer.pad_token_id or 0)
        return {"ids": ids, "mask": mask, "rows": batch}

    def objective(tagger: nn.Module, batch: dict[str, Any]) -> Tensor:
        vectors = tagger(batch["ids"], batch["mask"])
        value = loss(model, vectors, batch["rows"])
        return value if addition is None else value + addition(model)

    work = Work(
        items=rows,
        lengths=[len(tokens[k][i]) for k, i in rows],
        collate=collate,
        objective=objective,
        judge=_judge(lessons, validation) if validation else None,
        criterion="micro_f1",
        higher=True,
    )
    folder = Path(tempfile.mkdtemp(prefix="finetune."))
    try:
        history = train(model, work, tuning.schedule, folder, encoder=model.encoder, report=report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    model.eval()
    return model, history


def probe(model: Tagger, lessons: Sequence[Lesson], *, c: float = PROBE_C) -> None:
    """Set each head to a logistic regression on the encoder's vectors as they are.

    `c` is scikit-learn's: the larger, the less the head is pulled to zero.
    """
    for head, lesson in zip(model.heads, lessons, strict=True):
        assert isinstance(head, nn.Linear)
        coef, intercept = _probed(model.encode(lesson.texts), lesson, c)
        with torch.no_grad():
            head.weight.copy_(torch.from_numpy(coef))
            head.bias.copy_(torch.from_numpy(intercept))


class _Loss:
    """The mean loss of a batch whose rows may come from several repositories."""

    def __init__(
        self, lessons: Sequence[Lesson], imbalance: float, focus: Focus | None = None
    ) -> None:
        self._lessons = lessons
        self._focus = focus
        self._targets = [torch.tensor(x.targets, dtype=torch.float32) for x in lessons]
        self._weights = [torch.tensor(x.weights, dtype=torch.float32) for x in lessons]
        self._positive = [torch.tensor(_positive(x, imbalance)) for x in lessons]

    def __call__(self, model: Tagger, vectors: Tensor, rows: Sequence[tuple[int, int]]) -> Tensor:
        total = vectors.new_zeros(())
        for k in sorted({k for k, _ in rows}):
            places = [place for place, (owner, _) in enumerate(rows) if owner == k]
            taken = [rows[place][1] for place in places]
            total = total + self._of(k, model.logits(vectors[places], k), taken)
        return total / len(rows)

    def _of(self, k: int, logits: Tensor, rows: list[int]) -> Tensor:
        """The summed loss of one repository's rows; a group counts as one label."""
        device = logits.device
        targets, weights = self._targets[k][rows].to(device), self._weights[k][rows].to(device)
        names = self._lessons[k].names
        free = set(range(len(names)))
        total = logits.new_zeros(())
        for group in self._lessons[k].groups:
            columns = [names.index(name) for name in group.members]
            free -= set(columns)
            inside = logits[:, columns], targets[:, columns], weights[:, columns]
            total = total + group_loss(*inside, group.complete, self._focus)
        if free:
            columns = sorted(free)
            losses = functional.binary_cross_entropy_with_logits(
                logits[:, columns],
                targets[:, columns],
                pos_weight=self._positive[k][columns].to(device),
                reduction="none",
            )
            if self._focus:
                missed = (targets[:, columns] - logits[:, columns].detach().sigmoid()).abs()
                losses = losses * self._focus(1.0 - missed, 2)
            total = total + (losses * weights[:, columns]).sum()
        return total


def group_loss(
    logits: Tensor, targets: Tensor, weights: Tensor, complete: bool, focus: Focus | None = None
) -> Tensor:
    """Cross entropy over an exclusive group's members (rows, members), summed over rows.

    Where the group is not complete, "none of them" is one more member with logit 0.
    """
    if not complete:
        none = (1.0 - targets.sum(dim=1, keepdim=True)).clamp(min=0.0)
        logits = torch.cat([logits, torch.zeros_like(logits[:, :1])], dim=1)
        targets = torch.cat([targets, none], dim=1)
    shares = targets / targets.sum(dim=1, keepdim=True).clamp(min=1e-9)
    losses = -(shares * functional.log_softmax(logits, dim=1)).sum(dim=1)
    if focus:
        known = (shares * logits.detach().softmax(dim=1)).sum(dim=1)
        losses = losses * focus(known, logits.shape[1])
    return (losses * weights.amin(dim=1)).sum()


def _positive(lesson: Lesson, imbalance: float) -> Array:
    """What a label's examples count against the others, (labels,) float32."""
    known = lesson.weights > 0
    positive = (lesson.targets * known).sum(axis=0)
    negative = known.sum(axis=0) - positive
    ratio = (negative + 1.0) / (positive + 1.0)
    return np.asarray(np.clip(ratio**imbalance, 1.0, MOST_WEIGHT), dtype=np.float32)


def _probed(vectors: Array, lesson: Lesson, c: float) -> tuple[Array, Array]:
    """(coef (labels, width), intercept (labels,)), float32; the prior where nothing is to learn."""
    coef = np.zeros((len(lesson.names), vectors.shape[1]), dtype=np.float32)
    intercept = np.zeros(len(lesson.names), dtype=np.float32)
    for j in range(len(lesson.names)):
        known = lesson.weights[:, j] > 0
        y = lesson.targets[known, j] >= 0.5
        intercept[j] = np.log((y.sum() + 0.5) / ((~y).sum() + 0.5))
        if y.any() and not y.all():
            model = LogisticRegression(C=c, solver="liblinear", random_state=0)
            model.fit(vectors[known], y, sample_weight=lesson.weights[known, j])
            coef[j], intercept[j] = model.coef_[0], model.intercept_[0]
    return coef, intercept


def _judge(
    lessons: Sequence[Lesson], validation: Sequence[Lesson]
) -> Callable[[nn.Module], dict[str, float]]:
    def judge(model: nn.Module) -> dict[str, float]:
        assert isinstance(model, Tagger)
        scores = [
            _micro_f1(model.predict(seen.texts, lesson, k), seen)
            for k, (lesson, seen) in enumerate(zip(lessons, validation, strict=True))
        ]
        return {"micro_f1": float(np.mean(scores))}

    return judge


def _micro_f1(probabilities: Array, seen: Lesson) -> float:
    """Of the decisions at one half, over the pairs of which something is known."""
    known = seen.weights > 0
    decided = decide(probabilities, 0.5, seen.names, seen.groups)
    return micro_f1((seen.targets >= 0.5) & known, decided & known)
