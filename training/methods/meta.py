"""Meta-learning: other repositories teach how to make a classifier of few issues.

Prototypes (Snell et al. 2017, "Prototypical networks for few-shot learning"): a label is the mean
of its issues, and an issue is compared with that and with the mean of the others. Learned over the
other repositories, in episodes that look like the task (Vinyals et al. 2016), are a low-rank
change of the frozen vectors and how much a label's own words, its few issues and its rarity say.
The slice gives its means and chooses between the changed vectors and those of the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.text import IssueText
from training.data import Examples
from training.methods.base import Fitted, Resources, Task, Unavailable
from training.methods.choosing import best_setting, out_of_fold
from training.methods.space import Space

Array = np.ndarray[Any, Any]
Vectors = Literal["changed", "encoder's"]

EPISODES = 400
SUPPORTS = (8, 16, 32, 64, 128)
"""How many labeled issues an episode has, as often each."""
QUERIES = 64
FEWEST_POSITIVES = 4
"""Of a label in a repository from which it can be asked for in an episode."""
RANK = 32
RATE, SCALAR_RATE, DECAY = 1e-3, 3e-2, 1e-2
SETTINGS: tuple[Vectors, ...] = ("changed", "encoder's")


@dataclass(frozen=True)
class Arrays:
    """A repository for torch: vectors (n, width), truth and weights (n, labels), labels' vectors
    (labels, width)."""

    vectors: Tensor
    truth: Tensor
    weights: Tensor
    labels: Tensor

    @classmethod
    def of(cls, examples: Examples) -> Arrays:
        """Of examples in a space of vectors; a label's words stand for whole text and title."""
        labels = np.tile(examples.label_vectors, (1, 2))
        weights = np.minimum(examples.weights, 1.0)
        arrays = (examples.vectors, examples.truth, weights, labels)
        return cls(*(torch.from_numpy(np.asarray(a, dtype=np.float32)) for a in arrays))

    def take(self, rows: Array, columns: Array) -> Arrays:
        """Some issues, some labels."""
        i, j = torch.from_numpy(rows), torch.from_numpy(columns)
        return Arrays(self.vectors[i], self.truth[i][:, j], self.weights[i][:, j], self.labels[j])


class Prototypes(nn.Module):
    """Logits of issues from labeled ones. What it learns holds for any repository and any labels.

    Before it has learned anything it leaves the vectors as they are. `scale` is a logarithm,
    `trust_in_words` and `pull` go through a softplus.
    """

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        down = torch.randn(width, RANK, generator=generator) / width**0.5
        self.down = nn.Parameter(down)
        self.up = nn.Parameter(torch.zeros(RANK, width))
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.trust_in_words = nn.Parameter(torch.tensor(0.0))
        self.pull = nn.Parameter(torch.tensor(1.0))
        self.rarity = nn.Parameter(torch.tensor(1.0))
        self.bias = nn.Parameter(torch.tensor(0.0))

    def embed(self, vectors: Tensor) -> Tensor:
        """Vectors of length 1, (rows, width)."""
        return functional.normalize(vectors + vectors @ self.down @ self.up, dim=-1)

    def forward(self, support: Arrays, vectors: Tensor) -> Tensor:
        """Logits (rows of `vectors`, labels of `support`)."""
        known, asked = self.embed(support.vectors), self.embed(vectors)
        centre = known.mean(dim=0)
        words = self.embed(support.labels)
        words = words - words.mean(dim=0) if len(words) > 1 else words - centre
        pull = functional.softplus(self.pull)
        yes = support.weights * support.truth
        no = support.weights - yes
        start = centre + functional.softplus(self.trust_in_words) * words
        with_label = _mean(known, yes, start, pull)
        without = _mean(known, no, centre.expand_as(words), pull)
        nearer = asked @ (with_label - without).T
        middle = (with_label.square() - without.square()).sum(dim=1) / 2
        rate = torch.log((yes.sum(dim=0) + 0.5) / (no.sum(dim=0) + 0.5))
        return self.scale.exp() * (nearer - middle) + self.rarity * rate + self.bias


def learn(others: Sequence[Arrays], *, episodes: int, seed: int) -> Prototypes:
    """Prototypes that do well in episodes of these repositories. Same input, same result."""
    rng = np.random.default_rng(seed)
    model = Prototypes(others[0].vectors.shape[1], torch.Generator().manual_seed(seed))
    change = [model.down, model.up]
    scalars = [p for p in model.parameters() if p.ndim == 0]
    optimizer = torch.optim.AdamW(
        [
            {"params": change, "lr": RATE, "weight_decay": DECAY},
            {"params": scalars, "lr": SCALAR_RATE, "weight_decay": 0.0},
        ]
    )
    for _ in range(episodes):
        support, query = _episode(others[int(rng.integers(len(others)))], rng)
        logits = model(support, query.vectors)
        loss = functional.binary_cross_entropy_with_logits(
            logits, query.truth, query.weights, reduction="sum"
        ) / query.weights.sum().clamp(min=1)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return model.eval()


def fit(tasks: Sequence[Task], resources: Resources) -> list[Fitted]:
    """Learn how from `resources.others`, then each task. Raises Unavailable without others."""
    space = resources.vanilla
    others = [Arrays.of(space.examples(e)) for e in resources.others if len(e)]
    others = [e for e in others if len(e.vectors) > min(SUPPORTS) and len(_askable(e))]
    if not others:
        raise Unavailable("needs labeled issues of other repositories")
    model = learn(others, episodes=EPISODES // resources.effort, seed=resources.seed)
    return [_fit(task.labeled, model, space, resources.seed) for task in tasks]


def _fit(examples: Examples, model: Prototypes, space: Space, seed: int) -> Fitted:
    labeled = space.examples(examples)
    models = {"changed": model, "encoder's": _unchanged(model)}

    def try_both(train: Examples, test: Examples) -> Array:
        found = [_probabilities(models[name], train, test.vectors) for name in SETTINGS]
        return np.stack(found, axis=2)

    tried = out_of_fold(try_both, labeled, seed=seed)
    setting, judged = best_setting(SETTINGS, tried, labeled)

    def predict(texts: Sequence[IssueText]) -> Array:
        return _probabilities(models[setting], labeled, space.vectors(texts))

    return Fitted(predict, judged.threshold, {"vectors": setting})


def _probabilities(model: Prototypes, support: Examples, vectors: Array) -> Array:
    with torch.inference_mode():
        logits = model(Arrays.of(support), torch.from_numpy(vectors))
    return np.asarray(torch.sigmoid(logits).double().numpy())


def _unchanged(model: Prototypes) -> Prototypes:
    """The same scalars with the encoder's own vectors."""
    plain = Prototypes(len(model.down), torch.Generator().manual_seed(0))
    plain.load_state_dict(model.state_dict() | {"up": torch.zeros_like(model.up)})
    return plain.eval()


def _mean(vectors: Tensor, weights: Tensor, start: Tensor, pull: Tensor) -> Tensor:
    """Weighted means (labels, width), as if `start` had been seen `pull` times before."""
    total = weights.sum(dim=0).unsqueeze(1)
    return (weights.T @ vectors + pull * start) / (total + pull)


def _episode(repository: Arrays, rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """(support, query): different issues of one repository, with the labels worth asking for."""
    rows = rng.permutation(len(repository.vectors))
    sizes = [size for size in SUPPORTS if size < len(rows)]
    size = sizes[rng.integers(len(sizes))]
    columns = _askable(repository)
    return (
        repository.take(rows[:size], columns),
        repository.take(rows[size : size + QUERIES], columns),
    )


def _askable(repository: Arrays) -> Array:
    positives = (repository.truth * (repository.weights > 0)).sum(dim=0)
    negatives = ((1 - repository.truth) * (repository.weights > 0)).sum(dim=0)
    return torch.nonzero((positives >= FEWEST_POSITIVES) & (negatives > 0)).ravel().numpy()
