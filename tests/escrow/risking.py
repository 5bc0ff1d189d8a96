"""Builders of what a score is made of: statements, days, refunds. Everything is fictional."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

from qingdan.accounts.models import User
from qingdan.escrow.models import BankLine, BankStatement, Complaint, Contract, CustodyAgreement, DayBalance, Lesson, Refund
from tests.district import MONDAY

_numbers = itertools.count(1)


def days_ago(number: int) -> datetime.date:
    """A day before today."""
    return MONDAY - datetime.timedelta(days=number)


def make_day(agreement: CustodyAgreement, *, bank_fen: int | None, owed_fen: int, on: datetime.date | None = None) -> DayBalance:
    """A reconciled day, yesterday unless told otherwise."""
    return DayBalance.objects.create(
        agreement=agreement, on_date=on or days_ago(1), bank_fen=bank_fen, book_fen=owed_fen, owed_fen=owed_fen
    )  # fmt: skip


def make_bank_line(agreement: CustodyAgreement, fen: int, *, on: datetime.date | None = None, **values: Any) -> BankLine:
    """A line on a statement of its own."""
    number, on = next(_numbers), on or days_ago(1)
    statement = BankStatement.objects.create(
        agreement=agreement, identification=f"DZ{number}", sequence_number=number, from_on=on, until_on=on, opening_fen=0, closing_fen=fen,
        digest=f"{number:064}",
    )  # fmt: skip
    given = {"bank_reference": f"YH{number}", "match": "matched"} | values
    return BankLine.objects.create(statement=statement, agreement=agreement, amount_fen=fen, booked_on=on, **given)


def make_refund(contract: Contract, *, due_fen: int = 10_000, due_on: datetime.date = MONDAY, **values: Any) -> Refund:
    """A refund that has been asked for and not answered."""
    given = {"applied_by": contract.guardian, "applied_on": days_ago(10), "reason": "搬家", "lessons": 1, "steps": []} | values
    return Refund.objects.create(contract=contract, due_fen=due_fen, due_on=due_on, **given)


def make_lesson(contract: Contract, by: User, on: datetime.date, lessons: int = 1, **values: Any) -> Lesson:
    """A lesson that was recorded as given."""
    given = {"starts_at": 600, "state": "recorded"} | values
    return Lesson.objects.create(contract=contract, on_date=on, lessons=lessons, recorded_by=by, **given)


def make_complaint(contract: Contract, text: str = "老师换了三个") -> Complaint:
    """A family's complaint of the day before yesterday."""
    made = Complaint.objects.create(contract=contract, made_by=contract.guardian, text=text)
    Complaint.objects.filter(pk=made.pk).update(made_at=datetime.datetime.combine(days_ago(2), datetime.time(9), datetime.UTC))
    return made
