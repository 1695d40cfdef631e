"""The project's own source as trees: what the tests of its structure look at."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "models", "training", "demo")


@dataclass(frozen=True)
class Module:
    """One source file; `path` is relative to the root, with slashes."""

    path: str
    lines: int
    tree: ast.Module

    @property
    def name(self) -> str:
        """The dotted name that it is imported by."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def package(self) -> str:
        """What a relative import starts from."""
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method, inner ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def imports(self) -> set[str]:
        """The dotted names of all that is imported anywhere in it."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= self._imported_from(node)
        return found

    def _imported_from(self, node: ast.ImportFrom) -> set[str]:
        base = node.module or ""
        if node.level:
            parents = self.package.split(".")
            kept = parents[: len(parents) - node.level + 1]
            base = ".".join([*kept, base] if base else kept)
        return {base} | {f"{base}.{alias.name}" for alias in node.names}

    def at(self, node: ast.stmt | ast.expr | ast.ExceptHandler) -> str:
        """Where a node stands, for a message."""
        return f"{self.path}:{node.lineno}"


def parse(path: str, text: str) -> Module:
    """The module of a path (relative, with slashes) and its text."""
    return Module(path, len(text.splitlines()), ast.parse(text))


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """Every module of the packages, all four if none is named."""
    return tuple(
        parse(path.relative_to(ROOT).as_posix(), path.read_text())
        for package in packages or PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    )


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file of the repository that is there, as git lists them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    found = {ROOT / name for name in listed.split("\0") if name}
    return tuple(sorted(path for path in found if path.is_file()))
