"""Every request that the client makes is one that GitHub's OpenAPI description allows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.github.app import GitHubApp, convert_manifest
from demo.github import StandIn
from tests.contracts.checker import OpenAPIChecker
from tests.contracts.test_openapi import MANIFEST

REPO = "acme/rocket"
FILE = ".github/labelwright.yml"


@pytest.fixture
def github() -> Iterator[StandIn]:
    with StandIn(seed=1) as stand_in:
        yield stand_in


def test_every_request_is_as_github_describes_it(github: StandIn):
    checker = OpenAPIChecker().attach(github)
    site = github.control
    site.add_repository(REPO, labels=["bug", "area/ui: new"])
    site.put_file(REPO, FILE, "version: 1\n")
    site.plant_issues(REPO, [{"title": f"i{n}", "labels": ["bug"]} for n in range(120)])
    made = site.add_app("labelwright", webhook_url="http://127.0.0.1:9/", webhook_secret="s")
    installed = site.install("labelwright", "acme", [REPO])
    assert site.drain()
    app = GitHubApp(made["id"], made["pem"], github.url)
    live_a_life(app, installed["id"])
    convert_manifest(site.manifest_code(MANIFEST), github.url)
    app.close()
    # GitHub answers every GET conditionally, though few operations list the 304.
    checker.violations = [v for v in checker.violations if " 304 response:" not in v]
    checker.verify()
    assert checker.checked > 20


def live_a_life(app: GitHubApp, installation_id: int) -> None:
    """Everything that the product ever asks."""
    app.bot_id()
    app.redeliver(app.hook_deliveries("2000-01-01T00:00:00Z")[0].id)
    client = app.installation(installation_id)
    client.repositories()
    client.labels(REPO)
    client.issue(REPO, 1)
    client.add_labels(REPO, 1, ["area/ui: new", "oops"])
    client.remove_label(REPO, 1, "area/ui: new")
    client.delete_label(REPO, "oops")
    client.label_events(REPO, 1)
    client.suggestions(REPO, 1)
    told = {"rationale": "it fits", "confidence": "low", "suggest": True}
    client.suggest_labels(REPO, 1, [{"name": "bug", **told}])
    said = client.add_comment(REPO, 1, "Why").id
    client.comments(REPO, 1)
    client.comments_since(REPO, "2000-01-01T00:00:00Z")
    client.edit_comment(REPO, said, "So")
    client.comment(REPO, said)
    client.permission(REPO, "acme")
    client.file("acme/.github", FILE)
    file = client.file(REPO, FILE)
    client.file(REPO, FILE, getattr(file, "etag", None))
    changed = client.changed_issues(REPO, "2000-01-01T00:00:00Z")
    assert changed is not None
    client.changed_issues(REPO, "2000-01-01T00:00:00Z", changed.etag)
    assert sum(len(page.issues) for page in client.history(REPO)) == 120
    assert sum(len(page.issues) for page in client.history(REPO, "rest:1")) == 120
