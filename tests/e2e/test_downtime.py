"""The server is down while people work: one sweep finds all of it, and does nothing twice."""

from __future__ import annotations

from pathlib import Path

from bot.review import review
from tests.e2e.site import BOT, connected

OPENED, RELABELED, WRONG = 50, 10, 4
"""WRONG of those that are relabeled have a label of ours: with one more, live precision would hold
it back while the others are still labeled. On the others a person replaces a label of her own."""


def test_what_happened_while_it_was_down_is_labeled_and_recorded_once(tmp_path: Path, bundle: Path):
    with connected(tmp_path, bundle) as site:
        server, github = site.server, site.github.control
        server.start("web", "worker")
        repo = site.repository()
        known = [repo.open() for _ in range(WRONG)]
        for number in known:
            repo.labeled_once(number)
        hers = [repo.open(title="Thank you", body="") for _ in range(RELABELED - WRONG)]
        for number in hers:
            repo.settled(number, "done")
            github.label(repo.name, number, "ui", by="ada")
        server.eventually(server.is_quiet)
        server.kill("web")
        server.kill("worker")

        missed = [repo.open(title=f"Crash number {i}") for i in range(OPENED)]
        for number in known:
            github.unlabel(repo.name, number, "bug", by="ada")
            github.label(repo.name, number, "docs", by="ada")
        for number in hers:
            github.unlabel(repo.name, number, "ui", by="ada")
            github.label(repo.name, number, "docs", by="ada")
        assert github.drain()
        back = server.store.now()
        server.start("web", "worker", "clock")

        for number in missed:
            repo.labeled_once(number)
        server.eventually(server.is_quiet)
        sweeps = [job for job in server.jobs("poll", None, repo.id) if job.created_at >= back]
        assert [job.result for job in sweeps] == [f"{OPENED} new, {RELABELED} changed, 0 known"]
        for number in known:
            assert repo.labels_on(number) == ["docs"]
            seen = server.store.events.for_issue(repo.id, number)
            said = [(each.action, each.label_name, each.actor_login) for each in seen]
            assert said == [
                ("labeled", "bug", BOT),
                ("unlabeled", "bug", "ada"),
                ("labeled", "docs", "ada"),
            ]
        for number in hers:
            assert repo.labels_on(number) == ["docs"]
            seen = server.store.events.for_issue(repo.id, number)
            said = [(each.action, each.label_name) for each in seen]
            assert said == [("labeled", "ui"), ("unlabeled", "ui"), ("labeled", "docs")]
        row = server.store.repositories.get(repo.id)
        assert row is not None
        versions = {decision.version for decision in server.store.decisions.recent(repo.id, 100)}
        found = review(server.store, row, versions, server.store.now())
        assert len(found.corrections) == RELABELED + WRONG  # a label was missing, or wrong as well
