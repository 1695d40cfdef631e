"""The doctor: each thing that can be wrong is found, and said with what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot import doctor
from bot.backup import back_up
from bot.doctor import Finding, examine
from bot.store import Store
from bot.store.rows import Actor, LabelEvent
from bot.times import to_epoch
from demo.github import StandIn
from models import bundle
from models.encoder import Encoder
from models.encoders import Encoders
from models.registry import Registry
from tests.models.builders import make_bundle
from tests.models.encoders import own_encoder

HOOK = "https://labels.example.com/webhook"


@dataclass
class Setup:
    """A complete configuration against the stand-in, for a test to spoil."""

    github: StandIn
    home: Path
    environment: pytest.MonkeyPatch
    installation_id: int = 0
    app_id: int = 0

    def set(self, **values: Any) -> None:
        for name, value in values.items():
            self.environment.setenv(f"LABELWRIGHT_{name.upper()}", str(value))

    def findings(self, now: float | None = None) -> dict[str, Finding]:
        found = examine(time.time if now is None else lambda: now)
        return {each.name: each for each in found}


@pytest.fixture(scope="module")
def github() -> Iterator[StandIn]:
    with StandIn(seed=1) as running:
        running.control.add_repository("acme/rocket", labels=["bug"])
        yield running


@pytest.fixture
def setup(
    github: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: Any, encoder: object
) -> Setup:
    monkeypatch.setattr(doctor, "_encoder", lambda settings: encoder)
    name = f"app-{abs(hash(request.node.name))}"
    app = github.control.add_app(name, webhook_url=HOOK, webhook_secret="hush")
    made = Setup(github, tmp_path, monkeypatch)
    made.app_id = app["id"]
    made.installation_id = github.control.install(name, "acme", ["acme/rocket"])["id"]
    (tmp_path / "key.pem").write_text(app["pem"])
    made.set(
        home=tmp_path,
        app_id=app["id"],
        private_key_file=tmp_path / "key.pem",
        webhook_secret="hush",
        github_url=github.url,
    )
    Store.open(tmp_path / "labelwright.db").close()
    return made


def test_a_complete_set_up_has_no_failure(setup: Setup):
    found = setup.findings()
    assert {name: each.message for name, each in found.items() if each.state == "fails"} == {}
    assert found["webhook"].message == f"goes to {HOOK}, signed"


def test_wrong_settings_come_alone_and_all_together(setup: Setup):
    setup.set(port=99999, intake="carrier pigeon")
    found = examine()
    assert [each.state for each in found] == ["fails", "fails"]


def test_missing_settings_are_listed(setup: Setup):
    for name in ("APP_ID", "WEBHOOK_SECRET"):
        setup.environment.delenv(f"LABELWRIGHT_{name}")
    assert setup.findings()["app"].state == "fails"
    assert sum(each.name == "settings" for each in examine()) == 2


def test_a_damaged_key_is_told_without_quoting_it(setup: Setup):
    key = (setup.home / "key.pem").read_text().splitlines()
    (setup.home / "key.pem").write_text("\n".join([key[0], "c2VjcmV0", key[-1]]))
    found = setup.findings()["private key"]
    assert found.state == "fails" and "c2VjcmV0" not in found.message


def test_the_key_of_another_app_is_found_out(setup: Setup):
    setup.set(app_id=4242)
    assert "are of the same App" in setup.findings()["app"].message


def test_a_github_that_does_not_answer_is_told(setup: Setup):
    setup.set(github_url="http://127.0.0.1:9")
    assert "may this machine reach it?" in setup.findings()["github"].message


def test_a_clock_that_is_off_is_told(setup: Setup):
    found = setup.findings(now=time.time() + 300)["clock"]
    assert found.state == "fails" and "ahead of GitHub's: turn on NTP" in found.message


def test_missing_permissions_are_named(setup: Setup):
    setup.github.control.set_permissions(setup.installation_id, {"metadata": "read"})
    found = setup.findings()["installation on acme"]
    assert found.state == "fails"
    assert "issues: write" in found.message and "metadata" not in found.message


def test_a_suspended_installation_is_a_note(setup: Setup):
    setup.github.control.suspend(setup.installation_id)
    assert setup.findings()["installation on acme"].state == "note"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"url": ""}, "set its URL"),
        ({"url": "https://x.example/hook"}, "its path is /hook, not /webhook"),
        ({"url": "http://x.example/webhook"}, "its URL is http"),
        ({"content_type": "form"}, "application/json"),
        ({"insecure_ssl": "1"}, "turn SSL verification on"),
        ({"secret": ""}, "set its secret"),
    ],
)
def test_each_fault_of_the_webhook_is_named(config: dict[str, str], message: str):
    whole = {"url": HOOK, "content_type": "json", "insecure_ssl": "0", "secret": "****"}
    found = doctor._webhook(doctor.Settings(), whole | config)
    assert found.state == "fails" and message in found.message


def test_a_single_file_without_its_path_is_told(setup: Setup):
    installation = setup.github.state.installations[setup.installation_id]
    installation.single_file_paths.clear()
    found = setup.findings()["single file on acme"]
    assert found.state == "fails" and "type .github/labelwright.yml" in found.message


def test_an_event_that_nobody_subscribed_to_is_told(setup: Setup):
    app = setup.github.state.apps[setup.app_id]
    app.events.remove("issues")
    assert setup.findings()["events"].message == "subscribe the App to: issues"


def test_an_app_for_pull_requests_needs_their_event(setup: Setup):
    setup.github.state.apps[setup.app_id].permissions["pull_requests"] = "write"
    assert setup.findings()["events"].message == "subscribe the App to: pull_request"


def test_polling_needs_no_webhook(setup: Setup):
    setup.set(intake="poll")
    setup.environment.delenv("LABELWRIGHT_WEBHOOK_SECRET")
    assert setup.findings()["webhook"].state == "ok"


def test_a_refused_configuration_and_a_damaged_model_are_told(setup: Setup):
    store = Store.open(setup.home / "labelwright.db")
    store.repositories.upsert(9, "acme/rocket")
    store.repositories.set_config(9, None, None, ["line 3: unknown key `x`"])
    store.close()
    (setup.home / "models" / "9").mkdir(parents=True)
    (setup.home / "models" / "9" / "current.json").write_text("{")
    found = setup.findings()
    assert "line 3" in found["configuration of acme/rocket"].message
    assert "labelwright train acme/rocket" in found["model of acme/rocket"].message


def test_an_encoder_that_is_not_there_is_told(setup: Setup):
    setup.environment.undo()
    setup.set(home=setup.home, encoder="nobody/nothing", github_url="http://127.0.0.1:9")
    found = setup.findings()["encoder"]
    assert found.state == "fails" and "nobody/nothing" in found.message


def test_dead_letters_are_counted_with_the_command_that_shows_them(setup: Setup):
    assert setup.findings()["dead letters"].state == "ok"
    with closing(Store.open(setup.home / "labelwright.db")) as store:
        store.jobs.enqueue("label")
        job = store.jobs.claim("test", lane="fast")
        assert job is not None
        store.jobs.bury(job, "no luck")
    found = setup.findings()["dead letters"]
    assert found.state == "note"
    assert "1 jobs were given up: `labelwright jobs --dead`" in found.message


def test_who_is_over_the_cap_is_named_until_the_operator_decides(setup: Setup):
    assert setup.findings()["actors"].state == "ok"
    with closing(Store.open(setup.home / "labelwright.db")) as store:
        store.repositories.upsert(9, "octo/app")
        at = "2026-01-01T00:00:00Z"
        who = (66, "mallory", "person", at, "webhook")
        store.events.add([LabelEvent(9, 1, 1, "bug", "labeled", *who)])
        mallory = Actor(9, 66, "mallory", capped=101)
        store.actors.set_capped(9, [mallory])
        found = setup.findings()["actors"]
        assert found.state == "note"
        assert found.message.startswith("not heard: mallory in octo/app: `labelwright actors")
        store.actors.set_stance(mallory, "trusted")
    assert setup.findings()["actors"].state == "ok"


def test_an_adapted_encoder_that_is_whole_is_told(setup: Setup, tmp_path: Path):
    publish_encoder(setup, tmp_path, origin="all-MiniLM-L6-v2")
    found = setup.findings()["adapted encoder"]
    assert (found.state, "0001-" in found.message) == ("ok", True)


def test_an_adapted_encoder_that_was_made_from_another_is_a_note(setup: Setup, tmp_path: Path):
    publish_encoder(setup, tmp_path, origin="bge-small")
    found = setup.findings()["adapted encoder"]
    assert found.state == "note" and "made from bge-small, and not" in found.message


def test_a_damaged_adapted_encoder_is_told(setup: Setup, tmp_path: Path):
    published = publish_encoder(setup, tmp_path, origin="all-MiniLM-L6-v2")
    (published / "config.json").write_text("{}")
    found = setup.findings()["adapted encoder"]
    assert found.state == "fails" and "labelwright encoders rollback" in found.message


def test_models_over_a_published_encoder_and_over_their_own_are_looked_at(
    setup: Setup, tmp_path: Path
):
    published = publish_encoder(setup, tmp_path, origin="all-MiniLM-L6-v2")
    other = own_encoder(tmp_path / "other", seed=1)
    with closing(Store.open(setup.home / "labelwright.db")) as store:
        for number, (encoder, own) in enumerate(((published, None), (other, other)), start=1):
            store.repositories.upsert(number, f"acme/r{number}")
            publish_head(setup, number, encoder, own)
    gone = own_encoder(tmp_path / "gone", name="gone", seed=2)
    with closing(Store.open(setup.home / "labelwright.db")) as store:
        store.repositories.upsert(3, "acme/r3")
    publish_head(setup, 3, gone, None)
    found = setup.findings()
    assert [found[f"model of acme/r{n}"].state for n in (1, 2, 3)] == ["ok", "ok", "fails"]
    assert "`labelwright train acme/r3`" in found["model of acme/r3"].message


def publish_encoder(setup: Setup, folder: Path, *, origin: str) -> Path:
    """Publish a tiny encoder as one that was adapted from `origin`; its published folder."""
    encoders = Encoders(setup.home / "encoders")
    return encoders.path(encoders.publish(own_encoder(folder / "made", origin=origin)))


def publish_head(setup: Setup, number: int, encoder: Path, own: Path | None) -> None:
    """Publish a model over an encoder, which it brings along where it is its own."""
    found = Encoder.load(str(encoder))
    facts = {"name": found.name, "version": found.version, "max_tokens": 256}
    made = make_bundle(repository=number, dimension=16)
    folder = setup.home / f"head-{number}"
    bundle.write(folder, replace(made, card={**made.card, "encoder": facts}, encoder=own))
    Registry(setup.home / "models").publish(number, folder)


def test_the_newest_backup_and_the_next_times_are_shown(setup: Setup):
    now = to_epoch("2026-01-31T12:00:00Z")
    found = setup.findings(now)
    assert (found["backup"].state, found["pruning"].state) == ("note", "ok")
    assert found["backup"].message == "there is none yet; the next is due at 2026-02-01T03:00:00Z"
    with closing(Store.open(setup.home / "labelwright.db")) as store:
        made = back_up(doctor.Settings.load(), store, now=now)
    found = setup.findings(now)
    assert found["backup"].state == "ok" and str(made.path) in found["backup"].message
    assert found["pruning"].message == "the next is due at 2026-02-01T03:30:00Z"


def test_a_server_that_makes_no_backups_says_so(setup: Setup):
    setup.set(backup_schedule="never", prune_schedule="never")
    found = setup.findings()
    assert (found["backup"].state, found["pruning"].state) == ("note", "note")
    assert "LABELWRIGHT_BACKUP_SCHEDULE is never" in found["backup"].message


def test_who_is_told_of_an_outage_is_said_without_the_address(setup: Setup):
    assert setup.findings()["alarms"].state == "note"
    setup.set(alarm_url="https://hooks.example.com/services/t0ken")
    found = setup.findings()["alarms"]
    assert found.state == "ok" and found.message.startswith("hooks.example.com is told; ")
