from dataclasses import dataclass, replace

import pytest

from bot.actors import Opening, actor_kind
from bot.github.remote import RemoteLabelEvent


@dataclass(frozen=True)
class Us:
    id: int = 9000
    login: str = "labelwright[bot]"


EVENT = RemoteLabelEvent(
    number=1,
    label_name="bug",
    action="labeled",
    actor_login="ada",
    actor_id=1,
    actor_type="User",
    at="2026-01-31T12:00:00Z",
)
OPENED = Opening(1, "ada", "NONE", "2026-01-31T12:00:00Z", from_template=True)


def by(login, number=7, kind="User"):
    return replace(EVENT, actor_login=login, actor_id=number, actor_type=kind)


def test_a_maintainer_is_a_person():
    assert actor_kind(by("grace"), us=Us(), opened=OPENED) == "person"


def test_our_own_account_is_known_by_id_after_a_rename_and_by_login_without_id():
    assert actor_kind(by("renamed[bot]", 9000, "Bot"), us=Us()) == "us"
    assert actor_kind(by("LabelWright[bot]", None, "Bot"), us=Us()) == "us"


def test_another_app_is_a_bot_by_type_or_by_its_login():
    assert actor_kind(by("stale[bot]", kind="Bot"), us=Us()) == "bot"
    assert actor_kind(by("stale[bot]", kind=None), us=Us()) == "bot"


def test_a_deleted_account_is_unknown():
    assert actor_kind(by(None, None, None), us=Us()) == "unknown"


def test_configuration_names_bots_among_the_users():
    assert actor_kind(by("Release-Robot"), us=Us(), bots=["release-robot"]) == "bot"


def test_a_bot_that_relays_commands_counts_as_a_person():
    relayed = by("prow[bot]", kind="Bot")
    assert actor_kind(relayed, us=Us(), people=["prow"], bots=["prow[bot]"]) == "person"


@pytest.mark.parametrize(
    ("association", "at", "template", "kind"),
    [
        ("NONE", "2026-01-31T12:00:00Z", True, "template"),
        ("NONE", "2026-01-31T12:00:59Z", True, "template"),
        ("CONTRIBUTOR", "2026-01-31T12:00:00Z", False, "template"),
        ("NONE", "2026-01-31T12:05:00Z", True, "person"),
        ("MEMBER", "2026-01-31T12:00:01Z", True, "template"),
        ("MEMBER", "2026-01-31T12:00:00Z", False, "person"),
        ("MEMBER", "2026-01-31T12:00:30Z", True, "person"),
        ("NONE", "not a time", True, "person"),
    ],
)
def test_labels_that_came_with_the_opening_are_the_templates(association, at, template, kind):
    opened = replace(OPENED, association=association, from_template=template)
    assert actor_kind(replace(EVENT, at=at), us=Us(), opened=opened) == kind


def test_taking_a_label_off_is_never_the_templates():
    assert actor_kind(replace(EVENT, action="unlabeled"), us=Us(), opened=OPENED) == "person"


def test_somebody_else_in_the_same_second_is_a_person():
    assert actor_kind(by("grace", 2), us=Us(), opened=OPENED) == "person"


def test_the_author_is_known_by_login_where_ids_are_missing():
    opened = replace(OPENED, author_id=None)
    assert actor_kind(EVENT, us=None, opened=opened) == "template"
