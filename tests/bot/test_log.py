from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot.log import REDACTED, make_logger, route_standard_logging


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def _standard_logging() -> Iterator[None]:
    """What `route_standard_logging` changes is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(secrets: tuple[str, ...] = (), **values: Any) -> dict[str, Any]:
    out = io.StringIO()
    make_logger("debug", "json", secrets=secrets, stream=out).info("said", **values)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_a_line_is_one_json_object_with_its_context() -> None:
    out = io.StringIO()
    log = make_logger("info", "json", stream=out).bind(job=3)
    log.info("job done", result="labeled\nbug")
    (line,) = out.getvalue().splitlines()
    found = json.loads(line)
    assert (found["event"], found["level"], found["job"]) == ("job done", "info", 3)
    assert found["result"] == "labeled\nbug"
    assert found["timestamp"].endswith("Z")


def test_what_is_below_the_level_is_not_written() -> None:
    out = io.StringIO()
    make_logger("warning", "json", stream=out).info("said")
    assert out.getvalue() == ""


@pytest.mark.parametrize(("stream", "starts"), [(Terminal(), "\x1b"), (io.StringIO(), "{")])
def test_auto_is_console_on_a_terminal(stream: io.StringIO, starts: str) -> None:
    make_logger("info", "auto", stream=stream).info("said")
    assert stream.getvalue().startswith(starts)


@pytest.mark.parametrize(
    "name", ["webhook_secret", "token", "Authorization", "private_key", "X-Hub-Signature-256"]
)
def test_a_secret_is_left_out_by_its_name(name: str) -> None:
    assert logged(**{name: "abc"})[name] == REDACTED
    assert logged(headers={name: "abc"})["headers"] == {name: REDACTED}


@pytest.mark.parametrize(
    "secret",
    [
        "ghs_" + "a1" * 18,
        "github_pat_" + "a1" * 20,
        "v1." + "0a" * 20,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI3In0.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_secret_is_left_out_by_its_form(secret: str) -> None:
    assert logged(answer=f"sent {secret}, got 401")["answer"] == f"sent {REDACTED}, got 401"
    assert logged(answer=[{"deep": secret}])["answer"] == [{"deep": REDACTED}]
    assert secret not in json.dumps(logged(answer=ValueError(secret)))


def test_credentials_in_an_address_are_left_out() -> None:
    assert logged(url="https://me:pass@host/x")["url"] == f"https://{REDACTED}@host/x"


def test_a_known_secret_is_left_out_wherever_it_turns_up() -> None:
    found = logged(("hunter2hunter2",), answer="wrong: hunter2hunter2!", n=1)
    assert (found["answer"], found["n"]) == (f"wrong: {REDACTED}!", 1)


@pytest.mark.parametrize("format", ["json", "console"])
def test_a_secret_in_a_traceback_is_left_out(format: Any) -> None:
    out = io.StringIO()
    log = make_logger("info", format, secrets=["hunter2hunter2"], stream=out)
    try:
        raise ValueError("hunter2hunter2")
    except ValueError as error:
        log.error("job failed", exc_info=error)
    assert "ValueError" in out.getvalue()
    assert "hunter2" not in out.getvalue()


def test_counts_of_tokens_are_no_secret() -> None:
    assert logged(max_tokens=256)["max_tokens"] == 256


def test_making_a_logger_changes_nothing_global() -> None:
    before = structlog.get_config()
    make_logger(stream=io.StringIO())
    assert structlog.get_config() == before


@pytest.mark.usefixtures("_standard_logging")
def test_libraries_log_through_ours() -> None:
    out = io.StringIO()
    route_standard_logging(make_logger("info", "json", secrets=["hunter2"], stream=out))
    logging.getLogger("waitress").info("too fine")
    logging.getLogger("waitress").warning("depth is %d, %s", 5, "hunter2")
    found = json.loads(out.getvalue())
    assert (found["event"], found["source"]) == (f"depth is 5, {REDACTED}", "waitress")
