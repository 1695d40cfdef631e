"""A training that is only pretended, as a process: `python -m tests.bot.pretended_training …`.

It notes that it began in `HOME/started`; where `HOME/hold` names its program it waits for
`HOME/go`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from models import bundle
from models.snapshot import read
from tests.bot.adapting_world import head
from tests.waiting import eventually


def main(home: Path, made: Path, module: str, options: list[str]) -> None:
    given = dict(zip(options[::2], options[1::2], strict=False))
    out = Path(given["--out"])
    with (home / "started").open("a") as file:
        file.write(f"{os.getpid()} {out}\n")
    if (home / "hold").exists() and (home / "hold").read_text() == module:
        eventually((home / "go").exists)
    if module == "training.adapt":
        shutil.copytree(made / "adapted", out.with_name("aside"))
        out.with_name("aside").rename(out)
    else:
        number = read(Path(given["--snapshot"])).repository.id
        bundle.write(out, head(number, given["--encoder"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
