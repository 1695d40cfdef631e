"""Zero-shot by cloze prompt, with a masked language model that the test trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from models.encoder import Encoder
from models.text import IssueText
from tests.training.methods.conftest import VOCABULARY
from tests.training.methods.tasks import chance, fit_one, hard_tasks, score, words_task
from tests.training.planted import WORDS, planted
from tests.training.tiny import tiny_masked_lm
from training.guesses import Guesser
from training.methods.base import Resources
from training.methods.cloze import PROMPT, Cloze, fit
from training.methods.space import Space

HARD = hard_tasks()
NAMES = tuple(WORDS)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that has read what issues with a word are about."""
    folder = tiny_masked_lm(tmp_path_factory.mktemp("cloze") / "tiny", VOCABULARY)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder).train()
    examples = planted(300, seed=77)
    with torch.no_grad():
        for matrix in (p for p in model.parameters() if p.ndim == 2):
            matrix *= 5  # of so little width it would not begin to learn
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    some = np.flatnonzero(examples.truth.any(axis=1))
    ids = torch.tensor(tokenizer.convert_tokens_to_ids(list(NAMES)))
    prompt = PROMPT.format(mask=tokenizer.mask_token)
    for _ in range(180):
        rows = rng.choice(some, size=32)
        texts = [f"{examples.texts[i].full} {prompt}" for i in rows]
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        logits = model(**batch).logits[batch["input_ids"] == tokenizer.mask_token_id]
        shares = torch.from_numpy(examples.truth[rows]).float()
        target = torch.zeros_like(logits)
        target[:, ids] = shares / shares.sum(dim=1, keepdim=True)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, target).backward()
        optimizer.step()
    model.eval().save_pretrained(folder)
    return folder


def adapted(resources: Resources, folder: Path) -> Resources:
    """With this checkpoint as the adapted one."""
    return replace(resources, adapted=Space(Encoder("masked", folder, 64)))


def test_labels_are_given_whose_words_fit_the_gap(learned: Path, resources: Resources):
    test = planted(100, seed=9)
    fitted = fit_one(fit, words_task(48), adapted(resources, learned))
    assert score(fitted, test) > chance(test) + 0.15
    assert fitted.chosen["guesses"] == "masked-language head"


def test_how_likely_a_word_is_anyway_is_taken_off(learned: Path, resources: Resources):
    # A model that has a favourite: every label's order is right, every level is wrong.
    model = AutoModelForMaskedLM.from_pretrained(learned)
    tokenizer = AutoTokenizer.from_pretrained(learned)
    with torch.no_grad():
        model.cls.predictions.bias[tokenizer.convert_tokens_to_ids("docs")] += 6.0
    folder = learned.parent / "favourite"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    test = planted(100, seed=9)
    fitted = fit_one(fit, words_task(48), adapted(resources, folder))
    assert fitted.chosen["calibrated by"] != "nothing"
    assert score(fitted, test) > chance(test) + 0.1


def test_a_name_of_several_pieces_has_their_mean(learned: Path):
    cloze = Cloze(Guesser(learned, 64), ("bug", "docs", "bug-docs"), 64)
    found = cloze.log_probabilities(planted(5).texts)
    assert np.allclose(found[:, :2].mean(axis=1), found[:, 2], atol=1e-5)
    assert (found < 0).all()


def test_the_prompt_is_never_cut_and_its_gap_is_the_last(learned: Path):
    cloze = Cloze(Guesser(learned, 32), NAMES, 32)
    short, long = IssueText("crash", "the " * 23), IssueText("crash", "the " * 5000)
    found = cloze.log_probabilities([short, long, IssueText("[MASK] is [MASK]", "")])
    assert np.allclose(found[0], found[1], atol=1e-3)
    assert found[2].all()


def test_a_checkpoint_without_a_head_says_whose_guesses_they_are(resources: Resources):
    assert fit_one(fit, words_task(16), resources).chosen["guesses"] == "tied embeddings"


@pytest.mark.parametrize("name", HARD)
def test_it_survives(name: str, learned: Path, resources: Resources):
    fit_one(fit, HARD[name], adapted(resources, learned))
