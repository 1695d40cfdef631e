import pytest

from bot.github import graphql
from bot.github.remote import RemoteLabel

LABELS = [RemoteLabel(11, "bug", "", ""), RemoteLabel(12, "Docs", "", "")]
ADA = {"__typename": "User", "login": "ada", "databaseId": 1}


def node(**changes):
    return {
        "fullDatabaseId": "5000000000",
        "number": 1,
        "title": "It breaks",
        "body": "now",
        "state": "CLOSED",
        "createdAt": "2026-01-31T12:00:00Z",
        "updatedAt": "2026-02-01T12:00:00Z",
        "lastEditedAt": None,
        "author": ADA,
        "authorAssociation": "MEMBER",
        "labels": {"nodes": [{"name": "BUG"}, {"name": "docs"}, {"name": "unknown"}]},
        **changes,
    }


def parse(*nodes, **info):
    return graphql.parse({"nodes": nodes, "totalCount": 7, "pageInfo": info}, LABELS)


def only(**changes):
    return parse(node(**changes)).page.issues[0]


def edits(at, diff="as opened", deleted=None):
    entry = {"editedAt": at, "diff": diff, "deletedAt": deleted}
    return {"lastEditedAt": "2026-02-01T00:00:00Z", "userContentEdits": {"nodes": [entry]}}


def items(*entries, more=False):
    return {"timelineItems": {"nodes": list(entries), "pageInfo": {"hasNextPage": more}}}


def test_an_issue_carries_ids_that_need_more_than_32_bits():
    issue = only()
    assert (issue.id, issue.author_id, issue.state) == (5_000_000_000, 1, "closed")


def test_labels_are_matched_by_name_in_any_case_and_unknown_ones_left_out():
    assert [label.id for label in only().labels] == [11, 12]


def test_a_text_that_was_never_edited_is_the_text_as_opened():
    assert only().opened_body == "now"


def test_the_oldest_edit_is_the_text_as_opened():
    assert only(**edits("2026-01-31T12:00:00Z")).opened_body == "as opened"


@pytest.mark.parametrize(
    "changes",
    [
        edits("2026-01-31T13:00:00Z"),
        edits("2026-01-31T12:00:00Z", diff=None),
        edits("2026-01-31T12:00:00Z", deleted="2026-02-02T00:00:00Z"),
        edits(None),
        {"lastEditedAt": "2026-02-01T00:00:00Z", "userContentEdits": {"nodes": []}},
        {"lastEditedAt": "2026-02-01T00:00:00Z", "userContentEdits": None},
    ],
)
def test_a_text_as_opened_that_github_no_longer_has_stays_unknown(changes):
    assert only(**changes).opened_body is None


def test_the_first_rename_tells_the_title_as_opened():
    later = {"__typename": "RenamedTitleEvent", "createdAt": "2026-03-01", "previousTitle": "b"}
    first = {"__typename": "RenamedTitleEvent", "createdAt": "2026-02-01", "previousTitle": "a"}
    assert only(**items(later, first)).opened_title == "a"
    assert only().opened_title == "It breaks"


def test_a_transfer_into_the_repository_is_noticed():
    assert only(**items({"__typename": "TransferredEvent"})).arrived_by_transfer


def test_label_events_say_who_and_bots_are_named_as_in_rest():
    bot = {"__typename": "Bot", "login": "labelwright", "databaseId": 9000}
    on = {"__typename": "LabeledEvent", "createdAt": "t1", "actor": bot, "label": {"name": "bug"}}
    off = {"__typename": "UnlabeledEvent", "createdAt": "t2", "actor": None, "label": {"name": "x"}}
    first, second = parse(node(**items(on, off))).page.events
    assert (first.actor_login, first.actor_id, first.actor_type) == (
        "labelwright[bot]",
        9000,
        "Bot",
    )
    assert (second.action, second.actor_login, second.actor_id) == ("unlabeled", None, None)


def test_a_page_says_where_the_next_one_begins():
    assert parse(node(), hasNextPage=True, endCursor="c1").page.cursor == "c1"
    assert parse(node(), hasNextPage=False, endCursor="c1").page.cursor is None


def test_issues_with_more_events_than_fit_are_reported():
    assert parse(node(**items(more=True)), node(number=2)).incomplete == (1,)


def test_missing_and_null_fields_are_normal():
    bare = parse({"number": 3, "author": None, "labels": None, "timelineItems": None}, None)
    assert bare.page.issues[0].author_login is None
    assert bare.page.issues[0].labels == ()
