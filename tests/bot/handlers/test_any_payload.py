"""Whatever a signed payload holds, the server answers, and the job ends with a reason."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import handlers
from bot.times import to_epoch
from tests.bot.handlers.payloads import KEYS, PAYLOADS
from tests.bot.intake_world import Intake

ROUTES = sorted(handlers.load())
IDS = {"id": 7, "number": 3, "name": "bug", "full_name": "acme/rocket"}


def complete(payload: dict[str, Any], part: dict[str, Any], given_ids: bool) -> dict[str, Any]:
    """A payload whose parts have ids (it gets past the door) and odd values for the rest."""
    ids = IDS if given_ids else {}
    parts = ("repository", "installation", "issue", "pull_request", "label", "account", "sender")
    return payload | dict.fromkeys((*parts, "comment"), part | ids)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    route=st.sampled_from(ROUTES),
    payload=st.dictionaries(KEYS, PAYLOADS, max_size=4),
    part=st.dictionaries(KEYS, PAYLOADS, max_size=8),
    given_ids=st.booleans(),
    pull_requests=st.booleans(),
)
def test_no_payload_breaks_the_server(
    intake: Intake,
    route: tuple[str, str],
    payload: dict[str, Any],
    part: dict[str, Any],
    given_ids: bool,
    pull_requests: bool,
) -> None:
    intake.configure(pull_requests=pull_requests, fallback="bug")
    event, action = route
    answer = intake.post(event, complete(payload, part, given_ids) | {"action": action})
    assert answer.status_code in (202, 400)
    for result in intake.work():
        assert result
    for repository in intake.store.repositories.all():
        for row in intake.store.events.for_repository(repository.id):
            assert to_epoch(row.at) > 0
