"""What a training is: its program, its arguments, its limits, its scrubbed environment."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import bot
from bot import recipes
from bot.launchers import Command, Launcher, Unreachable
from bot.launchers.local import Local
from bot.settings import Settings, inherited

if TYPE_CHECKING:
    from bot.launchers.ray import Ray

NICENESS = 10
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


@dataclass(frozen=True)
class Launch:
    """One training: a program, its arguments and limits, and the `launcher` of where it runs.

    `timeout` in seconds, `threads` None for all. What it makes is the folder `out`, complete when
    that has a card, or each of the `parts` in it.

    `terminal`: standard error goes to ours, where the training draws its bars. `niceness` is by
    how much it stands back behind the server's own processes. With `abrupt` it is killed where we
    end it early: it would say how to go on with it by hand, and its caller knows a better way.
    """

    module: str
    arguments: tuple[str, ...]
    out: Path
    log: Path
    timeout: float
    launcher: Launcher
    threads: int | None = None
    terminal: bool = False
    niceness: int = NICENESS
    abrupt: bool = False
    parts: tuple[str, ...] = (".",)

    @property
    def is_complete(self) -> bool:
        """Whether all that it makes is there."""
        return all((self.out / part / "card.json").is_file() for part in self.parts)

    @property
    def status(self) -> Path:
        """The file in which it says how far it is."""
        return self.out.with_name(f"{self.out.name}.status.json")

    def process(self, argv: Sequence[str], *, stays: bool) -> Command:
        """The training as a launcher takes it; one that `stays` outlives this process."""
        return Command(
            argv=argv,
            environment=environment(self.threads),
            out=self.out,
            log=self.log,
            niceness=self.niceness,
            stays=stays,
            terminal=self.terminal,
        )

    @classmethod
    def head(
        cls,
        folder: Path,
        settings: Settings,
        *,
        encoder: str | None = None,
        snapshot: Path | None = None,
        recipe: str | None = None,
        champion: Path | None = None,
        best: Path | None = None,
    ) -> Launch:
        """The training of `folder/snapshot` to `folder/bundle`, as the settings say.

        `encoder` and `snapshot` may be others. `champion` and `best` are the bundles to compare
        with; `recipe` is a name or a file, None for the champion's: where it makes an encoder,
        that is work for the launcher of the settings, and else for this machine.
        """
        out = folder / "bundle"
        heavy = recipes.makes_encoder(recipe, champion)
        launcher = there(settings) if heavy else here(settings)
        arguments = _arguments(
            ("--snapshot", snapshot or folder / "snapshot"),
            ("--out", out),
            *_how(settings, launcher, encoder or settings.encoder, recipes.named(recipe)),
            ("--champion", champion),
            ("--best", best),
        )
        return cls(
            module="training.run",
            arguments=arguments,
            out=out,
            log=folder / "training.log",
            timeout=settings.training_timeout_seconds,
            launcher=launcher,
            threads=_threads(settings, launcher),
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
        one = cls.head(folder, settings, recipe=recipe)
        arguments = _arguments(
            *(("--snapshot", snapshot) for snapshot in snapshots.values()),
            ("--out", out),
            *_how(settings, one.launcher, encoder, recipes.named(recipe)),
        )
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
        launcher = there(settings)
        arguments = _arguments(
            *(("--snapshot", snapshot) for snapshot in snapshots),
            ("--out", out),
            *_how(settings, launcher, encoder, recipe),
        )
        return cls(
            module="training.adapt",
            arguments=(*arguments, "--resume"),
            out=out,
            log=folder / "training.log",
            timeout=math.inf,
            launcher=launcher,
            threads=_threads(settings, launcher),
            abrupt=True,
        )


def here(settings: Settings) -> Local:
    """This machine, where one training at a time runs."""
    return Local(settings.runs / ".training")


def there(settings: Settings) -> Launcher:
    """Where encoders are trained, as the settings say."""
    return by_name(settings, settings.launcher)


def by_name(settings: Settings, name: str) -> Launcher:
    """The launcher that has, or had, a training. Raises Unreachable."""
    if name == Local.name:
        return here(settings)
    return cluster(settings)


def cluster(settings: Settings) -> Ray:
    """The Ray cluster of the settings. Raises Unreachable where they name none."""
    from bot.launchers.ray import Ray
    from bot.launchers.ray_jobs import Cluster

    if settings.ray_address is None or settings.ray_storage is None:
        raise Unreachable("set LABELWRIGHT_RAY_ADDRESS and LABELWRIGHT_RAY_STORAGE")
    token = settings.ray_token
    pairs = (each.split("=", 1) for each in settings.ray_resources)
    what = Cluster(
        address=settings.ray_address,
        storage=settings.ray_storage,
        token=None if token is None else token.get_secret_value(),
        workers=settings.ray_workers,
        cpus=settings.ray_cpus,
        gpus=settings.ray_gpus,
        resources={name: float(amount) for name, amount in pairs},
    )
    return Ray(what, settings.runs)


def command(launch: Launch, python: str = sys.executable) -> list[str]:
    """The command line of a training."""
    return [python, "-P", "-m", launch.module, *launch.arguments]


def _threads(settings: Settings, launcher: Launcher) -> int | None:
    """The setting is about this machine."""
    return settings.threads if launcher.name == Local.name else None


def _how(
    settings: Settings, launcher: Launcher, encoder: str, recipe: Path | str | None
) -> tuple[Option, ...]:
    """What every training is told."""
    return (
        ("--encoder", _folder(encoder)),
        ("--max-tokens", settings.max_tokens),
        ("--threads", _threads(settings, launcher)),
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
