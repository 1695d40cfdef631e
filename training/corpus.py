"""All text of snapshots that an encoder may read: what lies before the holdout begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from transformers import PreTrainedTokenizerBase

from models.errors import ModelError
from models.snapshot import MIN_LABELED, Snapshot, SnapshotIssue
from models.text import IssueText, prepare
from training.data import holdout_cut, is_labeled

_HASHES = 16**8


class NoText(ModelError):
    """There is no text to adapt to."""


@dataclass(frozen=True)
class Corpus:
    """Texts to learn from and texts to judge by, each once, and what was left out.

    duplicates  texts that were there already, in this snapshot or another
    leaked      texts that some snapshot's holdout has as well
    cuts        by snapshot id, the issue that its holdout begins with: what lies before that one,
                by creation time and number, is its text (None: no holdout)
    """

    texts: tuple[IssueText, ...]
    held_out: tuple[IssueText, ...]
    duplicates: int
    leaked: int
    cuts: dict[str, SnapshotIssue | None]

    def to_json(self) -> dict[str, Any]:
        """What a card says of it."""
        return {
            "snapshots": [
                {
                    "id": name,
                    "ends": cut.created_at if cut else None,
                    "before_issue": cut.number if cut else None,
                }
                for name, cut in self.cuts.items()
            ],
            "texts": len(self.texts),
            "held_out": len(self.held_out),
            "duplicates_removed": self.duplicates,
            "in_a_holdout": self.leaked,
        }


@dataclass(frozen=True)
class Window:
    """Part of a text as tokens, special ones included.

    special  1 where a token must never be masked
    offsets  (start, end) of each token in the text: tokens without a gap between are one word
    title    the title's token ids, and `body` the body's: in the first window of a text that has
             both, else empty
    """

    ids: tuple[int, ...]
    special: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    title: tuple[int, ...] = ()
    body: tuple[int, ...] = ()


def holdout_start(snapshot: Snapshot, holdout: float) -> int | None:
    """Where among the snapshot's issues its holdout begins: the newest share of the labeled ones.

    The same cut as `training.run` makes; None where there are too few labels for a training.
    """
    labeled = [row for row, issue in enumerate(snapshot.issues) if is_labeled(issue)]
    if len(labeled) < MIN_LABELED:
        return None
    return labeled[holdout_cut(len(labeled), holdout)]


def before_holdout(snapshot: Snapshot, holdout: float) -> tuple[SnapshotIssue, ...]:
    """The issues and pull requests that lie before the holdout's first issue.

    By their place in the snapshot, that is by creation time and number: a time alone would leave
    nothing of a snapshot whose issues all have the same.
    """
    return snapshot.issues[: holdout_start(snapshot, holdout)]


def unlabeled_before_holdout(snapshot: Snapshot, holdout: float) -> tuple[IssueText, ...]:
    """Texts of issues without labels that lie before the holdout, the newest first: where a method
    takes some of them only, these are the nearest."""
    old = [each for each in before_holdout(snapshot, holdout) if not each.is_pull_request]
    wanted = [each for each in reversed(old) if not is_labeled(each)]
    return tuple(prepare(each.title, each.body) for each in wanted)


def gather(snapshots: Sequence[Snapshot], holdout: float, held_out: float) -> Corpus:
    """The corpus of snapshots; a share `held_out` of its texts is kept for judging, by their hash.

    Labels do not matter: unlabeled issues and pull requests are in. Raises NoText.
    """
    known: dict[str, IssueText] = {}
    seen, kept_back = 0, set()
    for snapshot in snapshots:
        before = before_holdout(snapshot, holdout)
        kept_back |= {text.hash for text in _texts(snapshot.issues[len(before) :])}
        for text in _texts(before):
            seen += 1
            known.setdefault(text.hash, text)
    texts = [text for text in known.values() if text.hash not in kept_back]
    if len(texts) < 2:
        raise NoText(
            f"{len(texts)} texts lie before the holdout begins, 2 needed:"
            " import issues, or pull them, before the encoder is adapted"
        )
    # The lowest hash judges, and the highest does not, whatever the share: both sides have a text.
    texts.sort(key=lambda text: text.hash)
    judged = [int(text.hash[:8], 16) < held_out * _HASHES for text in texts]
    judged[0], judged[-1] = True, False
    return Corpus(
        texts=tuple(text for text, on in zip(texts, judged, strict=True) if not on),
        held_out=tuple(text for text, on in zip(texts, judged, strict=True) if on),
        duplicates=seen - len(known),
        leaked=len(known) - len(texts),
        cuts={each.id: _first_held_out(each, holdout) for each in snapshots},
    )


def windows(
    texts: Sequence[IssueText],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_tokens: int,
    overlap: int,
    title_tokens: int = 48,
) -> list[Window]:
    """Texts as windows of at most `max_tokens` tokens, of which neighbours share `overlap`.

    A long text gives several: nothing of it is cut off. Raises ModelError without a tokenizer
    that knows where in the text its tokens lie.
    """
    if not tokenizer.is_fast:
        raise ModelError(f"{tokenizer.name_or_path} has no fast tokenizer (tokenizer.json)")
    encode = partial(tokenizer.__call__, truncation=True, return_attention_mask=False)
    encoded = encode(
        [text.full for text in texts],
        max_length=max_tokens,
        stride=overlap,
        return_overflowing_tokens=True,
        return_special_tokens_mask=True,
        return_offsets_mapping=True,
    )
    titles = encode([text.title for text in texts], max_length=title_tokens)["input_ids"]
    bodies = encode([text.body for text in texts], max_length=max_tokens)["input_ids"]
    found, previous = [], -1
    for row, owner in enumerate(encoded["overflow_to_sample_mapping"]):
        paired = owner != previous and bool(texts[owner].title and texts[owner].body)
        previous = owner
        found.append(
            Window(
                ids=tuple(encoded["input_ids"][row]),
                special=tuple(encoded["special_tokens_mask"][row]),
                offsets=tuple(encoded["offset_mapping"][row]),
                title=tuple(titles[owner]) if paired else (),
                body=tuple(bodies[owner]) if paired else (),
            )
        )
    return [window for window in found if not all(window.special)]


def _first_held_out(snapshot: Snapshot, holdout: float) -> SnapshotIssue | None:
    row = holdout_start(snapshot, holdout)
    return None if row is None else snapshot.issues[row]


def _texts(issues: Iterable[SnapshotIssue]) -> list[IssueText]:
    prepared = (prepare(issue.title, issue.body) for issue in issues)
    return [text for text in prepared if text.title or text.body]
