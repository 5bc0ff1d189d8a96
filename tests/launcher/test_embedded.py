"""The embedded PostgreSQL: starting, stopping, recovering."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from qingdan.embedded import FOR_TESTS, AlreadyInUse, EmbeddedPostgres, EmbeddedPostgresError, explain_output, place_for


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A place as awkward as a checkout can be: blanks, quotes, Chinese, and longer than a socket's name may be."""
    home = tmp_path / ("很长的目录名" * 5) / "it's a checkout" / "postgresql"
    yield home
    shutil.rmtree(place_for(home), ignore_errors=True)


def server_at(home: Path) -> EmbeddedPostgres:
    """A server that need not wait for the disk."""
    return EmbeddedPostgres(home, settings=FOR_TESTS)


def test_what_was_written_is_there_after_a_restart(home: Path) -> None:
    """And the second start is another server process on the same data."""
    with server_at(home) as server, psycopg.connect(server.url) as connection:
        assert connection.info.server_version >= 180000
        connection.execute("CREATE TABLE kept AS SELECT '双减' AS word")
    with server_at(home) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("双减",)


def test_the_callers_pg_variables_change_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PGPORT for one would name another socket."""
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere.invalid", "PGDATA": "elsewhere", "PGUSER": "somebody", "PGDATABASE": "x"}.items():
        monkeypatch.setenv(name, value)
    with server_at(home) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("qingdan",)


def test_nobody_else_can_enter_and_nothing_listens_on_the_network(home: Path) -> None:
    """It asks for no password, so the socket's folder is its door."""
    with server_at(home) as server:
        folder = server._socket_folder()
        assert folder.stat().st_mode & 0o077 == 0
        assert (server.data.stat().st_mode & 0o077) == 0
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_two_starters_do_not_harm_each_other(home: Path) -> None:
    """The second is told who is there, and can use the running server's address."""
    with server_at(home) as first:
        second = server_at(home)
        with pytest.raises(AlreadyInUse, match=f"进程号 {os.getpid()}"):
            second.start()
        with pytest.raises(AlreadyInUse):
            second.wipe()
        assert second.url_if_running() == first.url
        with psycopg.connect(first.url) as connection:
            connection.execute("SELECT 1")
    assert server_at(home).url_if_running() is None


@pytest.mark.parametrize("dies", [True, False])
def test_it_recovers_when_its_starter_was_killed(home: Path, dies: bool) -> None:
    """Whether the server went with it or was left behind."""
    program = (
        "import sys, os; from pathlib import Path; from qingdan.embedded import *;"
        f"s = EmbeddedPostgres(Path(sys.argv[1]), settings=FOR_TESTS, dies_with_us={dies}); s.start(); os.kill(os.getpid(), 9)"
    )
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run([sys.executable, "-c", program, home], env=os.environ | {"PYTHONPATH": str(source)}, check=False)
    assert done.returncode == -signal.SIGKILL
    with server_at(home) as server, psycopg.connect(server.url) as connection:
        connection.execute("SELECT 1")


def test_a_pid_file_that_names_a_stranger_is_cleared_away(home: Path) -> None:
    """The stranger is not touched."""
    with server_at(home) as server:
        pass
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (server.data / "postmaster.pid").write_text(f"{stranger.pid}\n{server.data}\n1\n5432\n\n\n0 0\nready\n")
        assert server_at(home).url_if_running() is None
        with server_at(home) as again, psycopg.connect(again.url) as connection:
            connection.execute("SELECT 1")
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_an_interrupted_first_start_is_begun_anew(home: Path) -> None:
    """Half a database without its mark is thrown away."""
    with server_at(home) as server:
        pass
    (server.data / "complete").unlink()
    (server.data / "PG_VERSION").unlink()
    with server_at(home) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert (server.data / "complete").exists()


def test_stopping_leaves_no_process(home: Path) -> None:
    """Neither the server nor its helpers."""
    server = server_at(home)
    server.start()
    assert server._process is not None
    first = psutil.Process(server._process.pid)
    family = [first, *first.children(recursive=True)]
    assert len(family) > 1
    server.stop()
    assert psutil.wait_procs(family, timeout=5)[1] == []
    server.stop()  # once more does no harm


def test_a_setting_it_refuses_is_told(home: Path) -> None:
    """With PostgreSQL's own words and the log's place."""
    server = EmbeddedPostgres(home, settings={**FOR_TESTS, "no_such_setting": "1"})
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        server.start()


def test_a_full_disk_is_told_in_chinese() -> None:
    """Whatever PostgreSQL was writing at the time."""
    assert explain_output('FATAL: could not write lock file "x": No space left on device') == "磁盘已满，请腾出空间后重试"


@pytest.mark.skipif(os.geteuid() != 0, reason="what root must not do")
def test_as_root_no_folder_of_anybody_is_opened(tmp_path: Path) -> None:
    """The wheel's own code would make every parent folder readable for everybody."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = {folder: folder.stat().st_mode for folder in [closed, *closed.parents]}
    server = server_at(closed / "var" / "postgresql")
    with server:
        assert not server.home.is_relative_to(tmp_path)
        assert psutil.Process(server._process.pid).username() == "pgserver" if server._process else False
    assert {folder: folder.stat().st_mode for folder in before} == before
    shutil.rmtree(server.home)
