"""What the launcher says and refuses before it sets anything up."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launcher.conftest import ROOT, Run


def test_its_syntax_is_read_by_old_pythons() -> None:
    """Otherwise an old Python says SyntaxError instead of which version is needed."""
    assert ast.parse((ROOT / "qingdan").read_text(encoding="utf-8"), feature_version=(3, 8)).body


def test_an_old_python_is_told_which_version_is_needed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, whatever was asked for."""
    program = runpy.run_path(str(ROOT / "qingdan"), run_name="launcher")
    monkeypatch.setattr(sys, "version_info", (3, 8, 18, "final", 0))
    assert program["run"]() == 2
    said = capsys.readouterr().err
    assert "需要 Python 3.11" in said
    assert "3.8.18" in said
    assert said.count("\n") == 1


def test_a_real_old_python_says_it_too() -> None:
    """With whichever old Python this machine has."""
    old = next((found for minor in (8, 9, 10) if (found := shutil.which(f"python3.{minor}")) and starts(found)), None)
    if old is None:
        pytest.skip("no older Python on this machine")
    done = subprocess.run([old, str(ROOT / "qingdan"), "demo"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"轻担需要 Python 3\.11 .*\n", done.stderr)


def starts(python: str) -> bool:
    """Whether this is a Python and not a version manager's empty promise."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("asked", [[], ["--help"], ["-h"], ["help"], ["demo", "--help"], ["serve", "-h"]])
def test_help_lists_the_commands_without_setting_up(run: Run, bare_checkout: Path, asked: list[str]) -> None:
    """In Chinese, on standard output."""
    done = run(*asked)
    assert done.returncode == 0
    for command in ("demo", "test", "serve", "manage", "audit", "policy", "simulate"):
        assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE)
    assert not (bare_checkout / ".venv").exists()
    assert not (bare_checkout / "var").exists()


def test_version(run: Run) -> None:
    """The number in pyproject.toml."""
    assert re.fullmatch(r"轻担 \d+\.\d+\.\d+\n", run("--version").stdout)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["audti"], "没有“audti”这个命令。是不是 audit？"),
        (["demo", "--prot", "1"], "没有“--prot”这个选项"),
        (["demo", "--workers", "2"], "没有“--workers”这个选项"),
        (["serve", "--fresh"], "没有“--fresh”这个选项"),
        (["demo", "--port"], "选项 --port 后面缺少一个值"),
        (["demo", "--port", "abc"], "--port 要是 0 到 65535 之间的整数，给的是“abc”"),
        (["demo", "--port=65536"], "--port 要是 0 到 65535 之间的整数"),
        (["demo", "--port", "-1"], "--port 要是 0 到 65535 之间的整数"),
        (["demo", "--host", "no such host"], "监听地址“no such host”无法识别"),
        (["serve", "--workers", "0"], "--workers 要是 1 到 64 之间的整数"),
    ],
)
def test_a_wrong_option_is_one_line_before_setting_up(run: Run, bare_checkout: Path, arguments: list[str], says: str) -> None:
    """Nobody waits for an installation to learn of a typing error."""
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout
    assert not (bare_checkout / ".venv").exists()


def test_a_taken_port_is_one_line_with_the_way_out(run: Run) -> None:
    """Told before setting up."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("demo", "--port", str(port))
    assert done.returncode == 2
    assert f"端口 {port} 已被别的程序占用" in done.stderr
    assert "--port" in done.stderr
    assert done.stderr.count("\n") == 1


def test_fresh_never_touches_a_server_of_ones_own(run: Run) -> None:
    """What --fresh deletes is the demonstration's, nothing else."""
    done = run("demo", "--port", "0", "--fresh", QINGDAN_DATABASE_URL="postgresql://u@h/d")
    assert done.returncode == 2
    assert "--fresh 只清空内置的演示数据库" in done.stderr


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}, "连不上软件源"),
        ({"PIP_NO_INDEX": "1"}, "软件源里没有需要的版本"),
    ],
)
@pytest.mark.slow
def test_without_packages_to_be_had_the_reason_is_one_line(run: Run, variables: dict[str, str], says: str) -> None:
    """And the log keeps the rest."""
    done = run("audit", PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="", **variables)
    assert done.returncode == 1
    assert says in done.stderr.splitlines()[-1]
    assert "setup.log" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_one_may_not_write_to_is_one_line(run: Run, bare_checkout: Path) -> None:
    """No traceback."""
    bare_checkout.chmod(0o555)
    try:
        done = run("audit")
    finally:
        bare_checkout.chmod(0o755)
    assert done.returncode == 1
    assert "没有权限" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_named_venv_that_is_something_else_is_left_alone(run: Run, bare_checkout: Path) -> None:
    """We delete only what we could make again."""
    (bare_checkout / ".venv").mkdir()
    (bare_checkout / ".venv" / "thesis.txt").write_text("important")
    done = run("audit")
    assert done.returncode == 2
    assert "不是 Python 虚拟环境" in done.stderr
    assert (bare_checkout / ".venv" / "thesis.txt").exists()
