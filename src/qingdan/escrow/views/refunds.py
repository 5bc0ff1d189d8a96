"""Refunds: applying with the computation before one's eyes, answering, deciding, paying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import errors_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.accounts.models import Organisation, User
from qingdan.escrow.actions import refunds as acts
from qingdan.escrow.actions import reserve
from qingdan.escrow.actions.instructing import prepare_refund
from qingdan.escrow.enums import OPEN_REFUNDS, RefundState, SupervisionMode
from qingdan.escrow.forms.refunds import AccountForm, AnswerForm, ApplyForm, DecideForm, ToldForm
from qingdan.escrow.models import Contract, Refund
from qingdan.escrow.standing import ASKED, standing_of
from qingdan.places.calendar import today

_PER_PAGE = 20
_PARTIES = (Role.PARENT, Role.INSTITUTION, *OFFICERS)


@for_roles(*_PARTIES)
@require_safe
@never_cache
def refunds(request: HttpRequest) -> HttpResponse:
    """Refunds that somebody has to act on, overdue ones first; or all of a state."""
    found = Refund.objects.visible_to(user_of(request)).select_related("contract__institution", "contract__agreement")
    state = request.GET.get("state", "")
    if state in RefundState.values:
        found = found.filter(state=state)
    elif state == "overdue":
        found = found.overdue(today())
    elif state != "all":
        state, found = "", found.open()
    if text := request.GET.get("q", "").strip():
        named = Q(contract__institution__in=Organisation.objects.matching(text))
        found = found.filter(Q(contract__number__icontains=text) | Q(contract__course_name__icontains=text) | named)
    order = ("due_on", "pk") if state in ("", "overdue", *OPEN_REFUNDS) else ("-pk",)
    page = Paginator(found.order_by(*order), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "state": state, "states": RefundState.choices, "q": text, "today": today(), "open_states": OPEN_REFUNDS}
    return render(request, "escrow/refunds/includes/list.html" if is_fragment(request) else "escrow/refunds/list.html", context)


@for_roles(Role.PARENT)
@require_http_methods(["GET", "HEAD", "POST"])
def refund_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """How much comes back, step by step, before anything is asked; then ask."""
    contract = get_object_or_404(Contract.objects.visible_to(user_of(request)).select_related("institution", "agreement"), pk=pk)
    if (open_refund := contract.refunds.open().first()) is not None and request.method != "POST":
        return redirect("escrow:refund", open_refund.pk)
    standing = standing_of(contract)
    asked = request.GET.get("lessons", "")
    lessons = int(asked) if asked.isdecimal() and len(asked) < 5 else standing.free
    lessons = max(1, min(lessons, standing.free))
    form = ApplyForm(request.POST or None, free=standing.free, initial={"lessons": lessons})
    problems: list[str] = []
    if request.method == "POST":
        problems = errors_of(form)
        if not problems:
            try:
                refund = acts.apply(contract, by=user_of(request), **form.cleaned_data)
            except ValidationError as error:
                problems = error.messages
            else:
                messages.success(request, "已提交退费申请，机构会收到通知。进度在这一页看。")
                return redirect("escrow:refund", refund.pk)
    computed = acts.compute(standing, lessons) if standing.free > 0 else None
    context = {"contract": contract, "standing": standing, "computed": computed, "form": form, "problems": problems, "lessons": lessons}
    template = "escrow/refunds/includes/steps.html" if is_fragment(request) else "escrow/refunds/apply.html"
    return render(request, template, context, status=422 if problems else 200)


@for_roles(*_PARTIES)
@require_safe
@never_cache
def refund(request: HttpRequest, pk: int) -> HttpResponse:
    """One refund: how it was computed, where it stands, and what the reader can do now."""
    return _page(request, _found(request, pk))


def _found(request: HttpRequest, pk: int) -> Refund:
    found = Refund.objects.visible_to(user_of(request))
    return get_object_or_404(found.select_related("contract__institution", "contract__agreement", "instruction"), pk=pk)


def _page(request: HttpRequest, found: Refund, problems: list[str] | None = None) -> HttpResponse:
    standing = standing_of(found.contract)
    most = standing.free + (found.lessons if found.state in ASKED else 0)
    context = {"refund": found, "contract": found.contract, "standing": standing, "most": most, "problems": problems or []}
    context |= {"can": _acts_of(user_of(request), found), "today": today(), "is_overdue": _is_overdue(found), "posted": request.POST}
    return render(request, "escrow/refunds/refund.html", context, status=422 if problems else 200)


def _is_overdue(found: Refund) -> bool:
    return found.state in OPEN_REFUNDS and found.due_on < today()


def _acts_of(user: User, found: Refund) -> set[str]:
    """What a reader can do with a refund now."""
    agreement = found.contract.agreement
    is_reserve = agreement is not None and agreement.mode == SupervisionMode.RESERVE
    is_told = found.state == RefundState.INSTRUCTED and found.instruction_id is None
    offered = {
        "withdraw": user.is_parent and found.state in ASKED,
        "receive": user.is_parent and is_told,
        "answer": user.role == Role.INSTITUTION and found.state == RefundState.APPLIED,
        "tell": user.role == Role.INSTITUTION and is_reserve and found.state == RefundState.APPROVED,
        "decide": user.is_officer and found.state in ASKED,
        "pay": user.is_officer and not is_reserve and found.state == RefundState.APPROVED,
        "draw": user.is_officer and is_reserve and found.state == RefundState.APPROVED,
    }
    return {name for name, can in offered.items() if can}


def _do(request: HttpRequest, found: Refund, form: Form | None, act: Callable[[dict[str, Any]], object], done: str) -> HttpResponse:
    """Check, act and go back to the refund's page; what is refused is said there, with what was typed."""
    problems = errors_of(form) if form is not None else []
    if not problems:
        try:
            act(form.cleaned_data if form is not None else {})
        except ValidationError as error:
            problems = error.messages
    if problems:
        found.refresh_from_db()
        return _page(request, found, problems)
    messages.success(request, done)
    return redirect("escrow:refund", found.pk)


@for_roles(Role.PARENT)
@require_POST
def refund_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The family takes its application back."""
    found = _found(request, pk)
    return _do(request, found, None, lambda _: acts.withdraw(found, by=user_of(request)), "已撤回退费申请，可以继续上课。")


@for_roles(Role.INSTITUTION)
@require_POST
def refund_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The institution agrees or contests."""
    found = _found(request, pk)

    def act(data: dict[str, Any]) -> None:
        acts.answer(found, agrees=data["verdict"] == "agree", text=data["text"], by=user_of(request))

    return _do(request, found, AnswerForm(request.POST), act, "已答复，家长会收到通知。")


@for_roles(*OFFICERS)
@require_POST
def refund_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """An officer decides."""
    found = _found(request, pk)

    def act(data: dict[str, Any]) -> None:
        acts.decide(found, is_approved=data["verdict"] == "approve", lessons=data["lessons"], reason=data["reason"], by=user_of(request))

    return _do(request, found, DecideForm(request.POST), act, "已核定，双方都会收到通知。")


@for_roles(Role.INSTITUTION)
@require_POST
def refund_tell(request: HttpRequest, pk: int) -> HttpResponse:
    """The institution says that it has paid."""
    found = _found(request, pk)

    def act(data: dict[str, Any]) -> None:
        reserve.tell_paid(found, on=data["on"], reference=data["reference"], by=user_of(request))

    return _do(request, found, ToldForm(request.POST), act, "已登记，等家长确认收到。")


@for_roles(Role.PARENT)
@require_POST
def refund_receive(request: HttpRequest, pk: int) -> HttpResponse:
    """The family says whether the money has come."""
    found, user = _found(request, pk), user_of(request)
    if request.POST.get("arrived") == "yes":
        return _do(request, found, None, lambda _: reserve.received(found, by=user), "已确认收到，这笔退费办完了。")
    return _do(request, found, None, lambda _: reserve.not_received(found, by=user), "已告诉机构没有收到；再不退，主管部门可以动用储备金。")


@for_roles(*OFFICERS)
@require_POST
def refund_pay(request: HttpRequest, pk: int) -> HttpResponse:
    """An officer says to which account the bank is to pay, when it could not pay by the way the money came."""
    found = _found(request, pk)
    return _do(
        request, found, AccountForm(request.POST), lambda data: prepare_refund(found, by=user_of(request), **data), "已重新生成退款指令。"
    )


@for_roles(*OFFICERS)
@require_POST
def refund_draw(request: HttpRequest, pk: int) -> HttpResponse:
    """An officer lets the bank pay out of the reserve."""
    found = _found(request, pk)
    form = AccountForm(request.POST) if request.POST.get("to_account") else None
    return _do(request, found, form, lambda data: reserve.draw_on_reserve(found, by=user_of(request), **data), "已生成动用储备金的指令。")
