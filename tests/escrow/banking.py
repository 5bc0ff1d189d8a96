"""A really running demo bank beside an institution's agreement, for tests of what goes to and fro."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import pytest

from qingdan.accounts.models import User
from qingdan.banking import Line, Statement
from qingdan.banking.demobank.running import Desk, RunningBank, start
from qingdan.escrow import books
from qingdan.escrow.models import BankInstruction, Contract, CustodyAgreement, Lesson, PaymentOrder
from tests.district import MONDAY
from tests.escrow.making import make_contract

TUESDAY = MONDAY + datetime.timedelta(days=1)
_DAY = datetime.timedelta(days=1)


@dataclass
class Town:
    """The bank; it may be killed and started again on its books."""

    data: Path
    running: RunningBank

    @property
    def desk(self) -> Desk:
        """To tell it what to do."""
        return self.running.desk

    def open_for(self, agreement: CustodyAgreement, *, balance_fen: int | None = None) -> None:
        """An agreement's two accounts; on the first lies what the book says, unless told otherwise."""
        fen = books.due_at_bank_fen(agreement) if balance_fen is None else balance_fen
        self.desk.open_account(agreement.account_number, "监管专户", balance_fen=fen)
        self.desk.open_account(agreement.settlement_account, agreement.settlement_name)

    def kill(self) -> None:
        """As a power cut does."""
        self.running.kill()
        if self.running.process.stdout is not None:
            self.running.process.stdout.close()

    def start_again(self) -> None:
        """On the same books and port."""
        port = int(self.running.address.rpartition(":")[2])
        self.running = start(self.data, port=port, day=datetime.date(1999, 1, 1))  # the day in the books goes before


def pass_day(town: Town, monkeypatch: pytest.MonkeyPatch, day: datetime.date = TUESDAY) -> None:
    """Let it be another day, at the bank and in the house."""
    town.desk.move_to(day)
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: day)


def release_one_lesson(contract: Contract, by: User, *, at: int = 600) -> Lesson:
    """A lesson that counts as given on MONDAY: its money is in transit, in the book."""
    lesson = Lesson.objects.create(
        contract=contract, on_date=MONDAY, starts_at=at, lessons=1, recorded_by=by, state="recorded", silent_until=MONDAY
    )
    books.post_release(lesson, fen=contract.fen_of_lessons(1, 1), effective_on=MONDAY)
    return lesson


def make_instruction(agreement: CustodyAgreement, *, fen: int = 10_000, **values: object) -> BankInstruction:
    """A release that waits to be sent."""
    number = BankInstruction.objects.count() + 1
    given: dict[str, object] = {
        "agreement": agreement, "reference": f"QDR-{agreement.pk}-{number:04}", "purpose": "release", "amount_fen": fen,
        "to_account": agreement.settlement_account, "to_name": agreement.settlement_name, "remittance": "划拨", "requested_on": MONDAY,
    }  # fmt: skip
    return BankInstruction.objects.create(**(given | values))


def make_order(agreement: CustodyAgreement, parent: User, by: User) -> PaymentOrder:
    """A signed contract's order that waits for its payment."""
    contract = make_contract(agreement, parent, by, state="signed")
    return PaymentOrder.objects.create(contract=contract, reference=f"JF20261116-{contract.pk:06}", amount_fen=contract.amount_fen)


def make_line(reference: str, fen: int, *, bank_reference: str = "YH1", day: datetime.date = MONDAY, **values: object) -> Line:
    """A line of a statement."""
    given: dict[str, object] = {
        "counterparty_name": "家长示例", "counterparty_account": "6217000000001234", "remittance": "", "is_reversal": False,
    }  # fmt: skip
    return Line(bank_reference, reference or None, fen, day, day, **(given | values))  # type: ignore[arg-type]


def make_statement(
    agreement: CustodyAgreement, *lines: Line, number: int = 1, opening_fen: int = 0, day: datetime.date = MONDAY, **values: object
) -> Statement:
    """A statement of one day whose sum agrees, unless told otherwise."""
    given: dict[str, object] = {
        "identification": f"{day:%Y%m%d}-{number}", "account": agreement.account_number, "sequence_number": number,
        "created_at": datetime.datetime.combine(day + _DAY, datetime.time(0, 5), tzinfo=datetime.timezone(datetime.timedelta(hours=8))),
        "from_on": day, "until_on": day, "opening_fen": opening_fen, "closing_fen": opening_fen + sum(line.amount_fen for line in lines),
        "lines": lines,
    }  # fmt: skip
    return Statement(**(given | values))  # type: ignore[arg-type]
