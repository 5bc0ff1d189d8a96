"""The board of a grade, and what its head decides there."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.homework.actions.register import DayTotal, Refused, day_totals
from qingdan.homework.actions.settling import Overtaken
from qingdan.homework.actions.settling import settle as carry_out
from qingdan.homework.board import Board, days_from, days_to_move, later_first, waiting, with_everything
from qingdan.homework.board import board as board_of
from qingdan.homework.forms.board import SettleForm
from qingdan.homework.models import Homework
from qingdan.places.calendar import SchoolCalendar, monday_of, today
from qingdan.policy.units import grade_name
from qingdan.schools.models import School

_WEEK = datetime.timedelta(days=7)


def _asked_day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _context(request: HttpRequest, school: School, grade: int, day: datetime.date, monday: datetime.date) -> dict[str, Any]:
    """The board and the day that a phone shows of it."""
    found: Board = board_of(school, grade, monday, user_of(request))
    shown = [each.day for each in found.days]
    chosen = day if day in shown else next((each.day for each in found.days if each.is_school_day), shown[0])
    grades = [(each, grade_name(each)) for each in school.grades]
    return {
        "board": found,
        "grade_name": grade_name(grade),
        "grades": grades,
        "chosen": chosen,
        "today": today(),
        "week_before": monday - _WEEK,
        "week_after": monday + _WEEK,
        "is_this_week": monday == monday_of(today()),
        "moves": _moves(found),
    }


def _moves(found: Board) -> dict[int, list[tuple[datetime.date, DayTotal]]]:
    """For each piece that waits the school days to which it may be moved, with what its class has there already; one query for all."""
    if not (found.may_settle and found.held):
        return {}
    classes = {each.item.school_class_id: each.item.school_class for each in found.held}
    days = days_from(next(iter(classes.values())), max(today(), found.monday))
    totals = day_totals(classes.values(), days)
    return {each.item.pk: later_first(each.item, {day: totals[each.item.school_class_id, day] for day in days}) for each in found.held}


@for_roles(Role.TEACHER, Role.SCHOOL_LEADER)
@require_safe
@never_cache
def board(request: HttpRequest, grade: int) -> HttpResponse:
    """A grade's week; everybody of the school reads it, its head and the leaders act."""
    school = get_object_or_404(School.objects.visible_to(user_of(request)).select_related("organisation", "region"))
    if grade not in school.grades:
        raise Http404
    day = _asked_day(request.GET.get("day", ""))
    week = _asked_day(request.GET.get("week", ""))
    if day is None:
        calendar = SchoolCalendar(school.organisation.layer_code)
        day = week if week is not None and week != monday_of(today()) else calendar.next_school_day(today()) or today()
    monday = monday_of(week or day)
    context = _context(request, school, grade, day, monday)
    return render(request, "homework/register/includes/board.html" if is_fragment(request) else "homework/register/board.html", context)


@for_roles(Role.TEACHER, Role.SCHOOL_LEADER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """What a head may do with one piece of homework, and doing it."""
    user = user_of(request)
    item = get_object_or_404(with_everything(Homework.objects.visible_to(user).coordinated_by(user)), pk=pk)
    if request.method != "POST":
        return _panel(request, item)
    form = SettleForm(request.POST)
    if not form.is_valid():
        return _panel(request, item, problems=[str(each) for errors in form.errors.values() for each in errors])
    before = item.on_date
    try:
        item = carry_out(item, by=user, seen=form.cleaned_data["seen"], settlement=form.settlement())
    except Refused as refused:
        return _panel(request, item, objections=[each.as_json() for each in refused.objections])
    except Overtaken as overtaken:
        return _panel(request, overtaken.item, problems=[str(overtaken)])
    except ValidationError as error:
        return _panel(request, item, problems=error.messages)
    done = f"{item.school_class} {item.subject}：{item.settlement}，{item.get_status_display()}。"
    grade = item.school_class.grade
    if is_fragment(request):
        school = item.school_class.school
        context = _context(request, school, grade, before, monday_of(before)) | {"done": done}
        return render(request, "homework/register/includes/board.html", context)
    messages.success(request, done)
    return redirect(f"{reverse('homework:board', args=[grade])}?week={monday_of(before)}&day={before}")


def _panel(
    request: HttpRequest, item: Homework, *, problems: list[str] | None = None, objections: list[dict[str, Any]] | None = None
) -> HttpResponse:
    """One piece of homework with what may be done; in place on the board, or a page of its own."""
    totals = day_totals([item.school_class], [item.on_date], without=[item.pk])
    context = {
        "each": waiting(item, totals[item.school_class_id, item.on_date]),
        "problems": problems or [],
        "refusals": objections or [],
        "move_days": days_to_move(item),
        "today": today(),
        "may_settle": True,
        "grade_name": grade_name(item.school_class.grade),
        "week": monday_of(item.on_date),
    }
    if not is_fragment(request):
        status = 400 if problems and request.method == "POST" else 200
        return render(request, "homework/register/settle.html", context, status=status)
    response = render(request, "homework/register/includes/settle.html", context)
    if request.method == "POST":
        # The form aims at the whole board; a refusal stays where it was asked for.
        response["HX-Retarget"], response["HX-Reswap"] = f"#settle-{item.pk}", "outerHTML"
    return response
