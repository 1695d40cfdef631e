"""Feedback: what people's changes say about our labels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.feedback import Feedback, derive, unconfirmed
from bot.repo_config import GroupRule, RepoConfig
from bot.store.rows import ActorKind, Answer, AppliedLabel, Decision, LabelEvent
from bot.times import from_epoch

NOW = 1_800_000_000.0
BUG = AppliedLabel(7, 1, 5, 10, "bug", "v1", 3, NOW, NOW + 1, "applied", "")
CONFIG = RepoConfig()


def event(
    second: int, sign: str, label: str, kind: ActorKind = "person", login: str = "ada"
) -> LabelEvent:
    action = "labeled" if sign == "+" else "unlabeled"
    return LabelEvent(
        1, 5, None, label, action, None, login, kind, from_epoch(NOW + second), "webhook"
    )


OURS = event(1, "+", "bug", "us", "labelwright[bot]")


def only(found: list[Feedback]) -> Feedback:
    assert len(found) == 1
    return found[0]


def test_nothing_happened_means_untouched():
    assert unconfirmed(only(derive([OURS], [BUG], CONFIG)))


def test_a_person_who_takes_it_off_makes_a_false_positive():
    said = only(derive([OURS, event(60, "-", "bug")], [BUG], CONFIG))
    assert (said.kind, said.actor, said.version) == ("false positive", "ada", "v1")
    assert said.is_correction


def test_another_label_at_the_same_time_makes_it_replaced():
    said = derive([OURS, event(60, "-", "bug"), event(65, "+", "docs")], [BUG], CONFIG)
    assert (said[0].kind, said[0].replaced_by) == ("replaced", "docs")


def test_another_label_of_its_group_replaces_it_days_later():
    config = RepoConfig(groups=(GroupRule("kind", "kind/*"),))
    ours = replace(BUG, label="kind/bug")
    events = [event(60, "-", "kind/bug"), event(9 * 86_400, "+", "kind/docs")]
    assert only(derive(events, [ours], config)).replaced_by == "kind/docs"


def test_a_later_unrelated_label_does_not_replace_it():
    events = [OURS, event(60, "-", "bug"), event(86_400, "+", "docs")]
    assert only(derive(events, [BUG], CONFIG)).kind == "false positive"


def test_a_person_who_puts_it_back_confirms_it():
    events = [OURS, event(60, "-", "bug"), event(90, "+", "bug")]
    assert only(derive(events, [BUG], CONFIG)).kind == "confirmed"


def test_a_person_who_changes_other_labels_and_leaves_it_confirms_it():
    said = derive([OURS, event(60, "+", "docs")], [BUG], CONFIG, decided_at=NOW, version="v1")
    assert [(f.label, f.kind) for f in said] == [("bug", "confirmed"), ("docs", "false negative")]


@pytest.mark.parametrize("kind", ["bot", "us", "unknown", "template"])
def test_only_a_person_makes_a_correction(kind: ActorKind):
    said = derive([OURS, event(60, "-", "bug", kind)], [BUG], CONFIG, decided_at=NOW)
    assert only(said).kind == "withdrawn"
    assert derive([event(60, "+", "docs", kind)], [], CONFIG, decided_at=NOW) == []


def test_a_login_of_people_counts_as_a_person_and_one_of_bots_does_not():
    relayed = [OURS, event(60, "-", "bug", "bot", "relay[bot]")]
    assert only(derive(relayed, [BUG], RepoConfig(people=("Relay",)))).kind == "false positive"
    scripted = [OURS, event(60, "-", "bug", "person", "ci-user")]
    assert only(derive(scripted, [BUG], RepoConfig(bots=("ci-user",)))).kind == "withdrawn"


def test_what_was_added_before_we_looked_is_no_correction():
    events = [event(-3600, "+", "docs")]
    assert derive(events, [], CONFIG, decided_at=NOW, version="v1") == []


def test_what_was_added_and_taken_off_again_was_not_missed():
    events = [event(60, "+", "docs"), event(70, "-", "docs")]
    assert derive(events, [], CONFIG, decided_at=NOW) == []


def test_the_fallback_label_is_never_a_correction():
    config = RepoConfig(fallback="needs-triage")
    assert derive([event(60, "+", "Needs-Triage")], [], config, decided_at=NOW) == []


def test_an_event_with_an_id_is_matched_by_it_after_a_rename():
    renamed = replace(event(60, "-", "defect"), label_id=10)
    assert only(derive([OURS, renamed], [BUG], CONFIG)).kind == "false positive"


def test_without_our_own_event_the_clock_decides():
    before, after = event(-3600, "-", "bug"), event(30, "-", "bug")
    assert only(derive([before], [BUG], CONFIG)).kind == "untouched"
    assert only(derive([after], [BUG], CONFIG)).kind == "false positive"


def test_what_we_never_wrote_has_no_feedback():
    rows = [replace(BUG, outcome="abandoned"), replace(BUG, outcome="intended")]
    assert derive([OURS], rows, CONFIG) == []


def test_what_we_took_back_is_withdrawn():
    assert only(derive([], [replace(BUG, outcome="undone")], CONFIG)).kind == "withdrawn"


SUGGESTED = {20: "docs"}


def answer(belongs: bool, second: int = 60) -> Answer:
    return Answer(1, 5, 20, belongs, from_epoch(NOW + second))


def added(second: int, sign: str = "+") -> LabelEvent:
    return replace(event(second, sign, "docs"), label_id=20)


def test_a_suggestion_that_a_person_follows_is_accepted():
    said = only(derive([added(60)], [], CONFIG, decided_at=NOW, version="v1", suggested=SUGGESTED))
    assert (said.kind, said.label, said.version, said.is_correction) == (
        "accepted",
        "docs",
        "v1",
        True,
    )


def test_another_label_than_the_suggested_one_was_missed():
    said = derive([added(60)], [], CONFIG, decided_at=NOW, suggested={30: "ui"})
    assert only(said).kind == "false negative"


@pytest.mark.parametrize(("belongs", "kind"), [(True, "accepted"), (False, "dismissed")])
def test_what_is_said_here_of_a_suggestion_is_a_correction(belongs: bool, kind: str):
    said = only(
        derive([], [], CONFIG, suggested=SUGGESTED, answers=[answer(belongs)], version="v1")
    )
    assert (said.kind, said.label_id, said.at, said.is_correction) == (
        kind,
        20,
        from_epoch(NOW + 60),
        True,
    )


def test_what_is_said_here_of_a_label_that_was_not_suggested_is_no_word_on_ours():
    assert derive([], [], CONFIG, answers=[answer(False)]) == []


def test_what_happens_on_github_after_an_answer_is_heard_instead():
    said = derive(
        [added(90)], [], CONFIG, decided_at=NOW, suggested=SUGGESTED, answers=[answer(False)]
    )
    assert only(said).kind == "accepted"
    gone = [added(70), added(90, "-")]
    assert derive(gone, [], CONFIG, suggested=SUGGESTED, answers=[answer(True)]) == []


def test_a_decision_knows_what_it_suggested():
    verdicts = tuple(
        {"label_id": number, "label": name, "verdict": verdict}
        for number, name, verdict in ((1, "a", "apply"), (2, "b", "suggest"), (3, "c", "none"))
    )
    assert Decision(1, 5, "v1", "apply", verdicts).suggested == {2: "b"}
