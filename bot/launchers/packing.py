"""A training as it travels: the files of this machine that it reads, and what stands for them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Argument = str | dict[str, str]


@dataclass(frozen=True)
class Packed:
    """The `main` of a module, and its arguments as another machine takes them.

    There {"input": NAME} stands for the file or folder that `inputs` has by that name, and
    {"out": NAME} for what is made.
    """

    module: str
    arguments: tuple[Argument, ...]
    inputs: dict[str, Path]


def packed(argv: Sequence[str], out: Path) -> Packed:
    """The command `python ... -m MODULE ARGUMENTS`: what exists here under a full path travels."""
    at = argv.index("-m")
    inputs: dict[str, Path] = {}
    arguments: list[Argument] = []
    for each in argv[at + 2 :]:
        if each == str(out):
            arguments.append({"out": out.name})
        elif each.startswith("/") and Path(each).exists():
            arguments.append({"input": _named(Path(each), inputs)})
        else:
            arguments.append(each)
    return Packed(argv[at + 1], tuple(arguments), inputs)


def run_of(out: Path) -> str:
    """A name for the training that makes `out`: readable, and of that path alone."""
    path = str(out.absolute())
    digest = hashlib.sha256(path.encode("utf-8")).hexdigest()[:12]
    return f"{out.parent.name}-{out.name}-{digest}"


def _named(path: Path, inputs: dict[str, Path]) -> str:
    """Its own name, since cards mention it, behind a number, since others may have the same."""
    for name, known in inputs.items():
        if known == path:
            return name
    name = f"{len(inputs)}/{path.name}"
    inputs[name] = path
    return name
