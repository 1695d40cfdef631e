"""Adapt the encoder to the repositories' own text, and move every head to the new one.

The new encoder and the heads that were trained on it are published together, or none of them: a
failure before the last of them leaves the encoder before in force, with its heads.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.adapting_runs import Plan, beginning, resuming
from bot.encoders import in_force
from bot.errors import BotError
from bot.launcher import Launch
from bot.snapshots import contents
from bot.training import NothingToLearn, Options, Trainer, read_metrics, require_enough, start
from models import encoder_card
from models.bundle import ENCODER
from models.encoder_card import EncoderCard
from models.encoders import Encoders
from models.errors import ModelError

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store
    from bot.store.rows import Repository

PRIVATE = (
    "private: its text stays out of the encoder that all share, unless"
    " LABELWRIGHT_PRIVATE_TEXT_IN_ENCODER is set or it is named with --include-private"
)


class NoText(BotError):
    """No repository has text that may enter the encoder."""


class AdaptationFailed(BotError):
    """A step failed; nothing was published."""


@dataclass(frozen=True)
class Corpus:
    """Whose text the encoder learns from; `left_out` says of the others why not, by name."""

    repositories: tuple[Repository, ...]
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class Head:
    """What became of one repository's head: micro F1 on the same newest issues, over the encoder
    in force (`before`) and over the new one. `note` says why it was left as it is."""

    repository: Repository
    before: float | None = None
    after: float | None = None
    bundle: Path | None = None
    note: str = ""


@dataclass(frozen=True)
class Adapted:
    """An adaptation that came to its end. `encoder` is the name of the published version, None
    where the original was best; `card` is the encoder's."""

    encoder: str | None
    card: EncoderCard
    heads: tuple[Head, ...]


def corpus(
    settings: Settings,
    store: Store,
    named: Sequence[Repository] = (),
    *,
    include_private: bool = False,
) -> Corpus:
    """The repositories, of those named or of all, whose text may enter the encoder.

    Text of a private repository enters where the settings say so, where it is named and
    `include_private`, and where there is no other repository that would share the encoder.
    Raises NoText where none is left.
    """
    known = store.repositories.all()
    allowed = settings.private_text_in_encoder or (include_private and bool(named))
    entering, left_out = [], {}
    for row in named or known:
        if row.private and not allowed and len(known) > 1:
            left_out[row.full_name] = PRIVATE
        elif not store.issues.count(row.id):
            left_out[row.full_name] = "it has no issues here"
        else:
            entering.append(row)
    if not entering:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise NoText(f"there is no text to adapt the encoder to ({reasons or 'no repository'})")
    return Corpus(tuple(entering), left_out)


class Adapter:
    """Adapts the server's encoder. `tell` gets a line at each step."""

    def __init__(self, trainer: Trainer, tell: Callable[[str], None] = lambda line: None) -> None:
        self.trainer = trainer
        self.encoders = Encoders(trainer.settings.encoders)
        self.tell = tell

    def adapt(
        self, corpus: Corpus, options: Options | None = None, *, recipe: Path | None = None
    ) -> Adapted:
        """Adapt the encoder in force to a corpus; publish it with heads trained on it.

        Raises AdaptationFailed, and then the encoder before stays in force with its heads; NotNow.
        """
        plan = Plan(
            [row.id for row in corpus.repositories],
            in_force(self.trainer.settings),
            None if recipe is None else str(recipe.absolute()),
        )
        with beginning(self.trainer, plan) as folder, _failing():
            return self._run(folder, plan, options or Options())

    def resume(self, options: Options | None = None) -> Adapted:
        """Go on with an adaptation that was interrupted. Raises AdaptationFailed, NotNow."""
        with resuming(self.trainer.settings) as (folder, plan), _failing():
            return self._run(folder, plan, options or Options())

    def _run(self, folder: Path, plan: Plan, options: Options) -> Adapted:
        run = _Run(self, folder, plan, options)
        encoder = run.encoder()
        card = encoder_card.read(encoder)
        if not card.share:
            return Adapted(None, card, ())
        heads = tuple(run.head(row, encoder) for row in self._with_heads())
        return Adapted(self._publish(encoder, heads), card, heads)

    def _with_heads(self) -> Iterator[Repository]:
        for row in self.trainer.store.repositories.all():
            if self.trainer.registry.current(row.id) is not None:
                yield row

    def _publish(self, encoder: Path, heads: Sequence[Head]) -> str:
        """All of it, or none: what was published is taken back where the next step fails."""
        registry = self.trainer.registry
        ready = [(head.repository.id, head.bundle) for head in heads if head.bundle is not None]
        with ExitStack() as undo:
            name = self.encoders.publish(encoder)
            undo.callback(self.encoders.rollback)
            for repository_id, bundle in ready:
                registry.publish(repository_id, bundle)
                undo.callback(registry.rollback, repository_id)
            undo.pop_all()
        for _, bundle in ready[:1]:
            self.trainer.remember(str(self.encoders.path(name)), bundle)
        return name


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except (BotError, ModelError, OSError) as error:
        what = "the previous encoder stays in force; `labelwright adapt --resume` goes on from here"
        raise AdaptationFailed(f"{error}; {what}") from error


class _Run:
    """One adaptation in its folder: snapshots, the new encoder, and the heads, set aside."""

    def __init__(self, adapter: Adapter, folder: Path, plan: Plan, options: Options) -> None:
        self._adapter = adapter
        self._trainer = adapter.trainer
        self._folder = folder
        self._plan = plan
        self._options = options

    def encoder(self) -> Path:
        """The folder of the new encoder, made now unless it was before the interruption.

        Raises TrainingFailed.
        """
        snapshots = [self._snapshot(number) for number in self._plan.repositories]
        launch = Launch.adaptation(
            self._folder,
            self._trainer.settings,
            snapshots,
            encoder=self._plan.encoder,
            recipe=self._plan.recipe,
        )
        if not launch.out.exists():
            many = f"{len(snapshots)} repositor{'y' if len(snapshots) == 1 else 'ies'}"
            self._adapter.tell(f"the encoder learns from the text of {many}")
            start(launch, self._options)
        return launch.out

    def head(self, repository: Repository, encoder: Path) -> Head:
        """A head on the encoder in force and one on the new one, from one snapshot."""
        registry = self._trainer.registry
        version = registry.current(repository.id)
        if version and (registry.path(repository.id, version) / ENCODER).is_dir():
            return Head(repository, note="it keeps the encoder of its own that it was tuned with")
        self._adapter.tell(f"{repository.full_name}: a head on either encoder")
        try:
            before = self._train(repository, "before", self._plan.encoder)
            after = self._train(repository, "after", str(encoder))
        except NothingToLearn as reason:
            return Head(repository, note=f"it keeps its model: {reason}")
        f1 = [read_metrics(bundle)["micro_f1"] for bundle in (before, after)]
        return Head(repository, f1[0], f1[1], after)

    def _train(self, repository: Repository, name: str, encoder: str) -> Path:
        folder = self._folder / name / str(repository.id)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        snapshot = self._snapshot(repository.id)
        require_enough(repository, contents(snapshot))
        launch = Launch.head(folder, self._trainer.settings, encoder=encoder, snapshot=snapshot)
        log = self._folder / "training.log"
        return self._trainer.run(replace(launch, log=log), self._options)

    def _snapshot(self, repository_id: int) -> Path:
        """The repository's one snapshot: the encoder and both heads see the same issues."""
        target = self._folder / "snapshots" / str(repository_id)
        if not target.exists():
            repository = self._trainer.store.repositories.get(repository_id)
            if repository is None:
                raise NoText(f"repository {repository_id} is not here any more")
            self._trainer.snapshot(repository, target, self._plan.encoder)
        return target
