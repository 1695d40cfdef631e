from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from models.text import prepare
from tests.training.tiny import write_wordpiece
from training.corpus import Window, windows
from training.masking import IGNORED, Masks, fixed, stack

TEXTS = [prepare("crash on start", "unseenword " * 30), prepare("docs", "the app " * 60)]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    write_wordpiece(folder, ["app", "crash", "docs", "on", "start", "the"])
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def rows(tokenizer) -> list[Window]:
    return windows(TEXTS * 20, tokenizer, max_tokens=64, overlap=8)


def test_about_15_percent_are_masked_and_never_a_special_token(tokenizer, rows: list[Window]):
    torch.manual_seed(0)
    masked = Masks(tokenizer)(rows)
    asked = masked.labels != IGNORED
    special = torch.zeros_like(asked)
    for i, row in enumerate(rows):
        special[i, : len(row.ids)] = torch.tensor(row.special, dtype=torch.bool)
    assert not (asked & (special | (masked.mask == 0))).any()
    assert 0.13 < asked.sum() / (masked.mask.bool() & ~special).sum() < 0.17
    share = (masked.ids[asked] == tokenizer.mask_token_id).float().mean()
    assert 0.75 < share < 0.85


def test_labels_are_the_tokens_that_were_there(tokenizer, rows: list[Window]):
    masked = Masks(tokenizer)(rows)
    for i, row in enumerate(rows):
        for j, token in enumerate(row.ids):
            label, shown = int(masked.labels[i, j]), int(masked.ids[i, j])
            assert label == token if label != IGNORED else shown == token


def test_masks_are_drawn_anew_each_time(tokenizer, rows: list[Window]):
    masks = Masks(tokenizer)
    assert not torch.equal(masks(rows).labels, masks(rows).labels)


def test_whole_words_are_masked_with_all_their_pieces(tokenizer, rows: list[Window]):
    torch.manual_seed(0)
    masked = Masks(tokenizer, whole_words=True)(rows)
    asked = masked.labels != IGNORED
    assert asked.any() and (masked.ids[asked] == tokenizer.mask_token_id).all()
    for i, row in enumerate(rows):
        for j in range(1, len(row.ids) - 2):
            glued = row.offsets[j][1] == row.offsets[j + 1][0]
            if glued and not row.special[j + 1]:
                assert asked[i, j] == asked[i, j + 1]


def test_fixed_masks_are_the_same_whenever_they_are_asked_about(tokenizer, rows: list[Window]):
    before = fixed(rows, tokenizer, seed=1)
    torch.manual_seed(99)
    again, other = fixed(rows, tokenizer, seed=1), fixed(rows, tokenizer, seed=2)
    assert all(torch.equal(a.labels, b.labels) for a, b in zip(before, again, strict=True))
    assert not all(torch.equal(a.labels, b.labels) for a, b in zip(before, other, strict=True))


def test_fixed_masks_leave_the_random_state_alone(tokenizer, rows: list[Window]):
    before = torch.random.get_rng_state()
    fixed(rows, tokenizer, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_rows_masked_one_by_one_make_the_same_batch(tokenizer, rows: list[Window]):
    each = fixed(rows[:3], tokenizer, seed=1)
    batch = stack(each, tokenizer.pad_token_id)
    for i, one in enumerate(each):
        width = one.ids.shape[1]
        assert torch.equal(batch.ids[i, :width], one.ids[0])
        assert torch.equal(batch.labels[i, :width], one.labels[0])
        assert (batch.labels[i, width:] == IGNORED).all() and not batch.mask[i, width:].any()
