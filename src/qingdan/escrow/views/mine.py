"""Pages of the family: what was paid, used and is left; lessons to confirm; and the statement of a contract for whoever may see it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import attempt, attempt_with
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.escrow import statement
from qingdan.escrow.actions import lessons as acts
from qingdan.escrow.enums import SIGNED_STATES, LessonState
from qingdan.escrow.forms.lessons import TextForm
from qingdan.escrow.models import Contract, Lesson, Refund
from qingdan.escrow.standing import Standing, standings
from qingdan.places.calendar import today

_PER_PAGE = 20
_WAITING_PER_PAGE = 50
_PARTIES = (Role.PARENT, Role.INSTITUTION, *OFFICERS)


@dataclass(frozen=True)
class Card:
    """One contract on the family's page."""

    contract: Contract
    standing: Standing
    #: What is next to be released: the oldest lesson that waits for an answer.
    next_lesson: Lesson | None
    refund: Refund | None

    @property
    def next_fen(self) -> int:
        """What the next lesson is worth."""
        return self.standing.release_fen(self.next_lesson.lessons) if self.next_lesson else 0

    @property
    def given_percent(self) -> int:
        """How much of the contract has been given."""
        return 100 * self.standing.given // self.contract.lessons


@for_roles(Role.PARENT)
@require_safe
@never_cache
def mine(request: HttpRequest) -> HttpResponse:
    """Per contract: what I paid, what was used, what remains, where it lies, what comes next."""
    user = user_of(request)
    found = Contract.objects.visible_to(user).filter(state__in=SIGNED_STATES).select_related("institution", "agreement")
    page = Paginator(found.order_by("ended_on", "-pk"), _PER_PAGE).get_page(request.GET.get("page"))
    contracts = list(page.object_list)
    standing = standings(contracts)
    waiting: dict[int, Lesson] = {}
    for lesson in Lesson.objects.waiting().filter(contract__in=contracts).order_by("on_date", "starts_at", "pk"):
        waiting.setdefault(lesson.contract_id, lesson)
    refunds: dict[int, Refund] = {}
    for refund in Refund.objects.filter(contract__in=contracts).order_by("-pk"):
        refunds.setdefault(refund.contract_id, refund)
    cards = [Card(each, standing[each.pk], waiting.get(each.pk), refunds.get(each.pk)) for each in contracts]
    offered = Contract.objects.visible_to(user).filter(state="offered").count()
    count = Lesson.objects.visible_to(user).waiting().count()
    return render(request, "escrow/lessons/mine.html", {"cards": cards, "page": page, "waiting_count": count, "offered_count": offered})


@for_roles(Role.PARENT)
@require_safe
@never_cache
def lessons_waiting(request: HttpRequest) -> HttpResponse:
    """All lessons that wait for the family's word, on one page."""
    found = Lesson.objects.visible_to(user_of(request)).waiting().select_related("contract__institution")
    ordered = found.order_by("contract__learner_name", "contract", "on_date", "starts_at", "pk")
    page = Paginator(ordered, _WAITING_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "count": page.paginator.count}
    return render(request, "escrow/lessons/waiting.html", context)


@for_roles(Role.PARENT)
@require_POST
def lessons_confirm(request: HttpRequest) -> HttpResponse:
    """Confirm the lessons that were shown, or one of them."""
    numbers = [int(each) for each in request.POST.getlist("lesson") if each.isdecimal() and len(each) < 19]
    found = Lesson.objects.visible_to(user_of(request)).filter(pk__in=numbers)
    try:
        count = acts.confirm(found, by=user_of(request))
    except ValidationError as error:
        messages.error(request, f"{error.messages[0]}。没有划拨，请联系主管部门查明。")
    else:
        said = f"已确认 {count} 次课。" if count else "这些课已经答复过，没有新的要确认。"
        messages.success(request, said)
    return redirect("escrow:lessons_waiting")


@for_roles(Role.PARENT)
@require_POST
def lesson_dispute(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a lesson was not given so."""
    lesson = get_object_or_404(Lesson.objects.visible_to(user_of(request)), pk=pk)
    form = TextForm(request.POST)
    attempt_with(
        request,
        form,
        lambda: acts.dispute(lesson, by=user_of(request), reason=form.cleaned_data["text"]),
        "已提出异议，这次课先不扣款。机构会说明情况，谈不拢由主管部门核定。",
    )
    return redirect("escrow:lessons_waiting")


@for_roles(Role.PARENT)
@require_POST
def lesson_retract(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw an objection: the lesson was given after all."""
    lesson = get_object_or_404(Lesson.objects.visible_to(user_of(request)), pk=pk)
    attempt(request, lambda: acts.retract(lesson, by=user_of(request)), "已撤回异议，这次课按已上计。")
    return redirect("escrow:lessons_of", lesson.contract_id)


@for_roles(*_PARTIES)
@require_safe
@never_cache
def lessons_of(request: HttpRequest, pk: int) -> HttpResponse:
    """All lessons recorded under a contract, with what each side said."""
    contract = get_object_or_404(Contract.objects.visible_to(user_of(request)).select_related("institution", "agreement"), pk=pk)
    found = contract.attendances.all()
    if (state := request.GET.get("state", "")) in LessonState.values:
        found = found.filter(state=state)
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    context = {"contract": contract, "page": page, "standing": standings([contract])[pk], "states": LessonState.choices, "asked": state}
    return render(request, "escrow/lessons/includes/of.html" if is_fragment(request) else "escrow/lessons/of.html", context)


@for_roles(*_PARTIES)
@require_safe
@never_cache
def contract_statement(request: HttpRequest, pk: int) -> HttpResponse:
    """The contract's lines in the book with the running balance; to be printed or taken along as a workbook."""
    contract = get_object_or_404(Contract.objects.visible_to(user_of(request)).select_related("institution", "agreement"), pk=pk)
    lines = statement.lines_of(contract)
    if request.GET.get("format") == "xlsx":
        return statement.download(contract, lines)
    context = {"contract": contract, "lines": lines, "standing": standings([contract])[pk], "today": today()}
    return render(request, "escrow/lessons/statement.html", context)
