"""A demo bank of its own process for each test that asks for one, and what all tests about banks build with."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from qingdan.banking import Bank
from qingdan.banking.demobank.running import Desk, RunningBank, running, start
from tests.banking.records import CUSTODY, MONDAY, SETTLEMENT


@dataclass
class Town:
    """A running bank with an institution's custody account (100,000 yuan) and its own account; it may be killed and started again."""

    data: Path
    running: RunningBank

    @property
    def desk(self) -> Desk:
        """To tell it what to do."""
        return self.running.desk

    def bank(self, timeout_seconds: float = 15) -> Bank:
        """To be its customer."""
        return self.running.bank(timeout_seconds=timeout_seconds)

    def kill(self) -> None:
        """As with kill -9."""
        self.running.kill()

    def start_again(self) -> None:
        """On the same books and port, as an operator would."""
        port = int(self.running.address.rpartition(":")[2])
        if self.running.process.stdout is not None:
            self.running.process.stdout.close()
        self.running = start(self.data, port=port, day=datetime.date(1999, 1, 1))  # the day in the books goes before


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """On Monday, 16 November 2026."""
    data = tmp_path / "演示 银行.sqlite"
    with running(data, day=MONDAY) as bank:
        made = Town(data, bank)
        made.desk.open_account(CUSTODY, "青禾艺术（虚构）资金监管专户", balance_fen=10_000_000)
        made.desk.open_account(SETTLEMENT, "青禾艺术（虚构）")
        yield made
        if made.running is not bank:
            made.kill()
            if made.running.process.stdout is not None:
                made.running.process.stdout.close()
