"""Each day's bank against the book, and money that should have come."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.accounts.models import Organisation
from qingdan.escrow import bank_sheets, books, tasks_banking
from qingdan.escrow.actions.balancing import DAYS_TO_WAIT, missing
from qingdan.escrow.actions.gaps import estimated_gap_fen
from qingdan.escrow.models import BankLine, CustodyAgreement, DayBalance, MoneyGap
from qingdan.ledger.models import Entry
from qingdan.places.calendar import today
from qingdan.storage.downloads import saved

_PER_PAGE, _EXPORTED_MAX = 25, 20_000
_DAY = datetime.timedelta(days=1)
WATCHERS = (*OFFICERS, Role.INSTITUTION)
#: Which days are listed.
_KINDS = {
    "open": "有待办的",
    "differs": "银行与账面不符",
    "silent": "没有对账单",
    "all": "全部",
}


def _differs() -> Q:
    return Q(bank_fen__isnull=False) & ~Q(bank_fen=F("book_fen"))


def _day_of(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _days(request: HttpRequest) -> tuple[QuerySet[DayBalance], dict[str, Any]]:
    found = DayBalance.objects.visible_to(user_of(request)).select_related("agreement__institution")
    kind, text, on = (request.GET.get(name, "").strip() for name in ("kind", "q", "on"))
    kind = kind if kind in _KINDS else ""
    if kind == "open":
        found = found.filter(Q(unknown_count__gt=0) | Q(missing_count__gt=0) | _differs())
    elif kind == "differs":
        found = found.filter(_differs())
    elif kind == "silent":
        found = found.filter(bank_fen=None)
    if text:
        found = found.filter(agreement__institution__in=Organisation.objects.matching(text))
    if (day := _day_of(on)) is not None:
        found = found.filter(on_date=day)
    else:
        on = ""
    return found, {"kind": kind, "q": text, "on": on, "kinds": [(value, label) for value, label in _KINDS.items() if value != "all"]}


@for_roles(*WATCHERS)
@require_safe
@never_cache
def days(request: HttpRequest) -> HttpResponse:
    """Reconciled days, the newest first."""
    found, context = _days(request)
    page = Paginator(found.order_by("-on_date", "agreement__institution__pinyin", "pk"), _PER_PAGE).get_page(request.GET.get("page"))
    context |= {"page": page, "today": today()}
    return render(request, "escrow/banking/includes/days.html" if is_fragment(request) else "escrow/banking/days.html", context)


@for_roles(*WATCHERS)
@require_safe
def days_export(request: HttpRequest) -> HttpResponse:
    """The listed days as a workbook."""
    found, _ = _days(request)
    return saved(bank_sheets.days_xlsx(found.order_by("-on_date", "agreement__institution__pinyin")[:_EXPORTED_MAX]), "每日对账.xlsx")


@for_roles(*OFFICERS)
@require_POST
def days_reckon(request: HttpRequest) -> HttpResponse:
    """Match what is open once more and reckon the last days and gaps anew."""
    tasks_banking.reckon_now.defer()
    messages.success(request, "已开始重新核对，稍后刷新看结果。")
    return redirect("escrow:days")


@for_roles(*WATCHERS)
@require_safe
@never_cache
def day(request: HttpRequest, pk: int) -> HttpResponse:
    """One account on one day: the bank's lines, what moved in the book, what is missing."""
    found = DayBalance.objects.visible_to(user_of(request)).select_related("agreement__institution")
    one = get_object_or_404(found, pk=pk)
    own = list(CustodyAgreement.objects.filter(institution=one.agreement.institution_id, account_number=one.agreement.account_number))
    rows = BankLine.objects.filter(agreement__in=own, booked_on=one.on_date).select_related("order__contract", "instruction").order_by("pk")
    orders, instructions = missing(own)
    late = one.on_date <= today() - DAYS_TO_WAIT * _DAY
    context = {
        "day": one,
        "agreement": one.agreement,
        "lines": list(rows[:200]),
        "moved": _moved(one),
        "orders": list(orders.filter(paid_on=one.on_date).select_related("contract")[:50]),
        "instructions": list(instructions.filter(booked_on=one.on_date)[:50]),
        "is_late": late,
        "days_to_wait": DAYS_TO_WAIT,
        "before": found.filter(agreement=one.agreement, on_date__lt=one.on_date).order_by("-on_date").first(),
        "after": found.filter(agreement=one.agreement, on_date__gt=one.on_date).order_by("on_date").first(),
    }
    return render(request, "escrow/banking/day.html", context)


_MOVES = {"payment": "家长缴入", "release": "消课", "refund": "退费核准", "booked": "银行付出", "reserve": "储备金存入"}


def _moved(one: DayBalance) -> list[tuple[str, int, int]]:
    """What the institution's book did on the day, by kind: label, number of postings, fen that changed hands."""
    entries = Entry.objects.filter(
        account__book__code=books.book_code(one.agreement.institution_id), account__unit="fen", posting__effective_on=one.on_date,
        amount__gt=0,
    )  # fmt: skip
    sums = entries.values("posting__kind").annotate(fen=Sum("amount"), count=Count("posting", distinct=True)).order_by("posting__kind")
    return [(_MOVES.get(row["posting__kind"], row["posting__kind"]), row["count"], row["fen"]) for row in sums]


# Gaps


@for_roles(*OFFICERS)
@require_safe
@never_cache
def gaps(request: HttpRequest) -> HttpResponse:
    """Institutions by what did not come into custody, the largest first."""
    visible = MoneyGap.visible_to(user_of(request))
    newest = visible.order_by("-on_date").values_list("on_date", flat=True).first()
    found = visible.filter(on_date=newest or today()).select_related("institution")
    if text := request.GET.get("q", "").strip():
        found = found.filter(institution__in=Organisation.objects.matching(text))
    short = Greatest(F("expected_fen") - F("received_fen"), 0)
    ordered = found.alias(short=short).order_by("-short", "institution__pinyin", "pk")
    page = Paginator(ordered, _PER_PAGE).get_page(request.GET.get("page"))
    total = found.aggregate(fen=Sum(short))["fen"] or 0
    rows = [(each, estimated_gap_fen(each)) for each in page]
    context = {"page": page, "rows": rows, "q": text, "on": newest, "total_fen": total}
    return render(request, "escrow/banking/includes/gaps.html" if is_fragment(request) else "escrow/banking/gaps.html", context)


@for_roles(*OFFICERS)
@require_safe
@never_cache
def gap(request: HttpRequest, pk: int) -> HttpResponse:
    """One institution's gap with its evidence and how it went lately."""
    found = get_object_or_404(MoneyGap.visible_to(user_of(request)).select_related("institution"), pk=pk)
    context = {
        "gap": found,
        "institution": found.institution,
        "estimated_fen": estimated_gap_fen(found),
        "agreement": CustodyAgreement.objects.in_force(today()).filter(institution=found.institution).first(),
        "earlier": list(MoneyGap.objects.filter(institution=found.institution, on_date__lt=found.on_date).order_by("-on_date")[:14]),
    }
    return render(request, "escrow/banking/gap.html", context)
