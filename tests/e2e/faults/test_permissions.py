"""What the App may do changes: its installation is suspended, or a permission is missing."""

from __future__ import annotations

from tests.e2e.faults.claims import is_dead
from tests.e2e.site import Repo, Site


def test_a_suspended_installation_pauses_its_jobs_and_its_end_finds_what_came_meanwhile(site: Site):
    repo = site.repository()
    site.server.eventually(site.server.is_quiet)
    repo.github.pause_webhooks()
    before = repo.open()
    repo.github.suspend(repo.installation_id)
    repo.github.resume_webhooks()
    site.server.eventually(lambda: is_suspended(site, repo))
    during = repo.open()
    site.server.eventually(lambda: repo.jobs(before))
    site.server.eventually(lambda: repo.jobs(before)[0].state == "waiting")
    assert repo.jobs(during) == []
    repo.github.suspend(repo.installation_id, False)
    site.server.eventually(lambda: not is_suspended(site, repo))
    site.server.hurry(repo.jobs(before)[0])
    repo.labeled_once(before)
    repo.labeled_once(during)
    assert repo.jobs(before)[0].attempts == 1


def is_suspended(site: Site, repo: Repo) -> bool:
    found = site.server.store.installations.get(repo.installation_id)
    return found is not None and found.suspended


def test_a_missing_permission_is_a_dead_letter_that_says_what_to_grant(site: Site):
    repo = site.repository()
    granted = {"issues": "read", "metadata": "read", "single_file": "read"}
    repo.github.set_permissions(repo.installation_id, granted)
    assert repo.github.drain()
    number = repo.open()
    is_dead(repo, number, "403", "accept the App's permissions")
    assert repo.labels_on(number) == []
