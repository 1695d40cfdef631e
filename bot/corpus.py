"""Whose text the encoder that all repositories share may learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import BotError

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store import Store
    from bot.store.rows import Repository

PRIVATE = (
    "private: its text stays out of the encoder that all share, unless"
    " LABELWRIGHT_PRIVATE_TEXT_IN_ENCODER is set or it is named with --include-private"
)


class NoText(BotError):
    """No repository has text that may enter the encoder."""


@dataclass(frozen=True)
class Corpus:
    """Whose text the encoder learns from; `left_out` says of the others why not, by name."""

    repositories: tuple[Repository, ...]
    left_out: Mapping[str, str]


def corpus(
    settings: Settings,
    store: Store,
    named: Sequence[Repository] = (),
    *,
    include_private: bool = False,
) -> Corpus:
    """The repositories, of those named or of all, whose text may enter the encoder.

    Text of a private repository enters where the settings say so, where it is named and
    `include_private`, and where there is no other repository that would share the encoder.
    Raises NoText where none is left.
    """
    known = store.repositories.all()
    meant = include_private and bool(named)
    entering, left_out = [], {}
    for row in named or known:
        if len(known) > 1 and stays_private(settings, row, include_private=meant):
            left_out[row.full_name] = PRIVATE
        elif not store.issues.count(row.id):
            left_out[row.full_name] = "it has no issues here"
        else:
            entering.append(row)
    if not known:
        raise NoText(
            "there is no repository here to learn from:"
            " `labelwright import PATH --repo OWNER/NAME`, or install the App on one"
        )
    if not entering:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise NoText(f"there is no text to adapt the encoder to ({reasons})")
    return Corpus(tuple(entering), left_out)


def stays_private(settings: Settings, row: Repository, *, include_private: bool) -> bool:
    """Whether a repository's text has to stay out of an encoder that others share."""
    return row.private and not (settings.private_text_in_encoder or include_private)
