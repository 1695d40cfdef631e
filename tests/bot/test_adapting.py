"""The encoder and all heads change together or not at all; whose text enters is the operator's."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot import launcher
from bot.adapting import PRIVATE, AdaptationFailed, Adapter, NoText, corpus
from bot.adapting_runs import NotNow
from bot.encoder_versions import NoEncoder, export, roll_back
from bot.encoders import in_force
from bot.launcher import Launch, TrainingRefused
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Issue, Label, Repository
from bot.training import Trainer
from models import bundle
from models.encoder import Encoder
from models.encoders import Encoders
from models.errors import ArtifactRefused
from models.registry import Registry
from models.snapshot import read
from tests.models.builders import TEXTS, make_bundle
from tests.models.encoders import own_encoder, write_encoder

APP, SECRET, EMPTY, NEW = 1, 2, 3, 4
NAMES = {APP: "octo/app", SECRET: "octo/secret", EMPTY: "octo/empty", NEW: "octo/new"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain encoder for the settings, one adapted from it, and one that kept the original."""
    folder = tmp_path_factory.mktemp("made")
    write_encoder(folder / "plain")
    own_encoder(folder / "adapted", name="adapted", seed=1, share=0.5)
    own_encoder(folder / "same", name="same", seed=0, share=0.0)
    return folder


@dataclass
class Server:
    """A store of four repositories, two of which have a head; trainings are only pretended."""

    settings: Settings
    store: Store
    registry: Registry
    made: Path
    adapted: str = "adapted"
    launches: list[Launch] = field(default_factory=list)
    failing: Callable[[Launch], bool] = lambda launch: False

    def repository(self, number: int) -> Repository:
        found = self.store.repositories.get(number)
        assert found is not None
        return found

    def adapter(self) -> Adapter:
        return Adapter(Trainer(self.settings, self.store, self.registry))

    def adapt(self, *named: int, include_private: bool = False):
        rows = [self.repository(number) for number in named]
        chosen = corpus(self.settings, self.store, rows, include_private=include_private)
        return self.adapter().adapt(chosen)

    def publish_head(self, number: int, encoder: Path, **more: object) -> str:
        """A head of a repository that was trained on an encoder, in force."""
        target = self.settings.home / f"head-{number}-{len(list(self.settings.home.iterdir()))}"
        bundle.write(target, head(number, str(encoder), **more))
        return self.registry.publish(number, target)

    def run(self, launch: Launch, **how: object) -> float:
        """In the place of a process."""
        self.launches.append(launch)
        if self.failing(launch):
            raise TrainingRefused("the disk is full", 1, launch.log)
        given = arguments(launch)
        if launch.module == "training.adapt":
            shutil.copytree(self.made / self.adapted, launch.out)
        else:
            number = read(Path(given["--snapshot"])).repository.id
            bundle.write(launch.out, head(number, given["--encoder"]))
        return 0.0

    def state(self) -> tuple[object, ...]:
        current = (self.registry.current(number) for number in NAMES)
        return (Encoders(self.settings.encoders).current(), *current)


def arguments(launch: Launch) -> dict[str, str]:
    return dict(zip(launch.arguments[::2], launch.arguments[1::2], strict=False))


def head(number: int, encoder: str, *, own: Path | None = None) -> bundle.Bundle:
    found = Encoder.load(encoder)
    facts = {"name": found.name, "version": found.version, "max_tokens": found.max_tokens}
    plain = make_bundle(repository=number, dimension=16)
    f1 = 0.7 if found.name == "adapted" else 0.5
    metrics = {"micro_f1": f1}
    return replace(plain, card={**plain.card, "encoder": facts}, metrics=metrics, encoder=own)


@pytest.fixture
def server(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    store = Store.open(tmp_path / "labelwright.db")
    with store.transaction():
        for number, name in NAMES.items():
            store.repositories.upsert(number, name, private=number == SECRET)
            store.labels.upsert(Label(number, 10 * number, "bug"))
            for issue in range(1, 1 if number == EMPTY else 25):
                at = f"2025-01-01T00:00:{issue:02}Z"
                row = Issue(number, issue, issue, f"t{issue}", "b", created_at=at)
                store.issues.upsert(replace(row, labels=(10 * number,)))
    settings = Settings(home=tmp_path, encoder=str(made / "plain"))
    running = Server(settings, store, Registry(tmp_path / "models"), made)
    for number in (APP, SECRET):
        running.publish_head(number, made / "plain")
    monkeypatch.setattr(launcher, "run", running.run)
    yield running
    store.close()


def test_every_head_moves_to_the_new_encoder(server: Server):
    done = server.adapt()
    assert done.encoder == Encoders(server.settings.encoders).current()
    assert [(x.repository.id, x.before, x.after) for x in done.heads] == [
        (APP, 0.5, 0.7),
        (SECRET, 0.5, 0.7),
    ]
    for number in (APP, SECRET):
        current = server.registry.path(number, str(server.registry.current(number)))
        assert bundle.read(current).card["encoder"]["name"] == "adapted"
    assert server.registry.current(NEW) is None


def test_both_heads_of_a_repository_come_from_the_snapshot_that_the_encoder_learned_from(
    server: Server,
):
    server.adapt()
    adaptation, before, after, *_ = server.launches
    assert arguments(before)["--snapshot"] in adaptation.arguments
    assert arguments(before)["--snapshot"] == arguments(after)["--snapshot"]
    assert arguments(before)["--encoder"] == server.settings.encoder
    assert arguments(after)["--encoder"] == str(adaptation.out)


def test_the_next_adaptation_starts_from_the_encoder_in_force(server: Server):
    server.adapt()
    first = in_force(server.settings)
    server.launches.clear()
    server.adapt()
    assert arguments(server.launches[0])["--encoder"] == first != in_force(server.settings)


def test_vectors_over_the_new_encoder_are_known_to_the_next_training(
    server: Server, tmp_path: Path
):
    server.adapt()
    trainer, encoder = server.adapter().trainer, in_force(server.settings)
    version = Encoder.load(encoder).version
    trainer.snapshot(server.repository(APP), tmp_path / "next", encoder)
    assert server.store.vectors.count(version) == len(TEXTS)


def text_kept(server: Server) -> list[Path]:
    """The folders of issue text that runs left behind."""
    return [*server.settings.runs.glob("*/snapshots"), *server.settings.runs.glob("*/encoder*")]


@pytest.mark.parametrize("step", range(1, 6))
def test_a_failure_at_any_step_changes_nothing_and_can_be_taken_up_again(server: Server, step: int):
    before = server.state()
    server.failing = lambda launch: len(server.launches) == step
    with pytest.raises(AdaptationFailed, match=r"disk is full; the previous encoder .* --resume"):
        server.adapt()
    assert server.state() == before
    server.failing = lambda launch: False
    assert server.adapter().resume().encoder == Encoders(server.settings.encoders).current()
    adaptations = [x for x in server.launches if x.module == "training.adapt"]
    assert len(adaptations) == (2 if step == 1 else 1)
    assert text_kept(server) == []


def test_what_is_taken_up_again_learns_from_the_text_of_the_first_time(server: Server):
    server.failing = lambda launch: True
    with pytest.raises(AdaptationFailed):
        server.adapt(APP)
    server.store.issues.upsert(Issue(APP, 99, 99, "new", "", created_at="2025-02-01T00:00:00Z"))
    server.failing = lambda launch: False
    server.adapter().resume()
    first, second, head, *_ = server.launches
    assert first.arguments == second.arguments
    assert arguments(head)["--snapshot"] == arguments(first)["--snapshot"]


def test_a_new_adaptation_drops_the_text_of_one_that_failed(server: Server):
    server.failing = lambda launch: True
    with pytest.raises(AdaptationFailed):
        server.adapt()
    assert text_kept(server)
    server.failing = lambda launch: False
    server.adapt()
    assert text_kept(server) == []
    with pytest.raises(NotNow, match="no adaptation was interrupted"):
        server.adapter().resume()


def test_two_adaptations_do_not_run_side_by_side(server: Server):
    other = Adapter(Trainer(server.settings, server.store, server.registry))

    def meanwhile(launch: Launch) -> bool:
        with pytest.raises(NotNow, match="another adaptation is under way"):
            other.resume()
        return False

    server.failing = meanwhile
    assert server.adapt().encoder


def test_a_head_that_cannot_be_published_takes_back_what_was(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    before = server.state()
    publish = server.registry.publish

    def refuse_the_second(number: int, folder: Path) -> str:
        if number == SECRET:
            raise ArtifactRefused(folder, "it is damaged")
        return publish(number, folder)

    monkeypatch.setattr(server.registry, "publish", refuse_the_second)
    with pytest.raises(AdaptationFailed, match="it is damaged"):
        server.adapt()
    assert server.state() == before


def test_where_the_original_is_best_nothing_is_published(server: Server):
    server.adapted, before = "same", server.state()
    done = server.adapt()
    assert (done.encoder, done.heads, server.state()) == (None, (), before)
    assert len(server.launches) == 1


def test_a_head_with_an_encoder_of_its_own_keeps_it(server: Server, made: Path):
    own = server.publish_head(APP, made / "same", own=made / "same")
    done = server.adapt()
    assert "encoder of its own" in done.heads[0].note
    assert server.registry.current(APP) == own


def test_a_repository_that_lost_its_labels_keeps_its_model(server: Server):
    for issue in range(3, 25):
        at = f"2025-01-02T00:00:{issue:02}Z"
        row = Issue(SECRET, issue, issue, "t", "b", created_at=at, updated_at=at)
        server.store.issues.upsert(row)
    before = server.registry.current(SECRET)
    done = server.adapt()
    assert "20 are needed" in done.heads[1].note
    assert server.registry.current(SECRET) == before


# Whose text enters


def entering(server: Server, *named: int, **how: bool) -> list[int]:
    rows = [server.repository(number) for number in named]
    return [row.id for row in corpus(server.settings, server.store, rows, **how).repositories]


def test_private_text_stays_out_and_the_reason_is_told(server: Server):
    found = corpus(server.settings, server.store)
    assert [row.id for row in found.repositories] == [APP, NEW]
    assert found.left_out == {"octo/secret": PRIVATE, "octo/empty": "it has no issues here"}


def test_private_text_enters_where_it_is_named_and_meant(server: Server):
    assert entering(server, APP, SECRET) == [APP]
    assert entering(server, APP, SECRET, include_private=True) == [APP, SECRET]
    assert entering(server, include_private=True) == [APP, NEW]


def test_private_text_enters_where_the_settings_say_so(server: Server):
    server.settings = server.settings.model_copy(update={"private_text_in_encoder": True})
    assert entering(server) == [APP, NEW, SECRET]


def test_private_text_enters_where_nobody_else_would_share_the_encoder(server: Server):
    for number in (APP, EMPTY, NEW):
        server.store.repositories.remove(number)
    assert entering(server) == [SECRET]


def test_without_any_text_the_reasons_are_told(server: Server):
    with pytest.raises(NoText, match=r"octo/empty: it has no issues here"):
        corpus(server.settings, server.store, [server.repository(EMPTY)])


# Versions


def test_a_rollback_takes_the_heads_along(server: Server):
    before = server.state()
    server.adapt()
    done = roll_back(server.settings, server.store, server.registry)
    assert done.encoder is None
    assert done.heads == {"octo/app": before[1], "octo/secret": before[2]}
    assert server.state() == before


def test_a_rollback_goes_past_every_head_of_the_encoder(server: Server):
    before = server.state()
    server.adapt()
    server.publish_head(APP, Path(in_force(server.settings)))
    roll_back(server.settings, server.store, server.registry)
    assert server.state() == before


def test_a_first_head_over_the_new_encoder_stays_at_a_rollback(server: Server):
    server.adapt()
    only = server.publish_head(NEW, Path(in_force(server.settings)))
    done = roll_back(server.settings, server.store, server.registry)
    assert done.heads["octo/new"] is None
    assert server.registry.current(NEW) == only


def test_without_an_adapted_encoder_there_is_nothing_to_roll_back_or_export(
    server: Server, tmp_path: Path
):
    with pytest.raises(NoEncoder, match="`labelwright adapt` makes one"):
        roll_back(server.settings, server.store, server.registry)
    with pytest.raises(NoEncoder):
        export(server.settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_exported_encoder_is_a_plain_folder(server: Server, tmp_path: Path):
    name = server.adapt().encoder
    assert export(server.settings, tmp_path / "out") == name
    assert not (tmp_path / "out" / "card.json").exists()
    assert Encoder.load(str(tmp_path / "out")).encode(["crash"]).shape == (1, 16)
    with pytest.raises(FileExistsError):
        export(server.settings, tmp_path / "out")
