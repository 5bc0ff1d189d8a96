"""The demo bank's tables, and one connection to them that threads take turns with."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), day TEXT NOT NULL, is_fixed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    account TEXT PRIMARY KEY, name TEXT NOT NULL, opened_on TEXT NOT NULL,
    opening_fen INTEGER NOT NULL CHECK (opening_fen >= 0), balance_fen INTEGER NOT NULL CHECK (balance_fen >= 0));
CREATE TABLE IF NOT EXISTS lines (
    number INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL REFERENCES accounts, bank_reference TEXT NOT NULL, reference TEXT,
    amount_fen INTEGER NOT NULL CHECK (amount_fen <> 0), booked_on TEXT NOT NULL, counterparty_name TEXT NOT NULL,
    counterparty_account TEXT NOT NULL, remittance TEXT NOT NULL, is_reversal INTEGER NOT NULL, UNIQUE (account, bank_reference));
CREATE INDEX IF NOT EXISTS lines_by_day ON lines (account, booked_on);
CREATE TABLE IF NOT EXISTS instructions (
    reference TEXT PRIMARY KEY, content TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, bank_reference TEXT, due_on TEXT);
CREATE INDEX IF NOT EXISTS instructions_due ON instructions (due_on) WHERE status IN ('accepted', 'pending');
CREATE TABLE IF NOT EXISTS orders (
    number TEXT PRIMARY KEY, content TEXT NOT NULL, secret TEXT NOT NULL, status TEXT NOT NULL, bank_reference TEXT, paid_on TEXT,
    payer_account TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS statements (
    account TEXT NOT NULL REFERENCES accounts, number INTEGER NOT NULL, day TEXT NOT NULL, opening_fen INTEGER NOT NULL,
    closing_fen INTEGER NOT NULL, PRIMARY KEY (account, number), UNIQUE (account, day));
CREATE TABLE IF NOT EXISTS statements_before (account TEXT PRIMARY KEY REFERENCES accounts, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS faults (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, times INTEGER NOT NULL, detail TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS references_used (number INTEGER PRIMARY KEY AUTOINCREMENT);
"""


class Tables:
    """One SQLite file. What a transaction did is on the disk before it ends, so a killed bank has forgotten nothing it said."""

    def __init__(self, file: Path) -> None:
        """Open the file, made with its tables when it is not there."""
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(_TABLES)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one at a time. Within another it is part of that one."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def run(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Run one statement, in whatever transaction is open."""
        with self._lock:
            return self._connection.execute(statement, values)

    def all(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a question."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def one(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row of a question, if there is one."""
        with self._lock:
            row: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
            return row
