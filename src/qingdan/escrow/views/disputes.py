"""Lessons about which the two sides differ: the institution explains or takes back, an officer settles."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import attempt, attempt_with
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.accounts.models import Organisation
from qingdan.escrow.actions import lessons as acts
from qingdan.escrow.enums import LessonState
from qingdan.escrow.forms.lessons import SettleForm, TextForm
from qingdan.escrow.models import Lesson

_PER_PAGE = 20


@for_roles(Role.INSTITUTION, *OFFICERS)
@require_safe
@never_cache
def lessons_disputed(request: HttpRequest) -> HttpResponse:
    """Open disputes, the oldest first; or those that have been settled."""
    user = user_of(request)
    shown = Lesson.objects.visible_to(user).select_related("contract__institution", "settled_by")
    is_settled = request.GET.get("state") == "settled"
    shown = shown.filter(settled_at__isnull=False) if is_settled else shown.disputed()
    if text := request.GET.get("q", "").strip():
        named = Q(contract__institution__in=Organisation.objects.matching(text))
        shown = shown.filter(Q(contract__number__icontains=text) | Q(contract__course_name__icontains=text) | named)
    order = ("-settled_at", "-pk") if is_settled else ("answered_at", "pk")
    page = Paginator(shown.order_by(*order), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "is_settled": is_settled, "q": text}
    return render(request, "escrow/lessons/includes/disputed.html" if is_fragment(request) else "escrow/lessons/disputed.html", context)


@for_roles(Role.INSTITUTION)
@require_POST
def lesson_reply(request: HttpRequest, pk: int) -> HttpResponse:
    """The institution explains."""
    lesson = get_object_or_404(Lesson.objects.visible_to(user_of(request)), pk=pk)
    form = TextForm(request.POST)
    attempt_with(
        request, form, lambda: acts.reply(lesson, by=user_of(request), text=form.cleaned_data["text"]), "已说明，家长和主管部门都能看到。"
    )
    return redirect("escrow:lessons_disputed")


@for_roles(Role.INSTITUTION)
@require_POST
def lesson_strike(request: HttpRequest, pk: int) -> HttpResponse:
    """The institution takes back what it recorded by mistake."""
    lesson = get_object_or_404(Lesson.objects.visible_to(user_of(request)), pk=pk)
    attempt(request, lambda: acts.strike(lesson, by=user_of(request)), "已撤销登记，这次课不扣课时。需要的话可以重新登记。")
    if lesson.state == LessonState.DISPUTED:
        return redirect("escrow:lessons_disputed")
    return redirect("escrow:lessons_of", lesson.contract_id)


@for_roles(*OFFICERS)
@require_POST
def lesson_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """An officer decides."""
    lesson = get_object_or_404(Lesson.objects.visible_to(user_of(request)), pk=pk)
    form = SettleForm(request.POST)

    def act() -> None:
        given = form.cleaned_data
        acts.settle(lesson, by=user_of(request), is_upheld=given["verdict"] == "upheld", reason=given["reason"])

    attempt_with(request, form, act, "已核定，双方都会收到通知。")
    return redirect("escrow:lessons_disputed")
