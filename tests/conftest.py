"""One PostgreSQL for the whole run, shared by all workers, started only when a test asks for a database.

QINGDAN_TEST_DATABASE_URL names a server of your own instead, and a superuser of it. Each worker has a database of its own in it
(pytest-django's doing).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from pytest_django import DjangoDbBlocker

from qingdan.embedded import FOR_TESTS, EmbeddedPostgres
from tests.browsing import browser, complaints, page

__all__ = ["browser", "complaints", "page"]  # fixtures for all

RUNS = Path(__file__).parents[1] / "var" / "test-runs"
RUN_VARIABLE = "QINGDAN_TEST_RUN"  # tells the workers which folder the run's first process made
_run_lock: IO[str] | None = None


def pytest_configure(config: pytest.Config) -> None:
    """In the first process only: clear away what killed runs left, and make this run's folder."""
    global _run_lock  # held until the process ends: that is what tells the next run that this one is alive
    if hasattr(config, "workerinput"):
        return
    RUNS.mkdir(parents=True, exist_ok=True)
    for old in RUNS.glob("*/"):
        remove_if_dead(old)
    run = RUNS / str(os.getpid())
    run.mkdir(exist_ok=True)
    _run_lock = (run / "alive").open("w", encoding="utf-8")
    fcntl.flock(_run_lock, fcntl.LOCK_EX)
    os.environ[RUN_VARIABLE] = str(run)


def pytest_unconfigure(config: pytest.Config) -> None:
    """In the first process, after all workers have ended: stop the server and delete it."""
    global _run_lock
    if hasattr(config, "workerinput") or _run_lock is None:
        return
    _run_lock.close()
    _run_lock = None
    remove_if_dead(Path(os.environ.pop(RUN_VARIABLE)))


def remove_if_dead(run: Path) -> None:
    """Stop and delete a run's server unless the run is still going on."""
    with contextlib.suppress(FileNotFoundError), (run / "alive").open("r+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for home in (run / "postgresql", *run.glob("launcher/*/var/postgresql")):
            server = EmbeddedPostgres(home)
            server.wipe()
            shutil.rmtree(server.home, ignore_errors=True)
    shutil.rmtree(run, ignore_errors=True)


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The address of a real PostgreSQL, for tests that need one; the first worker that asks starts it for all."""
    given = os.environ.get("QINGDAN_TEST_DATABASE_URL")
    if given:
        yield given
        return
    run = Path(os.environ[RUN_VARIABLE])
    with (run / "starting").open("w", encoding="utf-8") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        # It outlives the worker that starts it, since the others may still be at work; the first process stops it.
        server = EmbeddedPostgres(run / "postgresql", settings=FOR_TESTS, dies_with_us=False)
        url = server.url_if_running() or server.start()
        server.leave_running()
    yield url


@pytest.fixture(scope="session")
def django_db_modify_db_settings(database_url: str, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Point Django at the run's server before pytest-django creates this worker's database."""
    from django.db import connections

    address = urllib.parse.urlsplit(database_url)
    query = dict(urllib.parse.parse_qsl(address.query))
    connections["default"].settings_dict.update(
        HOST=query.get("host") or address.hostname or "",
        PORT=query.get("port") or str(address.port or ""),
        USER=address.username or "",
        PASSWORD=urllib.parse.unquote(address.password or ""),
    )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """This worker's database, with the law of the district in it: a test that judges would write it first, and take it back.

    Facts are of one day for ever: a week that is not published yet would otherwise become a finding once the real day is past it.
    """
    from django.db import connection, transaction

    from qingdan.judging.facts import DAY_OF_FACTS
    from qingdan.judging.law import current_law, install
    from tests.district import SUNDAY, make_region
    from tests.emptying import empty_quickly

    with django_db_blocker.unblock():
        database = connection.ops.quote_name(connection.settings_dict["NAME"])
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {database} SET {DAY_OF_FACTS} = '{SUNDAY}'")
        connection.close()  # connections from now on know it
        with transaction.atomic():
            make_region()
            law = current_law()
            transaction.set_rollback(True)
        install(law)
    empty_quickly(law)
