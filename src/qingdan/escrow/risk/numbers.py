"""The numbers behind all scores of a day, asked once for all institutions: as many queries for one as for a thousand.

A day in the past is reckoned with what is recorded of it now; only the register of staff knows no day but today's.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Max, Min, Q, Sum

from qingdan.escrow.enums import LessonState, LineMatch, RefundState, SupervisionMode
from qingdan.escrow.models import BankLine, Complaint, Contract, CustodyAgreement, DayBalance, Lesson, Refund, RegisteredInstitution
from qingdan.escrow.risk.parts import Numbers
from qingdan.escrow.risk.weights import COMPLAINT_DAYS, FLOW_DAYS, PAST_DAYS
from qingdan.escrow.standing import POSTED
from qingdan.ledger.enums import Unit
from qingdan.ledger.models import Entry

_DAY = datetime.timedelta(days=1)
#: So long a statement may be late without its account counting as unproven.
DAYS_OF_GRACE = 3


@dataclass
class Account:
    """One account at a bank, and what families are owed under its agreements."""

    agreement: CustodyAgreement
    agreements: list[int] = field(default_factory=list)
    held_fen: int = 0
    returning_fen: int = 0
    #: The newest day on which the bank said something.
    newest: DayBalance | None = None
    since: datetime.date | None = None

    def silent_days(self, day: datetime.date) -> int:
        """How long the bank has said nothing about money that should lie there."""
        if self.newest is None and self.since is None:
            return 0
        last = self.newest.on_date if self.newest else self.since
        assert last is not None
        return max(0, (day - last).days)

    def due_fen(self) -> int:
        """What should lie there at least, by the bank's last day: what families are owed, or the floor of the reserve."""
        if self.agreement.mode == SupervisionMode.RESERVE:
            return self.agreement.reserve_floor_fen if self.newest else 0
        return self.newest.owed_fen if self.newest else 0

    def short_fen(self) -> int:
        """What is missing of it."""
        return max(0, self.due_fen() - (self.newest.bank_fen or 0)) if self.newest else 0

    def uncovered_fen(self, day: datetime.date) -> int:
        """What of the families' money nothing stands behind, at worst.

        Where the bank has never said anything all of it, once it should have.
        """
        owed = self.held_fen + self.returning_fen
        if self.newest is None:
            return owed if self.silent_days(day) > DAYS_OF_GRACE else 0
        if self.agreement.mode == SupervisionMode.RESERVE:
            return max(0, owed - max(0, self.newest.bank_fen or 0))
        return min(owed, self.short_fen())


def numbers_of(day: datetime.date) -> dict[int, Numbers]:
    """Institution -> its numbers at the end of a day: of all that have an agreement in force or families who have paid."""
    contracts: list[Any] = list(
        Contract.objects.filter(paid_on__lte=day).values(
            "pk", "institution_id", "agreement_id", "lessons", "course_from", "course_until", "paid_on", "ended_on"
        )
    )
    agreements = list(CustodyAgreement.objects.filter(starts_on__lte=day).order_by("starts_on", "pk"))
    in_force = {each.institution_id for each in agreements if each.ends_on is None or each.ends_on >= day}
    alive = {each["institution_id"] for each in contracts if each["ended_on"] is None or each["ended_on"] > day}
    numbers = {number: Numbers(has_agreement=number in in_force) for number in sorted(in_force | alive)}
    for number, account in accounts_of(day, contracts, agreements):
        if number in numbers:
            _add_account(numbers[number], account, day)
    _add_refunds(numbers, day)
    _add_lessons(numbers, [each for each in contracts if each["ended_on"] is None or each["ended_on"] > day], day)
    _add_flows(numbers, day)
    _add_people(numbers, day)
    return numbers


def _add_account(one: Numbers, account: Account, day: datetime.date) -> None:
    one.held_fen += account.held_fen
    one.returning_fen += account.returning_fen
    one.uncovered_fen += account.uncovered_fen(day)
    is_over = account.agreement.ends_on is not None and account.agreement.ends_on < day
    if is_over and not account.held_fen + account.returning_fen:
        return
    one.due_fen += account.due_fen()
    one.short_fen += account.short_fen()
    one.silent_days = max(one.silent_days, account.silent_days(day))


def accounts_of(
    day: datetime.date, contracts: list[dict[str, Any]], agreements: list[CustodyAgreement]
) -> list[tuple[int, Account]]:  # fmt: skip
    """Institution and account, for each account that an institution has or had; agreements on one account are one."""
    found: dict[tuple[int, str], Account] = {}
    of_agreement: dict[int, Account] = {}
    for each in agreements:
        account = found.setdefault((each.institution_id, each.account_number), Account(each))
        account.agreement = each  # the last one
        account.agreements.append(each.pk)
        of_agreement[each.pk] = account
    agreement_of = {each["pk"]: each["agreement_id"] for each in contracts}
    for code, fen in _balances(day):
        kind, number, name = code.split(":")
        owner = of_agreement.get(agreement_of.get(int(number), 0) if kind == "c" else int(number))
        if owner is None or not fen:
            continue
        if kind == "c":
            owner.held_fen += fen
        elif name == "returning":
            owner.returning_fen += fen
    for row in contracts:
        owner = of_agreement.get(row["agreement_id"])
        if owner is not None and (owner.since is None or row["paid_on"] < owner.since):
            owner.since = row["paid_on"]
    days = DayBalance.objects.filter(on_date__lte=day, bank_fen__isnull=False)
    newest = days.order_by("agreement_id", "-on_date").distinct("agreement_id")
    for balance in newest:
        owner = of_agreement.get(balance.agreement_id)
        if owner is not None and (owner.newest is None or owner.newest.on_date < balance.on_date):
            owner.newest = balance
    return [(number, account) for (number, _), account in found.items()]


def _balances(day: datetime.date) -> list[tuple[str, int]]:
    """Code and balance at the end of a day, of what contracts hold and what is on its way."""
    codes = Q(account__code__startswith="c:") | Q(account__code__startswith="g:")
    entries = Entry.objects.filter(codes, account__unit=Unit.FEN, account__book__code__startswith="escrow:", posting__effective_on__lte=day)
    return [(code, int(fen)) for code, fen in entries.order_by().values_list("account__code").annotate(fen=Sum("amount"))]


def _add_refunds(numbers: dict[int, Numbers], day: datetime.date) -> None:
    found = Refund.objects.filter(applied_on__lte=day).exclude(state=RefundState.PAID, refunded_on__lte=day)
    found = found.exclude(state__in=[RefundState.REFUSED, RefundState.WITHDRAWN], updated_at__date__lte=day)
    for number, due_fen, due_on in found.values_list("contract__institution", "due_fen", "due_on"):
        one = numbers.get(number)
        if one is None:
            continue
        one.open_refunds += 1
        one.open_refund_fen += due_fen
        if due_on < day:
            one.overdue_count += 1
            one.overdue_days = max(one.overdue_days, (day - due_on).days)


def _add_lessons(numbers: dict[int, Numbers], alive: list[dict[str, Any]], day: datetime.date) -> None:
    """What the contracts' calendars would have had given by the evening before, against what was taught."""
    given = Lesson.objects.filter(on_date__lte=day).exclude(state__in=[LessonState.VOID, LessonState.DISPUTED]).order_by()
    taught = {row["contract"]: row["count"] for row in given.values("contract").annotate(count=Sum("lessons"))}
    last = {row["contract__institution"]: row["last"] for row in given.values("contract__institution").annotate(last=Max("on_date"))}
    back = Refund.objects.filter(applied_on__lte=day, state__in=POSTED).order_by().values("contract").annotate(count=Sum("lessons"))
    returned = {row["contract"]: row["count"] for row in back}
    begun: dict[int, datetime.date] = {}
    for each in alive:
        one = numbers[each["institution_id"]]
        sold = each["lessons"] - returned.get(each["pk"], 0)
        span = (each["course_until"] - each["course_from"]).days + 1
        passed = min(span, max(0, (day - each["course_from"]).days))
        due, held = sold * passed // span, taught.get(each["pk"], 0)
        one.due_lessons += due
        one.taught_lessons += min(held, sold)
        one.behind_lessons += max(0, due - held)
        if passed and held < sold:
            begun[each["institution_id"]] = min(begun.get(each["institution_id"], day), each["course_from"])
    for number, first in begun.items():
        numbers[number].idle_days = max(0, (day - max(first, last.get(number, first))).days)


def _add_flows(numbers: dict[int, Numbers], day: datetime.date) -> None:
    recent_from = day - FLOW_DAYS * _DAY
    past_from = recent_from - PAST_DAYS * _DAY
    recent, out = Q(booked_on__gt=recent_from), Q(amount_fen__lt=0)
    lines = BankLine.objects.filter(booked_on__gt=past_from, booked_on__lte=day, is_reversal=False).order_by()
    rows = lines.values("agreement__institution").annotate(
        large=Count("pk", filter=recent & Q(is_large=True)),
        large_in=Sum("amount_fen", filter=recent & Q(is_large=True) & ~out, default=0),
        large_out=Sum("amount_fen", filter=recent & Q(is_large=True) & out, default=0),
        unexplained=Count("pk", filter=recent & out & Q(match=LineMatch.UNKNOWN)),
        outflow=Sum("amount_fen", filter=recent & out, default=0),
        past=Sum("amount_fen", filter=~recent & out, default=0),
        first=Min("booked_on"),
    )
    for row in rows:
        one = numbers.get(row["agreement__institution"])
        if one is None:
            continue
        one.large_count, one.large_fen = row["large"], row["large_in"] - row["large_out"]
        one.unexplained_count, one.outflow_fen = row["unexplained"], -row["outflow"]
        known_days = (recent_from - row["first"]).days + 1
        # Less than two months of history is no usual: a new account pays out more from month to month.
        one.usual_outflow_fen = -row["past"] * FLOW_DAYS // known_days if known_days >= 2 * FLOW_DAYS else 0


def _add_people(numbers: dict[int, Numbers], day: datetime.date) -> None:
    counts = RegisteredInstitution.objects.filter(institution__in=numbers).order_by()
    for number, staff, left in counts.values_list("institution", "staff_count", "staff_left_in_90_days"):
        numbers[number].staff_count, numbers[number].left_count = staff, left
    told: defaultdict[int, int] = defaultdict(int)
    complaints = Complaint.objects.filter(made_at__date__lte=day, made_at__date__gt=day - COMPLAINT_DAYS * _DAY).order_by()
    for number, count in complaints.values_list(F("contract__institution")).annotate(count=Count("pk")):
        told[number] = count
    disputes = Lesson.objects.disputed().filter(on_date__lte=day).order_by()
    disputed = dict(disputes.values_list(F("contract__institution")).annotate(count=Count("pk")))
    for number, one in numbers.items():
        one.complaint_count, one.dispute_count = told[number], disputed.get(number, 0)
