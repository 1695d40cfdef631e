"""A process is named by more than its number: that may soon be another one's."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil

from bot.launchers.identity import handle_of, is_alive, is_of_here, pid_of
from tests.waiting import DEADLINE, eventually


def ourselves() -> str:
    handle = handle_of(os.getpid())
    assert handle is not None
    return handle


def test_a_process_is_found_by_its_handle():
    assert pid_of(ourselves()) == os.getpid()
    assert is_alive(ourselves()) and is_of_here(ourselves())
    assert ourselves() == handle_of(os.getpid())


def test_a_number_that_is_another_ones_by_now_is_not_mistaken():
    number, place = ourselves().split(" ", 1)
    before = f"{number} {place[:-1]}"  # it began at another time
    assert is_of_here(before) or sys.platform != "linux"
    assert not is_alive(before)


def test_after_a_reboot_and_in_another_container_no_handle_is_of_here():
    assert not is_of_here("1 another-boot:pid:[1]:5")
    assert not is_alive("1 another-boot:pid:[1]:5")


def test_one_that_has_ended_is_gone_though_nobody_has_asked_after_it():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    handle = handle_of(process.pid)
    assert handle is not None and is_alive(handle)
    process.stdin.close()
    eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    assert handle_of(process.pid) is None and not is_alive(handle)
    process.wait(DEADLINE)
    assert handle_of(process.pid) is None
