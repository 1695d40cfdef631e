import numpy as np

from training.batches import Batches, by_length, pad

LENGTHS = [int(n) for n in np.random.default_rng(0).integers(4, 129, 200)]


def padded(batch: list[int]) -> int:
    return len(batch) * max(LENGTHS[i] for i in batch)


def test_batch_holds_no_more_tokens_than_asked_for_padding_included():
    assert max(map(padded, by_length(LENGTHS, 512))) <= 512
    assert max(map(padded, by_length(LENGTHS, 512, np.random.default_rng(1)))) <= 512


def test_every_text_is_in_one_batch():
    found = [i for batch in by_length(LENGTHS, 512, np.random.default_rng(1)) for i in batch]
    assert sorted(found) == list(range(len(LENGTHS)))


def test_text_longer_than_a_batch_stands_alone():
    assert by_length([3, 900, 4], 10) == [[1], [2, 0]]


def test_batches_by_length_pad_little():
    tokens = sum(map(padded, by_length(LENGTHS, 1024, np.random.default_rng(1))))
    assert tokens < 1.25 * sum(LENGTHS)


def test_epochs_differ_and_the_same_seed_gives_the_same():
    batches = Batches(LENGTHS, tokens=512, epochs=2, seed=3)
    first = list(batches)
    batches.set_epoch(1)
    assert list(batches) != first
    assert list(Batches(LENGTHS, tokens=512, epochs=2, seed=3)) == first
    assert list(Batches(LENGTHS, tokens=512, epochs=2, seed=4)) != first


def test_every_epoch_has_the_same_number_of_batches():
    batches = Batches(LENGTHS, tokens=300, epochs=4, seed=0)
    for epoch in range(4):
        batches.set_epoch(epoch)
        assert len(list(batches)) == len(batches)


def test_first_batch_has_the_longest_text():
    (first, *_) = Batches(LENGTHS, tokens=512)
    assert max(LENGTHS[i] for i in first) == max(LENGTHS)


def test_processes_share_the_batches_and_none_is_seen_twice():
    whole = list(Batches(LENGTHS, tokens=512, seed=5))
    shares = [list(Batches(LENGTHS, tokens=512, seed=5, rank=r, world=2)) for r in range(2)]
    assert len(shares[0]) == len(shares[1])
    texts = [i for share in shares for batch in share for i in batch]
    assert len(texts) == len(set(texts))
    assert all(batch in whole for share in shares for batch in share)


def test_fewer_batches_than_processes_are_used_again():
    shares = [list(Batches([5, 5], tokens=99, rank=r, world=2)) for r in range(2)]
    assert [len(share) for share in shares] == [1, 1]


def test_rows_are_padded_on_the_right():
    ids, mask = pad([[7, 8, 9], [5]], fill=1)
    assert ids.tolist() == [[7, 8, 9], [5, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_no_rows_give_an_empty_batch():
    assert pad([], fill=0)[0].shape == (0, 0)
