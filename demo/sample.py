"""The sample issues as values, and how they get onto the stand-in."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demo.github.control import Control

FOLDER = Path(__file__).parent / "issues"
HISTORY = FOLDER / "history.jsonl"
EVENTS = FOLDER / "events.jsonl"


@dataclass(frozen=True)
class Sample:
    """The repository, its past issues with their label events, and the issues yet to be opened."""

    repository: dict[str, Any]
    history: list[dict[str, Any]]
    new: list[dict[str, Any]]

    @property
    def full_name(self) -> str:
        """OWNER/NAME."""
        return str(self.repository["full_name"])

    @classmethod
    def load(cls) -> Sample:
        """Read the files."""
        happened: dict[int, list[list[str]]] = defaultdict(list)
        for row in _rows(EVENTS):
            event = [row["event"], row["label"]["name"], row["actor"]["login"], row["created_at"]]
            happened[row["number"]].append(event)
        history = [row | {"events": happened[row["number"]]} for row in _rows(HISTORY)]
        repository = json.loads((FOLDER / "repository.json").read_text("utf-8"))
        return cls(repository, history, _rows(FOLDER / "new.jsonl"))

    def plant(self, control: Control) -> int:
        """Put the repository with its labels and its past onto a stand-in, without any webhook."""
        facts = ("name", "color", "description")
        control.add_repository(
            self.full_name,
            labels=[{key: label[key] for key in facts} for label in self.repository["labels"]],
            organization=self.repository["owner"]["type"] == "Organization",
            description=self.repository["description"],
        )
        return control.plant_issues(self.full_name, self.history)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
