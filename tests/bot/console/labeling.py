"""Issues that are on GitHub and in the store, for the tests of the pages where people label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from bot.store.reports import Report
from bot.store.rows import LabelEvent
from tests.bot.console.world import PUBLIC, Browser, Console

REVIEW = f"/r/{PUBLIC}/review"


@dataclass
class Desk:
    """The console, and what a member with triage permission does in it."""

    console: Console
    member: Browser

    def issue(self, title: str = "It crashes", *labels: str, **verdicts: str) -> int:
        """An issue on both sides, decided on where there are verdicts; returns its number."""
        control = self.console.github.control
        number = int(control.open_issue(PUBLIC, title=title, labels=list(labels))["number"])
        self.console.open(number, title, *labels)
        if verdicts:
            self.console.decide(number, **verdicts)
        return number

    def label_id(self, name: str) -> int:
        found = self.console.store.labels.by_name(self.console.repository().id, name)
        assert found is not None
        return found.id

    def on_github(self, number: int) -> list[str]:
        return list(self.console.github.control.labels_on(PUBLIC, number))

    def history(self, number: int) -> list[list[str]]:
        """[what, label, login] of each label event on GitHub."""
        return list(self.console.github.control.label_history(PUBLIC, number))

    def events(self, number: int) -> list[LabelEvent]:
        return self.console.store.events.for_issue(self.console.repository().id, number)

    def answers(self, number: int) -> dict[int, bool]:
        found = self.console.store.answers.for_issue(self.console.repository().id, number)
        return {each.label_id: each.belongs for each in found}

    def key(self, number: int) -> str:
        """The queue's first key for an issue."""
        decision = self.console.store.decisions.latest(self.console.repository().id, number)
        assert decision is not None
        asked = [v["verdict"] for v in decision.verdicts].index("suggest")
        return f"s{decision.id}-{asked}"

    def act(self, act: str, item: str = "", **form: Any) -> TestResponse:
        """What the member does in the queue."""
        return self.member.post(REVIEW, {"act": act, "item": item, **form})

    def ask(self, *numbers: int) -> None:
        """The report of the issues that would teach most."""
        ids = {name: self.label_id(name) for name in ("bug", "docs")}
        choices = [{"label": name, "id": id, "probability": 0.6} for name, id in ids.items()]
        rows = [{"number": n, "created_at": "", "bits": 1.0, "choices": choices} for n in numbers]
        row = self.console.repository().id
        report = Report(row, "questions", "0001-abcd", 1.0, {"problem": None, "questions": rows})
        self.console.store.reports.keep(report)

    def doubt(self, *numbers: int) -> None:
        """The report of the labels that look wrong: bug, on these issues."""
        row, id = self.console.repository().id, self.label_id("bug")
        shown = {"label": "bug", "id": id, "given": True, "probability": 0.02, "bits": 5.6}
        rows = [shown | {"number": number} for number in numbers]
        body = {"problem": None, "total": len(rows), "doubts": rows}
        self.console.store.reports.keep(Report(row, "doubts", "0001-abcd", 1.0, body))


def make_desk(console: Console) -> Desk:
    """A member who may triage is signed in; the clock is GitHub's: times can be compared."""
    console.clock[0] = console.github.state.now() + 1
    console.role("member", "triage")
    return Desk(console, console.browser("member"))
