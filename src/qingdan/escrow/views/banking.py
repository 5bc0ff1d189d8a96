"""What banks are told and what they say: instructions, statements, lines."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import errors_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.accounts.models import Organisation
from qingdan.banking import InstructionFault, csvbank, pain001
from qingdan.escrow import tasks_banking
from qingdan.escrow.actions import reconciling
from qingdan.escrow.actions.dispatching import next_try_at
from qingdan.escrow.banks import message_of
from qingdan.escrow.enums import OPEN_INSTRUCTIONS, InstructionPurpose, InstructionState, LineMatch
from qingdan.escrow.forms.banking import SettleForm, StatementForm
from qingdan.escrow.models import BankInstruction, BankLine, BankStatement, CustodyAgreement, PaymentOrder
from qingdan.places.calendar import today
from qingdan.storage.downloads import saved

_PER_PAGE, _EXPORTED_MAX = 25, 1_000
WATCHERS = (*OFFICERS, Role.INSTITUTION)


def _instructions(request: HttpRequest) -> tuple[QuerySet[BankInstruction], dict[str, Any]]:
    found = BankInstruction.objects.visible_to(user_of(request)).select_related("agreement__institution", "contract")
    state, purpose, text = (request.GET.get(name, "").strip() for name in ("state", "purpose", "q"))
    if state in InstructionState.values:
        found = found.filter(state=state)
    elif state != "all":
        state, found = "", found.pending()
    if purpose in InstructionPurpose.values:
        found = found.filter(purpose=purpose)
    if text:
        named = Q(agreement__institution__in=Organisation.objects.matching(text))
        found = found.filter(named | Q(reference__icontains=text) | Q(contract__number__icontains=text))
    context = {"state": state, "purpose": purpose, "q": text, "states": InstructionState.choices, "purposes": InstructionPurpose.choices}
    return found, context


def why_open(instruction: BankInstruction) -> str:
    """What an open instruction waits for, in words; empty for one that is over."""
    if instruction.state not in OPEN_INSTRUCTIONS:
        return instruction.reason
    is_release = instruction.purpose == InstructionPurpose.RELEASE
    if instruction.state == InstructionState.PREPARED and is_release and instruction.agreement.is_release_paused:
        return "主管部门已暂停划拨，恢复后发送"
    at = next_try_at(instruction)
    if at is None:
        return "等下一分钟发送"
    said = instruction.reason or ("银行已受理，等入账" if instruction.state == InstructionState.ACCEPTED else "等银行答复")
    when = timezone.localtime(at)
    then = "马上再问" if at <= timezone.now() else f"下次 {when:%H:%M}" if when.date() == today() else f"下次 {when:%m-%d %H:%M}"
    return f"{said}（第 {instruction.attempts} 次，{then}）"


@for_roles(*WATCHERS)
@require_safe
@never_cache
def instructions(request: HttpRequest) -> HttpResponse:
    """What banks have been told to pay, the open ones first, each with what it waits for."""
    found, context = _instructions(request)
    page = Paginator(found.order_by("-pk"), _PER_PAGE).get_page(request.GET.get("page"))
    context |= {"page": page, "rows": [(each, why_open(each)) for each in page]}
    template = "escrow/banking/includes/instructions.html" if is_fragment(request) else "escrow/banking/instructions.html"
    return render(request, template, context)


@for_roles(*OFFICERS)
@require_POST
def instructions_send(request: HttpRequest) -> HttpResponse:
    """Do not wait for the next minute: what waits is sent, what is open is asked about."""
    tasks_banking.dispatch_now.defer()
    messages.success(request, "已开始发送和查询，稍后刷新看结果。同一笔不会付两次。")
    return redirect("escrow:instructions")


@for_roles(*OFFICERS)
@require_safe
def instructions_export(request: HttpRequest) -> HttpResponse:
    """The listed instructions as a table for the bank, or as pain.001. What is downloaded is not thereby sent."""
    found, _ = _instructions(request)
    try:
        told = [message_of(each) for each in found.order_by("pk")[:_EXPORTED_MAX]]
    except InstructionFault as fault:
        messages.error(request, f"不能导出：{fault}")
        return redirect("escrow:instructions")
    if not told:
        messages.warning(request, "没有可导出的指令；请换一个状态。")
        return redirect("escrow:instructions")
    if request.GET.get("format") == "xml":
        return saved(pain001.write(told, created_at=timezone.now()), f"付款指令{today():%Y%m%d}.xml", "application/xml")
    return saved(csvbank.write_instructions(told), f"付款指令{today():%Y%m%d}.csv", "text/csv; charset=utf-8")


# Statements


@for_roles(*WATCHERS)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def statements(request: HttpRequest) -> HttpResponse:
    """Statements that have come; an officer hands in one that came as a file."""
    user = user_of(request)
    form = StatementForm(request.POST or None, request.FILES or None)
    problems: list[str] = []
    if request.method == "POST":
        if not user.is_officer:
            raise Http404
        problems = errors_of(form)
        if not problems:
            own = CustodyAgreement.objects.visible_to(user).select_related("institution")
            delivery = reconciling.take_in_file(form.cleaned_data["file"].read(), agreements=own, by=user)
            problems = list(delivery.problems)
            if not problems:
                _tell(request, delivery)
                return redirect("escrow:statements")
    found = BankStatement.objects.visible_to(user).select_related("agreement__institution")
    if text := request.GET.get("q", "").strip():
        named = Q(agreement__institution__in=Organisation.objects.matching(text))
        found = found.filter(named | Q(identification__icontains=text))
    counted = found.annotate(lines_count=Count("lines"), open_count=Count("lines", filter=Q(lines__match=LineMatch.UNKNOWN)))
    page = Paginator(counted.order_by("-until_on", "-pk"), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "q": text, "form": form, "problems": problems}
    template = "escrow/banking/includes/statements.html" if is_fragment(request) else "escrow/banking/statements.html"
    return render(request, template, context, status=422 if problems else 200)


def _tell(request: HttpRequest, delivery: reconciling.Delivery) -> None:
    """Say what came of a delivery."""
    for one in delivery.taken:
        for warning in one.warnings:
            messages.warning(request, f"{warning}。")
    known = len(delivery.taken) - delivery.new_count
    if delivery.new_count:
        messages.success(request, f"收下 {delivery.new_count} 份对账单，已逐笔核对。" + (f"另有 {known} 份以前收过。" if known else ""))
    elif known:
        messages.info(request, f"这 {known} 份对账单以前收过，内容相同，没有重复记。")
    else:
        messages.warning(request, "文件里没有对账单。")


@for_roles(*OFFICERS)
@require_POST
def statements_fetch(request: HttpRequest) -> HttpResponse:
    """Ask the banks now."""
    tasks_banking.fetch_statements_now.defer()
    messages.success(request, "已开始向银行取对账单，稍后刷新看结果。")
    return redirect("escrow:statements")


@for_roles(*WATCHERS)
@require_safe
@never_cache
def bank_statement(request: HttpRequest, pk: int) -> HttpResponse:
    """One statement, line by line."""
    found = BankStatement.objects.visible_to(user_of(request)).select_related("agreement__institution", "received_by")
    statement = get_object_or_404(found, pk=pk)
    rows = statement.lines.select_related("order__contract", "instruction").order_by("booked_on", "pk")
    context = {"statement": statement, "page": Paginator(rows, _PER_PAGE).get_page(request.GET.get("page"))}
    template = "escrow/banking/includes/statement_lines.html" if is_fragment(request) else "escrow/banking/statement.html"
    return render(request, template, context)


# Lines


@for_roles(*WATCHERS)
@require_safe
@never_cache
def lines(request: HttpRequest) -> HttpResponse:
    """Lines that nobody can explain yet; or those of another result."""
    found = BankLine.objects.visible_to(user_of(request)).select_related("agreement__institution", "statement")
    match, text = (request.GET.get(name, "").strip() for name in ("match", "q"))
    if match in LineMatch.values:
        found = found.filter(match=match)
    elif match != "all":
        match, found = "", found.open()
    if text:
        named = Q(agreement__institution__in=Organisation.objects.matching(text))
        found = found.filter(
            named | Q(bank_reference__icontains=text) | Q(reference__icontains=text) | Q(counterparty_name__icontains=text)
        )
    page = Paginator(found.order_by("-booked_on", "-pk"), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "match": match, "q": text, "matches": LineMatch.choices}
    return render(request, "escrow/banking/includes/lines.html" if is_fragment(request) else "escrow/banking/lines.html", context)


@for_roles(*WATCHERS)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def line(request: HttpRequest, pk: int) -> HttpResponse:
    """One line, with what it was held against; an officer clears it up."""
    user = user_of(request)
    found = BankLine.objects.visible_to(user).select_related("agreement__institution", "statement", "order__contract", "instruction")
    one = get_object_or_404(found.select_related("settled_by"), pk=pk)
    orders = PaymentOrder.objects.filter(contract__agreement__account_number=one.agreement.account_number).select_related("contract")
    form = SettleForm(request.POST or None, orders=orders)
    problems: list[str] = []
    if request.method == "POST":
        if not user.is_officer:
            raise Http404
        problems = errors_of(form)
        if not problems:
            try:
                kind = form.cleaned_data["kind"]
                reconciling.settle(
                    one, note=form.cleaned_data["note"], by=user, order=form.cleaned_data["found"], is_reserve=kind == "reserve"
                )
            except ValidationError as error:
                problems = error.messages
            else:
                messages.success(request, "已记下查明的情况。")
                return redirect("escrow:lines")
    fitting = orders.filter(state="waiting", amount_fen=one.amount_fen, contract__state="signed").order_by("-pk")[:5]
    context = {
        "line": one, "form": form, "problems": problems, "posted": request.POST,
        "fitting": list(fitting) if one.match == LineMatch.UNKNOWN and user.is_officer else [],
    }  # fmt: skip
    return render(request, "escrow/banking/line.html", context, status=422 if problems else 200)
