"""Adapt the encoder to the repositories' own text, and move every head to the new one.

The new encoder and the heads that were trained on it are published together, or none of them:
where a step fails, and where the heads got worse on average, the encoder before stays in force.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot import adapting_publish as publishing
from bot.adapting_publish import Head as Head
from bot.adapting_runs import Plan, beginning, of_job, resuming
from bot.corpus import PRIVATE as PRIVATE
from bot.corpus import Corpus as Corpus
from bot.corpus import NoText as NoText
from bot.corpus import corpus as corpus
from bot.encoders import in_force
from bot.errors import AdaptationFailed as AdaptationFailed
from bot.errors import BotError
from bot.launch import Launch
from bot.launcher import TrainingCancelled
from bot.launchers import Busy, Unreachable
from bot.new_text import note_tried
from bot.snapshots import contents
from bot.tasks import Stopped
from bot.training import (
    NothingToLearn,
    Options,
    RunRemoved,
    Trainer,
    clear,
    read_metrics,
    require_enough,
    start,
)
from models import encoder_card
from models.bundle import ENCODER
from models.encoder import Encoder
from models.encoder_card import EncoderCard
from models.encoders import Encoders
from models.errors import ModelError

if TYPE_CHECKING:
    from bot.recording import Record
    from bot.store.rows import Repository

WORSE = (
    "micro F1 falls by {fall:.4f} on average, so the previous encoder stays in force;"
    " `labelwright adapt --resume --anyway` publishes the new one all the same"
)


@dataclass(frozen=True)
class Adapted:
    """An adaptation that came to its end. `encoder` is the name of the published version; None
    where nothing was published, and then `reason` says why. `card` is the new encoder's."""

    encoder: str | None
    card: EncoderCard
    heads: tuple[Head, ...]
    reason: str = ""

    @property
    def change(self) -> float | None:
        """The mean change of micro F1; see `mean_change`."""
        return mean_change(self.heads)


def mean_change(heads: Sequence[Head]) -> float | None:
    """Of micro F1, every repository with two heads to compare weighing the same; else None."""
    pairs = [(x.before, x.after) for x in heads if x.before is not None and x.after is not None]
    if not pairs:
        return None
    mean = sum(after - before for before, after in pairs) / len(pairs)
    return round(mean, 9)  # 0.7 - 0.6 and 0.5 - 0.6 make no loss


class Adapter:
    """Adapts the server's encoder. `tell` gets a line at each step.

    Before each head `gives_way` is asked whether others are to go first: then Stopped is raised.
    """

    def __init__(
        self,
        trainer: Trainer,
        tell: Callable[[str], None] = lambda line: None,
        gives_way: Callable[[], bool] = lambda: False,
    ) -> None:
        self.trainer = trainer
        self.encoders = Encoders(trainer.settings.encoders)
        self.tell = tell
        self.gives_way = gives_way

    def adapt(
        self,
        corpus: Corpus,
        options: Options | None = None,
        *,
        recipe: Path | None = None,
        anyway: bool = False,
    ) -> Adapted:
        """Adapt the encoder in force to a corpus; publish it with heads trained on it.

        Where the heads are worse on average nothing is published, unless `anyway`; what was made
        is kept for `resume`. Raises EncoderRefused before anything begins, NotNow, and
        AdaptationFailed: then the encoder before stays in force with its heads.
        """
        plan = self._plan(corpus, recipe)
        with beginning(self.trainer, plan) as folder:
            note_tried(self.trainer.store, plan.repositories)
            return self._go_on(folder, plan, options, anyway)

    def resume(self, options: Options | None = None, *, anyway: bool = False) -> Adapted:
        """Go on with an adaptation that was interrupted, or not published: what it has made is
        not made again. Raises AdaptationFailed, NotNow."""
        with resuming(self.trainer) as (folder, plan):
            return self._go_on(folder, plan, options, anyway)

    def as_job(self, choose: Callable[[], Corpus], options: Options) -> Adapted:
        """The adaptation of the job in `options`: begun with the corpus that `choose` gives, or
        gone on with where it was left, its processes found again.

        Raises NoText, AdaptationFailed, TrainingCancelled; Stopped and Busy, which leave it to go
        on; RunRemoved, after which it may be begun again.
        """
        with (
            self.trainer.recorded("adapt", options) as (chosen, record),
            of_job(self.trainer, record, lambda: self._plan(choose())) as (folder, plan),
            _failing(folder),
        ):
            return self._finish(_Run(self, folder, plan, chosen), record)

    def _plan(self, corpus: Corpus, recipe: Path | None = None) -> Plan:
        """What an adaptation of the encoder in force begins with. Raises EncoderRefused."""
        settings = self.trainer.settings
        encoder = in_force(settings)
        Encoder.load(encoder, max_tokens=settings.max_tokens)
        repositories = [row.id for row in corpus.repositories]
        return Plan(repositories, encoder, None if recipe is None else str(recipe.absolute()))

    def _go_on(self, folder: Path, plan: Plan, options: Options | None, anyway: bool) -> Adapted:
        with _failing(folder), self.trainer.recorded("adapt", options) as (chosen, record):
            record.lies_in(folder)
            return self._finish(_Run(self, folder, plan, chosen), record, anyway)

    def _finish(self, run: _Run, record: Record, anyway: bool = False) -> Adapted:
        """Do all of it. Its end is noted before its folder goes: a job is not done twice."""
        done = self._run(run, record, anyway)
        record.end("refused" if done.encoder is None else "published", done.reason)
        if done.encoder is not None or not done.heads:
            clear(run.folder)
        return done

    def _run(self, run: _Run, record: Record, anyway: bool) -> Adapted:
        encoder = run.encoder()
        card = encoder_card.read(encoder)
        if not card.share:
            return Adapted(None, card, (), card.why)
        begun = publishing.begun(run.folder, self.trainer.store)
        heads = run.heads(encoder) if begun is None else begun
        record.gating()
        change = mean_change(heads) or 0.0
        if begun is None and change < 0 and not anyway:
            return Adapted(None, card, heads, WORSE.format(fall=-change))
        name = publishing.publish(run.folder, self.encoders, self.trainer.registry, encoder, heads)
        for bundle in [head.bundle for head in heads if head.bundle is not None][:1]:
            self.trainer.remember(str(self.encoders.path(name)), bundle)
        return Adapted(name, card, heads)


@contextmanager
def _failing(folder: Path) -> Iterator[None]:
    what = "the previous encoder stays in force; `labelwright adapt --resume` goes on from here"
    try:
        yield
    except (Busy, Unreachable):
        raise
    except TrainingCancelled:
        if folder.exists():
            clear(folder)
        raise
    except (BotError, ModelError, OSError) as error:
        if not folder.exists():
            raise RunRemoved from error
        raise AdaptationFailed(f"{error}; {what}") from error
    except KeyboardInterrupt:
        raise AdaptationFailed(f"interrupted; {what}") from None


class _Run:
    """One adaptation in its folder: snapshots, the new encoder, and the heads, set aside."""

    def __init__(self, adapter: Adapter, folder: Path, plan: Plan, options: Options) -> None:
        self._adapter = adapter
        self._trainer = adapter.trainer
        self.folder = folder
        self._plan = plan
        self._options = options
        self._turn = ""

    def encoder(self) -> Path:
        """The folder of the new encoder, made now unless it was before the interruption.

        Raises TrainingFailed.
        """
        snapshots = [self._snapshot(number) for number in self._plan.repositories]
        launch = Launch.adaptation(
            self.folder,
            self._trainer.settings,
            snapshots,
            encoder=self._plan.encoder,
            recipe=self._plan.recipe,
        )
        if not launch.out.exists():
            many = f"{len(snapshots)} repositor{'y' if len(snapshots) == 1 else 'ies'}"
            self._adapter.tell(f"the encoder learns from the text of {many}")
            self._doing("encoder")
            start(launch, self._options)
        return launch.out

    def heads(self, encoder: Path) -> tuple[Head, ...]:
        """What becomes of every repository's head, once none has changed under our hands.

        One that is published meanwhile may have learned from newer labels than our snapshot has:
        its repository is done again, so that publishing ours loses nothing.
        """
        done: dict[int, tuple[str, Head]] = {}
        while behind := [
            (row, version)
            for row, version in self._published()
            if row.id not in done or done[row.id][0] != version
        ]:
            for number, (row, version) in enumerate(behind, start=1):
                self._turn = f"{number} of {len(behind)}"
                head = replace(self._head(row, version, encoder), version=version)
                done[row.id] = (version, head)
        return tuple(head for _, head in done.values())

    def _published(self) -> Iterator[tuple[Repository, str]]:
        for row in self._trainer.store.repositories.all():
            version = self._trainer.registry.current(row.id)
            if version is not None:
                yield row, version

    def _head(self, repository: Repository, version: str, encoder: Path) -> Head:
        """A head on the encoder in force and one on the new one, from one snapshot."""
        if (self._trainer.registry.path(repository.id, version) / ENCODER).is_dir():
            return Head(repository, note="it keeps the encoder of its own that it was tuned with")
        self._adapter.tell(f"{repository.full_name}: a head on either encoder")
        self._drop_unless_of(version, repository)
        try:
            before = self._train(repository, "before", self._plan.encoder)
            after = self._train(repository, "after", str(encoder))
        except NothingToLearn as reason:
            return Head(repository, note=f"it keeps its model: {reason}")
        f1 = [read_metrics(bundle)["micro_f1"] for bundle in (before, after)]
        return Head(repository, f1[0], f1[1], after)

    def _train(self, repository: Repository, name: str, encoder: str) -> Path:
        """The bundle of a head, trained now unless it was before the interruption."""
        folder = self._part(name, repository.id)
        snapshot = self._snapshot(repository.id)
        launch = Launch.head(folder, self._trainer.settings, encoder=encoder, snapshot=snapshot)
        if (launch.out / "card.json").is_file():
            return launch.out
        require_enough(repository, contents(snapshot))
        if not self._is_under_way(launch):
            if self._adapter.gives_way():
                raise Stopped("other jobs go first")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        log = self.folder / "training.log"
        self._doing(f"head {self._turn}, {name}")
        return self._trainer.run(replace(launch, log=log), self._options)

    def _doing(self, part: str) -> None:
        """Note which of its processes is at work: names of repositories have no place there."""
        if self._options.record is not None:
            self._options.record.doing(part)

    def _is_under_way(self, launch: Launch) -> bool:
        """Whether the process that writes it was started by whoever went on with it before us."""
        record = self._options.record
        return record is not None and record.handle(launch.out) is not None

    def _snapshot(self, repository_id: int) -> Path:
        """The repository's one snapshot: the encoder and both heads see the same issues.

        Beside it lies which head was in force before it was taken.
        """
        target = self._part("snapshots", repository_id)
        if not target.exists():
            repository = self._trainer.store.repositories.get(repository_id)
            if repository is None:
                raise NoText(f"repository {repository_id} is not here any more")
            target.parent.mkdir(exist_ok=True)
            version = self._trainer.registry.current(repository_id)
            _noted(target).write_text(version or "", encoding="utf-8")
            self._trainer.snapshot(repository, target, self._plan.encoder)
        return target

    def _drop_unless_of(self, version: str, repository: Repository) -> None:
        """Drop a snapshot, with its heads, that was taken while another head was in force."""
        snapshot = self._part("snapshots", repository.id)
        if snapshot.exists() and _noted(snapshot).read_text("utf-8") != version:
            self._adapter.tell(f"{repository.full_name}: its head changed meanwhile: once more")
            for kind in ("before", "after", "snapshots"):
                shutil.rmtree(self._part(kind, repository.id), ignore_errors=True)

    def _part(self, kind: str, repository_id: int) -> Path:
        return self.folder / kind / str(repository_id)


def _noted(snapshot: Path) -> Path:
    return snapshot.with_name(f"{snapshot.name}.head")
