"""Train several repositories that were named together.

With a recipe that tunes they share one encoder, tuned on the labels of all: one process, and all
models are published or none. With any other they have nothing in common: one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bot import recipes
from bot.corpus import PRIVATE, stays_private
from bot.encoders import in_force
from bot.errors import BotError
from bot.launch import Launch
from bot.training import (
    NothingToLearn,
    Options,
    Trained,
    Trainer,
    read_metrics,
    require_enough,
    start,
)
from models.errors import ModelError

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store.rows import Repository
    from models.registry import Registry


class PrivateText(BotError):
    """A private repository would teach the encoder that others share; nothing was done."""


class NothingPublished(BotError):
    """A model could not be published, so that those before it were taken back."""


def train(
    trainer: Trainer,
    repositories: Sequence[Repository],
    options: Options,
    *,
    include_private: bool = False,
) -> Iterator[tuple[Repository, Trained]]:
    """Train repositories and publish their models; each as soon as it is published.

    Of several none is trained where one cannot be. Raises as `Trainer.train` does, PrivateText,
    NothingPublished.
    """
    if len(repositories) > 1 and recipes.tunes(options.recipe):
        _require_public(trainer.settings, repositories, options, include_private)
        yield from zip(repositories, _train_together(trainer, repositories, options), strict=True)
        return
    if len(repositories) > 1:
        with trainer.folder("train.several") as folder:
            _snapshots(trainer, repositories, folder)
    for each in repositories:
        yield each, trainer.train(each, options)


def _require_public(
    settings: Settings, repositories: Sequence[Repository], options: Options, include_private: bool
) -> None:
    private = [
        row.full_name
        for row in repositories
        if stays_private(settings, row, include_private=include_private)
    ]
    if private:
        lines = [f"{name}: {PRIVATE}" for name in private]
        alone = f"`labelwright train {private[0]} --recipe {options.recipe}`"
        raise PrivateText("\n  ".join(["nothing was trained:", *lines, f"or alone: {alone}"]))


def _train_together(
    trainer: Trainer, repositories: Sequence[Repository], options: Options
) -> list[Trained]:
    """One process, one encoder, a model for each. Raises as `train` does."""
    started = trainer.now()
    encoder = in_force(trainer.settings)
    with (
        trainer.recorded("together", options) as (options, record),
        trainer.folder("train.together", record) as folder,
    ):
        snapshots = _snapshots(trainer, repositories, folder)
        launch = Launch.heads(
            folder, trainer.settings, snapshots, encoder=encoder, recipe=options.recipe
        )
        start(launch, options)
        bundles = {row.id: launch.out / str(row.id) for row in repositories}
        for bundle in bundles.values():
            trainer.keep_vectors(bundle)
            trainer.remember(encoder, bundle)
        record.gating()
        versions = publish_all(trainer.registry, bundles)
        record.end("published", ", ".join(versions))
        seconds = trainer.now() - started
        return [
            Trained(version, read_metrics(bundle), seconds)
            for version, bundle in zip(versions, bundles.values(), strict=True)
        ]


def _snapshots(
    trainer: Trainer, repositories: Sequence[Repository], folder: Path
) -> dict[int, Path]:
    """A snapshot of each repository, by its id. Raises NothingToLearn, which names all that have
    too little for a training."""
    encoder = in_force(trainer.settings)
    snapshots, short = {}, []
    for row in repositories:
        snapshots[row.id] = folder / "snapshots" / str(row.id)
        contents = trainer.snapshot(row, snapshots[row.id], encoder)
        try:
            require_enough(row, contents)
        except NothingToLearn as reason:
            short.append(str(reason))
    if short:
        raise NothingToLearn("\n  ".join(["nothing was trained:", *short]))
    return snapshots


def publish_all(registry: Registry, bundles: Mapping[int, Path]) -> list[str]:
    """Publish bundles by repository id, all or none; their versions. Raises NothingPublished."""
    versions = []
    with ExitStack() as undo:
        try:
            for repository_id, bundle in bundles.items():
                version = registry.publish(repository_id, bundle)
                undo.callback(registry.withdraw, repository_id, version)
                versions.append(version)
        except (ModelError, OSError) as error:
            what = "no model was published, those before stay in force"
            raise NothingPublished(f"{error}; {what}") from error
        undo.pop_all()
    return versions
