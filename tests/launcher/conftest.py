"""A copy of the checkout under a name with a space and Chinese characters, with the environment that already exists."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qingdan.embedded import place_for

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


def copy_launcher(to: Path) -> Path:
    """What the launcher needs to speak, without environment and source: anything that tried to set up would fail at once."""
    checkout = to / "轻担 副本"
    checkout.mkdir(parents=True)
    for name in ("qingdan", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout / name)
    return checkout


def set_up(checkout: Path) -> None:
    """Give a copy its own source, and the environment this one has."""
    if not (ROOT / ".venv" / "qingdan-stamp.txt").exists():
        if os.environ.get("CI") == "true":
            pytest.fail("the launcher has not made .venv, although ./qingdan test always does")
        pytest.skip("needs the .venv that ./qingdan test makes")
    for name in ("src", "policies"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / ".venv").symlink_to(ROOT / ".venv")


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """The launcher alone."""
    return copy_launcher(tmp_path)


@pytest.fixture
def checkout(bare_checkout: Path) -> Iterator[Path]:
    """A checkout that is set up."""
    set_up(bare_checkout)
    yield bare_checkout
    shutil.rmtree(place_for(bare_checkout / "var" / "postgresql"), ignore_errors=True)  # as root it lies outside the copy


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment of a person at a terminal: none of what the tests set for themselves."""
    foreign = ("QINGDAN_", "PYTEST", "DJANGO_", "PYTHON")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return own | {"QINGDAN_DEMO_SCHOOLS": "1"}  # the whole district would take a minute each time


@pytest.fixture
def run(bare_checkout: Path, environment: dict[str, str], tmp_path: Path) -> Run:
    """Run the copy's launcher to its end; from a folder of no importance unless told otherwise."""

    def start(*arguments: str, cwd: Path = tmp_path, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(bare_checkout / "qingdan"), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=cwd, env=environment | variables, timeout=120, check=False, encoding="utf-8"
        )

    return start
