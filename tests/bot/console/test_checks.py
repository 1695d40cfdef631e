"""The check page: findings of the doctor, and GitHub's own record of its deliveries."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bot.console.examining import EXTENSION, LONGEST_SECONDS, Examiner
from tests.bot.console.world import Browser, Console
from tests.waiting import eventually

FINDINGS = [
    {"name": "disk", "state": "ok", "message": "9 MB free"},
    {"name": "clock", "state": "fails", "message": "300 s ahead: turn on `NTP`"},
    {"name": "<script>alert(1)</script>", "state": "note", "message": "\x1b[31m<b>red</b>"},
]


def says(console: Console, program: str) -> Examiner:
    """Let another program be the doctor."""
    made = Examiner(console.desk.now, [sys.executable, "-c", program])
    console.app.extensions[EXTENSION].doctor = made
    return made


def prints(tmp_path: Path, findings: object = FINDINGS) -> str:
    text = json.dumps({"ok": False, "checks": findings})
    (tmp_path / "findings.json").write_text(text)
    return f"print(open({str(tmp_path / 'findings.json')!r}).read())"


def looked(examiner: Examiner) -> None:
    eventually(lambda: not examiner.look().runs)


def test_only_operators_may_look(console: Console) -> None:
    assert console.browser().get("/checks").status_code == 302
    assert console.browser("ada").get("/checks").status_code == 403
    assert console.browser("ada").post("/checks/again").status_code == 403


def test_a_look_is_waited_for_and_then_shown(
    console: Console, operator: Browser, tmp_path: Path
) -> None:
    examiner = says(console, prints(tmp_path))
    page = operator.page("/checks")
    assert "Looking at everything" in page and 'hx-trigger="every 2s"' in page
    looked(examiner)
    page = operator.page("/checks")
    assert "turn on <code>NTP</code>" in page and "9 MB free" in page
    assert "Looking at everything" not in page


def test_what_a_finding_holds_is_text(console: Console, operator: Browser, tmp_path: Path) -> None:
    examiner = says(console, prints(tmp_path))
    operator.page("/checks")
    looked(examiner)
    page = operator.page("/checks")
    assert "&lt;script&gt;" in page and "<b>red" not in page and "\x1b" not in page


def test_findings_are_kept_for_a_minute_unless_asked_again(
    console: Console, operator: Browser, tmp_path: Path
) -> None:
    examiner = says(console, prints(tmp_path))
    operator.page("/checks")
    looked(examiner)
    console.clock[0] += 59
    assert not examiner.look().runs
    assert operator.post("/checks/again").status_code == 303
    assert "Looking at everything" in operator.page("/checks")
    looked(examiner)


def test_a_look_that_fails_or_takes_too_long_says_so(console: Console, operator: Browser) -> None:
    examiner = says(console, "raise SystemExit(3)")
    operator.page("/checks")
    looked(examiner)
    assert "The look ended with 3" in operator.page("/checks")
    examiner = says(console, "import signal; signal.pause()")
    assert examiner.look().runs
    console.clock[0] += LONGEST_SECONDS
    found = examiner.look()
    assert found.problem is not None and "took longer" in found.problem


def test_the_real_doctor_is_asked(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELWRIGHT_GITHUB_URL", console.github.url)
    examiner = console.app.extensions[EXTENSION].doctor
    looked(examiner)
    names = {each.name for each in examiner.look().found}
    assert {"settings", "database", "disk", "encoder", "github", "clock"} <= names


def test_deliveries_are_shown_with_what_they_mean(
    console: Console, operator: Browser, tmp_path: Path
) -> None:
    looked(says(console, prints(tmp_path, [])))
    console.github.control.set_webhook("labelwright", "http://127.0.0.1:9/webhook", "a secret")
    console.github.control.open_issue("acme/rocket", title="It crashes")
    assert console.github.control.drain()
    page = operator.page("/checks")
    assert "webhook reached" in page and "no answer of ours (502)" in page
    assert "none yet" in page


def test_a_github_that_is_silent_is_a_note(
    console: Console, operator: Browser, tmp_path: Path
) -> None:
    looked(says(console, prints(tmp_path, [])))
    console.github.control.fail("status", path="/app/hook/deliveries", times=9)
    assert "GitHub could not be asked for its record" in operator.page("/checks")
