"""Who may import whom, what an import may do, and how large a piece of code may get."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.source import ROOT, Module, modules, parse

NETWORK = ("flask", "werkzeug", "waitress", "requests", "httpx", "urllib3", "github", "socket")
UNSAFE = ("pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal")
UNSAFE_CALLS = ("torch.load", "torch.save", "joblib.load", "joblib.dump", "numpy.save", "np.save")
HEAVY = ("torch", "transformers", "sklearn", "scipy", "tokenizers")

FORBIDDEN = {
    "models": ("bot", "training", "demo", *NETWORK),
    "training": ("bot", "demo", *NETWORK),
    "bot": ("training", "demo"),
    "demo/github": ("bot", "models", "training"),
}

BROAD_EXCEPT = {
    "bot/clock.py": "one timetable entry",
    "bot/predictors.py": "one model, when a process starts",
    "bot/trial.py": "a version on trial, at one issue",
    "bot/worker.py": "one job, one lane",
    "models/storage.py": "one request to a storage, whose drivers have errors of their own",
}
"""The boundaries of a request, a job or a process, where anything may be caught and is logged."""

MAX_FILE, MAX_FUNCTION, MAX_NESTING = 350, 60, 4


def imports_of(module: Module, *forbidden: str) -> list[str]:
    """The imports that are one of the forbidden names, or below one."""
    return sorted(
        name
        for name in module.imports()
        if name.startswith(forbidden)
        and any(name == each or name.startswith(f"{each}.") for each in forbidden)
    )


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_a_folder_imports_only_what_its_rule_allows(folder: str) -> None:
    found = {m.path: imports_of(m, *FORBIDDEN[folder]) for m in modules(folder)}
    assert found
    assert {path: names for path, names in found.items() if names} == {}


def test_relative_imports_are_seen_through() -> None:
    module = parse("models/sub/part.py", "from ...bot import web\nfrom .. import text")
    assert imports_of(module, "bot") == ["bot", "bot.web"]
    assert "models.text" in module.imports()


def test_the_web_process_imports_no_part_of_a_model() -> None:
    # The command line and `serve` are in that process too.
    script = (
        "import sys; import bot.web, bot.serve, bot.cli.application;"
        f"print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    assert run(script) == ""


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        module.path
        for module in modules()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and dotted(node) in ("os.environ", "os.getenv"))
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and _environment(node))
    }
    assert readers == {"bot/settings.py"}


def _environment(node: ast.ImportFrom) -> bool:
    return any(alias.name in ("environ", "getenv") for alias in node.names)


def test_nothing_is_pickled() -> None:
    imported = [f"{m.path}: {name}" for m in modules() for name in imports_of(m, *UNSAFE)]
    called = [
        f"{module.at(node)}: {dotted(node.func)}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and (dotted(node.func) in UNSAFE_CALLS or _unpickles(node))
    ]
    assert imported + called == []


def _unpickles(call: ast.Call) -> bool:
    """Whether it says allow_pickle=True."""
    given = [k.value for k in call.keywords if k.arg == "allow_pickle"]
    return any(not isinstance(value, ast.Constant) or value.value for value in given)


IMPORT_EVERYTHING = """
import importlib, sys, threading
from pathlib import Path

root, names = sys.argv[1], sys.argv[2:]
watched = ("socket.", "subprocess.", "sqlite3.connect", "os.system", "os.fork", "os.mkdir",
           "os.remove", "os.rename", "shutil.", "tempfile.", "signal.", "os.putenv")
did, asked = [], False

def own_code():
    # An event counts as ours unless our module was only importing somebody else's.
    frame = sys._getframe(2)
    while frame:
        file = frame.f_code.co_filename
        if "importlib" in file:
            return None
        if file.startswith(root) and ".venv" not in file:
            return f"{file.removeprefix(root)}:{frame.f_lineno}"
        frame = frame.f_back

def watch(event, args):
    written = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if asked and (written or event.startswith(watched)):
        where = own_code()
        if where:
            did.append(f"{where}: {event}")

sys.addaudithook(watch)
asked = True
for name in names:
    importlib.import_module(name)
    ours = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
    if ours:
        did.append(f"{name}: started {ours}")
        break
asked = False
print(*did, sep="\\n")
"""


def test_importing_a_module_does_nothing() -> None:
    names = [module.name for module in modules()]
    assert run(IMPORT_EVERYTHING, f"{ROOT}/", *names) == ""


def test_an_import_that_does_something_would_be_noticed() -> None:
    # The suite's own file stands in for a module that opens a socket while it is imported.
    assert "socket" in run(IMPORT_EVERYTHING, f"{ROOT}/", "tests.opens_a_socket")


def run(script: str, *arguments: str) -> str:
    """What a script prints in a fresh interpreter, without the last line end."""
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_files_and_functions_stay_small() -> None:
    code = (*modules(), *modules("benchmarks"))
    files = [f"{m.path}: {m.lines} lines" for m in code if m.lines > MAX_FILE]
    functions = [
        f"{module.at(function)} {function.name}: {length(function)} lines"
        for module in code
        for function in module.functions()
        if length(function) > MAX_FUNCTION
    ]
    assert files + functions == []


def test_code_is_not_nested_deeply() -> None:
    assert [
        f"{module.at(function)} {function.name}: {nesting(function)} levels"
        for module in modules()
        for function in module.functions()
        if nesting(function) > MAX_NESTING
    ] == []


def test_elif_is_no_nesting_and_an_inner_function_starts_afresh() -> None:
    source = "def f(x):\n if x: pass\n elif x > 1:\n  for y in x: pass\n"
    source += " def g():\n  if x:\n   pass\n"
    outer, inner = parse("x.py", source).functions()
    assert (nesting(outer), nesting(inner)) == (2, 1)


def test_no_function_changes_a_global() -> None:
    assert [
        m.at(node) for m in modules() for node in ast.walk(m.tree) if isinstance(node, ast.Global)
    ] == []


def test_everything_is_caught_only_at_a_boundary() -> None:
    found = {module.path: list(broad(module)) for module in (*modules(), *modules("benchmarks"))}
    outside = {p: where for p, where in found.items() if where and p not in BROAD_EXCEPT}
    assert outside == {}
    assert [path for path in BROAD_EXCEPT if not found.get(path)] == [], "no longer needed"


def broad(module: Module) -> Iterator[str]:
    """Each place that catches or suppresses anything at all, and does not raise it again."""
    for node in ast.walk(module.tree):
        caught: list[ast.expr | None] = []
        if isinstance(node, ast.ExceptHandler) and not _raises_again(node):
            caught = list(node.type.elts) if isinstance(node.type, ast.Tuple) else [node.type]
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
            caught = list(node.args)
        if any(c is None or dotted(c) in ("Exception", "BaseException") for c in caught):
            yield module.at(node)  # type: ignore[arg-type]


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def nesting(node: ast.AST, level: int = 0) -> int:
    """The deepest level of if, for, while, with and try."""
    deepest = level
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deeper = isinstance(child, ast.If | ast.For | ast.While | ast.With | ast.Try)
        deepest = max(deepest, nesting(child, level + (deeper and not is_elif)))
    return deepest


def dotted(node: ast.expr) -> str:
    """`a.b.c` of such an expression, else an empty text."""
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return node.id if isinstance(node, ast.Name) else ""
