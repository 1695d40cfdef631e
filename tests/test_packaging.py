"""What is around the code: pinned versions, make, CI, the container. No Docker is needed here."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bot.serve import PROCESSES
from bot.settings import Settings
from bot.store import Store
from bot.web import create_app
from tests.source import ROOT

LINUX = {**default_environment(), "sys_platform": "linux"}
MAC = {**default_environment(), "sys_platform": "darwin"}


def read(path: str) -> str:
    return (ROOT / path).read_text()


@cache
def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))["project"]


@cache
def constraints() -> tuple[Requirement, ...]:
    lines = [line.strip() for line in read("constraints.txt").splitlines()]
    return tuple(Requirement(line) for line in lines if line and not line.startswith("#"))


def pins(environment: dict[str, str]) -> dict[str, str]:
    """Name -> version, for one kind of system."""
    return {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in constraints()
        if each.marker is None or each.marker.evaluate(environment)
    }


# Pinned versions


def test_every_constraint_is_one_exact_version() -> None:
    for each in constraints():
        assert re.fullmatch(r"==[\w.+!]+", str(each.specifier)), str(each)


def test_every_dependency_is_pinned_exactly_and_as_in_the_constraints() -> None:
    extras = project()["optional-dependencies"]
    for line in project()["dependencies"] + [each for extra in extras.values() for each in extra]:
        wanted = Requirement(line)
        assert re.fullmatch(r"==[\w.]+", str(wanted.specifier)), line
        pinned = pins(LINUX).get(canonicalize_name(wanted.name))
        assert pinned and wanted.specifier.contains(pinned), line


def test_all_that_is_installed_with_us_is_what_the_constraints_say() -> None:
    installed = {name: version.partition("+")[0] for name, version in closure()}
    pinned = {name: version.partition("+")[0] for name, version in pins(LINUX).items()}
    installed.pop("pip", None)  # comes with Python itself
    assert {n: v for n, v in installed.items() if pinned.get(n) != v} == {}


def closure() -> Iterator[tuple[str, str]]:
    """Each distribution that we bring, `dev` included, and its version."""
    lines = project()["dependencies"] + project()["optional-dependencies"]["dev"]
    waiting = [(Requirement(line), frozenset[str]()) for line in lines]
    seen = set()
    while waiting:
        wanted, extras = waiting.pop()
        needed = (wanted.name, frozenset(wanted.extras))
        if needed in seen or not applies(wanted, extras):
            continue
        seen.add(needed)
        yield canonicalize_name(wanted.name), importlib.metadata.version(wanted.name)
        brought = importlib.metadata.requires(wanted.name) or ()
        waiting += [(Requirement(line), frozenset(wanted.extras)) for line in brought]


def applies(wanted: Requirement, extras: frozenset[str]) -> bool:
    marker = wanted.marker
    return marker is None or any(marker.evaluate({"extra": e}) for e in (*extras, ""))


def test_no_cuda_build_of_torch_fits_the_constraints_on_linux() -> None:
    on_linux = next(c for c in constraints() if c.name == "torch" and c.marker.evaluate(LINUX))  # type: ignore[union-attr]
    assert [v for v in ("2.13.0", "2.13.0+cu130") if on_linux.specifier.contains(v)] == []
    assert on_linux.specifier.contains("2.13.0+cpu")
    assert pins(MAC)["torch"] == "2.13.0"


@pytest.mark.parametrize(("build", "line"), [("cpu", "torch==2.13.0+cpu;"), ("gpu", "torch===")])
def test_the_installer_of_torch_asks_pip_for_the_build_that_is_wanted(
    build: str, line: str, tmp_path: Path
) -> None:
    python = fake_python(tmp_path, 'echo "$@" >> "$(dirname "$0")/../asked"')
    done = install_torch("install", build, tmp_path)
    assert done.returncode == 0, done.stderr
    assert line in (tmp_path / "constraints.txt").read_text()
    assert f"-c {tmp_path}/constraints.txt torch" in (tmp_path / "asked").read_text()
    assert python.exists()


def test_without_a_cpu_build_the_installer_stops_and_says_what_to_do(tmp_path: Path) -> None:
    fake_python(tmp_path, "exit 1")
    done = install_torch("install", "cpu", tmp_path)
    assert done.returncode == 1
    assert all(way in done.stderr for way in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "GPU=1"))


def test_a_cuda_build_that_came_in_by_accident_is_reported(tmp_path: Path) -> None:
    fake_python(tmp_path, "exit 1")
    done = install_torch("check", "cpu", tmp_path)
    assert done.returncode == 1 and "make clean" in done.stderr


def install_torch(step: str, build: str, venv: Path) -> subprocess.CompletedProcess[str]:
    command = ["scripts/install-torch", step, build, str(venv)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def fake_python(venv: Path, script: str) -> Path:
    python = venv / "bin/python"
    python.parent.mkdir()
    python.write_text(f"#!/bin/bash\n{script}\n")
    python.chmod(0o755)
    return python


def test_the_npm_packages_are_locked_at_the_versions_asked_for() -> None:
    asked = json.loads(read("package.json"))["devDependencies"]
    locked = json.loads(read("package-lock.json"))["packages"]
    assert asked == {name: locked[f"node_modules/{name}"]["version"] for name in asked}
    assert not any("resolved" in package for package in locked.values())


# make and CI


def test_make_alone_lists_the_commands() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for command in ("demo", "test", "test-ray", "lint", "serve", "clean", "help"):
        assert re.search(rf"^make {command} +\S", done.stdout, re.MULTILINE), command


def test_make_demo_stops_after_its_run_when_told_so() -> None:
    assert dry("demo").endswith("-m demo")
    assert dry("demo", "DEMO_EXIT=1").endswith("-m demo --exit")


def test_make_lint_runs_ruff_and_mypy() -> None:
    assert [c in dry("lint") for c in ("ruff check", "ruff format --check", "mypy")] == [True] * 3


def dry(*arguments: str) -> str:
    """The commands that make would run."""
    command = ["make", "--dry-run", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_ci_runs_lint_the_demo_and_last_the_tests() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    text = script.read_text()
    assert "export CI=true" in text and "PYTHONUNBUFFERED=1" in text
    calls = re.findall(r"^(?:timeout \d+ )?make .*", text, re.MULTILINE)
    assert calls[:3] == ["make lint", "make demo DEMO_EXIT=1", "make test"]
    assert calls[3:] == ["timeout 600 make test-ray"], "bounded: a cluster may hang"


def test_ci_brings_the_browser_of_the_console_s_tests() -> None:
    assert "test -x /usr/bin/chromium || missing+=(chromium)" in read(".ci/run")
    assert "--no-install-recommends" in read(".ci/run")


@pytest.mark.parametrize("script", [".ci/run", "scripts/install-torch", "scripts/vendor"])
def test_the_shell_scripts_are_valid(script: str) -> None:
    assert subprocess.run(["bash", "-n", ROOT / script], timeout=60).returncode == 0


# Procfile and container


def test_the_procfile_runs_every_process_that_serve_runs() -> None:
    lines = dict(line.split(": ", 1) for line in read("Procfile").splitlines())
    assert lines == {name: f"labelwright {name}" for name in PROCESSES}


@cache
def dockerfile() -> list[tuple[str, str]]:
    """The instructions as (name, arguments), continuation lines joined."""
    text = re.sub(r"^\s*#.*\n", "", read("Dockerfile"), flags=re.MULTILINE)
    joined = re.sub(r"\\\n\s*", " ", text)
    parts = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(name, rest) for name, rest in parts]


def final_stage() -> dict[str, list[str]]:
    """The instructions of the image that is run: name -> arguments in their order."""
    last = max(i for i, (name, _) in enumerate(dockerfile()) if name == "FROM")
    found: dict[str, list[str]] = {}
    for name, rest in dockerfile()[last:]:
        found.setdefault(name, []).append(rest)
    return found


def environment() -> dict[str, str]:
    pairs = [pair for line in final_stage()["ENV"] for pair in shlex.split(line)]
    return dict(pair.split("=", 1) for pair in pairs)


@cache
def service() -> dict[str, Any]:
    """The one service of compose.yaml."""
    services = yaml.safe_load(read("compose.yaml"))["services"]
    assert len(services) == 1
    found: dict[str, Any] = next(iter(services.values()))
    return found


def test_the_container_serves_as_a_user_without_rights() -> None:
    assert json.loads(final_stage()["CMD"][0]) == service()["command"] == ["labelwright", "serve"]
    user = final_stage()["USER"][-1]
    assert user == service()["user"] and re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert f"--uid {user.partition(':')[0]} " in final_stage()["RUN"][0]
    assert service()["cap_drop"] == ["ALL"]
    assert service()["security_opt"] == ["no-new-privileges:true"]


def test_all_that_is_kept_lies_on_one_volume_and_the_rest_is_read_only() -> None:
    home = environment()["LABELWRIGHT_HOME"]
    assert final_stage()["VOLUME"] == [home] == ["/data"]
    volumes = yaml.safe_load(read("compose.yaml"))["volumes"]
    assert service()["volumes"] == [f"{name}:{home}" for name in volumes]
    assert service()["read_only"] is True and service()["tmpfs"] == ["/tmp"]
    assert environment()["HF_HOME"].startswith(home)


def test_the_container_listens_where_it_says_and_its_health_check_asks_there(
    tmp_path: Path,
) -> None:
    port = environment()["LABELWRIGHT_PORT"]
    assert environment()["LABELWRIGHT_HOST"] == "0.0.0.0"
    assert final_stage()["EXPOSE"] == [port]
    assert [p.rpartition(":")[2] for p in service()["ports"]] == [port]
    assert all(p.startswith("127.0.0.1:") for p in service()["ports"])
    command = json.loads(final_stage()["HEALTHCHECK"][0].partition("CMD ")[2])
    path = re.search(rf"http://127\.0\.0\.1:{port}(/\w+)", command[-1])
    assert path is not None and answers(path[1], tmp_path) == 200


def answers(path: str, home: Path) -> int:
    store = Store.open(home / "labelwright.db")
    try:
        app = create_app(Settings(home=home, webhook_secret="a secret"), store)
        return app.test_client().get(path).status_code
    finally:
        store.close()


def test_the_settings_of_the_container_exist() -> None:
    example = re.findall(r"^(\w+)=", read("labelwright.env.example"), re.MULTILINE)
    named = [name for name in (*environment(), *example) if name.startswith("LABELWRIGHT_")]
    assert len(named) > 5
    assert {n.removeprefix("LABELWRIGHT_").lower() for n in named} <= set(Settings.model_fields)
    assert service()["env_file"] == "labelwright.env"
    assert "/labelwright.env" in read(".gitignore").splitlines()


def test_a_stop_has_the_time_that_serve_takes_to_stop() -> None:
    from bot.serve import ServeOptions

    assert int(service()["stop_grace_period"].removesuffix("s")) > ServeOptions().grace


def test_the_image_gets_every_package_and_nothing_that_is_ignored() -> None:
    copied = [
        source
        for name, rest in dockerfile()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    assert all((ROOT / source).exists() for source in copied)
    let_in = re.findall(r"^!(.+)$", read(".dockerignore"), re.MULTILINE)
    assert set(copied) == set(let_in)
    found = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["packages"]["find"]
    assert {pattern.rstrip("*") for pattern in found["include"]} <= set(copied)


def test_a_wheel_has_the_recipes_beside_the_training() -> None:
    setuptools = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]
    assert (ROOT / "recipes/__init__.py").is_file() and "*.toml" in setuptools["package-data"]["*"]
    assert {"recipes*", "training*"} <= set(setuptools["packages"]["find"]["include"])


def test_a_wheel_has_all_that_the_console_serves() -> None:
    patterns = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["package-data"]["*"]
    files = [p for p in (ROOT / "bot/console").rglob("*") if p.is_file() and p.suffix != ".pyc"]
    served = [p for p in files if p.suffix != ".py"]
    assert {".js", ".css", ".txt"} <= {p.suffix for p in served}
    assert [str(p) for p in served if not any(p.match(each) for each in patterns)] == []


def test_the_licence_is_apache_2() -> None:
    assert project()["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0" in read("LICENSE")
