"""`docs/failures.md` names a test for each case, and each of them is there."""

from __future__ import annotations

import re

import pytest

from tests.source import ROOT

PAGE = (ROOT / "docs" / "failures.md").read_text()
ROW = re.compile(r"^\| (?!Case )([^|-][^|]*) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)
TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
RESULTS = ("refused", "done", "retry", "dead letter")
FAULTS = sorted(f"e2e/faults/{p.name}" for p in (ROOT / "tests/e2e/faults").glob("test_*.py"))
CASES = """
signature missing/signature wrong/signature SHA-1 only/signature truncated/not JSON
wrong content type/too large/unknown event/unknown installation/missing fields/null body
empty title/65,536-character body/only emoji/right-to-left text/NUL bytes
a label deleted a second ago/issue locked/issue deleted/issue transferred
installation suspended/permission missing/401/403/404/410/422/429/5xx/nothing
bundle half-written/bundle tampered/bundle of another/snapshot/configuration wrong
"""


def rows() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(case, result, tests) of each row; a test is (file, name)."""
    return [(case, result, TEST.findall(tests)) for case, result, tests in ROW.findall(PAGE)]


def names_in(file: str) -> set[str]:
    """The names of the tests in a file under `tests`."""
    return set(re.findall(r"^def (test_\w+)", (ROOT / "tests" / file).read_text(), re.MULTILINE))


def test_each_case_has_a_result_and_a_test():
    assert len(rows()) > 50
    assert [case for case, result, _ in rows() if not result.startswith(RESULTS)] == []
    assert [case for case, _, named in rows() if not named] == []


def test_each_test_that_the_page_names_exists():
    named = {test for _, _, tests in rows() for test in tests}
    assert sorted(f"{file}::{name}" for file, name in named if name not in names_in(file)) == []


@pytest.mark.parametrize("case", [each for each in re.split(r"[/\n]", CASES) if each])
def test_no_case_is_left_out(case: str):
    assert [found for found, _, _ in rows() if found.startswith(case)]


@pytest.mark.parametrize("file", [*FAULTS, "e2e/test_crash.py"])
def test_the_page_names_each_test_of_failures(file: str):
    named = {name for _, _, tests in rows() for found, name in tests if found == file}
    assert names_in(file) - named <= {"test_every_job_that_failed_says_why"}
