"""The cache of loaded models: a new version is noticed, a broken one changes nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.log import make_logger
from bot.predictors import MAX_LOADED, Loaders, Predictors, standard_loaders
from bot.settings import Settings
from bot.store.rows import Label
from models.encoder import Encoder
from models.errors import ArtifactRefused
from models.prediction import Prediction
from models.registry import Registry
from models.text import IssueText
from tests.bot.world import Linear, OneVersion
from tests.models.builders import write_bundle
from tests.models.encoders import write_encoder

BUG = Label(1, 10, "bug", "Something is broken")


class Shelf:
    """Loads linear models, counts how often, and refuses the versions it is told to."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.loaded: list[str] = []

    def bundle(self, path: Path) -> Linear:
        if path.name in self.refused:
            raise ArtifactRefused(path, "the card is missing")
        self.loaded.append(path.name)
        return Linear(version=path.name)

    def zero_shot(self, labels: Sequence[Label]) -> Linear:
        self.loaded.append("zero-shot")
        return Linear(version="zero-shot")


def cache(shelf: Shelf, registry: OneVersion) -> tuple[Predictors, io.StringIO]:
    log = io.StringIO()
    loaders = Loaders(shelf.bundle, shelf.zero_shot)
    return Predictors(registry, loaders, make_logger("info", "json", stream=log)), log


def version(predictors: Predictors, labels: Sequence[Label] = (BUG,), repository: int = 1) -> str:
    return predictors.predict(repository, labels, "crash", "").version


def test_a_version_is_loaded_once():
    shelf = Shelf()
    predictors, _ = cache(shelf, OneVersion("v1"))
    assert [version(predictors) for _ in range(3)] == ["v1"] * 3
    assert shelf.loaded == ["v1"]


def test_a_new_version_is_noticed_at_the_next_question():
    registry = OneVersion("v1")
    predictors, _ = cache(Shelf(), registry)
    assert version(predictors) == "v1"
    registry.versions = ["v2"]
    assert version(predictors) == "v2"
    registry.versions = ["v1"]
    assert version(predictors) == "v1"


def test_without_a_version_the_labels_names_serve():
    shelf = Shelf()
    predictors, _ = cache(shelf, OneVersion())
    assert version(predictors) == version(predictors) == "zero-shot"
    assert shelf.loaded == ["zero-shot"]


def test_zero_shot_is_made_anew_when_a_label_changes():
    shelf = Shelf()
    predictors, _ = cache(shelf, OneVersion())
    version(predictors)
    version(predictors, [Label(1, 10, "defect")])
    assert shelf.loaded == ["zero-shot", "zero-shot"]


def test_the_first_training_takes_over_from_zero_shot():
    registry = OneVersion()
    predictors, _ = cache(Shelf(), registry)
    version(predictors)
    registry.versions = ["v1"]
    assert version(predictors) == "v1"


def test_a_version_that_is_refused_leaves_the_one_before_in_force_and_is_reported_once():
    registry = OneVersion("v1")
    predictors, log = cache(Shelf("v2"), registry)
    version(predictors)
    registry.versions = ["v2"]
    assert [version(predictors) for _ in range(3)] == ["v1"] * 3
    told = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["event"] for line in told] == ["model refused"]
    assert "the card is missing" in told[0]["error"]


def test_a_refused_version_without_one_before_falls_back_to_zero_shot():
    predictors, _ = cache(Shelf("v1"), OneVersion("v1"))
    assert version(predictors) == "zero-shot"


def test_only_so_many_models_stay_in_memory():
    shelf = Shelf()
    predictors, _ = cache(shelf, OneVersion("v1"))
    for repository in range(MAX_LOADED + 1):
        version(predictors, repository=repository)
    version(predictors, repository=MAX_LOADED)
    assert len(shelf.loaded) == MAX_LOADED + 1
    version(predictors, repository=0)
    assert len(shelf.loaded) == MAX_LOADED + 2


def test_published_models_can_be_loaded_ahead():
    shelf = Shelf()
    predictors, _ = cache(shelf, OneVersion("v1"))
    assert predictors.warm([1, 2]) == 2
    version(predictors)
    assert shelf.loaded == ["v1", "v1"]
    assert cache(shelf, OneVersion())[0].warm([1]) == 0


def test_a_registry_that_cannot_be_read_is_reported_once_and_not_the_end():
    class Broken(OneVersion):
        def current(self, repository_id: int) -> str | None:
            raise ArtifactRefused(Path("current.json"), "it names no version")

    predictors, log = cache(Shelf(), Broken())
    assert [version(predictors) for _ in range(2)] == ["zero-shot"] * 2
    assert len(log.getvalue().splitlines()) == 1


def test_the_encoder_gets_the_threads_that_are_set(monkeypatch: pytest.MonkeyPatch):
    counts: list[int] = []
    monkeypatch.setattr("torch.set_num_threads", counts.append)
    standard_loaders(Settings(threads=3)).zero_shot([BUG])
    assert counts == [3]


def test_a_model_that_fails_on_its_first_text_does_not_stop_the_server():
    class Fails(Linear):
        def predict(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
            raise RuntimeError("shapes do not fit")

    log = io.StringIO()
    loaders = Loaders(lambda path: Fails(), lambda labels: Fails())
    predictors = Predictors(OneVersion("v1"), loaders, make_logger("info", "json", stream=log))
    predictors.warm([1, 2])
    failures = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["repository"] for line in failures] == [1, 2]
    assert "shapes do not fit" in failures[0]["exception"]


def test_one_encoder_pass_serves_the_version_in_force_and_the_one_on_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plain = write_encoder(tmp_path / "plain")
    settings = Settings(home=tmp_path, encoder=str(plain))
    version = Encoder.load(str(plain), max_tokens=settings.max_tokens).version
    registry = Registry(tmp_path / "models")
    for seed in range(2):
        facts: dict[str, Any] = {"encoder": version, "dimension": 16, "seed": seed}
        registry.store(1, write_bundle(tmp_path / f"bundle-{seed}", **facts))
    first, second = [each.name for each in registry.list(1)]
    registry.activate(1, first)
    passes: list[int] = []
    encode = Encoder.encode_issues

    def counted(self: Encoder, texts: Sequence[IssueText], **how: Any) -> Any:
        passes.append(len(texts))
        return encode(self, texts, **how)

    monkeypatch.setattr(Encoder, "encode_issues", counted)
    predictors = Predictors(registry, standard_loaders(settings), make_logger("info", "json"))
    known = predictors.predict(1, [], "Crash", "It crashes.")
    said, targets = predictors.on_trial(1, second, ("Crash", "It crashes."), known)
    assert (known.version, said.version, passes, targets) == (first, second, [1], {})
    assert said.scores != known.scores
    registry.activate(1, second)
    assert predictors.predict(1, [], "Crash", "It crashes.") == said


def test_one_on_trial_is_loaded_once_and_does_not_push_out_the_one_in_force():
    shelf = Shelf()
    predictors, _ = cache(shelf, OneVersion("v1"))
    known = predictors.predict(1, [BUG], "crash", "")
    for _ in range(2):
        said, _ = predictors.on_trial(1, "v2", ("crash", ""), known)
        assert (said.version, version(predictors)) == ("v2", "v1")
    assert shelf.loaded == ["v1", "v2"]
