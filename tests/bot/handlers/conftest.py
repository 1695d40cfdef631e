from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.intake_world import Intake, installation, make_intake, repository


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    """A server that has not heard of anybody."""
    monkeypatch.setenv("LABELWRIGHT_HOME", str(tmp_path))
    intake = make_intake(tmp_path)
    yield intake
    intake.store.close()


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
