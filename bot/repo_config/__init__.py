"""`.github/labelwright.yml`: a repository's own configuration, from text to a value. Pure.

The last valid configuration stays in force when the file is refused: the caller keeps it.
"""

from bot.repo_config.reader import MAX_CHARACTERS, parse
from bot.repo_config.values import (
    GroupRule,
    LabelRules,
    Mode,
    Override,
    Parsed,
    Problem,
    RepoConfig,
    Skip,
    first_match,
    matches,
)
from bot.repo_config.writer import to_yaml

FILE = ".github/labelwright.yml"
"""Where the file lies, in the repository itself or in the owner's `.github` repository."""

__all__ = [
    "FILE",
    "MAX_CHARACTERS",
    "GroupRule",
    "LabelRules",
    "Mode",
    "Override",
    "Parsed",
    "Problem",
    "RepoConfig",
    "Skip",
    "first_match",
    "matches",
    "parse",
    "to_yaml",
]
