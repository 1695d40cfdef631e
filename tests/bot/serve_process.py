"""`serve` with programs of our own: `python -m tests.bot.serve_process FACTS`."""

from __future__ import annotations

import json
import sys
import threading

from bot.log import make_logger
from bot.serve import ServeOptions, Supervisor
from bot.signals import stop_on_signals


def main(facts: dict[str, dict[str, list[str]]]) -> int:
    stop = threading.Event()
    stop_on_signals(stop)
    options = ServeOptions(first_delay=0.05, longest_delay=0.2, grace=1.0, look=0.02)
    log = make_logger("info", "json")
    return Supervisor(facts["commands"], log=log, stop=stop, options=options).run()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
