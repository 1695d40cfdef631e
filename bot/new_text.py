"""When the encoder is adapted again: once enough text has come that it has not seen.

What there was at each try is kept by repository, whatever came of that: an adaptation that was
refused is not begun again every night.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store


@dataclass(frozen=True)
class Text:
    """How many texts there are, how many of them are `unlabeled`, and how many are `new`."""

    all: int
    unlabeled: int
    new: int

    def __str__(self) -> str:
        return f"{self.new} of {self.all} issues are new, {self.unlabeled} of all are unlabeled"


def is_enough(text: Text, least: int, share: float) -> bool:
    """Whether there is enough new text: so many, and such a share of all. Pure.

    Without an unlabeled issue an adaptation teaches little that the heads do not learn from labels.
    """
    return text.unlabeled > 0 and text.new >= max(least, 1) and text.new >= share * text.all


def enough(settings: Settings, text: Text) -> bool:
    """The same by the settings."""
    return is_enough(text, settings.adapt_after_issues, settings.adapt_after_share)


def measure(store: Store, repository_ids: Iterable[int]) -> Text:
    """The text of these repositories; before the first try all of it is new.

    Of each repository for itself: issues that were forgotten in one do not hide what came in
    another.
    """
    found = store.lessons.texts(repository_ids)
    new = (max(0, texts.all - _tried(store, number)) for number, texts in found.items())
    return Text(
        sum(texts.all for texts in found.values()),
        sum(texts.unlabeled for texts in found.values()),
        sum(new),
    )


def note_tried(store: Store, repository_ids: Iterable[int]) -> None:
    """Keep that an adaptation learns from all that these repositories have now."""
    with store.transaction():
        for number, texts in store.lessons.texts(repository_ids).items():
            store.meta.set(_key(number), str(texts.all))


def _tried(store: Store, repository_id: int) -> int:
    return int(store.meta.get(_key(repository_id)) or 0)


def _key(repository_id: int) -> str:
    return f"adapted_text:{repository_id}"
