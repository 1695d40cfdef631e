"""The world that the console is looked at in: the demo's, a private repository, and an attacker's.

All of it is real: the stand-in, `labelwright serve` with its worker and clock, trained models.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from bot import reporting
from bot.store.reports import Kind
from bot.store.rows import Repository
from demo import screenshots
from demo.product import Product
from demo.scenario import prepared
from demo.steps import MAINTAINER, SLUG, Demo
from tests.browser.hostile import HOSTILE, LOGIN, NEW, WORDS, plant
from tests.source import ROOT

REAL = ROOT.parent / "shared/data/huggingface-datasets-issues.jsonl.gz"
REAL_NAME, REAL_ISSUES = "huggingface/datasets", 400
KINDS: tuple[Kind, ...] = ("curves", "replay", "questions", "doubts")
VAULT = "acme/vault"
VAULT_TITLE = "The vault opens for everybody"
INSIDER, TRIAGER, OUTSIDER = "insider", "triager", "outsider"
"""Who may triage the private repository; who the demo's; who may see what is public."""
SECONDS = 240.0


@dataclass
class World:
    """The running parts, and who is signed in already."""

    demo: Demo
    real: str | None
    cookies: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The console's address, without a slash at the end."""
        return self.demo.server.url

    @property
    def name(self) -> str:
        """The demo's repository."""
        return self.demo.sample.full_name

    def at(self, path: str = "", name: str | None = None) -> str:
        """The address of a page about a repository."""
        return f"{self.url}/r/{name or self.name}/{path}".rstrip("/")

    def row(self, name: str) -> Repository:
        """A repository as the store has it."""
        found = self.demo.store.repositories.by_name(name)
        assert found is not None, name
        return found

    def sign_in(self, context: BrowserContext, login: str = MAINTAINER) -> Page:
        """A page of somebody who is signed in; the first time by clicking, then by the cookie."""
        page = context.new_page()
        if login in self.cookies:
            context.add_cookies(self.cookies[login])
        else:
            screenshots.sign_in(page, self.url, login)
            self.cookies[login] = context.cookies()
        return page


@contextmanager
def built(home: Path) -> Iterator[World]:
    """Build it; some minute."""
    with prepared(home, print) as (demo, _):
        for login in (INSIDER, TRIAGER, OUTSIDER):
            demo.github.control.add_account(login)
        for login, role in ((TRIAGER, "triage"), (OUTSIDER, "read")):
            demo.github.control.set_role(demo.sample.full_name, login, role)
        world = World(demo, _import_real(Product(home)) if REAL.exists() else None)
        demo.listen()
        _install_private(world)
        _install_hostile(world)
        screenshots.fill(demo)
        demo.github.control.open_issue(VAULT, title=VAULT_TITLE, body="Anybody can walk in.")
        demo.github.control.open_issue(HOSTILE, title=NEW, body=WORDS[0], by=LOGIN)
        for name in (HOSTILE, world.real):
            _report(world, name)
        _wait(world, "everything is done", lambda: not demo.busy() and _is_complete(world))
        yield world


def _import_real(product: Product) -> str:
    """The newest real issues (no pull requests), and a model of them."""
    with gzip.open(REAL, "rt", encoding="utf-8") as lines:
        issues = [row for row in map(json.loads, lines) if "pull_request" not in row]
    issues.sort(key=lambda row: int(row["number"]))
    newest = product.home / "newest.jsonl"
    newest.write_text("".join(json.dumps(row) + "\n" for row in issues[-REAL_ISSUES:]), "utf-8")
    product.run("import", str(newest), "--repo", REAL_NAME)
    product.run("train", REAL_NAME, "--anyway")
    return REAL_NAME


def _install_private(world: World) -> None:
    control = world.demo.github.control
    control.add_repository(VAULT, private=True, organization=True, labels=["bug", "security"])
    for login, role in ((MAINTAINER, "admin"), (INSIDER, "triage")):
        control.set_role(VAULT, login, role)
    control.install(SLUG, "acme", [VAULT])


def _install_hostile(world: World) -> None:
    plant(world.demo.github)
    world.demo.github.control.set_role(HOSTILE, MAINTAINER, "admin")
    world.demo.github.control.install(SLUG, "mallory", [HOSTILE])


def _report(world: World, name: str | None) -> None:
    for kind in KINDS if name else ():
        reporting.ask(world.demo.store, world.row(str(name)), kind)


def _is_complete(world: World) -> bool:
    store = world.demo.store
    every = [world.row(name).id for name in (world.name, HOSTILE, world.real) if name]
    made = all(store.reports.newest(id, kind) for id in every for kind in KINDS)
    opened = store.issues.get(world.row(VAULT).id, 1)
    return made and opened is not None and bool(store.decisions.recent(world.row(HOSTILE).id, 1))


def _wait(world: World, what: str, condition: Any) -> None:
    world.demo.server.wait_for(what, condition, SECONDS)
