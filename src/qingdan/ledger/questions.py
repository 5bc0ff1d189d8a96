"""What a book says: on a day (when things count) and as known at a moment (when they were recorded).

A correction for September recorded in October changes September's figures from October on; asked as known at the end of September,
the book still says what it said then. A posting counts as known from the moment of its recording, a little before its transaction ends.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet, Sum, Window
from django.db.models.functions import Coalesce

from qingdan.ledger.enums import Unit
from qingdan.ledger.models import Account, Book, Entry, Posting


def known(*, effective_on: datetime.date | None = None, known_at: datetime.datetime | None = None) -> Q:
    """The entries that count up to a day (included) and were recorded up to a moment (included); without either, all."""
    condition = Q()
    if effective_on is not None:
        condition &= Q(posting__effective_on__lte=effective_on)
    if known_at is not None:
        condition &= Q(posting__recorded_at__lte=known_at)
    return condition


def balance_at(account: Account, *, effective_on: datetime.date | None = None, known_at: datetime.datetime | None = None) -> int:
    """An account's balance in its unit at the end of a day, as known at a moment."""
    entries = account.entries.filter(known(effective_on=effective_on, known_at=known_at))
    return int(entries.aggregate(sum=Coalesce(Sum("amount"), 0))["sum"])


def balances_at(book: Book, *, effective_on: datetime.date | None = None, known_at: datetime.datetime | None = None) -> dict[str, int]:
    """The same of all accounts of a book, by their codes, in one query."""
    condition = known(effective_on=effective_on, known_at=known_at)
    moved = (
        Entry.objects.filter(condition, account__in=book.accounts.all())
        .values("account")
        .annotate(sum=Sum("amount"))
        .values_list("account", "sum")
    )
    sums = dict(moved.order_by())
    return {account.code: int(sums.get(account.pk, 0)) for account in book.accounts.all()}


@dataclass(frozen=True)
class Statement:
    """What went in and out of an account from one day to another."""

    account: Account
    #: Before the first day, and after the last.
    opening: int
    closing: int
    #: Entries by day and number; each has its posting and ``balance_after``, in the account's unit. May be sliced into pages.
    entries: QuerySet[Any]


def statement(
    account: Account,
    *,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
    known_at: datetime.datetime | None = None,
) -> Statement:
    """An account's entries of a span, both days included, with the running balance after each."""
    opening = 0 if first is None else balance_at(account, effective_on=first - datetime.timedelta(days=1), known_at=known_at)
    entries = account.entries.filter(known(effective_on=last, known_at=known_at))
    if first is not None:
        entries = entries.filter(posting__effective_on__gte=first)
    in_order = ("posting__effective_on", "posting__number")
    running = Window(Sum("amount"), order_by=[F(name).asc() for name in in_order])
    shown = entries.select_related("posting").annotate(balance_after=running + opening).order_by(*in_order)
    closing = opening + int(entries.aggregate(sum=Coalesce(Sum("amount"), 0))["sum"])
    return Statement(account, opening, closing, shown)


@dataclass(frozen=True)
class TrialLine:
    """An account in a trial balance; all in its unit."""

    account: Account
    #: What went in and what went out, neither negative.
    into: int
    out_of: int

    @property
    def balance(self) -> int:
        """What is left."""
        return self.into - self.out_of


@dataclass(frozen=True)
class TrialBalance:
    """All accounts of a book. In each unit as much went in as came out, otherwise an entry is missing."""

    lines: tuple[TrialLine, ...]

    def of_unit(self, unit: Unit) -> tuple[TrialLine, ...]:
        """The accounts that count a unit."""
        return tuple(line for line in self.lines if line.account.unit == unit)

    def totals(self) -> Iterator[tuple[Unit, int, int]]:
        """For each unit in use: what went in, what came out."""
        for unit in Unit:
            if lines := self.of_unit(unit):
                yield unit, sum(line.into for line in lines), sum(line.out_of for line in lines)

    @property
    def is_balanced(self) -> bool:
        """Whether it comes out even."""
        return all(into == out_of for _, into, out_of in self.totals())


def trial_balance(book: Book, *, effective_on: datetime.date | None = None, known_at: datetime.datetime | None = None) -> TrialBalance:
    """The trial balance of a book at the end of a day, as known at a moment."""
    condition = known(effective_on=effective_on, known_at=known_at)
    sums = {"into": Sum("amount", filter=Q(amount__gt=0), default=0), "out_of": Sum("amount", filter=Q(amount__lt=0), default=0)}
    rows: Any = Entry.objects.filter(condition, account__in=book.accounts.all()).values("account").annotate(**sums).order_by()
    found = {row["account"]: (int(row["into"]), -int(row["out_of"])) for row in rows}
    return TrialBalance(tuple(TrialLine(account, *found.get(account.pk, (0, 0))) for account in book.accounts.order_by("code")))


def posting_of(book: Book, key: str) -> Posting | None:
    """The posting that a key names, to see whether an act has been posted."""
    return book.postings.filter(key=key).first()
