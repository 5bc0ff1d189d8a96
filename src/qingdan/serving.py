"""Runs the product: the demonstration, a production start, and management commands with the database they need.

The launcher at the root of the checkout prepares the environment and then becomes this program. Everything started here is stopped
here; on Linux the kernel sees to it even when this process is killed outright.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from qingdan.embedded import AlreadyInUse, EmbeddedPostgres, EmbeddedPostgresError, dying_with, explain

ROOT = Path(__file__).resolve().parents[2]
#: Said at the start; a test compares them with those that the command demo_district makes.
DEMO_ACCOUNTS = {
    "demo-bureau": "示范区教育局",
    "demo-school": "示范区第一小学 管理者",
    "demo-head": "示范区第一小学 三年级组长",
    "demo-teacher": "示范区第一小学 数学教师，教三（1）班、三（2）班",
    "demo-class-teacher": "示范区第一小学 三（2）班班主任，教语文",
    "demo-research": "示范区第一小学 数学教研组长",
    "demo-parent": "家长，孩子在三（2）班",
    "demo-institution": "培训机构（虚构）：课表、课程、人员",
    "demo-founder": "拟设培训机构的举办者",
    "demo-culture": "示范区文化和旅游局",
    "demo-sports": "示范区体育局",
    "demo-science": "示范区科学技术局",
    "demo-bureau-sh": "虚构沪区教育局（适用上海规定）",
    "demo-bureau-xj": "虚构疆区教育局（适用新疆规定）",
    "demo-institution-sh": "虚构沪区的培训机构",
    "demo-institution-xj": "虚构疆区的培训机构",
}
DEMO_PASSWORD = "qingdan-demo"  # noqa: S105 - known to everybody on purpose; demo_district refuses outside a demonstration
SECONDS_TO_ANSWER = 90
SECONDS_TO_STOP = 10


class Failure(Exception):
    """Why the product cannot run, in one Chinese line."""

    def __init__(self, message: str, code: int = 1) -> None:
        """Keep the line and the exit status that goes with it."""
        super().__init__(message)
        self.code = code


class Stopped(BaseException):
    """Somebody pressed Ctrl-C or asked this process to end."""


@dataclass
class House:
    """The programs that are running, in the order they were started; leaving the block stops them in reverse."""

    environment: dict[str, str]
    var: Path
    database: EmbeddedPostgres | None = None
    programs: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(kind, raise_stopped)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        for program in self.programs.values():
            signal_group(program, signal.SIGTERM)
        until = time.monotonic() + SECONDS_TO_STOP
        for program in self.programs.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(max(0.1, until - time.monotonic()))
            signal_group(program, signal.SIGKILL)  # whatever a program left in its group, or the program itself
            program.wait()
        if self.database is not None:
            self.database.stop()

    def log(self, name: str) -> Path:
        """The file a program writes its talk to."""
        folder = self.var / "log"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"

    def start(self, name: str, arguments: Sequence[str], *, orphaned: signal.Signals = signal.SIGTERM) -> None:
        """Start one of our Python programs, to run until the house closes; `orphaned` ends it should we be killed outright."""
        with self.log(name).open("wb") as log:
            self.programs[name] = subprocess.Popen(
                python(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                # granian puts the current folder before the libraries, so it must not be one of the caller's.
                cwd=self.var,
                # A group of its own, so that Ctrl-C reaches us alone and we stop things in order.
                process_group=0,
                preexec_fn=dying_with(os.getpid(), orphaned),
            )

    def check(self) -> None:
        """Raise Failure when something that should run has ended."""
        for name, program in self.programs.items():
            if program.poll() is not None:
                label = {"web": "网站", "worker": "后台任务程序", "bank": "演示银行"}[name]
                raise Failure(f"{label}意外退出：{last_line(self.log(name))}（日志：{self.log(name)}）。已全部停止。")
        if self.database is not None and self.database.has_died():
            raise Failure(f"数据库意外退出：{last_line(self.database.log)}（日志：{self.database.log}）。已全部停止。")

    def watch(self) -> None:
        """Wait until somebody stops us or a program ends."""
        while True:
            self.check()
            time.sleep(0.3)


def demo(port: int, host: str, fresh: bool) -> int:
    """Serve a demonstration with fictional accounts until it is stopped."""
    began = time.monotonic()
    environment = clean_environment() | {"QINGDAN_DEMO": "1"}
    var = var_folder(environment)
    environment["QINGDAN_SECRET_KEY"] = environment.get("QINGDAN_SECRET_KEY") or secret_key(var)
    environment.setdefault("QINGDAN_ALLOWED_HOSTS", allowed_hosts(host))
    with House(environment, var) as house:
        try:
            if "QINGDAN_DATABASE_URL" not in environment:
                house.database = database_below(var)
                if fresh:
                    say("清空演示数据库……")
                    house.database.wipe()
                elsewhere = "" if house.database.home.is_relative_to(var) else f"（以 root 运行，数据在 {house.database.home}）"
                say(f"启动数据库{elsewhere}……")
                environment["QINGDAN_DATABASE_URL"] = house.database.start()
            steps = ["migrate", "demo_district", *static_if_changed(var)]
            if "QINGDAN_BANK_URL" not in environment:
                start_demo_bank(house, fresh=fresh)
                steps.append("open_demo_accounts")
            say("准备数据表、演示区和网页素材（第一次约一分钟）……")
            prepare(house, steps)
            serve_and_wait(house, host, port, workers=1)
            print(f"轻担演示已就绪（{time.monotonic() - began:.0f} 秒）：http://{shown_host(host)}:{port}/")
            print(f"演示账号（密码都是 {DEMO_PASSWORD}）：")
            for name, whose in DEMO_ACCOUNTS.items():
                print(f"  {name:<20}{whose}")
            if host not in ("127.0.0.1", "localhost", "::1"):
                print("注意：别的机器也能访问本站，而演示账号的密码是公开的。请只在可信的网络里使用。")
                print("演示银行只听本机：别的机器上的浏览器打不开它的付款页。")
            print("按 Ctrl-C 停止。", flush=True)
            house.watch()
        except Stopped:
            say("正在停止……")
    say("已全部停止。")
    return 0


def start_demo_bank(house: House, *, fresh: bool) -> None:
    """Start the fictional bank and tell our programs where it is; its books lie beside the database, and `fresh` empties them.

    Whoever wants to tell it to misbehave gives the token, QINGDAN_BANK_TOKEN.
    """
    data = house.var / "demobank.sqlite"
    if fresh:
        for part in ("", "-wal", "-shm"):
            data.with_name(data.name + part).unlink(missing_ok=True)
    token = house.environment.setdefault("QINGDAN_BANK_TOKEN", secrets.token_urlsafe(24))
    house.environment["QINGDAN_DEMOBANK_TOKEN"] = token
    house.start("bank", ["-m", "qingdan.banking.demobank", "--data", str(data)])
    until = time.monotonic() + SECONDS_TO_STOP * 3
    while True:
        said = house.log("bank").read_text(encoding="utf-8", errors="replace").splitlines()
        if address := next((line for line in said if line.startswith("http://")), ""):
            house.environment["QINGDAN_BANK_URL"] = address.strip()
            return
        house.check()
        if time.monotonic() > until:
            raise Failure(f"演示银行没有应答：{last_line(house.log('bank'))}（日志：{house.log('bank')}）。已全部停止。")
        time.sleep(0.05)


def serve(port: int, host: str, workers: int) -> int:
    """Serve the product with what the environment gives, until it is stopped."""
    environment = clean_environment()
    missing = [name for name in ("QINGDAN_DATABASE_URL", "QINGDAN_SECRET_KEY", "QINGDAN_ALLOWED_HOSTS") if not environment.get(name)]
    if missing:
        raise Failure(f"正式运行还缺少环境变量：{'、'.join(missing)}。只想看看请用 ./qingdan demo。", 2)
    with House(environment, var_folder(environment)) as house:
        try:
            prepare(house, ["check_migrations", *static_if_changed(house.var)])
            serve_and_wait(house, host, port, workers)
            print(f"轻担正在运行：http://{shown_host(host)}:{port}/", flush=True)
            house.watch()
        except Stopped:
            say("正在停止……")
    say("已全部停止。")
    return 0


def manage(arguments: Sequence[str]) -> int:
    """Run a Django management command; without a server of one's own, on the demonstration's database."""
    environment = clean_environment()
    if "QINGDAN_DATABASE_URL" in environment:
        return in_foreground(python("-m", "django", *arguments), environment)
    var = var_folder(environment)
    environment |= {"QINGDAN_DEMO": "1", "QINGDAN_SECRET_KEY": environment.get("QINGDAN_SECRET_KEY") or secret_key(var)}
    database = database_below(var)
    try:
        url = database.url_if_running() or database.start()
    except AlreadyInUse:
        # A demonstration is starting or stopping at this very moment.
        time.sleep(2)
        url = database.url_if_running() or database.start()
    try:
        return in_foreground(python("-m", "django", *arguments), environment | {"QINGDAN_DATABASE_URL": url})
    finally:
        database.stop()


def in_foreground(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command that owns the terminal; Ctrl-C is the command's, we only wait for it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with subprocess.Popen(command, env=environment, preexec_fn=with_interrupt) as process:
            return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def with_interrupt() -> None:
    """For a child: take Ctrl-C again, which its parent ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def prepare(house: House, steps: Sequence[str]) -> None:
    """Run the steps in one program of their own: starting Django once instead of three times saves seconds.

    What it says goes to a file; only a step that takes long shows how far it is, on the terminal named by QINGDAN_TERMINAL.
    """
    log = house.log("prepare")
    with log.open("wb") as output, terminal() as descriptor:
        command = python("-m", "qingdan.serving", "prepare", str(house.var), *steps)
        environment = house.environment | {"QINGDAN_TERMINAL": str(descriptor)}
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, pass_fds=[descriptor]
        ) as process:
            try:
                code = process.wait()
            except BaseException:
                process.terminate()
                raise
    if code != 0:
        raise Failure(f"准备工作没有完成：{last_line(log)}（日志：{log}）", code if code == 2 else 1)


@contextlib.contextmanager
def terminal() -> Iterator[int]:
    """Our standard error under another number, for a child whose own goes to a file."""
    descriptor = os.dup(sys.stderr.fileno())
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def run_steps(var: Path, steps: Sequence[str]) -> int:
    """The program that prepare() starts: each step in turn, the reason of a failure in the last line."""
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command

    try:
        django.setup()
        for step in steps:
            if step == "check_migrations":
                check_migrations()
            elif step == "collectstatic":
                call_command("collectstatic", interactive=False, verbosity=0, clear=True)
                static_stamp(var).write_text(static_state(), encoding="utf-8")
            else:
                call_command(step, *(["--no-input"] if step == "migrate" else []))
    except (CommandError, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, ImproperlyConfigured) else 1
    return 0


def check_migrations() -> None:
    """Raise CommandError when the database is behind the software; changing it is for a person to decide."""
    from django.core.management import CommandError
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("数据库的结构比程序旧。请先备份，再运行 ./qingdan manage migrate。")


def serve_and_wait(house: House, host: str, port: int, workers: int) -> None:
    """Start the web server and the job worker, and wait until a page is really answered."""
    say("启动网站和后台任务……")
    options = ["--host", host, "--port", str(port), "--workers", str(workers), "--blocking-threads", "4", "--no-ws"]
    # A worker that dies of a passing fault is replaced; one that cannot even start ends the whole, and we say so.
    options += ["--log-level", "warning", "--workers-kill-timeout", "5s"]
    house.start("web", ["-m", "granian", "--interface", "wsgi", *options, "qingdan.wsgi:application"])
    # Asked nicely, it would wait long for a database that is going at the same moment; its jobs are taken up again anyway.
    house.start("worker", ["-m", "django", "procrastinate", "worker", "--concurrency", "2"], orphaned=signal.SIGKILL)
    until = time.monotonic() + SECONDS_TO_ANSWER
    while not answers(shown_host(host), port):
        house.check()
        if time.monotonic() > until:
            log = house.log("web")
            raise Failure(f"网站在 {SECONDS_TO_ANSWER} 秒内没有应答：{last_line(log)}（日志：{log}）。已全部停止。")
        time.sleep(0.1)
    house.check()  # the answer was ours, not that of somebody who took the port just before us


def answers(host: str, port: int) -> bool:
    """Whether the home page is there; no proxy of the caller's in between. Any answer below 500 is one: a production site may refuse
    this name, or send it to https."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/", headers={"User-Agent": "qingdan-start"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


# Small matters


def database_below(var: Path) -> EmbeddedPostgres:
    """The demonstration's database."""
    return EmbeddedPostgres(var / "postgresql")


def var_folder(environment: Mapping[str, str]) -> Path:
    """Where everything lies that is made while running; the settings read the same variable."""
    var = Path(environment.get("QINGDAN_VAR") or ROOT / "var").expanduser().resolve()
    var.mkdir(parents=True, exist_ok=True)
    return var


def clean_environment() -> dict[str, str]:
    """The environment for our programs; empty variables count as not given."""
    environment = {name: value for name, value in os.environ.items() if value or not name.startswith("QINGDAN_")}
    for name in {"QINGDAN_VAR", "QINGDAN_POLICIES"} & environment.keys():  # our programs run in another folder
        folders = environment[name].split(os.pathsep)
        environment[name] = os.pathsep.join(str(Path(folder).expanduser().absolute()) for folder in folders if folder)
    return environment | {"DJANGO_SETTINGS_MODULE": "qingdan.settings", "PYTHONUNBUFFERED": "1"}


def secret_key(var: Path) -> str:
    """The demonstration's own key, kept so that a restart signs nobody out."""
    path = var / "secret-key"
    with contextlib.suppress(FileNotFoundError):
        if key := path.read_text(encoding="ascii").strip():
            return key
    key = secrets.token_urlsafe(50)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(key)
    return key


def allowed_hosts(host: str) -> str:
    """The names under which a demonstration may be called."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        return "*"
    return ",".join(dict.fromkeys(["localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host]))


def shown_host(host: str) -> str:
    """The name to call a server by that listens on `host`."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def static_stamp(var: Path) -> Path:
    """Where it stands from what the collected static files were made."""
    return var / "static-stamp.txt"


def static_if_changed(var: Path) -> list[str]:
    """The step that collects static files, unless they are the same as last time."""
    with contextlib.suppress(OSError):
        if (var / "static" / "staticfiles.json").exists() and static_stamp(var).read_text(encoding="utf-8") == static_state():
            return []
    return ["collectstatic"]


def static_state() -> str:
    """A digest of our static files and of the packages that bring their own."""
    digest = hashlib.sha256()
    requirements = ROOT / "requirements.txt"
    if requirements.exists():
        digest.update(requirements.read_bytes())
    for path in static_files():
        found = path.stat()
        digest.update(f"{path.relative_to(ROOT)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def static_files() -> Iterator[Path]:
    """Our own static files, in a fixed order."""
    yield from sorted(path for path in Path(__file__).parent.glob("*/static/**/*") if path.is_file())


def python(*arguments: str) -> list[str]:
    """A command of this Python; -P keeps files of the caller's folder from taking the place of libraries."""
    return [sys.executable, "-P", *arguments]


def signal_group(program: subprocess.Popen[bytes], kind: signal.Signals) -> None:
    """Signal a program and everything it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, kind)


def last_line(log: Path) -> str:
    """The last thing a program said."""
    with contextlib.suppress(OSError):
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        if any("No space left on device" in line for line in lines):
            return "磁盘已满，请腾出空间后重试"
        if any("Address already in use" in line for line in lines):
            return "端口刚被别的程序占用，请换一个（--port）"
        # A program that fails usually names the error in a line of its own, often followed by details.
        errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|ImproperlyConfigured|Interrupt)\b", line)]
        return (errors or lines)[-1][:300] if lines else "没有留下说明"
    return "没有留下说明"


def raise_stopped(number: int, frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that leaving the blocks stops everything."""
    raise Stopped


def say(text: str) -> None:
    """Talk goes to standard error."""
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Carry out what the launcher asks for; its options have been checked there."""
    command, *rest = arguments
    options = {name.removeprefix("--"): value for name, value in zip(rest[::2], rest[1::2], strict=False)}
    try:
        if command == "demo":
            return demo(int(options["port"]), options["host"], "--fresh" in rest)
        if command == "serve":
            return serve(int(options["port"]), options["host"], int(options["workers"]))
        if command == "prepare":
            return run_steps(Path(rest[0]), rest[1:])
        return manage(rest)
    except (Failure, EmbeddedPostgresError) as failure:
        say(str(failure))
        return failure.code if isinstance(failure, Failure) else 1
    except (Stopped, KeyboardInterrupt):
        say("已停止。")
        return 130
    except OSError as error:
        say(f"无法继续：{explain(error)}。")
        return 1


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without Chinese gets question marks
    sys.exit(main(sys.argv[1:]))
