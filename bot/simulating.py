"""A repository's history replayed in a process of its own: what we would have done all along.

What an interrupted simulation has worked out stays in its folder, without any text, until another
one goes on from there.
"""

from __future__ import annotations

import fcntl
import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot import policy
from bot.encoders import in_force
from bot.errors import BotError
from bot.habits import late_labels
from bot.launch import Launch, here
from bot.policy import IssueFacts
from bot.repo_config import RepoConfig, Skip
from bot.training import Options, Trainer, require_enough, start
from models.labels import LabelScore
from models.prediction import Prediction

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store.rows import Label, Repository

REPORT = ("figures.json", "curve.svg", "curve.png")
"""What of a simulation is worth keeping: it holds numbers and names of labels, no text."""
_ANYBODY = IssueFacts(author=None, association="NONE")


class NotSimulated(BotError):
    """The simulation did not come to its end; the message says how to go on."""


@contextmanager
def simulation(
    trainer: Trainer, repository: Repository, options: Options | None = None
) -> Iterator[Path]:
    """The folder of a finished simulation, which is gone when the block ends.

    Raises NothingToLearn, NotSimulated, TrainingFailed, Stopped.
    """
    encoder = in_force(trainer.settings)
    with (
        _folder(trainer.settings, repository) as folder,
        trainer.recorded("simulate", options, repository.id) as (chosen, record),
    ):
        record.lies_in(folder)
        contents = trainer.snapshot(repository, folder / "snapshot", encoder)
        require_enough(repository, contents)
        launch = _launch(trainer, repository, folder, encoder)
        try:
            start(launch, chosen)
        except KeyboardInterrupt:
            record.end("cancelled", "interrupted")
            again = f"`labelwright simulate {repository.full_name}` goes on from here"
            raise NotSimulated(f"interrupted; {again}") from None
        trainer.keep_vectors(launch.out)
        trainer.remember(encoder, launch.out)
        yield launch.out


def copy_report(simulated: Path, out: Path) -> None:
    """Put the figures and the picture into a folder, in place of those before. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    for name in REPORT:
        shutil.copyfile(simulated / name, out / name)


def held_back(
    config: RepoConfig, labels: Mapping[int, Label], late: frozenset[int] = frozenset()
) -> tuple[list[str], list[str]]:
    """(labels that are only suggested, labels that are not even shown), whatever their scores.

    It is asked of the policy, label by label, by a score that could not be higher. Pure.
    """
    suggested, off = [], []
    for label in labels.values():
        action = at_best(label, config, late).action
        if action == "suggest":
            suggested.append(label.name)
        elif action == "none":
            off.append(label.name)
    return suggested, off


def at_best(label: Label, config: RepoConfig, late: frozenset[int]) -> policy.Verdict:
    """What becomes of a label whose score could not be higher, and why. Pure."""
    if config.fallback is not None and config.fallback.casefold() == label.name.casefold():
        # It answers to what the others get, not to a score.
        return policy.Verdict(label.id, label.name, None, "none", "it is the fallback label")
    score = LabelScore(label.name, 1.0, "apply", 0.0, 0.0, "", label.id)
    decision = policy.decide(
        Prediction("", (score,)),
        replace(config, fallback=None, skip=Skip()),
        mode="apply",
        labels={label.id: label},
        present=frozenset(),
        removed=frozenset(),
        issue=_ANYBODY,
        late=late,
    )
    return decision.verdicts[0]


def _launch(trainer: Trainer, repository: Repository, folder: Path, encoder: str) -> Launch:
    settings, store = trainer.settings, trainer.store
    config = RepoConfig.from_dict(repository.config)
    labels = {label.id: label for label in store.labels.all(repository.id)}
    suggested, off = held_back(config, labels, late_labels(store, repository.id))
    out = folder / "simulation"
    named = Path(encoder)
    arguments = [
        *("--snapshot", str((folder / "snapshot").absolute())),
        *("--out", str(out.absolute())),
        *("--encoder", str(named.absolute()) if named.is_dir() else encoder),
        *("--max-tokens", str(settings.max_tokens)),
        *("--retrain-after", str(config.retrain_after)),
        *(f"--suggest-only={name}" for name in suggested),
        *(f"--off={name}" for name in off),
    ]
    if settings.threads:
        arguments += ["--threads", str(settings.threads)]
    return Launch(
        module="training.simulate",
        arguments=tuple(arguments),
        out=out,
        log=folder / "training.log",
        timeout=math.inf,
        launcher=here(settings),
        threads=settings.threads,
        # All that it worked out is on disk at any time: there is nothing for it to say.
        abrupt=True,
    )


@contextmanager
def _folder(settings: Settings, repository: Repository) -> Iterator[Path]:
    """The folder of a repository's simulations, one at a time. Issue text does not outlive it.

    Raises NotSimulated where another one is under way.
    """
    folder = settings.runs / f"simulate.{repository.id}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".simulating").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            why = f"another simulation of {repository.full_name} is under way: wait for its end"
            raise NotSimulated(why) from None
        try:
            _clear(folder)
            yield folder
        finally:
            _clear(folder)


def _clear(folder: Path) -> None:
    """Remove what a simulation read and what it made; what it has worked out stays."""
    for name in ("snapshot", "simulation"):
        shutil.rmtree(folder / name, ignore_errors=True)
