"""After all the others of this folder, as its name comes last: none failed without a reason."""

from __future__ import annotations

from tests.e2e.site import Site


def test_every_job_that_failed_says_why(site: Site):
    jobs = site.server.store.jobs.list(limit=10_000)
    silent = [job for job in jobs if job.state in ("dead", "waiting") and not job.error]
    assert silent == []
    assert any(job.state == "dead" for job in jobs), "the tests before left nothing to look at"
