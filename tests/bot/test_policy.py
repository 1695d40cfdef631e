"""The policy: a verdict with a reason for every label, and the promises that hold for all input."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy import (
    IssueFacts,
    effective_mode,
)
from bot.repo_config import GroupRule, LabelRules, Mode, Override, RepoConfig, Skip, matches
from bot.sensitive import why_sensitive
from models.demotion import LiveLabel
from models.labels import LabelScore
from tests.bot.policy_world import (
    API,
    BUG,
    DOCS,
    FACTS,
    FALLBACK,
    LABELS,
    NAMES,
    UI,
    applied,
    of,
    run,
    score,
)


def test_a_score_above_its_threshold_is_applied():
    decision = run(score("bug", 0.9), score("docs", 0.6), score("area/ui", 0.1))
    assert applied(decision) == ["bug"]
    assert of(decision, "bug").reason == "0.90 reaches 0.80, from where it is applied"
    assert [v.label for v in decision.suggest] == ["docs"]
    assert of(decision, "area/ui").reason == "0.10 is below 0.40, where suggestions begin"
    assert of(decision, "lgtm").reason == "the model does not know this label"


def test_a_label_without_a_trusted_threshold_is_suggested_with_the_models_reason():
    verdict = of(run(score("bug", 0.99, apply_at=None)), "bug")
    assert verdict.action == "suggest"
    assert "12 decisions, 15 needed" in verdict.reason


@pytest.mark.parametrize(("mode", "action"), [("suggest", "suggest"), ("off", "none")])
def test_nothing_is_applied_in_another_mode(mode: Mode, action: str):
    assert of(run(score("bug", 0.9), mode=mode), "bug").action == action


def test_the_operators_mode_goes_before_the_files():
    assert effective_mode(RepoConfig(mode="apply"), None) == "apply"
    assert effective_mode(RepoConfig(mode="apply"), "off") == "off"


def test_a_label_that_anybody_removed_is_not_put_back():
    verdict = of(run(score("bug", 0.99), removed={BUG}), "bug")
    assert (verdict.action, "not put back" in verdict.reason) == ("none", True)


def test_a_label_on_the_issue_is_left():
    assert of(run(score("bug", 0.99), present={BUG}), "bug").reason == "it is on the issue already"


def test_a_caution_makes_the_whole_text_suggest_only():
    decision = run(score("bug", 0.99), caution="the text is not English")
    assert applied(decision) == []
    assert "not English" in of(decision, "bug").reason


def test_a_renamed_label_is_found_by_its_id():
    decision = run(score("defect", 0.9, id=BUG))
    assert applied(decision) == ["bug"]


def test_a_label_that_was_imported_without_an_id_is_found_by_its_name():
    assert applied(run(score("bug", 0.9, id=-12345))) == ["bug"]
    assert applied(run(score("bug", 0.9, id=12345))) == []


def test_a_label_that_no_longer_exists_has_a_verdict_without_an_id():
    verdict = of(run(score("gone", 0.99, id=77)), "gone")
    assert (verdict.label_id, verdict.action) == (None, "none")


def test_allow_and_deny_take_patterns():
    rules = LabelRules(allow=("area/*", "lgtm"), deny=("*/api",))
    config = RepoConfig(labels=rules)
    decision = run(*(score(name, 0.9) for name in NAMES[:4]), config=config)
    assert applied(decision) == ["area/ui"]
    assert of(decision, "area/api").reason == "`labels.deny` leaves it out: */api"
    assert of(decision, "bug").reason == "`labels.allow` does not name it"


def test_an_override_holds_for_its_label():
    overrides = {"bug": Override("suggest"), "docs": Override("off")}
    config = RepoConfig(labels=LabelRules(overrides=overrides))
    decision = run(score("bug", 0.9), score("docs", 0.9), score("area/ui", 0.9), config=config)
    assert applied(decision) == ["area/ui"]
    assert of(decision, "bug").action == "suggest"
    assert of(decision, "docs").action == "none"


def test_a_stricter_target_waits_for_the_next_training():
    config = RepoConfig(labels=LabelRules(overrides={"bug": Override(None, 0.95)}))
    decision = run(
        score("bug", 0.9),
        score("docs", 0.9),
        config=config,
        trained_for={"bug": 0.90, "docs": 0.90},
    )
    assert applied(decision) == ["docs"]
    assert "set for precision 0.90, not 0.95" in of(decision, "bug").reason


@pytest.mark.parametrize(
    "name",
    ["safe-to-test", "ok-to-test", "LGTM", "approved", "automerge", "auto-merge", "run-ci",
     "run: benchmarks", "duplicate", "stale", "wontfix", "Won't Fix", "good first issue",
     "status: duplicate", ":ok_hand: lgtm", "help wanted"],
)  # fmt: skip
def test_labels_that_start_or_state_something_are_sensitive(name: str):
    assert why_sensitive(name)


@pytest.mark.parametrize(
    "name", ["bug", "docs", "area/ui", "runtime", "merge conflict handling", "build", "ci", ""]
)
def test_labels_of_content_are_not_sensitive(name: str):
    assert why_sensitive(name) is None


def test_a_sensitive_label_is_suggested_unless_it_is_allowed_by_name():
    assert of(run(score("lgtm", 0.99)), "lgtm").action == "suggest"
    by_pattern = RepoConfig(labels=LabelRules(allow=("lg*",)))
    assert of(run(score("lgtm", 0.99), config=by_pattern), "lgtm").action == "suggest"
    by_name = RepoConfig(labels=LabelRules(allow=("LGTM",)))
    assert applied(run(score("lgtm", 0.99), config=by_name)) == ["lgtm"]
    by_override = RepoConfig(labels=LabelRules(overrides={"lgtm": Override("apply")}))
    assert applied(run(score("lgtm", 0.99), config=by_override)) == ["lgtm"]


def test_a_label_that_comes_late_is_suggested_unless_it_is_allowed_by_name():
    assert of(run(score("docs", 0.99), late={DOCS}), "docs").action == "suggest"
    by_name = RepoConfig(labels=LabelRules(allow=("docs",)))
    assert applied(run(score("docs", 0.99), late={DOCS}, config=by_name)) == ["docs"]


def test_a_label_that_is_held_back_is_scored_in_the_shadow():
    live = {
        BUG: LiveLabel((), None, "2 of the last 9 right, 90% wanted"),
        DOCS: LiveLabel((), None, "x"),
        UI: LiveLabel((), 0.95, "30 of the last 40 right, 90% wanted"),
        API: LiveLabel((), 0.85, "y"),
    }
    scores = score("bug", 0.9), score("docs", 0.6), score("area/ui", 0.9), score("area/api", 0.9)
    decision = run(*scores, live=live)
    assert applied(decision) == ["area/api"]
    assert of(decision, "bug").shadow and of(decision, "area/ui").shadow
    assert of(decision, "bug").reason == "suggested only: 2 of the last 9 right, 90% wanted"
    why = "suggested only: 0.90 is below 0.95: 30 of the last 40 right, 90% wanted"
    assert of(decision, "area/ui").reason == why
    assert not of(decision, "docs").shadow


def test_a_label_may_be_withheld_at_random():
    decision = run(score("bug", 0.9), score("docs", 0.6), withheld={BUG, DOCS})
    assert (applied(decision), of(decision, "bug").shadow) == ([], True)
    assert "withheld at random" in of(decision, "bug").reason
    assert "withheld" not in of(decision, "docs").reason


AREA = RepoConfig(groups=(GroupRule("area", "area/*", 1),))


def test_a_group_takes_the_likelier_label():
    decision = run(score("area/ui", 0.85), score("area/api", 0.95), config=AREA)
    assert applied(decision) == ["area/api"]
    assert of(decision, "area/ui").reason == "the group area is full: area/api (at most 1)"


def test_a_label_that_is_present_fills_its_group():
    decision = run(score("area/ui", 0.95), config=AREA, present={API})
    assert of(decision, "area/ui").action == "none"


def test_suggestions_of_a_group_stay_beside_each_other():
    decision = run(score("area/ui", 0.5), score("area/api", 0.45), config=AREA)
    assert [v.label for v in decision.suggest] == ["area/ui", "area/api"]


@pytest.mark.parametrize(
    ("facts", "config", "reason"),
    [
        (replace(FACTS, locked=True), RepoConfig(), "the conversation is locked"),
        (replace(FACTS, state="closed"), RepoConfig(), "the issue is closed"),
        (replace(FACTS, archived=True), RepoConfig(), "the repository is archived"),
        (replace(FACTS, is_pull_request=True), RepoConfig(), "it is a pull request"),
        (replace(FACTS, author="ci[bot]"), RepoConfig(skip=Skip(authors=("*[bot]",))), "`skip.au"),
        (replace(FACTS, association="OWNER"), RepoConfig(skip=Skip((), ("OWNER",))), "OWNER"),
    ],
)
def test_an_issue_that_is_left_alone_says_why_for_each_label(
    facts: IssueFacts, config: RepoConfig, reason: str
):
    decision = run(score("bug", 0.99), issue=facts, config=config)
    assert all(v.action == "none" and reason in v.reason for v in decision.verdicts)


def test_an_issue_with_a_label_to_skip_is_left_alone():
    config = RepoConfig(skip=Skip(labels=("need*",)))
    assert applied(run(score("bug", 0.99), config=config, present={FALLBACK})) == []


def test_pull_requests_are_labelled_where_the_file_says_so():
    facts = replace(FACTS, is_pull_request=True)
    config = RepoConfig(pull_requests=True)
    assert applied(run(score("bug", 0.99), issue=facts, config=config)) == ["bug"]


def test_the_stored_form_names_the_action_verdict():
    stored = run(score("bug", 0.9)).to_dicts()[0]
    assert sorted(stored) == ["label", "label_id", "probability", "reason", "shadow", "verdict"]


names = st.sampled_from([*NAMES, "gone", "Bug"])
ids = st.sets(st.sampled_from(sorted(LABELS)))
patterns = st.sampled_from(["*", "area/*", "bug", "lgtm", "a*", "docs"])
modes = st.sampled_from(["apply", "suggest", "off"])
scores = st.lists(
    st.builds(
        LabelScore,
        label=names,
        probability=st.floats(0, 1),
        mode=modes,
        apply_at=st.none() | st.floats(0, 1),
        suggest_at=st.floats(0, 1),
        why=st.just("because"),
        id=st.none() | st.integers(1, 9),
    ),
    max_size=8,
)
configs = st.builds(
    RepoConfig,
    mode=modes,
    labels=st.builds(
        LabelRules,
        allow=st.lists(patterns, max_size=2).map(tuple),
        deny=st.lists(patterns, max_size=1).map(tuple),
        overrides=st.dictionaries(patterns, st.builds(Override, mode=st.none() | modes)),
    ),
    groups=st.lists(
        st.builds(GroupRule, name=st.just("g"), match=patterns, max=st.integers(1, 2)), max_size=3
    ).map(tuple),
    fallback=st.none() | names,
)


@given(scores, configs, modes, ids, ids, ids, st.booleans())
def test_the_promises_hold_whatever_comes(scores, config, mode, present, removed, late, cautious):
    decision = run(
        *scores, config=config, mode=mode, present=present, removed=removed, late=late,
        caution="far from anything seen" if cautious else None,
    )  # fmt: skip
    told = [v.label_id for v in decision.verdicts if v.label_id is not None]
    assert sorted(told) == sorted(LABELS)
    assert all(v.reason for v in decision.verdicts)
    new = {v.label_id for v in decision.apply}
    assert None not in new
    assert not new & (removed | present)
    assert mode == "apply" or not new
    for group in config.groups:
        inside = [i for i in new if matches(group.match, LABELS[i].name)]
        already = [i for i in present if matches(group.match, LABELS[i].name)]
        assert not inside or len(inside) + len(already) <= group.max
    if cautious:
        fallback = (config.fallback or "").casefold()
        assert {v.label.casefold() for v in decision.apply} <= {fallback}
