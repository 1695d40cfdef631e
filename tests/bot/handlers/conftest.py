from __future__ import annotations

import pytest

from tests.bot.intake_world import Intake, installation, repository


@pytest.fixture
def intake(bare: Intake) -> Intake:
    """A server with the App on one repository, whose first jobs are done."""
    payload = {
        "action": "created",
        "installation": installation(),
        "repositories": [repository()],
    }
    bare.handle("installation", payload)
    for job in bare.waiting():
        bare.store.jobs.discard(job.id, "set up")
    return bare
