import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import Group, LabelRule, LabelSet

BUG = LabelRule("bug", id=7, description="wrong", apply_at=0.8, suggest_at=0.3, support=40, why="w")
DOCS = LabelRule("docs", suggest_at=0.5)
LABELS = LabelSet((BUG, DOCS), 0.9, (Group("kind", ("bug", "docs"), complete=True),))

share = st.floats(0, 1)
rules = st.builds(
    LabelRule,
    name=st.text(),
    id=st.none() | st.integers(),
    description=st.text(),
    apply_at=st.none() | share,
    suggest_at=share,
    support=st.integers(0),
    why=st.text(),
)
groups = st.builds(Group, st.text(), st.lists(st.text()).map(tuple), st.booleans())


def test_label_set_keeps_order_and_columns():
    assert LABELS.names == ("bug", "docs")
    assert [LABELS.index(rule.name) for rule in LABELS] == [0, 1]
    assert len(LABELS) == 2


def test_unknown_label_has_no_column():
    with pytest.raises(ValueError):
        LABELS.index("wontfix")


@given(st.builds(LabelSet, st.lists(rules).map(tuple), share, st.lists(groups).map(tuple)))
def test_label_set_round_trips_through_json(labels: LabelSet):
    assert LabelSet.from_json(json.loads(json.dumps(labels.to_json()))) == labels


@pytest.mark.parametrize("data", [{}, {"rules": [{"nom": 1}]}, {"rules": 3}, []])
def test_foreign_data_is_no_label_set(data: object):
    with pytest.raises((KeyError, TypeError)):
        LabelSet.from_json(data)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("probability", "mode"),
    [(0.8, "apply"), (0.79, "suggest"), (0.3, "suggest"), (0.29, "off"), (1.0, "apply")],
)
def test_mode_follows_the_thresholds(probability: float, mode: str):
    assert BUG.mode_at(probability) == mode


def test_label_without_apply_threshold_never_applies():
    assert DOCS.mode_at(1.0) == "suggest"


def test_thresholds_may_change_and_labels_may_not():
    strict = replace(BUG, apply_at=0.95)
    assert LABELS.with_rules((strict, DOCS)).rules == (strict, DOCS)
    with pytest.raises(ValueError, match="order"):
        LABELS.with_rules((DOCS, BUG))
