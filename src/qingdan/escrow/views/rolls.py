"""Pages of the institution: which sessions have been recorded, and who was there."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import errors_of
from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.escrow.actions.lessons import Taught, record
from qingdan.escrow.enums import LessonState
from qingdan.escrow.forms.lessons import RollForm, TaughtForm
from qingdan.escrow.models import Contract, Lesson, PlannedSession
from qingdan.escrow.models.contracts import ContractQuerySet
from qingdan.escrow.standing import Standing, standings
from qingdan.places.calendar import today

#: Sessions so many days old are listed; older ones are entered by hand.
_DAYS_BACK = 30
_PER_PAGE = 30


@dataclass(frozen=True)
class Learner:
    """One line of a roll."""

    contract: Contract
    standing: Standing
    #: What was recorded of this session before.
    known: Lesson | None

    @property
    def can_be_ticked(self) -> bool:
        """Whether a lesson can be recorded."""
        return self.known is None and self.standing.free > 0


def _live(user: User) -> ContractQuerySet:
    return Contract.objects.visible_to(user).live()


def _under_contract(user: User) -> Q:
    """Sessions since the first contract of their course was signed: nobody can be charged for earlier ones."""
    since = _live(user).order_by().values_list("course_number").annotate(Min("signed_on"))
    return reduce(or_, (Q(course_number=course, on_date__gte=first) for course, first in since), Q(pk__in=[]))


@for_roles(Role.INSTITUTION)
@require_safe
def rolls(request: HttpRequest) -> HttpResponse:
    """The sessions of today and the last days: which have been recorded and which have not."""
    user, day = user_of(request), today()
    first = day - datetime.timedelta(days=_DAYS_BACK)
    courses = dict(_live(user).order_by("course_name").values_list("course_number", "course_name"))
    found = PlannedSession.objects.filter(_under_contract(user), institution=user.employer, on_date__range=(first, day))
    asked = request.GET.get("course", "")
    if asked.isdecimal() and int(asked) in courses:
        found = found.filter(course_number=int(asked))
    recorded = Lesson.objects.visible_to(user).exclude(state=LessonState.VOID).filter(on_date__range=(first, day))
    told = dict(recorded.exclude(session_number=None).order_by().values_list("session_number").annotate(Count("pk")))
    if request.GET.get("only") == "open":
        found = found.exclude(number__in=list(told))
    page = Paginator(found.order_by("-on_date", "-starts_at", "-number"), _PER_PAGE).get_page(request.GET.get("page"))
    sizes = dict(_live(user).order_by().values_list("course_number").annotate(Count("pk")))
    context = {
        "page": page,
        "told": told,
        "sizes": sizes,
        "courses": courses,
        "asked": asked,
        "only": request.GET.get("only", ""),
        "today": day,
    }
    template = "escrow/lessons/includes/rolls.html" if is_fragment(request) else "escrow/lessons/rolls.html"
    return render(request, template, context | {"days_back": _DAYS_BACK})


@for_roles(Role.INSTITUTION)
@require_http_methods(["GET", "HEAD", "POST"])
def roll(request: HttpRequest, number: int) -> HttpResponse:
    """One session of the timetable: tick who was there."""
    found = PlannedSession.objects.filter(institution=user_of(request).employer, on_date__lte=today())
    session = get_object_or_404(found, number=number)
    taught = Taught(session.course_number, session.on_date, session.starts_at, session.ends_at, session.number)
    return _roll(request, taught, title=session.course)


@for_roles(Role.INSTITUTION)
@require_http_methods(["GET", "HEAD", "POST"])
def roll_new(request: HttpRequest) -> HttpResponse:
    """A session that stands in no timetable: course and time first, then who was there."""
    courses = dict(_live(user_of(request)).order_by("course_name").values_list("course_number", "course_name"))
    asked = request.GET if "course" in request.GET else None
    form = TaughtForm(asked, courses=list(courses.items()), initial={"on_date": today()})
    if form.is_valid() and form.cleaned_data["on_date"] > today():
        form.add_error("on_date", "这一天还没有到，上完课再登记")
    if not form.is_valid():
        return render(request, "escrow/lessons/roll_new.html", {"form": form, "courses": courses})
    taught = form.taught()
    return _roll(request, taught, title=courses[taught.course_number])


def _roll(request: HttpRequest, taught: Taught, *, title: str) -> HttpResponse:
    user = user_of(request)
    contracts = _live(user).filter(course_number=taught.course_number).order_by("learner_name", "pk")
    chosen: set[int] = set()
    problems: list[str] = []
    form = RollForm(request.POST or None, contracts=contracts)
    if request.method == "POST":
        # What has been ticked stays ticked when something is refused.
        chosen = {int(each) for each in request.POST.getlist("contracts") if each.isdecimal() and len(each) < 19}
        problems = errors_of(form)
        if not problems:
            try:
                done = record(form.cleaned_data["contracts"], taught=taught, lessons=form.cleaned_data["lessons"], by=user)
            except ValidationError as error:
                problems = error.messages
            else:
                known = f"，{done.known_count} 人以前登记过，没有重复登记" if done.known_count else ""
                messages.success(request, f"已登记 {len(done.new)} 人{known}。家长确认后课时费才会划拨。")
                return redirect("escrow:rolls")
    context = _context(taught, contracts, user) | {"taught": taught, "title": title, "problems": problems, "chosen": chosen}
    return render(
        request, "escrow/lessons/roll.html", context | {"asked": request.POST.get("lessons", "")}, status=422 if problems else 200
    )


def _context(taught: Taught, contracts: ContractQuerySet, user: User) -> dict[str, Any]:
    found = list(contracts.filter(Q(signed_on=None) | Q(signed_on__lte=taught.on_date)))
    standing = standings(found)
    lessons = Lesson.objects.visible_to(user).filter(contract__in=found, on_date=taught.on_date, starts_at=taught.starts_at)
    known = {each.contract_id: each for each in lessons.exclude(state=LessonState.VOID)}
    learners = [Learner(each, standing[each.pk], known.get(each.pk)) for each in found]
    most = taught.minutes // found[0].lesson_minutes if found else 0
    return {"learners": learners, "most": most, "can_record": any(each.can_be_ticked for each in learners)}
