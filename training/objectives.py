"""What an encoder can learn from text without labels. An objective is (model, batch) -> loss.

masked       guess masked tokens (Devlin et al. 2019, arXiv 1810.04805)
anchor       keep the vectors of whole texts near those of the encoder as it was
contrastive  find the body that belongs to a title among the bodies of the batch (multiple
             negatives ranking, Henderson et al. 2017, arXiv 1705.00652)
denoising    tell a text again from the vector of what deletion left of it (TSDAE, Wang et al. 2021,
             arXiv 2104.06979)

A sentence encoder's vectors mean something already, and guessing tokens alone destroys that: the
other three keep it, or work on the vectors themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from training.batches import pad
from training.checkpoint import Checkpoint
from training.corpus import Window
from training.masked_lm import masked_loss
from training.masking import Masks

OBJECTIVES = ("masked", "anchor", "contrastive", "denoising")
SCALE = 20.0
"""By which cosines are multiplied before the softmax, as sentence-transformers has it."""
DELETED = 0.6
ANCHORED = 0.25
"""The share of a batch's texts that the anchor looks at: each costs a pass over the whole text."""

Loss = Callable[[nn.Module, dict[str, Any]], Tensor]


@dataclass(frozen=True)
class Collate:
    """Windows to a batch with what these objectives need; randomness is torch's."""

    checkpoint: Checkpoint
    masks: Masks
    names: tuple[str, ...]

    def __call__(self, windows: Sequence[Window]) -> dict[str, Any]:
        """Tensors of shape (windows, tokens), named as the objectives below take them."""
        fill = self.masks.fill
        batch: dict[str, Any] = {}
        if "masked" in self.names:
            batch |= self.masks(windows).to_batch()
        if "anchor" in self.names:
            some = windows[: max(1, round(ANCHORED * len(windows)))]
            batch["anchored"] = pad([window.ids for window in some], fill)
        if "contrastive" in self.names:
            pairs = [window for window in windows if window.title]
            batch["titles"] = pad([window.title for window in pairs], fill)
            batch["bodies"] = pad([window.body for window in pairs], fill)
        if "denoising" in self.names:
            batch["whole"] = pad([window.ids for window in windows], fill)
            batch["left"] = pad([_delete(window) for window in windows], fill)
        return batch


class Anchor:
    """The mean of 1 - cosine to the vectors of the encoder as it was, from 0 to 2."""

    def __init__(self, checkpoint: Checkpoint, frozen: nn.Module) -> None:
        self._checkpoint = checkpoint
        self._frozen = frozen.eval().requires_grad_(False)

    def __call__(self, model: nn.Module, batch: dict[str, Any]) -> Tensor:
        ids, mask = batch["anchored"]
        with torch.no_grad():
            before = vectors(self._checkpoint, self._frozen.to(ids.device), ids, mask)
        now = vectors(self._checkpoint, base(model), ids, mask)
        loss: Tensor = (1 - (now * before).sum(dim=-1)).mean()
        return loss


class Contrastive:
    """Cross entropy of each title's body among all bodies, and of each body's title, in nats.

    A batch with fewer than two pairs has loss 0.
    """

    def __init__(self, checkpoint: Checkpoint, scale: float = SCALE) -> None:
        self._checkpoint = checkpoint
        self._scale = scale

    def __call__(self, model: nn.Module, batch: dict[str, Any]) -> Tensor:
        if len(batch["titles"][0]) < 2:
            return nothing(model)
        titles = vectors(self._checkpoint, base(model), *batch["titles"])
        bodies = vectors(self._checkpoint, base(model), *batch["bodies"])
        alike = self._scale * titles @ bodies.T
        truth = torch.arange(len(alike), device=alike.device)
        bodies_of = functional.cross_entropy(alike, truth)
        titles_of = functional.cross_entropy(alike.T, truth)
        return (bodies_of + titles_of) / 2


class Denoising(nn.Module):
    """A small decoder that sees of the text nothing but one vector, and is thrown away afterwards.

    Its embeddings are the encoder's own, as its output's are: what it learns, the vector must say.
    """

    def __init__(self, checkpoint: Checkpoint, model: PreTrainedModel, positions: int) -> None:
        super().__init__()
        width = words(model).shape[1]
        heads = max(1, width // 64)
        self._checkpoint = checkpoint
        self.positions = nn.Embedding(positions, width)
        self.decoder = nn.TransformerDecoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True
        )

    def forward(self, model: nn.Module, batch: dict[str, Any]) -> Tensor:
        """The mean cross entropy of each token given the tokens before it and the vector."""
        ids, mask = batch["whole"]
        memory = vectors(self._checkpoint, base(model), *batch["left"]).unsqueeze(1)
        embedding = words(model)
        given, wanted = ids[:, :-1], ids[:, 1:]
        places = torch.arange(given.shape[1], device=ids.device)
        later = torch.ones(len(places), len(places), dtype=torch.bool, device=ids.device).triu(1)
        hidden = self.decoder(
            embedding[given] + self.positions(places), memory * memory.shape[-1] ** 0.5, later
        )
        asked = mask[:, 1:].bool()
        logits = hidden[asked] @ embedding.T
        return functional.cross_entropy(logits.float(), wanted[asked])


class Together(nn.Module):
    """The weighted sum of objectives, or in each batch one of them, drawn by weight (`turns`)."""

    def __init__(
        self, parts: Mapping[str, Loss], weights: Mapping[str, float], turns: bool = False
    ) -> None:
        super().__init__()
        self.parts = dict(parts)
        self.trained = nn.ModuleList(p for p in parts.values() if isinstance(p, nn.Module))
        self.weights = {name: weights[name] for name in parts}
        self.turns = turns
        self.seen: dict[str, list[Tensor]] = {}

    def forward(self, model: nn.Module, batch: dict[str, Any]) -> Tensor:
        """The loss of a batch that has what every part needs."""
        if self.turns:
            shares = torch.tensor(list(self.weights.values()))
            name = list(self.parts)[int(torch.multinomial(shares, 1))]
            return self._seen(name, self.parts[name](model, batch))
        losses = [
            self.weights[name] * self._seen(name, part(model, batch))
            for name, part in self.parts.items()
        ]
        return torch.stack(losses).sum()

    def figures(self) -> dict[str, float]:
        """The mean loss of each part since it was asked about last."""
        found = {name: float(torch.stack(seen).mean()) for name, seen in self.seen.items()}
        self.seen.clear()
        return found

    def _seen(self, name: str, loss: Tensor) -> Tensor:
        if self.training:
            self.seen.setdefault(name, []).append(loss.detach())
        return loss


def build(
    weights: Mapping[str, float],
    checkpoint: Checkpoint,
    model: PreTrainedModel,
    *,
    turns: bool = False,
    max_tokens: int = 128,
) -> Together:
    """The objectives of these weights, by their names in OBJECTIVES."""
    makers: dict[str, Callable[[], Loss]] = {
        "masked": lambda: masked_loss,
        "anchor": lambda: Anchor(checkpoint, checkpoint.encoder()),
        "contrastive": lambda: Contrastive(checkpoint),
        "denoising": lambda: Denoising(checkpoint, model, max_tokens),
    }
    wanted = [name for name in OBJECTIVES if weights.get(name)]
    return Together({name: makers[name]() for name in wanted}, weights, turns)


def base(model: nn.Module) -> PreTrainedModel:
    """The encoder inside a model with a head."""
    assert isinstance(model, PreTrainedModel)
    found = model.base_model
    assert isinstance(found, PreTrainedModel)
    return found


def words(model: nn.Module) -> Tensor:
    """The embeddings of the vocabulary, (tokens, width)."""
    weight = base(model).get_input_embeddings().weight
    assert isinstance(weight, Tensor)
    return weight


def nothing(model: nn.Module) -> Tensor:
    """A loss of 0 that a gradient can be asked of."""
    trained = next(parameter for parameter in model.parameters() if parameter.requires_grad)
    return 0 * trained.sum()


def vectors(checkpoint: Checkpoint, encoder: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """Pooled vectors of length 1, (texts, width) float32."""
    hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return checkpoint.pool(hidden, mask)


def _delete(window: Window) -> list[int]:
    """The window without DELETED of its tokens; special ones stay, and at least one other."""
    special = torch.tensor(window.special, dtype=torch.bool)
    kept = torch.rand(len(special)) >= DELETED
    if not (kept & ~special).any():
        kept[int((~special).nonzero()[0])] = True
    kept |= special
    return [token for token, on in zip(window.ids, kept.tolist(), strict=True) if on]
