"""The teacher's start, one piece of homework, and taking it back."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.homework.actions.register import Refused, change, day_totals
from qingdan.homework.actions.register import withdraw as take_back
from qingdan.homework.board import with_everything
from qingdan.homework.enums import HomeworkStatus
from qingdan.homework.history import history
from qingdan.homework.meters import Meter
from qingdan.homework.models import Homework, Marking
from qingdan.homework.views.entry import assignments_of, days_offered, default_day, leaders_of
from qingdan.places.calendar import today as this_day
from qingdan.policy.units import grade_name
from qingdan.schools.models import GradeLead, SchoolClass, TeachingAssignment

_OPEN = (HomeworkStatus.HELD, HomeworkStatus.RETURNED)


@dataclass(frozen=True)
class ClassDay:
    """A class of the teacher on a day, with what he gives there."""

    school_class: SchoolClass
    subjects: str
    meter: Meter
    items: list[Homework]


@dataclass(frozen=True)
class GradeLine:
    """A grade as its head or the school's leader sees it first."""

    grade: int
    classes: int
    held: int
    #: The fullest class of the next school day.
    fullest: Meter | None
    over: int

    @property
    def name(self) -> str:
        """``三年级``."""
        return grade_name(self.grade)


@for_roles(Role.TEACHER, Role.SCHOOL_LEADER)
@require_safe
@never_cache
def today(request: HttpRequest) -> HttpResponse:
    """What a teacher's classes have these days; what waits in the grades one leads."""
    user = user_of(request)
    days = days_offered(user)
    day = default_day(days)
    assignments = assignments_of(user, day) if user.is_teacher else []
    context: dict[str, Any] = {"today": this_day(), "next_day": day, "grades": _grades(user, day)}
    if user.is_teacher:
        given = Homework.objects.filter(teacher=user, on_date__gte=this_day()).exclude(status=HomeworkStatus.WITHDRAWN)
        mine = list(given.select_related("school_class", "subject"))
        context |= {
            "days": _class_days(assignments, days, mine),
            "open_items": [each for each in mine if each.status in _OPEN],
            "just_saved": _just_saved(user, request.GET.get("batch", "")),
            "board_grades": [(each, grade_name(each)) for each in sorted({each.school_class.grade for each in assignments})],
            "leaders": [] if assignments else leaders_of(user),
            "has_classes": bool(assignments),
            "has_earlier": bool(assignments) and Homework.objects.filter(teacher=user, on_date__lt=day).exists(),
        }
    return render(request, "homework/register/today.html", context)


def _class_days(
    assignments: list[TeachingAssignment], days: list[datetime.date], mine: list[Homework]
) -> list[tuple[datetime.date, list[ClassDay], int]]:
    """Day by day each class with its total and the teacher's own pieces, and how many of these the day has."""
    classes = {each.school_class_id: each.school_class for each in assignments}
    subjects = {key: "、".join(each.subject.name for each in assignments if each.school_class_id == key) for key in classes}
    totals = day_totals(classes.values(), days)
    found = []
    for day in days:
        rows = [
            ClassDay(
                each,
                subjects[key],
                Meter(totals[key, day]),
                [item for item in mine if item.school_class_id == key and item.on_date == day],
            )
            for key, each in classes.items()
        ]
        found.append((day, rows, sum(len(row.items) for row in rows)))
    return found


def _just_saved(user: User, batch: str) -> list[Homework]:
    """What was saved a moment ago, so that it can be taken back at once."""
    try:
        key = uuid.UUID(batch)
    except ValueError:
        return []
    saved = Homework.objects.filter(teacher=user, batch=key).exclude(status=HomeworkStatus.WITHDRAWN)
    return list(saved.select_related("school_class", "subject"))


def _grades(user: User, day: datetime.date) -> list[GradeLine]:
    """The grades a user settles for: a leader's all, a head's own."""
    current = SchoolClass.objects.current(day).filter(school_id=user.organisation_id)
    if not user.is_school_leader:
        led = GradeLead.objects.filter(
            user=user, school_id=user.organisation_id, school_year__starts_on__lte=day, school_year__ends_on__gte=day
        )
        current = current.filter(grade__in=led.order_by().values("grade"))
    classes = list(current.select_related("school__organisation"))
    if not classes:
        return []
    waiting = Homework.objects.coordinated_by(user).held().filter(on_date__gte=this_day()).order_by()
    held = dict(waiting.values_list("school_class__grade").annotate(count=Count("pk")))
    totals = day_totals(classes, [day])
    lines = []
    for grade in sorted({each.grade for each in classes}):
        meters = [Meter(totals[each.pk, day]) for each in classes if each.grade == grade]
        fullest = max(meters, key=lambda each: each.minutes)
        over = sum(1 for each in meters if each.minutes_over)
        lines.append(GradeLine(grade, len(meters), held.get(grade, 0), fullest if fullest.minutes else None, over))
    return lines


@require_safe
def item(request: HttpRequest, pk: int) -> HttpResponse:
    """All of one piece of homework; parents see neither who gave it nor what became of it."""
    user = user_of(request)
    found = get_object_or_404(with_everything(Homework.objects.visible_to(user)).select_related("design"), pk=pk)
    is_staff = not user.is_parent
    totals = day_totals([found.school_class], [found.on_date])
    context = {
        "item": found,
        "is_staff": is_staff,
        "meter": Meter(totals[found.school_class_id, found.on_date]),
        "history": history(found) if is_staff else [],
        "marking": Marking.objects.filter(homework=found).first(),
        "is_own": found.teacher_id == user.pk,
        "is_past": found.on_date < this_day(),
        "may_edit": user.is_teacher and Homework.objects.editable_by(user).filter(pk=pk).exists(),
        "may_settle": Homework.objects.coordinated_by(user).filter(pk=pk).exists() if user.is_of_school else False,
    }
    return render(request, "homework/register/item.html", context)


@for_roles(Role.TEACHER)
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back one's own homework, or, with ``all``, everything saved with it; with ``undo`` give it out again."""
    user = user_of(request)
    mine = with_everything(Homework.objects.filter(teacher=user))
    found = get_object_or_404(mine, pk=pk)
    if "undo" in request.POST:
        return _give_again(request, found, user)
    items = list(mine.filter(batch=found.batch)) if "all" in request.POST else [found]
    items = [each for each in items if each.status != HomeworkStatus.WITHDRAWN]
    for each in items:
        take_back(each, by=user)
    if items:
        names = "、".join(dict.fromkeys(each.school_class.name for each in items))
        messages.success(request, f"已撤回{names}的{found.subject.name}作业，学生和家长不再看到。点“重新布置”可以恢复。")
    else:
        messages.info(request, "这项作业先前已经撤回。")
    return redirect("homework:item", pk)


def _give_again(request: HttpRequest, found: Homework, user: User) -> HttpResponse:
    """Undo a withdrawal: the law is asked again, since the day may have filled up in the meantime."""
    if found.status != HomeworkStatus.WITHDRAWN:
        messages.info(request, "这项作业没有撤回，不必恢复。")
        return redirect("homework:item", found.pk)
    items = with_everything(Homework.objects.filter(teacher=user, batch=found.batch, status=HomeworkStatus.WITHDRAWN))
    for each in items if "all" in request.POST else [found]:
        try:
            change(each, by=user)
        except Refused as refused:
            first = refused.objections[0]
            messages.error(
                request, f"不能重新布置：{first.sentence}（{first.cites[0][1] if first.cites else first.title}）。{first.remedy}"
            )
        except ValidationError as error:
            messages.error(request, "；".join(error.messages))
        else:
            messages.success(request, f"已重新布置给{each.school_class}。")
    return redirect(reverse("homework:item", args=[found.pk]))
