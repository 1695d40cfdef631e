"""Exports, as the console's page has them."""

from __future__ import annotations

from flask import Response, request

from bot.console.access import find
from bot.console.api.repositories import HERE
from bot.console.api.shapes import word
from bot.console.api.table import operation
from bot.console.exports import CSV, SQLITE, export


@operation(
    "GET",
    f"{HERE}/export/{{file}}",
    "labels.csv, predictions.csv, corrections.csv, issues.csv or export.sqlite.",
    files=(CSV, SQLITE),
    query={"text": word("1")},
    needs="triage",
)
def export_file(owner: str, name: str, file: str) -> Response:
    """With `text=1` the issues' texts are in it."""
    return export(find(owner, name, "triage"), file, text=request.args.get("text") == "1")
