"""`python -m demo.github --port 8701`: the stand-in as a process."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from .server import StandIn


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted. Prints the address on one line once it can be called."""
    parser = argparse.ArgumentParser(prog="python -m demo.github", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--seed",
        type=Path,
        help="a JSON file: a list of [control method, {arguments}], carried out at the start",
    )
    args = parser.parse_args(argv)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with StandIn(port=args.port, host=args.host) as server:
        for method, arguments in json.loads(args.seed.read_text()) if args.seed else ():
            getattr(server.control, method)(**arguments)
        print(server.url, flush=True)
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
