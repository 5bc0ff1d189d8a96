"""The launcher with everything in place: handing over, and a whole demonstration from start to stop."""

from __future__ import annotations

import fcntl
import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from qingdan.embedded import place_for
from tests.conftest import RUN_VARIABLE
from tests.launcher.conftest import Run, copy_launcher, set_up


def test_the_callers_python_settings_do_not_mislead_it(checkout: Path, run: Run, tmp_path: Path) -> None:
    """Modules of the caller's, in PYTHONPATH or in the current folder, never take the place of libraries."""
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("socket", "re", "typer", "django", "qingdan", "contextlib"):
        (trap / f"{name}.py").write_text("raise SystemExit('fooled')")
    done = run("manage", "version", cwd=trap, PYTHONPATH=str(trap), VIRTUAL_ENV=str(trap), DJANGO_SETTINGS_MODULE="trap", PGPORT="1")
    assert re.fullmatch(r"5\.2\.\d+\n", done.stdout), done.stderr


def test_it_works_through_a_link(checkout: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """As somebody has it in ~/bin."""
    link = tmp_path / "link"
    link.symlink_to(checkout / "qingdan")
    done = subprocess.run([sys.executable, link, "audit", "--help"], capture_output=True, text=True, env=environment, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    assert "--layer" in done.stdout


def test_serve_says_what_is_missing(checkout: Path, run: Run) -> None:
    """All of it at once."""
    done = run("serve", "--port", "0", QINGDAN_SECRET_KEY="x")
    assert done.returncode == 2
    assert done.stderr == "正式运行还缺少环境变量：QINGDAN_DATABASE_URL、QINGDAN_ALLOWED_HOSTS。只想看看请用 ./qingdan demo。\n"


class Demonstration:
    """A running ./qingdan demo."""

    def __init__(self, checkout: Path, environment: dict[str, str], *options: str) -> None:
        """Start it and wait until it says that it is ready, or has ended."""
        command = [sys.executable, str(checkout / "qingdan"), "demo", "--port", "0", *options]
        self.errors = checkout / "errors.txt"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd="/")
        self.said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.said)
        assert found, self.said + self.errors.read_text()
        self.port = int(found[1])
        self.family = {one.pid: one for one in psutil.Process(self.process.pid).children(recursive=True)}

    def status(self, path: str) -> int:
        """What the web server answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def end(self, kind: signal.Signals) -> int:
        """Send the launcher a signal; its exit status."""
        self.process.send_signal(kind)
        return self.finish()

    def finish(self) -> int:
        """Wait for the end."""
        code = self.process.wait(timeout=40)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def left(self, seconds: float = 15) -> list[str]:
        """Those of its programs that still run after a moment."""
        until = time.monotonic() + seconds
        while (alive := [one for one in self.family.values() if runs(one)]) and time.monotonic() < until:
            time.sleep(0.1)
        return [" ".join(one.cmdline()) for one in alive]

    def child(self, word: str) -> psutil.Process:
        """The program of its own that has this word in its command."""
        children = [one for one in self.family.values() if runs(one) and one.ppid() == self.process.pid]
        return next(one for one in children if any(word in part for part in one.cmdline()))


def runs(process: psutil.Process) -> bool:
    """Whether it is alive; one that only waits to be buried is not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="session")
def loaded(environment: dict[str, str]) -> Path:
    """A checkout whose demonstration was started from nothing and has ended; one for all workers, since loading takes a minute."""
    folder = Path(os.environ[RUN_VARIABLE]) / "launcher"
    with (folder.parent / "loading").open("w", encoding="utf-8") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not folder.exists():
            checkout = copy_launcher(folder)
            set_up(checkout)
            first = Demonstration(checkout, environment)
            assert "装入示范区" in first.errors.read_text(encoding="utf-8")
            assert first.status("/") == 200
            assert first.end(signal.SIGINT) == 0
            assert first.left() == []
    return next(folder.iterdir())


@pytest.fixture
def furnished(loaded: Path, checkout: Path) -> Path:
    """A checkout with a district that an earlier start has loaded."""
    subprocess.run(["cp", "-a", loaded / "var", checkout / "var"], check=True)
    ours, theirs = (place_for(each / "var" / "postgresql") for each in (checkout, loaded))
    if not ours.exists():  # as root the database lies outside
        subprocess.run(["cp", "-a", theirs, ours], check=True)
    return checkout


@pytest.fixture
def demonstration(furnished: Path, environment: dict[str, str]) -> Iterator[Demonstration]:
    """One that is started, and surely gone afterwards."""
    demonstration = Demonstration(furnished, environment)
    yield demonstration
    if demonstration.process.poll() is None:
        demonstration.end(signal.SIGTERM)
    if demonstration.process.stdout is not None:
        demonstration.process.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_whole_demonstration(demonstration: Demonstration, kind: signal.Signals) -> None:
    """It answers, names the accounts, and leaves nothing running."""
    assert demonstration.status("/") == 200
    assert demonstration.status("/library/") == 200
    for account in ("demo-bureau", "demo-school", "demo-teacher", "demo-parent", "demo-institution", "qingdan-demo"):
        assert account in demonstration.said
    assert len(demonstration.family) >= 4  # web server and its worker, job worker, database
    assert demonstration.end(kind) == 0
    assert demonstration.left(seconds=2) == []


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children that their parent is gone")
def test_killing_it_outright_leaves_nothing_and_it_starts_again(
    demonstration: Demonstration, checkout: Path, environment: dict[str, str]
) -> None:
    """After kill -9 neither a process nor a stale lock stands in the way."""
    demonstration.end(signal.SIGKILL)
    assert demonstration.left() == []
    again = Demonstration(checkout, environment)
    assert again.status("/") == 200
    assert again.end(signal.SIGINT) == 0
    fresh = Demonstration(checkout, environment, "--fresh")
    assert fresh.status("/") == 200
    assert fresh.end(signal.SIGINT) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("word", "name"), [("granian", "网站"), ("procrastinate", "后台任务程序"), ("bin/postgres", "数据库")])
def test_when_one_program_dies_the_whole_says_so_and_stops(demonstration: Demonstration, word: str, name: str) -> None:
    """Half a demonstration would only puzzle people."""
    demonstration.child(word).kill()
    assert demonstration.finish() == 1
    assert f"{name}意外退出" in demonstration.errors.read_text()
    assert demonstration.left() == []


@pytest.mark.slow
def test_a_second_one_is_refused_and_manage_works_beside_it(demonstration: Demonstration, checkout: Path, run: Run) -> None:
    """Two on one checkout do not harm each other."""
    second = run("demo", "--port", "0")
    assert second.returncode == 1
    assert "正由另一个轻担进程使用" in second.stderr
    fresh = run("demo", "--port", "0", "--fresh")
    assert fresh.returncode == 1
    counted = run("manage", "shell", "--no-imports", "-c", "from qingdan.schools.models import School; print(School.objects.count())")
    assert counted.stdout == "1\n", counted.stderr
    assert demonstration.status("/") == 200
    assert (checkout / "var" / "secret-key").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_files_of_the_current_folder_do_not_mislead_the_web_server(
    furnished: Path, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen: granian puts the current folder before the libraries."""
    (tmp_path / "django.py").write_text("raise SystemExit('fooled')")
    command = [sys.executable, str(furnished / "qingdan"), "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert "已就绪" in process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=40) == 0
