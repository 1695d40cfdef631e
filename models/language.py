"""Is this text in the encoder's language? The default encoder has read English only."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from models.text import IssueText

ENGLISH_ENOUGH = 0.05
MIN_LETTERS = 24
_CANDIDATES = [
    *("ar", "bg", "bn", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi"),
    *("hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "nl", "no", "pl", "pt", "ro", "ru", "sk"),
    *("sl", "sr", "sv", "ta", "th", "tr", "uk", "ur", "vi", "zh"),
]
_PROSE_LINE = re.compile(r"^[^\W\d_][^{}=<>;`$|\\]*$")


def foreign_language(text: IssueText) -> str | None:
    """The code of the language (ISO 639-1) when the text is surely not English, else None.

    Judged on its lines of prose, since code looks like no language; too few letters say nothing.
    """
    lines = [line for line in text.full.split("\n") if _PROSE_LINE.match(line)]
    prose = " ".join([text.title, *lines])[:2000]
    if sum(character.isalpha() for character in prose) < MIN_LETTERS:
        return None
    ranked = dict(_identifier().rank(prose))
    best = max(ranked, key=lambda code: float(ranked[code]))
    return str(best) if best != "en" and float(ranked["en"]) < ENGLISH_ENOUGH else None


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_CANDIDATES)
    return identifier
