"""The project tests itself: the rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES_MAX = 500
FUNCTION_LINES_MAX = 70

# A file that is longer, and why it may be.
LONGER_FILES: dict[str, str] = {}
# A function that is longer ("file:name"), and why it may be.
LONGER_FUNCTIONS: dict[str, str] = {}

# Put together here so that this file does not contain what it looks for.
FORBIDDEN_TEXT = {
    "a path of one machine": re.compile(r"(?<![\w.~/<>-])/(?:work|root|home)/" + r"\w|(?<![\w.~/<>-])/tm" + r"p/\w"),
    "the address of a package index": re.compile(
        "(?:pypi" + r"\.org/simple|--(?:extra-)?index" + "-url|python" + "hosted" + r"\.org|/simp" + "le/?[\"' ])"
    ),
    "unfinished work": re.compile(r"\b(?:TO" + "DO|FIX" + "ME|XX" + r"X)\b"),
}
# Where such a text is meant: the file, and why.
ALLOWED_TEXT = {
    "tests/launcher/test_words.py": "sets an index that does not exist, to see what the launcher says",
}
TEXT_SUFFIXES = {"", ".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".html", ".css", ".js", ".json", ".cfg", ".sh", ".csv", ".svg"}


@cache
def tracked() -> list[Path]:
    """The files of the project: those git knows, and those it would take."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def name_of(path: Path) -> str:
    """A file as people write it."""
    return path.relative_to(ROOT).as_posix()


def pythons() -> list[Path]:
    """All Python files, the launcher among them."""
    return [path for path in tracked() if path.suffix == ".py" or name_of(path) == "qingdan"]


def text_of(path: Path) -> str:
    """A file's text; one that is not UTF-8 is a picture or a workbook, and has none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_file_is_too_long() -> None:
    """Code and templates; what is too long does too many things."""
    long = {
        name_of(path): count
        for path in tracked()
        if path.suffix in {".py", ".html", ".css", ".js", ""}
        and (count := text_of(path).count("\n")) > LINES_MAX
        and path.name != "LICENSE"
        and path.parent.name != "migrations"  # written by Django, read by nobody
    }
    assert {name: count for name, count in long.items() if name not in LONGER_FILES} == {}
    assert set(LONGER_FILES) <= set(long), "a file that is no longer too long needs no exception"


def test_no_function_is_too_long() -> None:
    """Counted with its docstring."""
    long = {}
    for path in pythons():
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = (node.end_lineno or 0) - node.lineno + 1
                if count > FUNCTION_LINES_MAX:
                    long[f"{name_of(path)}:{node.name}"] = count
    assert {name: count for name, count in long.items() if name not in LONGER_FUNCTIONS} == {}
    assert set(LONGER_FUNCTIONS) <= set(long), "a function that is no longer too long needs no exception"


@pytest.mark.parametrize("what", FORBIDDEN_TEXT)
def test_nothing_forbidden_stands_in_a_file(what: str) -> None:
    """Neither a path of this machine nor an index address nor something left undone."""
    found = []
    for path in tracked():
        if path.suffix in TEXT_SUFFIXES and name_of(path) not in ALLOWED_TEXT:
            for number, line in enumerate(text_of(path).splitlines(), start=1):
                if FORBIDDEN_TEXT[what].search(line):
                    found.append(f"{name_of(path)}:{number}: {line.strip()[:100]}")
    assert found == [], what


def test_every_constraint_of_the_database_is_named_in_a_test() -> None:
    """A constraint that no test breaks may not be there at all."""
    from django.apps import apps

    tests = "\n".join(text_of(path) for path in pythons() if path.is_relative_to(ROOT / "tests"))
    declared = {
        constraint.name for model in apps.get_models() if model.__module__.startswith("qingdan.") for constraint in model._meta.constraints
    }
    assert sorted(name for name in declared if f'"{name}"' not in tests) == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    """A name that fits everything says nothing."""
    drawers = {"utils", "util", "helpers", "helper", "services", "service", "misc"}
    source = [path for path in pythons() if path.is_relative_to(ROOT / "src")]
    assert [name_of(path) for path in source if path.stem in drawers or path.parent.name in drawers] == []


def test_the_floors_hold() -> None:
    """The same contracts as lint-imports, so that ./qingdan test alone shows a wrong import."""
    from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


def test_every_management_command_says_what_it_does() -> None:
    """A docstring for the reader of the code, a help text for the person at the terminal."""
    commands = [path for path in pythons() if path.parent.name == "commands" and not path.stem.startswith("_")]
    assert commands
    for path in commands:
        command = next(node for node in ast.parse(text_of(path)).body if isinstance(node, ast.ClassDef) and node.name == "Command")
        assert ast.get_docstring(command), name_of(path)
        assigned = {
            target.id for node in command.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)
        }
        assert "help" in assigned, name_of(path)


def test_the_launcher_lists_the_commands_there_are() -> None:
    """Its help must not need the environment, so it has a list of its own."""
    import runpy

    import typer.main

    from qingdan.cli import app

    listed = set(runpy.run_path(str(ROOT / "qingdan"), run_name="launcher")["CLI_COMMANDS"])
    command = typer.main.get_command(app)
    assert listed == set(getattr(command, "commands", {}))


def test_the_readmes_commands_exist() -> None:
    """Every ./qingdan command that the documentation shows is one that the launcher knows."""
    import runpy

    program = runpy.run_path(str(ROOT / "qingdan"), run_name="launcher")
    known = {*program["OWN_COMMANDS"], *program["CLI_COMMANDS"], "--help", "--version"}
    pages = [path for path in tracked() if path.suffix == ".md"]
    shown = {(name_of(path), word) for path in pages for word in re.findall(r"\./qingdan +([a-z-]+)", text_of(path))}
    assert {(page, word) for page, word in shown if word not in known} == set()
    for readme in (path for path in pages if path.parent == ROOT and path.name.startswith("README")):
        assert {(name_of(readme), "demo"), (name_of(readme), "test")} <= shown


def test_glossary_identifiers_are_unique() -> None:
    """One English identifier for one Chinese word."""
    glossary = ROOT / "docs" / "glossary.md"
    rows = [line.strip().strip("|").split("|") for line in text_of(glossary).splitlines() if line.strip().startswith("|")]
    identifiers = Counter(word for row in rows for cell in row for word in set(re.findall(r"^\s*`([a-z_.]+)`\s*$", cell)))
    assert [word for word, count in identifiers.items() if count > 1] == []


def test_requirements_are_pinned_and_each_appears_once() -> None:
    """Exactly, without an address, and nothing twice."""
    names: list[str] = []
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in text_of(ROOT / file).splitlines():
            stated = line.partition("#")[0].strip()
            if not stated or stated == "-r requirements.txt":
                continue
            assert re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9][0-9A-Za-z.]*", stated), stated
            names.append(re.sub(r"[-_.]+", "-", stated.partition("=")[0].partition("[")[0]).lower())
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_requirements_are_complete() -> None:
    """What the pinned packages need is pinned too; otherwise two days give two environments."""
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    pinned: dict[str, set[str]] = {}
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in text_of(ROOT / file).splitlines():
            stated = line.partition("#")[0].strip()
            if "==" in stated:
                one = Requirement(stated)
                pinned[re.sub(r"[-_.]+", "-", one.name).lower()] = one.extras
    missing = set()
    for name, extras in pinned.items():
        try:
            needed = [Requirement(text) for text in requires(name) or []]
        except PackageNotFoundError:
            continue  # for the bench or the documentation only, not installed here
        for need in needed:
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in [*extras, ""]):
                missing.add(re.sub(r"[-_.]+", "-", need.name).lower())
    assert missing - set(pinned) == set()
