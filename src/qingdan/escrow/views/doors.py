"""The doors of prepaid tuition: what the officers see first, and what an institution sees first; large flows."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import errors_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.accounts.models import Organisation
from qingdan.charting.drawing import answer_figure
from qingdan.charting.figures import Figure
from qingdan.charting.sheets import figure_xlsx
from qingdan.escrow import books
from qingdan.escrow.actions import flows as acts
from qingdan.escrow.charts import figures
from qingdan.escrow.enums import OPEN_INSTRUCTIONS, RefundState, RiskLevel, SupervisionMode
from qingdan.escrow.forms.doors import FlowFilter
from qingdan.escrow.forms.risk import CirculateForm
from qingdan.escrow.models import BankInstruction, BankLine, Complaint, CustodyAgreement, DayBalance, Lesson, Refund, RiskScore, RiskStep
from qingdan.escrow.risk import outlook
from qingdan.places.calendar import today
from qingdan.storage.downloads import saved

_PER_PAGE = 20


@for_roles(*OFFICERS)
@require_safe
@never_cache
def watch(request: HttpRequest) -> HttpResponse:
    """Money under supervision at a glance: what lies there, what is owed, what waits for somebody."""
    user, day = user_of(request), today()
    scores = RiskScore.objects.visible_to(user).of_newest_day()
    days = DayBalance.objects.visible_to(user).filter(bank_fen__isnull=False)
    newest = days.order_by("agreement_id", "-on_date").distinct("agreement_id")
    lying = {SupervisionMode(mode).label: fen for mode, fen in _by_mode(newest).items()}
    first = day.replace(day=1)
    month = figures.month_sums(user, figures.first_month(day))
    levels = dict(scores.order_by().values_list("level").annotate(count=Count("pk")))
    refunds = Refund.objects.visible_to(user)
    flows = BankLine.objects.visible_to(user).filter(is_large=True, circulated_at=None)
    context = {
        "lying_fen": sum(lying.values()),
        "lying": [(label, fen) for label, fen in lying.items() if fen],
        "whole": outlook.total(outlook.covers(scores, day)),
        "on": scores.values_list("on_date", flat=True).first(),
        "month": [(what, month.get((first, what), 0)) for what in (figures.PAID, figures.RELEASED, figures.REFUNDED)],
        "levels": [(value, label, levels.get(value, 0)) for value, label in reversed(RiskLevel.choices)],
        "counts": {
            "agreements": CustodyAgreement.objects.visible_to(user).in_force(day).count(),
            "disputes": Lesson.objects.visible_to(user).disputed().count(),
            "overdue": refunds.overdue(day).count(),
            "contested": refunds.filter(state=RefundState.CONTESTED).count(),
            "complaints": Complaint.objects.visible_to(user).open().count(),
            "flows": flows.count(),
            "lines": BankLine.objects.visible_to(user).open().count(),
            "steps": RiskStep.objects.visible_to(user).open().filter(due_on__lt=day).count(),
        },
        "worst": list(scores.select_related("institution").exclude(level=RiskLevel.CALM).order_by("-score", "institution__pinyin")[:6]),
        "cover": figures.cover(user, day),
        "figures": [figures.months(user, day), figures.levels(user, day)],
        "today": day,
    }
    return render(request, "escrow/doors/watch.html", context)


def _by_mode(newest: Any) -> dict[str, int]:
    """Mode -> what banks say lies there, by the newest day of each account; agreements on one account count once."""
    accounts: dict[str, DayBalance] = {}
    for each in newest.select_related("agreement"):
        known = accounts.get(each.agreement.account_number)
        if known is None or known.on_date < each.on_date:
            accounts[each.agreement.account_number] = each
    sums = dict.fromkeys(SupervisionMode.values, 0)
    for each in accounts.values():
        sums[each.agreement.mode] += each.bank_fen or 0
    return sums


def _figure(request: HttpRequest, name: str) -> Figure:
    if name not in figures.OF_DISTRICT:
        raise Http404
    return figures.OF_DISTRICT[name](user_of(request), today())


@for_roles(*OFFICERS)
@require_safe
def watch_chart(request: HttpRequest, name: str) -> HttpResponse:
    """One chart as SVG, drawn once for each state of its numbers."""
    figure = _figure(request, name)

    def specify(width: str) -> dict[str, Any]:
        # Altair takes half a second to load: only the first chart pays for it.
        from qingdan.escrow.charts.specs import specification

        return specification(figure, width)

    return answer_figure(request, "escrow", figure, specify)


@for_roles(*OFFICERS)
@require_safe
def watch_table(request: HttpRequest, name: str) -> HttpResponse:
    """One chart's numbers as a workbook."""
    figure = _figure(request, name)
    notes = [f"{figure.title}，{user_of(request).employer.name}，{today()}", figure.sentence or figure.advice, figure.note]
    return saved(figure_xlsx(figure, notes), f"{figure.title.replace('：', '_')}_{today():%Y%m%d}.xlsx")


# Large flows


@for_roles(*OFFICERS)
@require_safe
@never_cache
def flows(request: HttpRequest) -> HttpResponse:
    """Large flows that wait to be circulated, or all."""
    return _flows(request)


def _flows(request: HttpRequest, problems: list[str] | None = None, posted: int = 0) -> HttpResponse:
    form = FlowFilter(request.GET)
    chosen = form.chosen()
    found = (
        BankLine.objects.visible_to(user_of(request)).filter(is_large=True).select_related("agreement__institution", "instruction", "order")
    )
    if chosen["state"] != "all":
        found = found.filter(circulated_at__isnull=chosen["state"] != "told")
    if chosen["q"]:
        found = found.filter(agreement__institution__in=Organisation.objects.matching(chosen["q"]))
    page = Paginator(found.order_by("-booked_on", "-pk"), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "is_filtered": any(chosen.values()), "problems": problems or [], "posted": posted}
    template = "escrow/doors/includes/flows.html" if is_fragment(request) else "escrow/doors/flows.html"
    return render(request, template, context | {"text": request.POST.get("reason", "")}, status=422 if problems else 200)


@for_roles(*OFFICERS)
@require_POST
def flow_circulate(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell the departments of a large flow."""
    line, form = get_object_or_404(BankLine.objects.visible_to(user_of(request)).filter(is_large=True), pk=pk), CirculateForm(request.POST)
    if not form.is_valid():
        return _flows(request, errors_of(form), pk)
    try:
        acts.circulate(line, reason=form.cleaned_data["reason"], by=user_of(request))
    except ValidationError as error:
        return _flows(request, error.messages, pk)
    messages.success(request, "已通报有关部门，并记入机构的风险档案。")
    return redirect("escrow:flows")


# The institution's own


@for_roles(Role.INSTITUTION)
@require_safe
@never_cache
def desk(request: HttpRequest) -> HttpResponse:
    """What an institution has to see first: where its families' money lies, what is coming, what waits for its answer."""
    user, day = user_of(request), today()
    agreements = list(CustodyAgreement.objects.visible_to(user).in_force(day))
    refunds, lessons = Refund.objects.visible_to(user), Lesson.objects.visible_to(user)
    open_instructions = BankInstruction.objects.visible_to(user).filter(state__in=OPEN_INSTRUCTIONS)
    newest = DayBalance.objects.visible_to(user).order_by("agreement_id", "-on_date").distinct("agreement_id")
    context = {
        "agreements": [(each, books.balance_fen(each, "transit"), books.balance_fen(each, "returning")) for each in agreements],
        "held_fen": books.owed_fen([user.employer]).get(user.employer.pk, 0),
        "under_way": open_instructions.aggregate(count=Count("pk"), fen=Sum("amount_fen", default=0)),
        "days": list(newest.select_related("agreement")),
        "counts": {
            "disputed": lessons.disputed().filter(reply="").count(),
            "to_answer": refunds.filter(state=RefundState.APPLIED).count(),
            "to_pay": refunds.filter(state=RefundState.APPROVED, contract__agreement__mode=SupervisionMode.RESERVE).count(),
            "overdue": refunds.overdue(day).count(),
            "waiting": lessons.waiting().count(),
        },
        "today": day,
    }
    return render(request, "escrow/doors/desk.html", context)
