"""Become another program, as a good child: `python -m bot.child NICENESS [--stays FD] COMMAND...`.

It runs with that much less priority, and ends when its parent is killed (Linux), unless it stays:
then it begins at a word from its parent, and never where that ends before.
This is a program of its own because a process with threads must not run Python between fork and
exec.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_SET_PARENT_DEATH_SIGNAL = 1


def main(argv: Sequence[str]) -> None:
    """Lower the priority by `argv[0]` and become the program behind it; does not return."""
    niceness, *command = argv
    os.nice(int(niceness))
    if command[0] == "--stays":
        waits, command = int(command[1]), command[2:]
        if not os.read(waits, 1):
            sys.exit(1)
        os.close(waits)
    elif sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
