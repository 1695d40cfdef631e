"""Zero-shot by natural-language inference, with a checkpoint that the test trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from tests.training.methods.conftest import VOCABULARY
from tests.training.methods.tasks import chance, fit_one, hard_tasks, score, words_task
from tests.training.planted import WORDS, planted
from tests.training.tiny import tiny_nli
from training.methods.base import Resources, Unavailable
from training.methods.nli import TEMPLATE, Inference, fit

HARD = hard_tasks()


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that has learned which word entails which label."""
    folder = tiny_nli(tmp_path_factory.mktemp("nli") / "tiny", VOCABULARY)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).train()
    examples = planted(300, seed=77)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    for _ in range(200):
        rows, columns = rng.integers(len(examples), size=32), rng.integers(3, size=32)
        pairs = [
            (examples.texts[i].full, TEMPLATE.format(examples.names[j]))
            for i, j in zip(rows, columns, strict=True)
        ]
        batch = tokenizer(*map(list, zip(*pairs, strict=True)), padding=True, return_tensors="pt")
        target = torch.from_numpy(examples.truth[rows, columns] * 2)
        optimizer.zero_grad()
        model(**batch, labels=target).loss.backward()
        optimizer.step()
    model.eval().save_pretrained(folder)
    return folder


def test_labels_are_given_that_the_issue_entails(nli: Path, resources: Resources):
    test = planted(100, seed=9)
    fitted = fit_one(fit, words_task(32), replace(resources, nli=str(nli)))
    assert score(fitted, test) > chance(test) + 0.15


def test_scores_stand_in_the_labels_column_whatever_the_order(nli: Path):
    texts, names = planted(8, seed=9).texts, list(WORDS)
    inference = Inference(str(nli), 64)
    straight = inference.probabilities(texts, names)
    assert np.allclose(straight[:, ::-1], inference.probabilities(texts, names[::-1]), atol=1e-5)
    assert np.allclose(straight[::-1], inference.probabilities(texts[::-1], names), atol=1e-5)
    assert np.ptp(straight) > 0.1


@pytest.mark.parametrize("name", HARD)
def test_it_survives(name: str, nli: Path, resources: Resources):
    fit_one(fit, HARD[name], replace(resources, nli=str(nli)))


def test_a_text_longer_than_the_window_is_cut(nli: Path):
    long = replace(planted(1).texts[0], body="crash " * 5000)
    assert Inference(str(nli), 32).probabilities([long], ["bug"]).shape == (1, 1)


def test_without_a_checkpoint_it_says_what_it_needs(resources: Resources):
    with pytest.raises(Unavailable, match="needs a checkpoint"):
        fit([words_task(8)], resources)


def test_a_checkpoint_that_is_not_there_is_named(resources: Resources):
    with pytest.raises(Unavailable, match=r"needs a checkpoint.*no/where"):
        fit([words_task(8)], replace(resources, nli="no/where"))


def test_a_classifier_of_something_else_is_refused(nli: Path, tmp_path: Path, resources: Resources):
    model = AutoModelForSequenceClassification.from_pretrained(nli)
    model.config.id2label = {0: "good", 1: "bad", 2: "ugly"}
    model.config.label2id = {"good": 0, "bad": 1, "ugly": 2}
    AutoTokenizer.from_pretrained(nli).save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    with pytest.raises(Unavailable, match="no entailment"):
        fit([words_task(8)], replace(resources, nli=str(tmp_path)))
