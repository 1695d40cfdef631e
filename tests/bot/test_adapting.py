"""The encoder and all heads change together or not at all; whose text enters is the operator's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapting import PRIVATE, AdaptationFailed, Adapter, NoText, corpus
from bot.adapting_runs import NotNow
from bot.encoder_versions import NoEncoder, export, roll_back
from bot.encoders import in_force
from bot.launcher import Launch
from bot.store.rows import Issue
from bot.training import Trainer
from models import bundle
from models.encoder import Encoder
from models.encoders import Encoders
from models.errors import ArtifactRefused, EncoderRefused
from tests.bot.adapting_world import (
    APP,
    EMPTY,
    NEW,
    SECRET,
    Server,
    arguments,
)
from tests.models.builders import TEXTS


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


@pytest.mark.parametrize("step", range(1, 6))
def test_a_failure_at_any_step_changes_nothing_and_can_be_taken_up_again(server: Server, step: int):
    before = server.state()
    server.failing = lambda launch: len(server.launches) == step
    with pytest.raises(AdaptationFailed, match=r"disk is full; the previous encoder .* --resume"):
        server.adapt()
    assert server.state() == before
    server.failing = lambda launch: False
    assert server.adapter().resume().encoder == Encoders(server.settings.encoders).current()
    assert len(server.launches) == 6, "only the step that failed is done again"
    assert server.text_kept() == []


def test_an_interruption_says_how_to_go_on(server: Server):
    def interrupt(launch: Launch) -> bool:
        raise KeyboardInterrupt

    before, server.failing = server.state(), interrupt
    with pytest.raises(AdaptationFailed, match=r"^interrupted; .* --resume"):
        server.adapt()
    assert server.state() == before


def test_without_its_encoder_an_adaptation_does_not_begin(server: Server, tmp_path: Path):
    server.settings = server.settings.model_copy(update={"encoder": str(tmp_path / "gone")})
    with pytest.raises(EncoderRefused, match="no encoder folder"):
        server.adapt()
    assert not server.settings.runs.exists()


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
    assert server.text_kept()
    server.failing = lambda launch: False
    server.adapt()
    assert server.text_kept() == []
    with pytest.raises(NotNow, match="no adaptation to go on with"):
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
    assert (done.reason, len(server.launches)) == (done.card.why, 1)
    assert server.text_kept() == []


def test_a_head_with_an_encoder_of_its_own_keeps_it(server: Server, made_encoders: Path):
    own = server.publish_head(APP, made_encoders / "same", own=made_encoders / "same")
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
