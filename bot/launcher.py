"""Start a training as a process of its own: scrubbed environment, low priority, a time limit.

`bot` reaches `training` in no other way. On a terminal the training draws its own progress bars on
standard error; elsewhere its lines go to a log file, and to whoever asked for them.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import bot
from bot import recipes
from bot.errors import BotError
from bot.settings import Settings, inherited
from bot.tasks import Stopped

NICENESS = 10
GRACE = 5.0
"""Seconds between asking a training to end and killing it."""
_LOOK = 0.1
_EXPLAINED = "training: "
_INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "HF_HOME",
    "HF_HUB_CACHE",
)
_ROOT = Path(str(bot.__path__[0])).parent
Option = tuple[str, Path | str | int | None]


class TrainingFailed(BotError):
    """A training ended without a bundle. `status` is its exit status, negative for a signal."""

    def __init__(self, message: str, status: int, log: Path) -> None:
        super().__init__(message)
        self.status = status
        self.log = log


class TrainingRefused(TrainingFailed):
    """The training says in one line why it cannot be done: to repeat it is no use."""


class TrainingTimedOut(TrainingFailed):
    """A training took longer than it may, and was killed."""


@dataclass(frozen=True)
class Launch:
    """One training: a program, its arguments and limits. `timeout` in seconds, `threads` None for
    all. What it makes is the folder `out`, complete when that has a card, or each of the `parts`
    in it.

    `terminal`: standard error goes to ours, where the training draws its bars. `niceness` is by
    how much it stands back behind the server's own processes. With `abrupt` it is killed where we
    end it early: it would say how to go on with it by hand, and its caller knows a better way.
    """

    module: str
    arguments: tuple[str, ...]
    out: Path
    log: Path
    timeout: float
    threads: int | None = None
    terminal: bool = False
    niceness: int = NICENESS
    abrupt: bool = False
    parts: tuple[str, ...] = (".",)

    @property
    def is_complete(self) -> bool:
        """Whether all that it makes is there."""
        return all((self.out / part / "card.json").is_file() for part in self.parts)

    @classmethod
    def head(
        cls,
        folder: Path,
        settings: Settings,
        *,
        encoder: str | None = None,
        snapshot: Path | None = None,
        recipe: str | None = None,
        current: Path | None = None,
    ) -> Launch:
        """The training of `folder/snapshot` to `folder/bundle`, as the settings say.

        `encoder` and `snapshot` may be others; `recipe` is a name or a file; `current` is the
        bundle to compare with.
        """
        out = folder / "bundle"
        arguments = _arguments(
            ("--snapshot", snapshot or folder / "snapshot"),
            ("--out", out),
            *_how(settings, encoder or settings.encoder, recipes.named(recipe)),
            ("--current", current),
        )
        return cls(
            module="training.run",
            arguments=arguments,
            out=out,
            log=folder / "training.log",
            timeout=settings.training_timeout_seconds,
            threads=settings.threads,
        )

    @classmethod
    def heads(
        cls,
        folder: Path,
        settings: Settings,
        snapshots: Mapping[int, Path],
        *,
        encoder: str,
        recipe: str | None,
    ) -> Launch:
        """The training of several repositories together, by id, to `folder/bundles/ID` for each.

        It may take as long as they may one after the other.
        """
        out = folder / "bundles"
        arguments = _arguments(
            *(("--snapshot", snapshot) for snapshot in snapshots.values()),
            ("--out", out),
            *_how(settings, encoder, recipes.named(recipe)),
        )
        one = cls.head(folder, settings)
        return replace(
            one,
            arguments=arguments,
            out=out,
            timeout=len(snapshots) * one.timeout,
            parts=tuple(map(str, snapshots)),
        )

    @classmethod
    def adaptation(
        cls,
        folder: Path,
        settings: Settings,
        snapshots: Sequence[Path],
        *,
        encoder: str,
        recipe: str | None = None,
    ) -> Launch:
        """The adaptation of an encoder to these snapshots, to `folder/encoder`.

        It has no time limit, and goes on where an earlier one in this folder was interrupted.
        """
        out = folder / "encoder"
        arguments = _arguments(
            *(("--snapshot", snapshot) for snapshot in snapshots),
            ("--out", out),
            *_how(settings, encoder, recipe),
        )
        return cls(
            module="training.adapt",
            arguments=(*arguments, "--resume"),
            out=out,
            log=folder / "training.log",
            timeout=math.inf,
            threads=settings.threads,
            abrupt=True,
        )


def command(launch: Launch, python: str = sys.executable) -> list[str]:
    """The command line of a training."""
    return [python, "-P", "-m", launch.module, *launch.arguments]


def _how(settings: Settings, encoder: str, recipe: Path | str | None) -> tuple[Option, ...]:
    """What every training is told."""
    return (
        ("--encoder", _folder(encoder)),
        ("--max-tokens", settings.max_tokens),
        ("--threads", settings.threads),
        ("--recipe", recipe),
    )


def _arguments(*options: Option) -> tuple[str, ...]:
    """The options that have a value; a path in full, because the training runs elsewhere."""
    given = [(key, value) for key, value in options if value]
    full = [(k, str(v.absolute() if isinstance(v, Path) else v)) for k, v in given]
    return tuple(part for option in full for part in option)


def _folder(name: str) -> Path | str:
    """An encoder's folder as a path, any other encoder as the name that it is."""
    return Path(name) if Path(name).is_dir() else name


def environment(threads: int | None) -> dict[str, str]:
    """All that a training gets of our environment: no secret, no home, no network for the hub."""
    scrubbed = inherited(_INHERITED)
    if threads is not None:
        scrubbed |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    return scrubbed | {
        "PYTHONPATH": str(_ROOT),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
    }


def run(
    launch: Launch,
    *,
    forward: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    argv: Sequence[str] | None = None,
    now: Callable[[], float] = time.monotonic,
) -> float:
    """Run a training to its end; returns the seconds it took.

    `forward` gets each line that it prints, in another thread, but not the one in which it explains
    a failure. `stop` ends it early: then Stopped
    is raised. Raises TrainingRefused with the line in which the training explains itself,
    TrainingTimedOut, or TrainingFailed for a crash. Whatever ends this function, no process of the
    training is left. `argv` is the command where it is not to be `command(launch)`.
    """
    started = now()
    with launch.log.open("ab") as log:
        process = _start(launch, command(launch) if argv is None else argv)
        reader = threading.Thread(target=_copy, args=(process.stdout, log, forward), daemon=True)
        reader.start()
        try:
            status = _wait(process, launch, started + launch.timeout, stop, now)
        finally:
            _end(process, launch)
            reader.join(GRACE)
    if status != 0 or not launch.is_complete:
        raise _failure(launch, status)
    return now() - started


def _start(launch: Launch, argv: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bot.child", str(launch.niceness), *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if launch.terminal else subprocess.STDOUT,
        env=environment(launch.threads),
        cwd=launch.log.parent,
        start_new_session=True,
    )


def _wait(
    process: subprocess.Popen[bytes],
    launch: Launch,
    deadline: float,
    stop: threading.Event | None,
    now: Callable[[], float],
) -> int:
    while True:
        try:
            return process.wait(_LOOK)
        except subprocess.TimeoutExpired:
            if now() >= deadline:
                message = (
                    f"the training took longer than {launch.timeout:g} s and was stopped:"
                    " set LABELWRIGHT_TRAINING_TIMEOUT_SECONDS higher"
                )
                raise TrainingTimedOut(message, -signal.SIGKILL, launch.log) from None
            if stop is not None and stop.is_set():
                raise Stopped("the training was stopped with the process") from None


def _end(process: subprocess.Popen[bytes], launch: Launch) -> None:
    """End whatever is left of the process group, the training's own children included."""
    running = process.poll() is None
    for number in (signal.SIGKILL,) if launch.abrupt else (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
    if running and launch.abrupt and launch.terminal:
        _leave_bars()


def _leave_bars() -> None:
    """Go to a line below the bars of a training that was killed, and show the cursor again."""
    from rich.console import Console

    console = Console(stderr=True)
    console.show_cursor()
    console.print()


def _copy(source: IO[bytes], log: IO[bytes], forward: Callable[[str], None] | None) -> None:
    with source:
        for line in source:
            log.write(line)
            log.flush()
            text = line.decode("utf-8", "replace").rstrip()
            if forward is not None and not text.startswith(_EXPLAINED):
                forward(text)


def _failure(launch: Launch, status: int) -> TrainingFailed:
    said = _last_line(launch.log)
    if status < 0:
        name = signal.Signals(-status).name
        hint = "; was there too little memory?" if -status == signal.SIGKILL else ""
        message = f"the training was killed by {name}{hint} (see {launch.log})"
        return TrainingFailed(message, status, launch.log)
    if status == 1 and said.startswith(_EXPLAINED):
        return TrainingRefused(said.removeprefix(_EXPLAINED), status, launch.log)
    if status == 1 and launch.terminal:
        return TrainingRefused("the training failed: it says why above", status, launch.log)
    message = f"the training failed with status {status}: {said or 'it said nothing'}"
    return TrainingFailed(message, status, launch.log)


def _last_line(path: Path) -> str:
    lines = [line.strip() for line in path.read_text("utf-8", "replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")
