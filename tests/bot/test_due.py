"""Why a training is due: each cause once, and none in a loop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.due import LEARNED, MIN_USES, SETTLED, Asked, Due, Facts, Version, remembered, why_due

NOW = 1_800_000_000.0
BUG, UI = 1, 2
KNOWN = Version({BUG: 40, UI: 20}, "mini-1")
QUIET = Facts(
    KNOWN,
    NOW,
    labeled=100,
    labels={BUG: "bug", UI: "area/ui"},
    uses={BUG: 40, UI: 20},
    encoder="mini-1",
)


def looks(*facts: Facts, asked: Asked | None = None) -> list[str]:
    """What triggers a training at each look, half an hour after the one before."""
    asked, found = asked or Asked(), []
    for number, each in enumerate(facts):
        now = replace(each, now=NOW + number * SETTLED)
        due = why_due(now, asked)
        asked = remembered(now, asked, due)
        found.append(due.trigger if due else "")
    return found


def test_where_nothing_changed_nothing_is_due():
    assert looks(QUIET, QUIET, QUIET) == ["", "", ""]


# The first one


def test_a_repository_that_grew_to_enough_labeled_issues_is_trained():
    small, enough = Facts(None, labeled=19), Facts(None, labeled=20)
    assert looks(small, small, enough) == ["", "", "first"]
    assert why_due(enough, Asked()) == Due("first", "20 labeled issues, no model yet")


def test_a_first_training_that_came_to_nothing_is_tried_again_at_twice_as_many_labels():
    sizes = [20, 20, 39, 40, 41, 79, 80]
    found = looks(*(Facts(None, labeled=size) for size in sizes))
    assert found == ["first", "", "", "first", "", "", "first"]


# Corrections


def test_as_many_corrections_as_the_configuration_says_are_due():
    many = replace(QUIET, corrections=25)
    assert why_due(many, Asked()) == Due("corrections", "25 corrections")
    assert why_due(replace(many, corrections=24), Asked()) is None


def test_a_training_for_corrections_learns_the_changed_labels_as_well():
    both = replace(QUIET, labels={BUG: "bug"}, corrections=25)
    after = replace(both, corrections=0)
    assert looks(both, after, after) == ["corrections", "", ""]


# Labels


def with_new(uses: int) -> Facts:
    labels, counted = {**QUIET.labels, 3: "docs"}, {**QUIET.uses, 3: uses}
    return replace(QUIET, labels=labels, uses=counted)


def test_a_new_label_is_due_once_it_is_used_often_enough_and_exactly_once():
    few, often = with_new(MIN_USES - 1), with_new(MIN_USES)
    assert looks(few, few, often, often, often, often) == ["", "", "", "labels", "", ""]


def test_the_reason_names_the_label():
    seen = remembered(with_new(15), Asked(), None)
    due = why_due(replace(with_new(15), now=seen.since + SETTLED), seen)
    assert due is not None
    assert due.why == "labels changed: docs is in use, and hardly known to it"


def test_a_label_that_the_version_learned_from_next_to_nothing_is_as_good_as_new():
    labels, uses = {**QUIET.labels, 3: "docs"}, {**QUIET.uses, 3: MIN_USES}
    for support, wanted in ((LEARNED - 1, ["", "labels"]), (LEARNED, ["", ""])):
        version = Version({**KNOWN.labels, 3: support}, "mini-1")  # type: ignore[dict-item]
        facts = replace(QUIET, version=version, labels=labels, uses=uses)
        assert looks(facts, facts) == wanted


def test_a_label_that_is_gone_is_due_once():
    gone = replace(QUIET, labels={BUG: "bug"})
    assert looks(gone, gone, gone, gone) == ["", "labels", "", ""]


def test_the_reason_says_what_went_by_the_name_that_it_had():
    gone = replace(QUIET, labels={BUG: "bug"}, deleted={UI: "area/ui"})
    due = why_due(replace(gone, now=NOW + SETTLED), remembered(gone, Asked(), None))
    assert due is not None and due.why == "labels changed: area/ui is gone"


def test_a_renamed_label_needs_no_training():
    renamed = replace(QUIET, labels={BUG: "defect", UI: "area/web"})
    assert looks(renamed, renamed, renamed) == ["", "", ""]


def test_a_label_that_was_known_by_its_name_alone_is_lost_with_it():
    version = Version({"bug": 40, UI: 20}, "mini-1")
    kept, renamed = replace(QUIET, version=version), {BUG: "defect", UI: "area/ui"}
    assert looks(kept, kept) == ["", ""]
    lost = replace(kept, labels=renamed)
    assert looks(lost, lost, lost) == ["", "labels", ""]


def test_while_labels_go_one_after_the_other_it_is_waited_for_the_last():
    names = {number: f"l{number}" for number in range(10, 16)}
    version = Version({**KNOWN.labels, **dict.fromkeys(names, 9)}, "mini-1")  # type: ignore[dict-item]
    storm = [
        replace(QUIET, version=version, labels={**QUIET.labels, **dict(list(names.items())[n:])})
        for n in range(len(names) + 1)
    ]
    assert looks(*storm, storm[-1], storm[-1]) == [""] * 7 + ["labels", ""]


def test_looks_that_follow_each_other_soon_do_not_count_as_waiting():
    gone = replace(QUIET, labels={BUG: "bug"})
    seen = remembered(gone, Asked(), None)
    assert why_due(replace(gone, now=NOW + SETTLED - 1), seen) is None
    assert remembered(replace(gone, now=NOW + 60), seen, None) == seen


def test_a_training_for_labels_that_the_gate_refused_is_not_repeated_but_for_another_label():
    first = with_new(MIN_USES)
    labels, uses = {**first.labels, 4: "perf"}, {**first.uses, 4: MIN_USES}
    second = replace(first, labels=labels, uses=uses)
    assert looks(first, first, first, second, second, second) == [
        "",
        "labels",
        "",
        "",
        "labels",
        "",
    ]


def test_a_label_that_was_learned_and_then_deleted_is_another_cause():
    learned = Version({**KNOWN.labels, 3: 15}, "mini-1")  # type: ignore[dict-item]
    gone = replace(QUIET, version=learned)
    assert looks(with_new(15), with_new(15), gone, gone) == ["", "labels", "", "labels"]


def test_with_too_few_labeled_issues_changed_labels_are_not_due():
    gone = replace(QUIET, labels={BUG: "bug"}, labeled=19)
    assert looks(gone, gone) == ["", ""]


# Encoders


def test_a_head_that_a_new_encoder_left_behind_is_trained_once():
    behind = replace(QUIET, encoder="mini-2")
    assert looks(behind, behind, behind) == ["encoder", "", ""]
    assert why_due(behind, Asked()) == Due("encoder", "its head is of mini-1, in force mini-2")


def test_the_next_encoder_is_another_cause():
    second, third = replace(QUIET, encoder="mini-2"), replace(QUIET, encoder="mini-3")
    assert looks(second, second, third, third) == ["encoder", "", "encoder", ""]


@pytest.mark.parametrize("version", [Version(KNOWN.labels), Version()])
def test_a_version_with_an_encoder_of_its_own_or_that_cannot_be_read_stays(version: Version):
    facts = replace(QUIET, version=version, encoder="mini-2")
    assert looks(facts, facts) == ["", ""]


def test_an_encoder_in_force_that_cannot_be_read_is_no_cause():
    assert looks(replace(QUIET, encoder=None)) == [""]
