"""Releases of lessons a second, beside pgbench's built-in simple update on the same server in the same run.

A release moves money and lessons in four entries of one posting, durable when it answers: fsync as it comes. All sides have the same
number of clients, and take turns. The simple update is one UPDATE, one SELECT and one INSERT in a transaction; it is shown as it comes
and with prepared statements. Ours is measured three ways:
sent by pgbench too (the database's work alone), through ``post`` in Python processes (what an app gets), and through ``post_many``
(what the nightly release gets); with a book for each institution, and with everything in one book, where the chain of digests lets only
one posting through at a time. At the end every book is verified.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psycopg

from bench.measuring import machine, say, show
from qingdan.embedded import EmbeddedPostgres, find_programs

if TYPE_CHECKING:
    from qingdan.ledger.models import Account, Book

#: Rows of pgbench's accounts, in hundred thousands.
_SCALE = 10
#: Postings in one call of ``post_many``, and what each book is prepaid: enough for any run.
_BATCH = 500
_PREPAID = 10**11
_CODES = ("family", "custody", "earned", "unused", "taken")
_SCRIPT = r"""
\set book random(1, {books})
\set account :book * 5
SELECT outcome FROM ledger_post(:book, '{{release}}', '{{2026-11-16}}', ARRAY[gen_random_uuid()::text], '{{""}}', '{{NULL}}', '{{NULL}}',
    '{{1,1,1,1}}', ARRAY[:account - 3, :account - 2, :account - 1, :account]::bigint[], '{{-10000,10000,-1,1}}');
"""


def measure(folder: Path, *, clients: int, seconds: int, rounds: int, books: int) -> None:
    """Start a server, fill it, let the sides take turns (of several rounds the first warms up and does not count), verify."""
    folder.mkdir(parents=True, exist_ok=True)
    server = EmbeddedPostgres(folder / "postgresql")
    os.environ |= {"DJANGO_SETTINGS_MODULE": "qingdan.settings", "QINGDAN_DEMO": "1", "QINGDAN_VAR": str(folder)}
    try:
        os.environ["QINGDAN_DATABASE_URL"] = server.start()
        connect()
        fill(books)
        works = sides(folder, server.url, clients=clients, seconds=seconds, books=books)
        found: dict[str, list[float]] = {name: [] for name in works}
        spent: dict[str, list[float]] = {name: [] for name in works}
        warm_up = 1 if rounds > 1 else 0
        for number in range(rounds + warm_up):
            analyse()
            for name, work in works.items():
                before = processor_seconds(server)
                rate = work()
                if number >= warm_up:
                    found[name].append(rate)
                    spent[name].append(1000 * (processor_seconds(server) - before) / (rate * seconds))
        told = check()
    finally:
        from django.db import connection

        connection.close()
        server.stop()
        server.wipe()
    yardstick = found["pgbench simple update"]
    rows = [
        (name, median(rates), median([mine / theirs for mine, theirs in zip(rates, yardstick, strict=True)]), median(spent[name]))
        for name, rates in found.items()
    ]
    title = f"{clients} clients, {books:,} books, {rounds} rounds of {seconds} s each; fsync on"
    show(title, ("", "a second", "× simple update", "server ms each"), rows)
    say(told)
    say(machine())


def processor_seconds(server: EmbeddedPostgres) -> float:
    """What the server and all of its clients' processes that have ended have spent."""
    import psutil

    time.sleep(0.5)  # until the last of them has been waited for
    times = psutil.Process(int((server.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def connect() -> None:
    """Django with the ledger's tables, and those they refer to."""
    import django
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    logging.getLogger("qingdan.ledger").setLevel(logging.WARNING)
    executor = MigrationExecutor(connection)
    executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] == "ledger"])


def fill(count: int) -> None:
    """Books 1 to ``count`` of five accounts each, prepaid."""
    import datetime

    from qingdan.ledger.enums import Unit
    from qingdan.ledger.models import Account, Book
    from qingdan.ledger.posting import Draft, Line, post_many

    books = Book.objects.bulk_create([Book(code=f"bench {number}", title="bench") for number in range(1, count + 1)])
    units = [Unit.FEN, Unit.FEN, Unit.FEN, Unit.LESSON, Unit.LESSON]
    for book in books:
        made = [
            Account(book=book, code=code, title=code, unit=unit, may_be_negative=code in ("family", "unused"))
            for code, unit in zip(_CODES, units, strict=True)
        ]
        family, custody, *_ = Account.objects.bulk_create(made)
        post_many(book, [Draft("payment", [Line(family, -_PREPAID), Line(custody, _PREPAID)], datetime.date(2026, 9, 1), "pay")])
    last = Account.objects.get(book=books[-1], code="custody")
    assert (books[-1].pk, last.pk) == (count, 5 * count - 3), "pgbench's script works the numbers out"


def analyse() -> None:
    """Tell the planner what there is, as the server itself would within a minute."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def sides(folder: Path, url: str, *, clients: int, seconds: int, books: int) -> dict[str, Callable[[], float]]:
    """What takes turns, by name; each gives its rate a second."""
    pgbench = str(find_programs() / "bin" / "pgbench")
    parameters = psycopg.conninfo.conninfo_to_dict(url)
    where = ["-h", str(parameters["host"]), "-p", str(parameters["port"]), "-U", str(parameters["user"])]
    database = str(parameters["dbname"])
    subprocess.run([pgbench, *where, "-i", "-q", "-s", str(_SCALE), database], check=True, capture_output=True)
    load = ["-n", "-c", str(clients), "-j", str(clients), "-T", str(seconds), database]

    def by_pgbench(*options: str) -> float:
        done = subprocess.run([pgbench, *where, *options, *load], check=True, capture_output=True, text=True)
        found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
        if not found or "number of failed transactions: 0 " not in done.stdout:
            raise AssertionError(done.stdout + done.stderr)
        return float(found.group(1))

    def by_script(count: int) -> float:
        script = folder / f"release-{count}.sql"
        script.write_text(" ".join(_SCRIPT.format(books=count).split("\n    ")), encoding="ascii")
        return by_pgbench("-M", "prepared", "-f", str(script))

    def by_clients(how: str, count: int) -> float:
        command = [sys.executable, "-m", "bench", "ledger-client", how, str(count), str(seconds)]
        running = [subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(clients)]
        for each in running:
            assert each.stdout is not None
            each.stdout.readline()  # it has started Python and read its accounts
        for each in running:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        return sum(float(each.communicate()[0]) for each in running)

    return {
        "pgbench simple update": lambda: by_pgbench("-N"),
        "… with prepared statements": lambda: by_pgbench("-N", "-M", "prepared"),
        "releases by pgbench, a book each": lambda: by_script(books),
        "releases by pgbench, one book": lambda: by_script(1),
        "releases by post(), a book each": lambda: by_clients("post", books),
        "releases by post(), one book": lambda: by_clients("post", 1),
        f"releases by post_many() of {_BATCH}, a book each": lambda: by_clients("post_many", books),
    }


def client(how: str, count: int, seconds: float) -> None:
    """One client of ours, as a process of its own: say when ready, wait for a word, print the releases a second."""
    import datetime
    import random

    import django

    django.setup()
    logging.disable()
    from qingdan.ledger.models import Account
    from qingdan.ledger.posting import Draft, Line, post, post_many

    day, draw = datetime.date(2026, 11, 16), random.Random(os.getpid())  # noqa: S311
    accounts: dict[int, list[Account]] = {}
    for account in Account.objects.select_related("book").filter(book__lte=count).order_by("pk"):
        accounts.setdefault(account.book_id, []).append(account)

    def some() -> tuple[Book, list[Line]]:
        _, custody, earned, unused, taken = accounts[draw.randint(1, count)]
        return custody.book, [Line(custody, -10_000), Line(earned, 10_000), Line(unused, -1), Line(taken, 1)]

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    done, start = 0, time.perf_counter()
    while time.perf_counter() < start + seconds:
        book, lines = some()
        if how == "post":
            post(book, kind="release", lines=lines, effective_on=day, key=uuid.uuid4().hex)
            done += 1
        else:
            post_many(book, [Draft("release", lines, day, uuid.uuid4().hex) for _ in range(_BATCH)])
            done += _BATCH
    sys.stdout.write(f"{done / (time.perf_counter() - start)}\n")


def check() -> str:
    """Verify every book; how many postings that were, and how fast."""
    from qingdan.ledger.models import Posting
    from qingdan.ledger.verify import verify_all

    analyse()
    count, start = Posting.objects.count(), time.perf_counter()
    faults = list(verify_all())
    if faults:
        raise AssertionError(faults[:5])
    return f"{count:,} postings verified without a fault, {count / (time.perf_counter() - start):,.0f} a second"
