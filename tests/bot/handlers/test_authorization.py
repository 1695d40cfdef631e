"""Who takes the authorization back is signed out."""

from __future__ import annotations

from typing import Any

import pytest

from bot.store.sessions import Session
from tests.bot.intake_world import Intake


def begin(intake: Intake, secret: str, person: int) -> None:
    now = intake.store.now()
    intake.store.sessions.begin(secret, Session(person, "ada", None, now, now + 1000))
    expires = {"login": "ada", "name": "mine", "expires_at": now + 1000}
    intake.store.sessions.add_token(f"token of {secret}", person_id=person, **expires)


def test_their_sessions_and_tokens_end_and_no_others(intake: Intake) -> None:
    begin(intake, "hers", 5)
    begin(intake, "his", 6)
    payload = {"action": "revoked", "sender": {"login": "ada", "id": 5}}
    assert intake.handle("github_app_authorization", payload) == "2 sessions and tokens ended"
    sessions = intake.store.sessions
    assert sessions.get("hers") is None and sessions.token("token of hers") is None
    assert sessions.get("his") is not None and sessions.token("token of his") is not None


@pytest.mark.parametrize("sender", [{}, {"id": 0}, {"id": -1}, {"id": "5"}])
def test_without_a_person_nobody_is_signed_out(intake: Intake, sender: dict[str, Any]) -> None:
    begin(intake, "the operator's", 0)
    told = intake.handle("github_app_authorization", {"action": "revoked", "sender": sender})
    assert told.startswith("ignored:")
    assert intake.store.sessions.get("the operator's") is not None
