"""The models that this process has loaded: encoders, and a head for each repository.

A new version that was published meanwhile is noticed at the next question, so a worker never has
to be restarted. A repository without a version gets zero-shot suggestions from its labels' names.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from models.errors import ModelError
from models.shelf import Shelf

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bot.encoders import LoadedEncoders
    from bot.settings import Settings
    from bot.store.rows import Label
    from models.prediction import Prediction
    from models.registry import Registry

MAX_LOADED = 64
"""Heads kept in memory; the one that was not asked for longest goes first."""
MAX_ON_TRIAL = 16
"""Heads that are asked beside those in force."""
MAX_WARM = 8
"""Heads loaded at the start: enough for most servers, and the encoder with them."""
_FIRST_TEXT = ("The first text", "Long enough that its language is looked at as well.")


class Predicts(Protocol):
    """What a loaded model does, whichever kind it is."""

    def predict(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
        """One prediction for each (title, body)."""
        ...


@dataclass(frozen=True)
class Loaders:
    """How models come into memory: the only calls that import torch.

    `bundle` loads a published bundle, `zero_shot` makes a predictor from labels, `targets` says
    which precision each label's threshold was set for (by name; empty where it is not known).
    `again` predicts a (title, body) of which another version has said something already.
    """

    bundle: Callable[[Path], Predicts]
    zero_shot: Callable[[Sequence[Label]], Predicts]
    targets: Callable[[Predicts], Mapping[str, float]] = lambda predictor: {}
    again: Callable[[Predicts, tuple[str, str], Prediction], Prediction] = (
        lambda predictor, text, _: predictor.predict([text])[0]
    )


class Predictors:
    """A cache of predictors, safe to share between threads."""

    def __init__(self, registry: Registry, loaders: Loaders, log: FilteringBoundLogger) -> None:
        self.registry = registry
        self._loaders = loaders
        self._log = log
        self._loaded: OrderedDict[tuple[int, str], Predicts] = OrderedDict()
        self._on_trial = Shelf[Predicts](MAX_ON_TRIAL)
        self._refused: set[tuple[int, str]] = set()
        self._lock = threading.Lock()

    def predict(
        self, repository_id: int, labels: Sequence[Label], title: str, body: str
    ) -> Prediction:
        """Predict one issue of a repository with its current version.

        `labels` are those that exist now; only zero-shot needs them. Raises ModelError when
        neither a version nor zero-shot can be had.
        """
        return self.current(repository_id, labels).predict([(title, body)])[0]

    def current(self, repository_id: int, labels: Sequence[Label]) -> Predicts:
        """The predictor of the version that is published now, else zero-shot.

        A version that does not load is reported once; what was loaded before stays in force.
        """
        with self._lock:
            found = self._published(repository_id)
            if found is not None:
                return found
            key = (repository_id, _zero_shot_version(labels))
            return self._keep(key, lambda: self._loaders.zero_shot(labels))

    def targets(self, repository_id: int, version: str) -> Mapping[str, float]:
        """The precision that each label's threshold was set for in a version, by label name."""
        with self._lock:
            loaded = self._loaded.get((repository_id, version))
        return {} if loaded is None else self._loaders.targets(loaded)

    def on_trial(
        self, repository_id: int, version: str, text: tuple[str, str], known: Prediction
    ) -> tuple[Prediction, Mapping[str, float]]:
        """What a version that is not in force says of a (title, body), and its `targets`.

        `known` is what the one in force said: an encoder that both have is not asked twice. Nobody
        who asks the version in force waits for this. Raises ModelError and whatever a model may.
        """
        path = self.registry.path(repository_id, version)
        found = self._on_trial.get((repository_id, version), lambda: self._loaders.bundle(path))
        return self._loaders.again(found, text, known), self._loaders.targets(found)

    def warm(self, repository_ids: Iterable[int]) -> int:
        """Load published models ahead of the first issue; returns how many there are now.

        One that fails is logged: the server starts all the same, and its issues' jobs say more.
        """
        with self._lock:
            for repository_id in repository_ids:
                if len(self._loaded) >= MAX_WARM:
                    break
                try:
                    found = self._published(repository_id)
                    if found is not None:
                        # Encoder and language come into memory with the first text, in seconds.
                        found.predict([_FIRST_TEXT])
                except Exception:  # noqa: BLE001 - the start of a process goes on; logged below
                    self._log.exception("model fails on a first text", repository=repository_id)
            return len(self._loaded)

    def _published(self, repository_id: int) -> Predicts | None:
        """The published version; what was loaded before where it is refused; else None."""
        version: str | None = None
        try:
            version = self.registry.current(repository_id)
            if version is None:
                return None
            if (repository_id, version) not in self._refused:
                path = self.registry.path(repository_id, version)
                return self._keep((repository_id, version), lambda: self._loaders.bundle(path))
        except ModelError as error:
            self._refuse(repository_id, version, error)
        older = [k for k in self._loaded if k[0] == repository_id and not _is_zero_shot(k[1])]
        return self._loaded[older[-1]] if older else None

    def _refuse(self, repository_id: int, version: str | None, error: ModelError) -> None:
        """Report a version that cannot be loaded, once."""
        key = (repository_id, version or "")
        if key not in self._refused:
            self._refused.add(key)
            self._log.error("model refused", repository=repository_id, error=str(error))

    def _keep(self, key: tuple[int, str], load: Callable[[], Predicts]) -> Predicts:
        if key not in self._loaded:
            self._loaded[key] = load()
            self._drop_others(key)
        self._loaded.move_to_end(key)
        while len(self._loaded) > MAX_LOADED:
            self._loaded.popitem(last=False)
        return self._loaded[key]

    def _drop_others(self, key: tuple[int, str]) -> None:
        """Once a repository's new model is loaded, its older ones are not needed any more."""
        for other in [k for k in self._loaded if k[0] == key[0] and k != key]:
            del self._loaded[other]


def _zero_shot_version(labels: Sequence[Label]) -> str:
    """Changes whenever a label is renamed, described, added or removed."""
    return f"zero-shot:{hash(tuple(sorted((x.id, x.name, x.description) for x in labels)))}"


def _is_zero_shot(version: str) -> bool:
    return version.startswith("zero-shot:")


def standard_loaders(settings: Settings) -> Loaders:
    """Loaders over the encoders of this server, each loaded when it is first needed."""

    @cache
    def encoders() -> LoadedEncoders:
        from bot.encoders import LoadedEncoders

        return LoadedEncoders(settings)

    def bundle(path: Path) -> Predicts:
        from models.bundle import read
        from models.predictor import Predictor

        loaded = read(path)
        return Predictor(loaded, encoders().of(loaded), path.name)

    def zero_shot(labels: Sequence[Label]) -> Predicts:
        from models.zero_shot import ZeroShot

        # What counts as similar is known of the settings' encoder, not of one adapted from it.
        return ZeroShot(labels, encoders().of_settings())

    def targets(predictor: Predicts) -> Mapping[str, float]:
        from models.predictor import Predictor

        card = predictor.bundle.card if isinstance(predictor, Predictor) else {}
        return dict(card.get("targets") or {})

    def again(predictor: Predicts, text: tuple[str, str], known: Prediction) -> Prediction:
        from models.predictor import Predictor

        assert isinstance(predictor, Predictor)  # only bundles are on trial
        return predictor.predict_encoded(*text, known.encoded)

    return Loaders(bundle, zero_shot, targets, again)
