"""What the console serves from npm is what the locked packages hold, with their licences."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

from tests.contracts.openapi import skip_without_npm
from tests.source import ROOT

VENDOR = ROOT / "bot/console/static/vendor"
PACKAGES = ("htmx.org", "uplot")
MOST_KB = 45
"""Compressed; a page may have 80 KB in all."""


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_copies_are_those_that_the_script_makes(tmp_path: Path) -> None:
    for name in PACKAGES:
        skip_without_npm(ROOT / "node_modules" / name)
    subprocess.run([ROOT / "scripts/vendor", tmp_path], check=True, timeout=60)
    assert files_in(tmp_path) == files_in(VENDOR)


def test_each_script_has_its_licence_beside_it() -> None:
    scripts = {name.partition(".")[0] for name in files_in(VENDOR)}
    assert scripts == {"htmx", "uPlot"}
    for name in scripts:
        text = (VENDOR / f"{name}.LICENSE.txt").read_text()
        assert "Permission to use" in text or "Permission is hereby granted" in text


def test_the_copies_are_light() -> None:
    sizes = [len(gzip.compress(data)) for data in files_in(VENDOR).values()]
    assert sum(sizes) < MOST_KB * 1000
