"""Where a training runs: what trains an encoder goes where the settings say, and the rest stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import launching
from bot.launch import Launch, by_name, cluster
from bot.launchers import Unreachable
from bot.launchers.ray_jobs import Jobs
from bot.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        launcher="ray",
        threads=2,
        ray_address="http://gpu-host:8265",
        ray_storage=str(tmp_path / "share"),
        ray_token=SecretStr("hush"),
        ray_workers=4,
        ray_gpus=2,
        ray_resources=("memory=16e9", "A100=1"),
    )


def head(settings: Settings, **how: object) -> Launch:
    return Launch.head(settings.home, settings, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("recipe", ["adapted", "finetuned", "semi-supervised", "auto"])
def test_what_trains_an_encoder_goes_there(settings: Settings, recipe: str):
    launches = (
        head(settings, recipe=recipe),
        Launch.heads(settings.home, settings, {1: settings.home}, encoder="x", recipe=recipe),
        Launch.adaptation(settings.home, settings, [], encoder="x"),
    )
    assert [each.launcher.name for each in launches] == ["ray"] * 3


def test_a_head_alone_is_trained_here(settings: Settings):
    assert head(settings).launcher.name == "local"
    assert head(settings, recipe="instant").launcher.name == "local"
    local = settings.model_copy(update={"launcher": "local"})
    assert head(local, recipe="finetuned").launcher.name == "local"


def test_the_recipe_of_the_version_in_force_decides_where_none_is_named(settings: Settings):
    champion = settings.home / "v1"
    champion.mkdir()
    for recipe, name in (({"tune": "supervised"}, "ray"), ({"tune": "none"}, "local")):
        (champion / "card.json").write_text(json.dumps({"recipe": recipe}))
        assert head(settings, champion=champion).launcher.name == name
    (champion / "card.json").write_text("{")
    assert head(settings, champion=champion).launcher.name == "local"


def test_the_threads_of_this_machine_are_nothing_to_another(settings: Settings):
    assert "--threads" not in head(settings, recipe="finetuned").arguments
    assert "--threads" in head(settings).arguments


def test_the_settings_say_what_each_worker_asks_for(settings: Settings):
    what = cluster(settings).cluster
    assert (what.workers, what.cpus, what.gpus) == (4, 1, 2)
    assert what.resources == {"memory": 16e9, "A100": 1.0}
    assert what.token == "hush" and "hush" not in repr(what)


def test_a_training_of_a_cluster_that_is_set_no_more_cannot_be_asked_after(tmp_path: Path):
    with pytest.raises(Unreachable, match="set LABELWRIGHT_RAY_ADDRESS"):
        by_name(Settings(home=tmp_path), "ray")


def test_a_launcher_elsewhere_is_named_once_it_has_answered(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Jobs, "version", lambda jobs: "9.9")
    state, message = launching.where(settings)
    assert state == "note"
    assert "issue text goes to the Ray cluster at http://gpu-host:8265" in message
    assert str(settings.home / "share") in message and "Ray there is 9.9" in message


def test_one_that_does_not_answer_fails(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    def silent(jobs: Jobs) -> str:
        raise Unreachable("it does not answer: is it up?")

    monkeypatch.setattr(Jobs, "version", silent)
    assert launching.where(settings)[0] == "fails"


def test_here_no_text_leaves_the_machine_and_nothing_is_swept(tmp_path: Path):
    state, message = launching.where(Settings(home=tmp_path))
    assert (state, "no text leaves it" in message) == ("ok", True)
    assert launching.sweep(Settings(home=tmp_path)) == ""


def test_without_ray_the_message_says_how_to_install_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    import sys

    monkeypatch.setitem(sys.modules, "ray.job_submission", None)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Unreachable, match=r"pip install 'labelwright\[ray\]'"):
        cluster(settings).probe()
