"""The list of routes is the feature list."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import handlers
from tests.bot.intake_world import Intake

FEATURES = [
    "github_app_authorization.revoked",
    "installation.created",
    "installation.deleted",
    "installation.new_permissions_accepted",
    "installation.suspend",
    "installation.unsuspend",
    "installation_repositories.added",
    "installation_repositories.removed",
    "installation_target.renamed",
    "issue_comment.created",
    "issues.closed",
    "issues.deleted",
    "issues.edited",
    "issues.labeled",
    "issues.opened",
    "issues.reopened",
    "issues.transferred",
    "issues.unlabeled",
    "label.created",
    "label.deleted",
    "label.edited",
    "ping.",
    "pull_request.closed",
    "pull_request.edited",
    "pull_request.labeled",
    "pull_request.opened",
    "pull_request.reopened",
    "pull_request.unlabeled",
    "repository.archived",
    "repository.deleted",
    "repository.privatized",
    "repository.publicized",
    "repository.renamed",
    "repository.transferred",
    "repository.unarchived",
]


def test_these_are_the_features() -> None:
    assert sorted(f"{event}.{action}" for event, action in handlers.load()) == FEATURES


def test_every_module_with_a_route_is_listed() -> None:
    folder = Path(handlers.__file__).parent
    with_routes = {path.stem for path in folder.glob("*.py") if "\n@on(" in path.read_text()}
    assert with_routes == set(handlers.MODULES)


def test_two_handlers_for_one_route_are_refused() -> None:
    handlers.load()
    with pytest.raises(ValueError, match=r"two handlers for issues\.opened"):
        handlers.on("issues", "opened")(lambda context, event: "")


def test_a_ping_says_that_the_webhook_works(bare: Intake) -> None:
    assert bare.handle("ping", {"zen": "Keep it simple."}) == ("the webhook works: Keep it simple.")


def test_every_handler_says_what_it_does() -> None:
    assert all(handler.__doc__ for handler in handlers.load().values())
