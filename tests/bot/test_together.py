"""Repositories that are trained together share an encoder and change together or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import launcher
from bot.adapting import PRIVATE
from bot.encoders import LoadedEncoders
from bot.launcher import Launch, TrainingRefused
from bot.together import NothingPublished, PrivateText, train
from bot.training import NothingToLearn, Options, Trained, Trainer
from models import bundle
from models.encoder import Encoder
from models.snapshot import read
from tests.bot.adapting_world import (
    APP,
    EMPTY,
    NEW,
    SECRET,
    Server,
    head,
    make_encoders,
    make_server,
)
from tests.models.builders import TEXTS

TUNES = Options(recipe="finetuned")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoders(tmp_path_factory.mktemp("made"))


@pytest.fixture
def server(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with make_server(made, tmp_path) as running:
        monkeypatch.setattr(launcher, "run", tuning(running))
        yield running


def tuning(server: Server, *, plain: int | None = None, foreign: int | None = None):  # type: ignore[no-untyped-def]
    """In the place of a process: the bundles have an encoder of their own, but for `plain`;
    that of `foreign` is of another repository."""

    def run(launch: Launch, **how: object) -> float:
        if launch.parts == (".",):
            return server.run(launch)
        server.launches.append(launch)
        if server.failing(launch):
            raise TrainingRefused("the disk is full", 1, launch.log)
        for part in launch.parts:
            tuned = server.made / "adapted"
            encoder, own = (server.made / "plain", None) if int(part) == plain else (tuned, tuned)
            number = 99 if int(part) == foreign else int(part)
            bundle.write(launch.out / part, head(number, str(encoder), own=own))
        return 0.0

    return run


def trainer(server: Server) -> Trainer:
    return Trainer(server.settings, server.store, server.registry)


def train_them(
    server: Server, *numbers: int, options: Options = TUNES, include_private: bool = False
) -> list[Trained]:
    rows = [server.repository(number) for number in numbers]
    done = list(train(trainer(server), rows, options, include_private=include_private))
    assert [row.id for row, _ in done] == list(numbers)
    return [each for _, each in done]


def published(server: Server, number: int) -> bundle.Bundle:
    return bundle.read(server.registry.path(number, str(server.registry.current(number))))


def test_one_training_gives_all_their_models(server: Server):
    done = train_them(server, APP, NEW)
    (launch,) = server.launches
    assert launch.arguments.count("--snapshot") == 2
    assert [server.registry.current(number) for number in (APP, NEW)] == [x.version for x in done]
    assert [x.metrics["micro_f1"] for x in done] == [0.7, 0.7]


def test_each_snapshot_is_of_its_repository(server: Server):
    def look(launch: Launch) -> bool:
        folders = [Path(launch.arguments[i]) for i in (1, 3)]
        assert [read(folder).repository.id for folder in folders] == [APP, NEW]
        return False

    server.failing = look
    assert train_them(server, APP, NEW)


def test_models_that_share_an_encoder_load_it_once(server: Server):
    train_them(server, APP, NEW)
    loaded = LoadedEncoders(server.settings)
    assert loaded.of(published(server, APP)) is loaded.of(published(server, NEW))


def test_vectors_of_the_encoder_as_it_is_are_kept_and_no_others(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(launcher, "run", tuning(server, plain=NEW))
    train_them(server, APP, NEW)
    versions = [Encoder.load(str(server.made / name)).version for name in ("plain", "adapted")]
    assert [server.store.vectors.count(each) for each in versions] == [len(TEXTS), 0]


def test_a_model_that_cannot_be_published_takes_back_the_others(server: Server):
    before = server.registry.current(APP)
    (server.settings.models / str(NEW) / ".lock").mkdir(parents=True)
    with pytest.raises(NothingPublished, match="those before stay in force"):
        train_them(server, APP, NEW)
    assert server.registry.current(APP) == before is not None


def test_a_first_model_is_taken_back_as_well(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launcher, "run", tuning(server, foreign=APP))
    before = server.registry.current(APP)
    with pytest.raises(NothingPublished, match=f"belongs to repository 99, not {APP}"):
        train_them(server, NEW, APP)
    assert (server.registry.current(NEW), server.registry.current(APP)) == (None, before)


def test_a_model_that_another_followed_is_not_taken_back(server: Server):
    first = server.publish_head(NEW, server.made / "plain")
    second = server.publish_head(NEW, server.made / "adapted")
    server.registry.withdraw(NEW, first)
    assert server.registry.current(NEW) == second
    server.registry.withdraw(NEW, second)
    assert server.registry.current(NEW) == first


def test_a_training_that_fails_changes_nothing_and_leaves_no_text(server: Server):
    before, server.failing = server.state(), lambda launch: True
    with pytest.raises(TrainingRefused, match="disk is full"):
        train_them(server, APP, NEW)
    assert server.state() == before
    assert server.text_kept() == []


def test_a_private_repository_teaches_no_encoder_that_others_share(server: Server):
    with pytest.raises(PrivateText) as caught:
        train_them(server, APP, SECRET)
    assert f"octo/secret: {PRIVATE}" in str(caught.value)
    assert "`labelwright train octo/secret --recipe finetuned`" in str(caught.value)
    assert server.launches == []


def test_a_private_repository_takes_part_where_that_is_meant(server: Server):
    assert len(train_them(server, APP, SECRET, include_private=True)) == 2
    allowed = server.settings.model_copy(update={"private_text_in_encoder": True})
    server.settings = allowed
    assert len(train_them(server, APP, SECRET)) == 2


def test_a_private_repository_is_trained_alone_without_a_word(server: Server):
    assert len(train_them(server, SECRET)) == 1
    assert len(train_them(server, APP, SECRET, options=Options())) == 2


@pytest.mark.parametrize("options", [TUNES, Options()])
def test_repositories_with_too_little_are_named_before_anything_is_trained(
    server: Server, options: Options
):
    server.store.repositories.upsert(5, "octo/young")
    with pytest.raises(NothingToLearn) as caught:
        train_them(server, APP, EMPTY, 5, options=options)
    first, *lines = str(caught.value).splitlines()
    assert first == "nothing was trained:"
    assert [line.split()[0] for line in lines] == ["octo/empty", "octo/young"]
    assert all("20 are needed" in line for line in lines)
    assert (server.launches, server.text_kept()) == ([], [])


def test_with_a_recipe_that_tunes_nothing_they_are_trained_one_after_the_other(server: Server):
    done = train_them(server, APP, NEW, options=Options())
    assert [launch.parts for launch in server.launches] == [(".",), (".",)]
    assert [server.registry.current(number) for number in (APP, NEW)] == [x.version for x in done]


def test_of_several_in_turn_those_before_a_failure_stay_published(server: Server):
    server.failing = lambda launch: len(server.launches) == 2
    with pytest.raises(TrainingRefused):
        train_them(server, NEW, APP, options=Options())
    assert server.registry.current(NEW) is not None
