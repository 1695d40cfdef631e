"""Any text of an issue comes to a decision."""

from __future__ import annotations

import pytest

from tests.e2e.site import Repo

LONGEST_TEXT = 65_536
"""GitHub takes no longer body."""


@pytest.mark.parametrize(
    ("title", "body"),
    [
        pytest.param("Crash", None, id="null body"),
        pytest.param("Crash", "crash " * (LONGEST_TEXT // 6), id="65,536 characters"),
        pytest.param("Crash", "x" * LONGEST_TEXT, id="one long word"),
        pytest.param("\U0001f4a5" * 30, "\U0001f525\U0001f9e8", id="only emoji"),
        pytest.param("\u0627\u0644\u062a\u0637\u0628\u064a\u0642 \u064a\u062a\u0639\u0637\u0644",
                     "\u202e\u05e9\u05d2\u05d9\u05d0\u05d4", id="right-to-left"),
        pytest.param("Crash\0", "NUL\0 bytes\0", id="NUL bytes"),
        pytest.param("\u200b", "\r\n\t ", id="nothing visible"),
    ],
)  # fmt: skip
def test_any_text_comes_to_a_decision(repo: Repo, title: str, body: str | None):
    number = repo.open(title=title, body=body)
    job = repo.settled(number, "done")
    assert job.result and job.result.startswith(("labelled", "nothing applied")), job.result
    decision = repo.decision(number)
    assert decision is not None and len(decision.verdicts) >= 11
    assert all(0 <= v["probability"] <= 1 for v in decision.verdicts if v["probability"])


@pytest.mark.parametrize("body", ["It crashes with an error.", "", None])
def test_an_issue_without_a_title_comes_to_a_decision(repo: Repo, body: str | None):
    repo.github.plant_issues(repo.name, [{"title": "", "body": body}])
    number = max(repo.site.github.state.repositories[repo.id].issues)
    issue = repo.github.issue(repo.name, number)
    about = {"id": repo.id, "full_name": repo.name, "private": False}
    payload = {"action": "opened", "issue": issue, "repository": about}
    payload["installation"] = {"id": repo.installation_id}
    assert repo.site.server.post("issues", payload).status_code == 202
    result = str(repo.settled(number, "done").result)
    assert result.startswith("labelled" if body else "nothing applied"), result
    assert repo.decision(number) is not None


def test_text_that_is_not_english_is_suggest_only(repo: Repo):
    number = repo.open(title="Die App stürzt ab", body="Beim Öffnen gibt es immer einen Fehler.")
    assert "nothing applied" in str(repo.settled(number).result)
    assert repo.labels_on(number) == []
