"""The real server as a GitHub App on an emulator of GitHub that others wrote.

What the emulator lacks is not tested here: redelivery, `/installation/repositories`, GraphQL,
`installation` events. Its delivery ids are milliseconds and can collide, so people act one by one.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.store.rows import Job, LabelEvent
from tests.e2e import trained
from tests.e2e.emulate import emulator as npm
from tests.e2e.emulate.emulator import MAINTAINER, REPO, Emulator
from tests.e2e.server import SECRET, Server

BOT = f"{npm.SLUG}[bot]"
HISTORY = 40
CONFIG = ".github/labelwright.yml"

CAN_RUN = npm.PROGRAM.is_file() and npm.node() is not None
pytestmark = pytest.mark.skipif(not CAN_RUN and not os.environ.get("CI"), reason=npm.ABSENT)


@dataclass
class World:
    """The emulator, and the server that gets its webhooks."""

    github: Emulator
    server: Server
    repository_id: int
    first: int
    """An issue that was opened after the server had started: the server heard of the repository by
    it, since the emulator sends no `installation` event."""

    def job(self, number: int) -> Job:
        """The job of an issue, once it is done."""

        def look() -> Job | None:
            done = [j for j in self.server.jobs("label", number, self.repository_id) if j.result]
            return done[0] if done else None

        return self.server.eventually(look)

    def events(self, number: int) -> list[LabelEvent]:
        """The label events of an issue that the server has recorded."""
        return self.server.store.events.for_issue(self.repository_id, number)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[World]:
    assert CAN_RUN, npm.ABSENT
    folder, pem = tmp_path_factory.mktemp("emulate"), private_key()
    server = Server(folder, webhook_secret=SECRET, seconds_between_writes=0)
    settings = {"app_id": npm.APP_ID, "private_key": pem}
    with npm.running(folder, lambda: npm.seed(pem, f"{server.url}/webhook", SECRET)) as github:
        server.settings |= {**settings, "github_url": github.url}
        repository_id = furnish(github)
        trained.publish(server.home, bundle, repository_id)
        try:
            server.start("web", "worker", "clock")
            first = github.open(**trained.BUG)
            yield World(github, server, repository_id, first)
        finally:
            server.close()


def private_key() -> str:
    """A private key (PEM), in the form in which GitHub gives them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    none = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, none).decode()


def furnish(github: Emulator) -> int:
    """Labels, a configuration and a history, all from before the server starts; the id."""
    github.in_repo("PUT", f"/collaborators/{MAINTAINER}", {"permission": "push"})
    for label in trained.labels():
        github.in_repo("POST", "/labels", label)
    text = base64.b64encode(b"mode: apply\n").decode()
    github.in_repo("PUT", f"/contents/{CONFIG}", {"message": "Configure", "content": text})
    for row in trained.samples(HISTORY):
        labels = [label["name"] for label in row["labels"]]
        github.open(row["title"], row["body"] or "", labels=labels)
    return int(github.ask("GET", f"/repos/{REPO}")["id"])


def test_a_signed_webhook_leads_to_labels_on_the_issue(world: World):
    assert world.job(world.first).result == "labelled: bug"
    assert world.github.labels_on(world.first) == ["bug"]
    assert world.github.label_events(world.first) == [("labeled", "bug", BOT)]


def test_the_repositorys_configuration_and_labels_were_read(world: World):
    world.job(world.first)
    found = world.server.store.repositories.get(world.repository_id)
    assert found is not None and found.full_name == REPO
    assert found.config is not None and found.config["mode"] == "apply"
    known = {label.name for label in world.server.store.labels.all(world.repository_id)}
    assert known == {label["name"] for label in trained.labels()}


def test_the_history_is_read_by_rest_where_there_is_no_graphql(world: World):
    def read() -> str | None:
        jobs = world.server.jobs("backfill", repository=world.repository_id)
        return next((job.result for job in jobs if job.result), None)

    assert world.server.eventually(read).startswith(f"read: {HISTORY + 1} issues")
    store, label_of = world.server.store, label_names(world)
    for number, row in enumerate(trained.samples(HISTORY), start=1):
        kept = store.issues.get(world.repository_id, number)
        assert kept is not None and kept.title == row["title"].strip()
        assert {label_of[i] for i in kept.labels} == {x["name"] for x in row["labels"]}


def label_names(world: World) -> dict[int, str]:
    labels = world.server.store.labels.all(world.repository_id)
    return {label.id: label.name for label in labels}


def test_the_token_has_the_permissions_that_we_use_and_no_more(world: World):
    world.job(world.first)
    tokens = world.github.tokens()
    assert tokens
    for token in tokens:
        assert token["permissions"] == npm.PERMISSIONS
        assert (token["app"]["slug"], token["installation"]["id"]) == ("labelwright", 100)
    assert len(tokens) <= 4  # one for each thread that asked, and not one for each request


def test_our_own_account_is_told_apart_from_people(world: World):
    world.job(world.first)
    world.server.eventually(lambda: world.events(world.first))
    # The webhook and the history may tell of one event with a fraction of a second between them.
    found = {(e.label_name, e.actor_login, e.actor_kind) for e in world.events(world.first)}
    assert found == {("bug", BOT, "us")}


def test_a_persons_removal_is_recorded_and_respected(world: World):
    number = world.github.open(**trained.BUG)
    world.job(number)
    world.server.eventually(lambda: world.events(number))
    world.github.in_repo("DELETE", f"/issues/{number}/labels/bug", by=MAINTAINER)
    removal = world.server.eventually(
        lambda: next((e for e in world.events(number) if e.action == "unlabeled"), None)
    )
    assert removal.label_name == "bug"
    assert (removal.actor_login, removal.actor_kind) == (MAINTAINER, "person")

    world.github.in_repo("PATCH", f"/issues/{number}", {"state": "closed"}, by=MAINTAINER)
    world.github.in_repo("PATCH", f"/issues/{number}", {"state": "open"}, by=MAINTAINER)
    ask_again(world, number)
    assert world.github.labels_on(number) == []
    assert world.github.label_events(number)[0] == ("labeled", "bug", BOT)
    assert len(world.github.label_events(number)) == 2


def ask_again(world: World, number: int) -> None:
    """Let the worker look at an issue once more."""
    job = world.server.store.jobs.enqueue(
        "label",
        priority=2,
        payload={"trigger": "reopened"},
        installation_id=npm.INSTALLATION_ID,
        repository_id=world.repository_id,
        number=number,
    )
    assert job is not None

    def done() -> bool:
        found = world.server.store.jobs.get(job.id)
        return found is not None and found.state == "done"

    world.server.eventually(done)


def test_a_label_that_a_person_put_on_is_not_claimed_as_ours(world: World):
    number = world.github.open("Add dark mode", "It would be good to have, please.")
    world.job(number)
    ours = set(world.github.labels_on(number))
    world.github.in_repo(
        "POST", f"/issues/{number}/labels", {"labels": ["question"]}, by=MAINTAINER
    )
    world.server.eventually(lambda: "question" in {e.label_name for e in world.events(number)})
    event = next(e for e in world.events(number) if e.label_name == "question")
    assert (event.actor_login, event.actor_kind) == (MAINTAINER, "person")
    applied = world.server.store.decisions.applied(world.repository_id, number=number)
    assert {label.label for label in applied} == ours


def test_undo_takes_our_label_off_again(world: World):
    number = world.github.open(**trained.BUG)
    world.job(number)
    assert world.github.labels_on(number) == ["bug"]
    world.server.command("undo", REPO, "--issue", str(number), "--yes")
    assert world.github.labels_on(number) == []
    assert world.github.label_events(number)[-1] == ("unlabeled", "bug", BOT)


def test_an_unsigned_delivery_is_refused(world: World):
    answer = world.server.post("issues", {}, X_Hub_Signature_256=None)
    assert answer.status_code == 401
