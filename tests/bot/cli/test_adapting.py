"""adapt and encoders: a tiny encoder adapted by the real training, and everything that follows."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot import launcher
from bot.adapting import PRIVATE, Adapted, Head
from bot.cli import main
from bot.cli.adapting import print_adapted
from bot.launcher import Launch
from bot.launcher import run as in_a_process
from bot.settings import Settings
from bot.store import Store
from bot.store.rows import Repository
from models import bundle, encoder_card
from models.encoder import Encoder
from models.encoders import Encoders
from models.registry import Registry
from tests.bot.cli.conftest import REPO, SAMPLE, Command
from tests.models.builders import make_bundle
from tests.training.tiny import tiny_encoder

OTHER = "harbor-lights/unlabeled"
ISSUES, LABELS = 30, ("bug", "enhancement")
"""As many of each of the two, and the labels that are left of theirs: time goes with both.
Those of OTHER have none, so that there is nothing to choose by and all that is learned is kept."""
RECIPE = """
max_windows = 16
max_tokens = 32
[[phase]]
masked = 1.0
learning_rate = 0.005
"""


@dataclass(frozen=True)
class Server:
    """A home with a model of some sample issues over a tiny encoder, which was then adapted."""

    home: Path
    encoder: Path
    before: str
    figures: dict[str, Any]
    said: str


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Import and adapt once. The model before is made up: any will do."""
    folder = tmp_path_factory.mktemp("adapted")
    home, encoder = folder / "var", tiny_encoder(folder / "tiny")
    (folder / "recipe.toml").write_text(RECIPE, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        use(patch, home, encoder)
        patch.setattr(launcher, "run", run_heads_here)
        for name, rows in issues().items():
            path = folder / f"{name.replace('/', '-')}.jsonl"
            path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
            run("import", path, "--repo", name)
        before = publish_head(home, encoder)
        out, said = run("adapt", OTHER, "--recipe", folder / "recipe.toml", "--anyway", "--json")
    yield Server(home, encoder, before, json.loads(out), said)


def use(patch: pytest.MonkeyPatch, home: Path, encoder: Path) -> None:
    """Set a home and an encoder; no other setting comes from elsewhere."""
    for name in [name for name in os.environ if name.startswith("LABELWRIGHT_")]:
        patch.delenv(name)
    settings = {"HOME": home, "ENCODER": encoder, "MAX_TOKENS": 32, "THREADS": 1}
    for name, value in settings.items():
        patch.setenv(f"LABELWRIGHT_{name}", str(value))


def run(*args: object) -> tuple[str, str]:
    """Run a command in this process; what it printed and what it said."""
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        status = main([str(arg) for arg in args])
    assert status == 0, said.getvalue()
    return out.getvalue(), said.getvalue()


def run_heads_here(launch: Launch, **how: Any) -> float:
    """The adaptation is a process of its own, as ever. Both heads are trained in this one, which
    has imported torch already."""
    if launch.module != "training.run":
        return in_a_process(launch, **how)
    from training.run import main as train

    assert train(launch.arguments) == 0
    return 0.0


def issues() -> dict[str, list[dict[str, Any]]]:
    """Of the sample's issues some that are labeled, and others without their labels."""
    lines = (SAMPLE / "history.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    labels = [[x for x in row["labels"] if x["name"] in LABELS] for row in rows]
    few = [{**row, "labels": kept} for row, kept in zip(rows, labels, strict=True) if kept]
    return {REPO: few[:ISSUES], OTHER: [{**row, "labels": []} for row in rows[-ISSUES:]]}


def publish_head(home: Path, encoder: Path) -> str:
    """A head of REPO over an encoder, in force."""
    with closing(Store.open(home / "labelwright.db")) as store:
        row = store.repositories.by_name(REPO)
    assert row is not None
    found = Encoder.load(str(encoder), max_tokens=32)
    facts = {"name": found.name, "version": found.version, "max_tokens": found.max_tokens}
    made = make_bundle(repository=row.id, dimension=found.dimension)
    folder = home / "before"
    bundle.write(folder, replace(made, card={**made.card, "encoder": facts}))
    return Registry(Settings(home=home).models).publish(row.id, folder)


@pytest.fixture
def server(adapted: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A copy of that home, for a test to change."""
    shutil.copytree(adapted.home, home)
    use(monkeypatch, home, adapted.encoder)
    return adapted


def test_adapt_compares_every_head_on_the_same_newest_issues(adapted: Server):
    figures = adapted.figures
    assert figures["encoder"].startswith("0001-") and figures["name"] == "tiny-adapted"
    assert figures["share"] == 1.0 and {"parent", "chosen"} <= set(figures["losses"])
    row = figures["repositories"][REPO]
    assert 0 < row["micro_f1_before"] < 1 and 0 < row["micro_f1"] < 1 and row["note"] is None
    change = row["micro_f1"] - row["micro_f1_before"]
    assert figures["micro_f1_change"] == pytest.approx(change)
    assert (figures["published"], figures["reason"]) == (True, None)


def test_adapt_reports_its_progress_in_plain_lines(adapted: Server):
    assert "the encoder learns from the text of 1 repository" in adapted.said
    assert f"{REPO}: a head on either encoder" in adapted.said


def test_no_issue_text_is_left_behind(adapted: Server):
    assert [path for path in adapted.home.glob("runs/*/*") if path.is_dir()] == []


def test_the_new_head_serves_and_the_encoders_are_listed(server: Server, labelwright: Command):
    found = labelwright("predict", REPO, "--title", "crash on start", "--json").json()
    assert found["version"].startswith("0002-")
    (row,) = labelwright("encoders", "--json").json()
    assert (row["version"], row["current"]) == (server.figures["encoder"], True)
    assert "tiny-adapted" in labelwright("encoders").out


def test_a_rollback_brings_the_head_of_the_encoder_before_back(
    server: Server, labelwright: Command
):
    found = labelwright("encoders", "rollback", "--json").json()
    assert found == {"current": None, "heads": {REPO: server.before}}
    found = labelwright("predict", REPO, "--title", "crash on start", "--json").json()
    assert found["version"] == server.before
    again = labelwright("encoders", "rollback")
    assert again.status == 1 and "`labelwright adapt` makes one" in again.err


def test_the_encoder_is_exported_for_other_tasks(
    server: Server, labelwright: Command, tmp_path: Path
):
    assert labelwright("adapt", "--export", tmp_path / "plain").status == 0
    assert Encoder.load(str(tmp_path / "plain")).dimension == 32
    again = labelwright("adapt", "--export", tmp_path / "plain")
    assert again.status == 1 and "exists" in again.err


def test_without_a_repository_the_way_to_one_is_told(labelwright: Command, home: Path):
    said = labelwright("adapt")
    assert said.status == 1 and "`labelwright import PATH --repo OWNER/NAME`" in said.err


def test_it_is_told_that_nothing_was_published_and_why(
    adapted: Server, capsys: pytest.CaptureFixture[str]
):
    folder = Encoders(Settings(home=adapted.home).encoders).path(adapted.figures["encoder"])
    heads = (Head(Repository(1, REPO), 0.5, 0.4),)
    done = Adapted(None, encoder_card.read(folder), heads, "micro F1 falls")
    print_adapted(done, None, as_json=False)
    text = capsys.readouterr().out
    assert "-0.1000 micro F1 on average" in text and "nothing was published: micro F1 falls" in text
    print_adapted(done, None, as_json=True)
    figures = json.loads(capsys.readouterr().out)
    assert (figures["published"], figures["reason"]) == (False, "micro F1 falls")
    assert figures["repositories"][REPO]["micro_f1"] == 0.4


def test_what_is_left_out_is_told(labelwright: Command, home: Path):
    home.mkdir()
    with closing(Store.open(home / "labelwright.db")) as store:
        store.repositories.upsert(1, "octo/app")
        store.repositories.upsert(2, "octo/secret", private=True)
    said = labelwright("adapt", "octo/secret")
    assert said.status == 1 and f"octo/secret: {PRIVATE}" in said.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--export", "x", "--resume"), "--export stands alone"),
        (("--export", "x", "--anyway"), "--export publishes nothing"),
        (("octo/app", "--resume"), "--resume stands alone"),
        (("--include-private",), "goes with the names of repositories"),
        (("--recipe", "adapted"), "for `labelwright train`"),
        (("octo",), "not like OWNER/NAME"),
    ],
)
def test_wrong_usage_is_explained(labelwright: Command, arguments: tuple[str, ...], why: str):
    said = labelwright("adapt", *arguments)
    assert said.status == 2 and why in said.err


def test_without_an_adaptation_there_is_none_to_resume(labelwright: Command):
    said = labelwright("adapt", "--resume")
    assert said.status == 1 and "no adaptation to go on with" in said.err
