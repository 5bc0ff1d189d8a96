"""Each account, each day: what the bank says lies there against what the book says should."""

from __future__ import annotations

import datetime
import logging
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import QuerySet, Sum

from qingdan.escrow import books
from qingdan.escrow.enums import InstructionState, LineMatch, OrderState, SupervisionMode
from qingdan.escrow.models import BankInstruction, BankLine, BankStatement, CustodyAgreement, DayBalance, PaymentOrder
from qingdan.ledger.models import Entry
from qingdan.places.calendar import today

log = logging.getLogger(__name__)
_DAY = datetime.timedelta(days=1)
#: What stands in the book and on no statement after so many days is missing, no longer late.
DAYS_TO_WAIT = 3
#: How far back a run looks when nobody says from when.
DAYS_LOOKED_BACK = 14


def balance(agreement: CustodyAgreement, *, since: datetime.date | None = None, until: datetime.date | None = None) -> list[DayBalance]:
    """Reckon an agreement's days anew; done again with nothing new it changes nothing.

    The days are those on which it is in force, and those after its end, for its money lies there until the last lesson; unless another
    agreement goes on with the same account.
    """
    last = until or today() - _DAY
    if agreement.ends_on is not None and _same_account(agreement).filter(starts_on__gt=agreement.starts_on).exists():
        last = min(last, agreement.ends_on)
    first = max(since or last - DAYS_LOOKED_BACK * _DAY, agreement.starts_on)
    if first > last:
        return []
    days = [first + number * _DAY for number in range((last - first).days + 1)]
    account = _Account(agreement, days)
    rows = [account.day_balance(day) for day in days]
    fields = ["bank_fen", "book_fen", "owed_fen", "matched_count", "late_count", "unknown_count", "missing_count", "computed_at"]
    with transaction.atomic():
        DayBalance.objects.bulk_create(rows, update_conflicts=True, unique_fields=["agreement", "on_date"], update_fields=fields)
    log.info("escrow.balanced agreement=%s from=%s until=%s", agreement.pk, first, last)
    return rows


def balance_all(*, since: datetime.date | None = None) -> int:
    """Reckon all agreements whose account may still move; the answer is how many."""
    agreements = alive()
    for agreement in agreements:
        balance(agreement, since=since)
    return len(agreements)


def alive() -> list[CustodyAgreement]:
    """Agreements that have begun and have not ended a while ago, or under which money still lies at the bank."""
    begun = CustodyAgreement.objects.filter(starts_on__lte=today()).select_related("institution").order_by("pk")
    ended_before = today() - DAYS_LOOKED_BACK * _DAY
    return [one for one in begun if one.ends_on is None or one.ends_on >= ended_before or books.due_at_bank_fen(one)]


def _same_account(agreement: CustodyAgreement) -> QuerySet[CustodyAgreement]:
    return CustodyAgreement.objects.filter(institution=agreement.institution_id, account_number=agreement.account_number)


@dataclass
class _Account:
    """What is known of an account over some days, read with a few queries however many there are.

    An institution may have had several agreements on one account, one after the other: money signed for under the older ones still
    lies there, so all of them count.
    """

    agreement: CustodyAgreement
    days: list[datetime.date]
    own: list[CustodyAgreement] = field(init=False)
    book: dict[datetime.date, int] = field(init=False)
    owed: dict[datetime.date, int] = field(init=False)
    bank: dict[datetime.date, int] = field(init=False)
    matches: dict[datetime.date, Counter[str]] = field(init=False)
    missing: Counter[datetime.date] = field(init=False)

    def __post_init__(self) -> None:
        """Read it all."""
        self.own = list(_same_account(self.agreement))
        held: list[str] = []
        at_bank: list[str] = []
        for one in self.own:
            codes = [f"c:{pk}:held" for pk in one.contracts.values_list("pk", flat=True)]
            held += codes
            if one.mode == SupervisionMode.RESERVE:
                at_bank.append(books.agreement_code(one, "reserve"))
            else:
                at_bank += [*codes, books.agreement_code(one, "transit"), books.agreement_code(one, "returning")]
        self.book, self.owed = self._sums(at_bank), self._sums(held)
        self.bank, self.matches, self.missing = self._bank_balances(), self._matches(), self._missing()

    def _sums(self, codes: list[str]) -> dict[datetime.date, int]:
        """Day -> what stood in these accounts at its end."""
        entries = Entry.objects.filter(
            account__book__code=books.book_code(self.agreement.institution_id), account__code__in=codes,
            posting__effective_on__lte=self.days[-1],
        )  # fmt: skip
        moved = {
            row["posting__effective_on"]: row["fen"]
            for row in entries.values("posting__effective_on").annotate(fen=Sum("amount")).order_by()
        }
        running = sum(fen for day, fen in moved.items() if day < self.days[0])
        sums = {}
        for day in self.days:
            running += moved.get(day, 0)
            sums[day] = running
        return sums

    def _bank_balances(self) -> dict[datetime.date, int]:
        """Day -> balance at its end, where a statement covers it; a statement of several days is followed line by line."""
        statements = BankStatement.objects.filter(agreement__in=self.own, from_on__lte=self.days[-1], until_on__gte=self.days[0])
        moved: defaultdict[int, Counter[datetime.date]] = defaultdict(Counter)
        for statement, day, fen in BankLine.objects.filter(statement__in=statements).values_list("statement", "booked_on", "amount_fen"):
            moved[statement][day] += fen
        balances = {}
        for one in statements.order_by("sequence_number"):
            running, day = one.opening_fen, one.from_on
            while day <= one.until_on:
                running += moved[one.pk][day]
                balances[day] = running
                day += _DAY
        return balances

    def _matches(self) -> dict[datetime.date, Counter[str]]:
        counted: defaultdict[datetime.date, Counter[str]] = defaultdict(Counter)
        lines = BankLine.objects.filter(agreement__in=self.own, booked_on__range=(self.days[0], self.days[-1]))
        for day, match in lines.values_list("booked_on", "match"):
            counted[day][match] += 1
        return counted

    def _missing(self) -> Counter[datetime.date]:
        span, counted = (self.days[0], min(self.days[-1], today() - DAYS_TO_WAIT * _DAY)), Counter[datetime.date]()
        orders, instructions = missing(self.own)
        counted.update(day for day in orders.filter(paid_on__range=span).values_list("paid_on", flat=True) if day)
        counted.update(day for day in instructions.filter(booked_on__range=span).values_list("booked_on", flat=True) if day)
        return counted

    def day_balance(self, day: datetime.date) -> DayBalance:
        """One day, not saved."""
        counted = self.matches.get(day, Counter())
        return DayBalance(
            agreement=self.agreement,
            on_date=day,
            bank_fen=self.bank.get(day),
            book_fen=self.book[day],
            owed_fen=self.owed[day],
            matched_count=counted[LineMatch.MATCHED] + counted[LineMatch.SETTLED],
            late_count=counted[LineMatch.LATE],
            unknown_count=counted[LineMatch.UNKNOWN],
            missing_count=self.missing[day],
        )


def missing(agreements: list[CustodyAgreement]) -> tuple[QuerySet[PaymentOrder], QuerySet[BankInstruction]]:
    """What stands in the book as paid at the bank and on none of its statements; what came to a reserve's institution is not asked."""
    orders = PaymentOrder.objects.filter(state=OrderState.PAID, contract__agreement__in=agreements, lines=None)
    orders = orders.exclude(contract__agreement__mode=SupervisionMode.RESERVE)
    return orders, BankInstruction.objects.filter(agreement__in=agreements, state=InstructionState.BOOKED, lines=None)
