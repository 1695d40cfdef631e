"""The job table under what it is for: several processes and threads, and one that is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bot.store import Store
from tests.bot.store.conftest import Clock

CLAIM_ALL = """
import sys, threading
from bot.store import Store

store = Store(sys.argv[1])
lock = threading.Lock()

def work(name):
    while (job := store.jobs.claim(name, lane="fast", lease_seconds=600)) is not None:
        store.jobs.finish(job, "done by " + name)
        with lock:
            print(job.id, flush=True)
    store.close()

threads = [threading.Thread(target=work, args=(f"{sys.argv[2]}-{n}",)) for n in range(3)]
print("ready", flush=True)
sys.stdin.readline()
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
CLAIM_AND_HANG = """
import sys
from bot.store import Store

job = Store(sys.argv[1], now=lambda: 1_000_000.0).jobs.claim("doomed", lane="fast")
print(job.id, flush=True)
sys.stdin.readline()
"""


def start(code: str, store: Store, name: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(store.path), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_and_threads_claim_every_job_once(store: Store) -> None:
    wanted = 150
    with store.transaction():
        ids = [job.id for _ in range(wanted) if (job := store.jobs.enqueue("label", run_at=0))]
    processes = [start(CLAIM_ALL, store, f"p{n}") for n in range(3)]
    assert [first_line(process) for process in processes] == ["ready"] * 3
    for process in processes:  # all are up: let them race
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    claimed = [line for process in processes for line in process.communicate(timeout=60)[0].split()]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert Counter(map(int, claimed)) == Counter(ids)
    assert store.jobs.counts() == {("fast", "done"): wanted}


def test_the_job_of_a_killed_process_is_claimed_again(store: Store, clock: Clock) -> None:
    job = store.jobs.enqueue("label")
    assert job is not None
    process = start(CLAIM_AND_HANG, store)
    assert first_line(process) == str(job.id)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert store.jobs.claim("w2", lane="fast") is None
    clock.advance(61)
    again = store.jobs.claim("w2", lane="fast")
    assert again is not None
    assert (again.id, again.attempts) == (job.id, 2)


def test_a_process_killed_inside_a_transaction_leaves_nothing(store: Store, tmp_path: Path) -> None:
    code = """
import sys
from bot.store import Store

store = Store(sys.argv[1])
with store.transaction():
    store.meta.set("half", "done")
    print("written", flush=True)
    sys.stdin.readline()
"""
    process = start(code, store)
    assert first_line(process) == "written"
    process.kill()
    process.communicate(timeout=30)
    assert store.meta.get("half") is None
    store.meta.set("half", "free to write")
