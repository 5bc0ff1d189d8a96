"""The demo bank as a process of its own, and its desk: how a demonstration or a test starts it and tells it what to do."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import json
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from qingdan.banking.demobank import DEMO_TOKEN
from qingdan.banking.http import HttpBank

_SECONDS_TO_STOP = 10


@dataclass(frozen=True)
class Desk:
    """Tells a running demo bank what to do; raise OSError when it is not there, ValueError when it will not."""

    address: str
    token: str = DEMO_TOKEN

    def tell(self, do: str, **told: object) -> dict[str, object]:
        """Any order of ``control.py``; the state afterwards."""
        return self._asked("POST", json.dumps({"do": do} | told).encode())

    def state(self) -> dict[str, object]:
        """Day, accounts with balances, and faults to come."""
        return self._asked("GET", None)

    def open_account(self, account: str, name: str, *, balance_fen: int = 0, last_statement: int = 0) -> None:
        """Open an account; harmless when it is open. ``last_statement``: the number of one that somebody has already."""
        self.tell("open", account=account, name=name, balance_fen=balance_fen, last_statement=last_statement)

    def move_to(self, day: datetime.date) -> None:
        """Let the bank's clock go forward to a day."""
        self.tell("day", day=day.isoformat())

    def misbehave(self, kind: str, *, times: int = 1, **detail: object) -> None:
        """One of ``faults.KINDS``, the next times."""
        self.tell("fault", kind=kind, times=times, **detail)

    def balance_fen(self, account: str) -> int:
        """What lies on an account now."""
        accounts = self.state()["accounts"]
        assert isinstance(accounts, list)
        return next(int(one["balance_fen"]) for one in accounts if one["account"] == account)

    def _asked(self, method: str, body: bytes | None) -> dict[str, object]:
        parts = urllib.parse.urlsplit(self.address)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        try:
            connection.request(method, "/control", body, {"Authorization": f"Bearer {self.token}"})
            reply = connection.getresponse()
            told: dict[str, object] = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status != http.HTTPStatus.OK:
            raise ValueError(str(told.get("reason", reply.status)))
        return told


@dataclass
class RunningBank:
    """A process of the demo bank."""

    process: subprocess.Popen[str]
    address: str
    token: str = DEMO_TOKEN

    @property
    def desk(self) -> Desk:
        """To tell it what to do."""
        return Desk(self.address, self.token)

    def bank(self, *, timeout_seconds: float = 15) -> HttpBank:
        """To be its customer."""
        return HttpBank(self.address, token=self.token, timeout_seconds=timeout_seconds)

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.process.wait()


def start(data: Path, *, port: int = 0, day: datetime.date | None = None, log: IO[str] | None = None) -> RunningBank:
    """Start a bank on its books, and wait until it listens; raise RuntimeError when it does not."""
    command = [sys.executable, "-m", "qingdan.banking.demobank", "--data", str(data), "--port", str(port)]
    command += ["--day", day.isoformat()] if day else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log or subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        process.kill()
        process.wait()
        raise RuntimeError(f"the demo bank did not start ({process.returncode})")
    return RunningBank(process, address)


@contextlib.contextmanager
def running(data: Path, *, port: int = 0, day: datetime.date | None = None) -> Iterator[RunningBank]:
    """A bank for the length of a block."""
    bank = start(data, port=port, day=day)
    try:
        yield bank
    finally:
        bank.process.terminate()
        try:
            bank.process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            bank.kill()
        if bank.process.stdout is not None:
            bank.process.stdout.close()
