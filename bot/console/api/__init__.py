"""The console's data as JSON under /api/v1, described by its /openapi.json."""

from __future__ import annotations

from bot.console.api import (
    description,
    exports,
    guard,
    issues,
    jobs,
    models,
    reports,
    repositories,
    trainings,
)
from bot.console.api.table import routes

__all__ = [
    "description",
    "exports",
    "guard",
    "issues",
    "jobs",
    "models",
    "reports",
    "repositories",
    "routes",
    "trainings",
]
