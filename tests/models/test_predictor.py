from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import bundle
from models.encoder import DEFAULT_ENCODER, Encoder
from models.errors import ArtifactRefused, EncoderMismatch
from models.labels import LabelRule, LabelScore, LabelSet
from models.predictor import Predictor, scores
from models.text import IssueText
from tests.models.builders import NAMES, TEXTS, make_bundle, write_bundle
from tests.models.encoders import own_encoder, write_encoder

ISSUES = [
    ("Crash on start", "The app crashes when it starts."),
    ("Typo", "In the manual.\r\n" * 40),
    ("", ""),
    ("😀", "\x00"),
]


@pytest.fixture(scope="module")
def predictor(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("published") / "0001-00000000"
    facts: Mapping[str, object] = {"encoder": encoder.version, "dimension": encoder.dimension}
    write_bundle(folder, vectors=encoder.encode_issues(TEXTS), far_below=0.5, **facts)
    return Predictor.load(folder, encoder)


def test_text_alone_and_in_a_list_gives_the_same_scores(predictor: Predictor):
    together = predictor.predict(ISSUES)
    assert [predictor.predict([issue])[0] for issue in ISSUES] == together
    assert predictor.predict(ISSUES[::-1]) == together[::-1]


def test_line_ends_do_not_change_a_prediction(predictor: Predictor):
    title, body = ISSUES[1]
    assert predictor.predict([(title, body.replace("\r\n", "\n"))]) == predictor.predict(
        [ISSUES[1]]
    )


def test_scores_come_in_the_order_of_the_labels(predictor: Predictor):
    (prediction, *_) = predictor.predict(ISSUES)
    assert [(s.label, s.id) for s in prediction.scores] == [
        (name, 100 + i) for i, name in enumerate(NAMES)
    ]
    assert prediction.version == "0001-00000000"


def test_scores_are_those_of_the_head_over_stored_vectors(predictor: Predictor, encoder: Encoder):
    vector = encoder.encode_issues([TEXTS[0]]).astype(np.float16).astype(np.float32)
    expected = predictor.bundle.head.probabilities([TEXTS[0]], vector)[0]
    found = [s.probability for s in predictor.predict(ISSUES[:1])[0].scores]
    assert found == pytest.approx(expected.tolist(), abs=1e-6)


def test_neighbours_are_the_nearest_past_issues(predictor: Predictor):
    (nearest, *others) = predictor.predict(ISSUES[:1])[0].neighbours
    assert (nearest.number, nearest.title, nearest.labels) == (1, "Crash on start", ("bug",))
    assert nearest.similarity == pytest.approx(1, abs=1e-3)
    assert len(others) == 2


def test_what_was_seen_before_needs_no_caution(predictor: Predictor):
    assert predictor.predict(ISSUES[:1])[0].caution is None


@pytest.mark.parametrize(
    ("title", "body", "caution"),
    [
        ("", "", "the issue has no text"),
        ("\x00", "<!-- -->", "the issue has no text"),
        (
            "Die App stürzt beim Start ab",
            "Seit gestern geht gar nichts mehr.",
            "English but in 'de'",
        ),
        ("Photosynthesis", "Chlorophyll turns sunlight into sugar.", "nothing like it was seen"),
    ],
)
def test_what_the_model_does_not_know_calls_for_caution(
    predictor: Predictor, title: str, body: str, caution: str
):
    found = predictor.predict([(title, body)])[0].caution
    assert found is not None
    assert caution in found


def test_other_encoder_may_know_other_languages(tmp_path: Path):
    other = Encoder.load(str(write_encoder(tmp_path / "tiny")))
    folder = write_bundle(tmp_path / "b", encoder=other.version, dimension=16)
    german = ("Die App stürzt beim Start ab", "Seit gestern geht gar nichts mehr.")
    assert Predictor.load(folder, other).predict([german])[0].caution is None


def test_languages_are_told_apart_for_what_was_adapted_from_the_default(tmp_path: Path):
    folder = own_encoder(tmp_path / "own", origin=DEFAULT_ENCODER)
    adapted = Encoder.load(str(folder))
    german = ("Die App stürzt beim Start ab", "Seit gestern geht gar nichts mehr.")
    loaded = Predictor(make_bundle(encoder=adapted.version, dimension=16), adapted, "v1")
    assert "not in English" in str(loaded.predict([german])[0].caution)


def test_an_encoder_of_its_own_wins_over_the_shared_one(encoder: Encoder, tmp_path: Path):
    own = own_encoder(tmp_path / "own")
    version = Encoder.load(str(own)).version
    made = make_bundle(encoder=version, dimension=16)
    facts = {"name": "own", "version": version, "max_tokens": 256}
    made = replace(made, card={**made.card, "encoder": facts}, encoder=own)
    bundle.write(tmp_path / "b", made)
    assert len(Predictor.load(tmp_path / "b", encoder).predict(ISSUES)) == len(ISSUES)


def test_bundle_of_another_encoder_is_refused(encoder: Encoder, tmp_path: Path):
    with pytest.raises(EncoderMismatch, match="trained on encoder other-1"):
        Predictor.load(write_bundle(tmp_path / "b", encoder="other-1"), encoder)


def test_damaged_bundle_is_refused(encoder: Encoder, tmp_path: Path):
    folder = write_bundle(tmp_path / "b")
    (folder / "past.json").unlink()
    with pytest.raises(ArtifactRefused, match=r"past\.json is missing"):
        Predictor.load(folder, encoder)


@pytest.mark.parametrize("fact", ["encoder", "far_below"])
def test_card_that_does_not_say_enough_is_refused(encoder: Encoder, tmp_path: Path, fact: str):
    made = make_bundle(encoder=encoder.version)
    card = {key: value for key, value in made.card.items() if key != fact}
    bundle.write(tmp_path / "b", replace(made, card=card))
    with pytest.raises(ArtifactRefused, match=fact):
        Predictor.load(tmp_path / "b", encoder)


def test_probabilities_become_scores_with_their_modes():
    labels = LabelSet((LabelRule("a", 1, apply_at=0.8, suggest_at=0.3), LabelRule("b")), 0.9)
    assert scores(labels, [0.9, 0.2]) == (
        LabelScore("a", 0.9, "apply", 0.8, 0.3, "", 1),
        LabelScore("b", 0.2, "off", None, 1.0, "", None),
    )


def test_a_text_that_was_encoded_before_is_not_encoded_again(
    predictor: Predictor, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (known,) = predictor.predict(ISSUES[:1])
    folder = tmp_path / "0002-00000000"
    facts: Mapping[str, object] = {"encoder": encoder.version, "dimension": encoder.dimension}
    write_bundle(folder, vectors=encoder.encode_issues(TEXTS), seed=1, **facts)
    other = Predictor.load(folder, encoder)
    (alone,) = other.predict(ISSUES[:1])
    passes: list[int] = []
    encode = Encoder.encode_issues

    def counted(self: Encoder, texts: Sequence[IssueText], **how: Any) -> Any:
        passes.append(len(texts))
        return encode(self, texts, **how)

    monkeypatch.setattr(Encoder, "encode_issues", counted)
    assert other.predict_encoded(*ISSUES[0], known.encoded) == alone
    assert (passes, alone.scores != known.scores) == ([], True)
    assert known.encoded is not None
    strange = replace(known.encoded, encoder="another")
    assert other.predict_encoded(*ISSUES[0], strange) == alone
    assert other.predict_encoded(*ISSUES[0], None) == alone
    assert passes == [1, 1]
