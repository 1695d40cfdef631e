import pytest

from models.encoder import Encoder
from models.snapshot import SnapshotLabel
from models.zero_shot import MAX_SUGGESTIONS, WHY, ZeroShot, label_text

LABELS = (
    SnapshotLabel("bug", 1, "Something is broken or crashes"),
    SnapshotLabel("area/docs", 2, "Improvements or additions to documentation"),
    SnapshotLabel("question", None, "Somebody asks how to do something"),
    SnapshotLabel("security", 4, "A vulnerability"),
)
ISSUES = [
    ("The app crashes", "It crashes when I click the button. Something is broken."),
    ("Typo in the documentation", "The documentation of the command has a typo."),
    ("How do I change the port?", "I cannot find how to do it."),
]


@pytest.fixture(scope="module")
def zero_shot(encoder: Encoder) -> ZeroShot:
    return ZeroShot(LABELS, encoder)


def test_nothing_is_ever_applied(zero_shot: ZeroShot):
    for prediction in zero_shot.predict(ISSUES):
        assert prediction.caution == WHY
        assert {score.apply_at for score in prediction.scores} == {None}
        assert "apply" not in {score.mode for score in prediction.scores}


def test_best_label_is_the_one_whose_words_are_meant(zero_shot: ZeroShot):
    best = [max(p.scores, key=lambda s: s.probability).label for p in zero_shot.predict(ISSUES)]
    assert best == ["bug", "area/docs", "question"]


def test_few_labels_are_suggested(zero_shot: ZeroShot):
    assert zero_shot.predict(ISSUES)[0].scores[0].mode == "suggest"
    for prediction in zero_shot.predict(ISSUES):
        shown = [score for score in prediction.scores if score.mode == "suggest"]
        assert len(shown) <= MAX_SUGGESTIONS
        assert all(score.probability >= 0.5 for score in shown)


def test_labels_keep_their_order_and_ids(zero_shot: ZeroShot):
    scores = zero_shot.predict(ISSUES)[0].scores
    assert [(s.label, s.id) for s in scores] == [(label.name, label.id) for label in LABELS]


def test_repository_without_labels_gets_none(encoder: Encoder):
    assert ZeroShot((), encoder).predict([("a", "b")])[0].scores == ()


def test_separators_of_a_name_are_spaces_to_the_encoder():
    assert label_text("area/web-ui:new_tab", "").full == "area web ui new tab"
    assert label_text("bug", "It is wrong").full == "bug: It is wrong"
