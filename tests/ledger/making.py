"""A book with the accounts of one prepaid course, and what happens in it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from qingdan.ledger.enums import Unit
from qingdan.ledger.models import Account, Book, Posting
from qingdan.ledger.posting import Line, open_account, open_book, post
from qingdan.ledger.verify import verify

SEPTEMBER = datetime.date(2026, 9, 30)
OCTOBER = datetime.date(2026, 10, 8)


@dataclass
class Course:
    """A family pays for lessons; the money lies in custody until a lesson has been given."""

    book: Book
    #: The family's bank, which may be negative: it is outside.
    family: Account
    custody: Account
    #: What the institution has earned.
    earned: Account
    #: Lessons that the institution owes, that lie with the family, that have been taken.
    owed: Account
    unused: Account
    taken: Account
    tried: int = field(default=0)

    def pay(self, fen: int, lessons: int, *, key: str = "pay", on: datetime.date = SEPTEMBER) -> Posting:
        """The family pays for so many lessons."""
        money = [Line(self.family, -fen), Line(self.custody, fen)]
        due = [Line(self.owed, -lessons), Line(self.unused, lessons)] if lessons else []
        return post(self.book, kind="payment", lines=money + due, effective_on=on, key=key, memo="预收学费")

    def release(self, fen: int, *, key: str, lessons: int = 1, on: datetime.date = OCTOBER) -> Posting:
        """A lesson has been given."""
        lines = [Line(self.custody, -fen), Line(self.earned, fen), Line(self.unused, -lessons), Line(self.taken, lessons)]
        return post(self.book, kind="release", lines=lines, effective_on=on, key=key)

    def refund(self, fen: int, lessons: int, *, key: str = "refund", on: datetime.date = OCTOBER) -> Posting:
        """Money and lessons go back."""
        lines = [Line(self.custody, -fen), Line(self.family, fen), Line(self.unused, -lessons), Line(self.owed, lessons)]
        return post(self.book, kind="refund", lines=lines, effective_on=on, key=key)

    @property
    def balances(self) -> dict[str, int]:
        """Account code to balance, as the accounts themselves keep them."""
        return dict(self.book.accounts.values_list("code", "balance"))

    @property
    def faults(self) -> list[str]:
        """What a verification finds, in words."""
        return [fault.message for fault in verify(self.book)]


def make_course(code: str = "book") -> Course:
    """A fresh book with its accounts."""
    book = open_book(code, title="某机构预收费")
    return Course(
        book,
        family=open_account(book, "family", unit=Unit.FEN, title="家长付款", may_be_negative=True),
        custody=open_account(book, "custody", unit=Unit.FEN, title="资金托管"),
        earned=open_account(book, "earned", unit=Unit.FEN, title="已拨付机构"),
        owed=open_account(book, "owed", unit=Unit.LESSON, title="应授课时", may_be_negative=True),
        unused=open_account(book, "unused", unit=Unit.LESSON, title="未消课时"),
        taken=open_account(book, "taken", unit=Unit.LESSON, title="已消课时"),
    )
