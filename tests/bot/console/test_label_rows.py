"""The rows of the table of labels, from values alone."""

from __future__ import annotations

import pytest

from bot.console.in_force import InForce
from bot.console.intervals import wilson
from bot.console.label_rows import histories, label_rows
from bot.repo_config import LabelRules, Override, RepoConfig
from bot.store.rows import Label, LiveState
from models.labels import LabelRule

BUG = Label(5, 1, "bug", color="d73a4a")
MODEL = InForce("0001-abcdabcd", (LabelRule("bug", 1, "", 0.8, 0.4, 90, "96 of 100"),))


def does(
    config: RepoConfig | None = None, *, model: InForce = MODEL, live: LiveState | None = None
) -> tuple[str, str, float | None]:
    """What becomes of the label `bug`, why, and from which probability on."""
    states = {live.label_id: live} if live else {}
    [row] = label_rows([BUG], model, config or RepoConfig(), live=states, history={})
    return row.does, row.why, row.apply_at


def test_a_label_with_a_threshold_applies() -> None:
    assert does() == ("applies", "96 of 100", 0.8)


def test_a_raised_bar_is_the_threshold() -> None:
    state = LiveState(1, "raised", 0.93, "8 of the last 10 right", 10, 8)
    assert does(live=state) == (
        "applies",
        "only from 0.93 on, by live precision: 8 of the last 10 right",
        0.93,
    )


def test_a_retired_label_is_only_suggested() -> None:
    state = LiveState(1, "retired", None, "nobody has used it since 2024")
    assert does(live=state)[:2] == ("suggests", "nobody has used it since 2024")


def test_the_fallback_label_waits_for_what_nothing_else_fits() -> None:
    assert does(RepoConfig(fallback="BUG"))[0] == "applies"
    assert "fallback" in does(RepoConfig(fallback="BUG"))[1]


def test_a_threshold_for_a_lower_target_does_not_count() -> None:
    model = InForce(MODEL.version, MODEL.rules, card={"targets": {"bug": 0.9}})
    config = RepoConfig(target_precision=0.97)
    assert does(config, model=model)[:2] == (
        "suggests",
        "its threshold was set for precision 0.90, not 0.97",
    )


@pytest.mark.parametrize("version", ["0001-abcdabcd", None])
def test_the_file_turns_a_label_off_with_a_model_or_without(version: str | None) -> None:
    model = InForce(version, MODEL.rules if version else ())
    config = RepoConfig(labels=LabelRules(overrides={"bug": Override(mode="off")}))
    assert does(config, model=model)[:2] == ("off", "`labels.overrides` turns it off")


def test_a_rule_of_another_id_is_about_a_label_that_is_gone() -> None:
    model = InForce(MODEL.version, (LabelRule("bug", 77, apply_at=0.8),))
    assert does(model=model) == ("off", "the model does not know this label", None)


def test_an_imported_label_is_known_by_its_name() -> None:
    model = InForce(MODEL.version, (LabelRule("Bug", -9, apply_at=0.7, why="9 of 9"),))
    assert does(model=model) == ("applies", "9 of 9", 0.7)


def test_how_often_a_label_was_right_runs_from_the_oldest_on() -> None:
    wrong = [{"right": [], "wrong": ["bug"]}] * 2
    right = [{"right": ["bug"], "wrong": ["docs"]}] * 2
    assert histories({"rows": [*right, *wrong]}) == {"bug": [0.0, 1.0]}
    assert histories(None) == {}


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(19, 20) or (0.0, 0.0)
    assert (round(low, 3), round(high, 3)) == (0.764, 0.991)
    assert wilson(5, 5) == (pytest.approx(0.566, abs=1e-3), 1.0)
    assert wilson(0, 0) is None
