"""An adaptation on a cluster of two nodes, by one worker and by two, through an S3 API."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import launcher
from bot.launch import Launch
from models import encoder_card
from tests.ray.world import LEARNING, MINI, World, judged, log_of

TOLERANCE = 0.05
"""Of the loss, which falls by 0.8: the masks of two workers are not those of one."""


@pytest.fixture(scope="module")
def by_one(ours: World) -> Launch:
    """What one worker makes of the packaged encoder."""
    launch = ours.adaptation("one", LEARNING.format(tokens=1024), encoder=MINI)
    launcher.run(launch)
    return launch


def test_one_worker_makes_an_encoder_that_is_whole(by_one: Launch):
    card = encoder_card.read(by_one.out)
    assert card.processes == 1
    assert (card.origin, card.recipe["name"]) == (MINI, "small")


def test_its_lines_arrive_here_once_and_nothing_of_it_stays_there(by_one: Launch, ours: World):
    lines = log_of(by_one).splitlines()
    assert [sum(part in line for line in lines) for part in ("adapted to 38 texts", "written")] == [
        1,
        1,
    ]
    assert not by_one.status.exists()
    assert ours.stored(by_one) == []


def test_two_workers_on_two_nodes_train_one_model_to_the_same_loss(by_one: Launch, ours: World):
    # Half of a batch for each, and two CPUs, which is all that a node has: each has its own.
    recipe = LEARNING.format(tokens=512)
    launch = ours.adaptation("two", recipe, encoder=MINI, ray_workers=2, ray_cpus=2.0)
    launcher.run(launch)
    assert encoder_card.read(launch.out).processes == 2
    assert "(ip=127.0.0.2," in log_of(launch) and "(ip=127.0.0.3," in log_of(launch)
    one, two = judged(by_one.out), judged(launch.out)
    print("held-out loss of one worker:", one, "of two:", two)
    assert one[0] == pytest.approx(two[0], abs=1e-4)
    assert one[0] - one[-1] > 0.5
    assert two[1:] == pytest.approx(one[1:], abs=TOLERANCE)


def test_what_a_training_says_of_a_refusal_is_quoted(ours: World):
    launch = ours.adaptation("refused", "max_tokens = 4096")
    with pytest.raises(launcher.TrainingRefused, match="max_tokens is 4096 in the recipe"):
        launcher.run(launch)


def test_what_several_workers_say_of_a_refusal_is_quoted_too(ours: World):
    launch = ours.adaptation("refused-by-two", "max_tokens = 4096", ray_workers=2)
    with pytest.raises(launcher.TrainingRefused, match="max_tokens is 4096 in the recipe"):
        launcher.run(launch)


def test_a_recipe_that_tunes_trains_a_bundle_there(ours: World, tmp_path: Path):
    from models import bundle
    from tests.training.small import write_small
    from tests.training.tiny import tiny_encoder

    folder = ours.settings.runs / "train.tuned"
    folder.mkdir()
    recipe = folder / "short.toml"
    recipe.write_text('tune = "supervised"\nepochs = 1\n')
    launch = Launch.head(
        folder,
        ours.settings,
        encoder=str(tiny_encoder(folder / "tiny")),
        snapshot=write_small(folder, 200),
        recipe=str(recipe),
    )
    assert launch.launcher.name == "ray"
    launcher.run(launch)
    assert bundle.read(launch.out).encoder is not None
