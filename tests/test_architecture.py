"""The house keeps its shape: small modules, sentences, one home for each thing."""

from __future__ import annotations

import ast
import re
import sqlite3
import subprocess
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

import hub
from hub import store
from hub.store.sqlite import SqliteStore

ROOT = Path(hub.__file__).parent.parent
MODULES = sorted([*(ROOT / "hub").rglob("*.py"), *(ROOT / "connectors").glob("*.py")])
SQL = sorted(path for path in (ROOT / "hub").rglob("*.sql") if "migrations" not in path.parts)
MODULE_LINES_MOST = 350
# A platform is one file, however much it can do; the vocabulary of facts is one list.
LINES_MOST = {"connectors": 1_050, "hub/sdk/facts.py": 500}
FUNCTION_LINES_MOST = 50
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "base", "core", "lib"}
EXACT_ROOMS = ("ledger", "programme", "recipes", "document")


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_a_module_says_what_it_is(path):
    """The first line of a module is `Subject: what it does.`; it is small, and so are its functions."""
    text = path.read_text("utf-8")
    if not text.strip():
        return
    first = (ast.get_docstring(tree_of(path)) or "").partition("\n")[0]
    assert re.match(r"[A-Z`][^:]*: \S", first), f"{shown(path)} begins with {first!r}"
    most = LINES_MOST.get(path.parent.name) or LINES_MOST.get(shown(path)) or MODULE_LINES_MOST
    assert len(text.splitlines()) <= most
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= FUNCTION_LINES_MOST, f"{shown(path)}:{node.lineno} {node.name} has {lines} lines"


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent.name != "connectors"], ids=shown)
def test_public_things_have_a_sentence(path):
    """Every public class and function of a module says in a sentence what it is."""
    for node in tree_of(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{shown(path)}:{node.lineno} {node.name} has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_no_module_is_a_drawer(path):
    """No room and no module is called utils, helpers, manager or common."""
    assert not FORBIDDEN_NAMES & {path.stem, *path.relative_to(ROOT).parts[:-1]}


@pytest.mark.parametrize("path", [path for path in MODULES if path.relative_to(ROOT).parts[1] in EXACT_ROOMS], ids=shown)
def test_no_float_is_made_where_points_and_money_are(path):
    """In the rooms that work with points and money nothing is turned into a float."""
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert not [call.lineno for call in calls if call.func.id == "float"]


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """Fresh databases of both schemas."""
    folder = tmp_path_factory.mktemp("schemas")
    for schema in ("hub", "inbox"):
        made = SqliteStore(folder / f"{schema}.db", schema)
        made.migrate()
        made.close()
    opened = {schema: sqlite3.connect(folder / f"{schema}.db") for schema in ("hub", "inbox")}
    yield opened
    for connection in opened.values():
        connection.close()


@pytest.mark.parametrize("path", SQL, ids=shown)
def test_every_query_can_be_prepared(path, databases):
    """Each named query has a sentence and fits the tables that the migrations make."""
    package = ".".join(path.relative_to(ROOT).parts[:-1])
    queries = list(store.load(package, path.name))
    assert len(queries) == len(re.findall(r"^-- \w+ --$", path.read_text("utf-8"), re.MULTILINE))
    for query in queries:
        assert query.sentence.endswith(".")
        text = re.sub(r"\bIN :(\w+)", r"IN (SELECT value FROM json_each(:\1))", query.sql)
        fits = [schema for schema in databases if _fits(databases[schema], text, query.parameters)]
        assert fits, f"{shown(path)}: {query.name} fits no schema"


def _fits(connection: sqlite3.Connection, text: str, parameters: tuple[str, ...]) -> bool:
    try:
        connection.execute(f"EXPLAIN {text}", dict.fromkeys(parameters))
    except sqlite3.OperationalError:
        return False
    return True


def test_every_query_is_used():
    """No named query is left that nobody asks."""
    code = "\n".join(path.read_text("utf-8") for path in [*MODULES, *(ROOT / "tests").rglob("*.py")])
    asked = set(re.findall(r"\.(\w+)\b|\"(\w+)\"", code))
    asked = {name for pair in asked for name in pair}
    for path in SQL:
        package = ".".join(path.relative_to(ROOT).parts[:-1])
        left = [query.name for query in store.load(package, path.name) if query.name not in asked]
        assert not left, f"{shown(path)}: {left}"


def test_nothing_names_a_machine():
    """No file of the project names a folder of somebody's machine."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.splitlines() or [shown(path) for path in MODULES]
    forbidden = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/\w")
    for name in names:
        path = ROOT / name
        if path.suffix in {".gz", ".png", ".ico", ".woff2"} or not path.is_file():
            continue
        found = forbidden.search(path.read_text("utf-8"))
        assert found is None, f"{name} names {found[0] if found else ''}"


def test_the_shipped_files_lie_where_the_code_looks():
    """Migrations and queries are read as resources of their packages."""
    assert files("hub.store.migrations").joinpath("hub").is_dir()
    assert (ROOT / "recipes" / "repair" / "hub.yaml").exists()
