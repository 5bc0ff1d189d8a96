"""The timetable to look at: an institution's month and week, what stands in breach, and what inspectors find today."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, F, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.institutions.actions.timetable import Reason
from qingdan.institutions.enums import TrainingCategory, Weekday
from qingdan.institutions.models import Course, Institution, Room, Session, Staff, WeeklyPlan
from qingdan.institutions.timetables import exporting
from qingdan.institutions.timetables.expanding import day_note, month_bounds
from qingdan.judging.law import current_law
from qingdan.places.calendar import SchoolCalendar, monday_of, today
from qingdan.storage.downloads import saved

_ROWS_PER_PAGE = 50
_WEEK = [datetime.timedelta(days=number) for number in range(7)]
#: Where the undo of the last act is kept between two requests.
UNDO = "timetable_undo"


@dataclass
class Day:
    """A day of a page, with what is taught then."""

    date: datetime.date
    note: str = ""
    is_of_month: bool = True
    sessions: list[Session] = field(default_factory=list)

    @property
    def is_today(self) -> bool:
        """Whether it is today."""
        return self.date == today()

    @property
    def is_off(self) -> bool:
        """Whether academic courses may well not be taught then."""
        return bool(self.note) and self.note != "调休上班"


def asked_day(text: str | None, kept: datetime.date | None = None) -> datetime.date:
    """A day or month from the address; whatever it cannot be is today."""
    text = text or ""
    try:
        day = datetime.date.fromisoformat(f"{text}-01" if len(text) == len("2026-11") else text)
    except ValueError:
        return kept or today()
    return day if 2000 <= day.year < 2100 else today()


def own_institution(request: HttpRequest) -> Institution:
    """The institution for which somebody acts; 404 where nobody has entered it yet."""
    found = Institution.objects.visible_to(user_of(request)).select_related("organisation", "region")
    return get_object_or_404(found, pk=user_of(request).organisation_id)


def breaches_of(institution: Institution) -> dict[int, list[Reason]]:
    """Session -> what the law says against it now, in one judging."""
    law = current_law()
    judged = law.judge_touched("training_session", organisation_id=institution.pk)
    return {each.row_id: [Reason.of(finding, law) for finding in each.breaches] for each in judged if each.breaches}


def _shown(request: HttpRequest, institution: Institution) -> Any:
    """An institution's sessions as the filter of the page wants them."""
    found = Session.objects.filter(institution=institution).with_names()
    for name in ("course", "room", "teacher"):
        if (value := request.GET.get(name, "")).isdecimal() and len(value) < 10:
            found = found.filter(**{f"{name}_id": int(value)})
    return found


def _filters(request: HttpRequest, institution: Institution) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """Name, label, choices and present choice of each filter."""
    offered = {
        "course": ("课程", [(each.pk, each.name) for each in Course.objects.filter(institution=institution)]),
        "room": ("教室", [(each.pk, each.name) for each in Room.objects.filter(premises__institution=institution)]),
        "teacher": ("教师", [(each.pk, each.name) for each in Staff.objects.filter(institution=institution, role="teaching")]),
    }
    return [
        (name, label, [(str(pk), text) for pk, text in choices], request.GET.get(name, "")) for name, (label, choices) in offered.items()
    ]


def _month(sessions: Any, month: datetime.date, calendar: SchoolCalendar) -> list[list[Day]]:
    """The weeks of a month, Monday first, with whole first and last weeks."""
    first, last = month_bounds(month)
    taught: dict[datetime.date, list[Session]] = defaultdict(list)
    start, end = monday_of(first), monday_of(last) + _WEEK[-1]
    for each in sessions.filter(on_date__range=(start, end)):
        taught[each.on_date].append(each)
    weeks = []
    while start <= last:
        days = [start + step for step in _WEEK]
        weeks.append([Day(day, day_note(day, calendar), first <= day <= last, taught[day]) for day in days])
        start += datetime.timedelta(weeks=1)
    return weeks


def _week(sessions: Any, monday: datetime.date, by: str, calendar: SchoolCalendar) -> tuple[list[Day], list[tuple[str, list[Day]]]]:
    """The days of a week, and for each room (or teacher) what is taught there (or by whom)."""
    days = [Day(monday + step, day_note(monday + step, calendar)) for step in _WEEK]
    rows: dict[str, list[Day]] = {}
    for each in sessions.filter(on_date__range=(monday, monday + _WEEK[-1])):
        name = each.teacher.name if by == "teacher" else (f"{each.room.premises.name} · {each.room.name}" if each.room else "线上")
        row = rows.setdefault(name, [Day(day.date, day.note) for day in days])
        row[each.on_date.weekday()].sessions.append(each)
    return days, sorted(rows.items())


def _page(request: HttpRequest, institution: Institution, *, is_own: bool) -> HttpResponse:
    """The month, or the week by room or by teacher."""
    view = request.GET.get("view") if request.GET.get("view") in ("week", "month") else "month"
    by = "teacher" if request.GET.get("by") == "teacher" else "room"
    day = asked_day(request.GET.get("day"), asked_day(request.GET.get("month")))
    calendar = SchoolCalendar(institution.organisation.layer_code)
    sessions = _shown(request, institution)
    context: dict[str, Any] = {
        "institution": institution,
        "is_own": is_own,
        "view": view,
        "by": by,
        "day": day,
        "reasons": breaches_of(institution),
        "filters": _filters(request, institution),
        "weekdays": [label for _, label in Weekday.choices],
    }
    if view == "month":
        first, last = month_bounds(day)
        context |= {
            "weeks": _month(sessions, day, calendar),
            "before": first - datetime.timedelta(days=1),
            "after": last + datetime.timedelta(days=1),
            "count": sessions.planned().filter(on_date__range=(first, last)).count(),
        }
    else:
        monday = monday_of(day)
        days, rows = _week(sessions, monday, by, calendar)
        context |= {
            "days": days,
            "rows": rows,
            "before": monday - datetime.timedelta(weeks=1),
            "after": monday + datetime.timedelta(weeks=1),
        }
        context["count"] = sum(not each.is_cancelled for _, row in rows for one in row for each in one.sessions)
    if is_fragment(request):
        return render(request, "institutions/timetable/includes/calendar.html", context)
    context["undo"] = request.session.get(UNDO) if is_own else None
    context["is_anything_planned"] = Session.objects.filter(institution=institution).exists()
    return render(request, "institutions/timetable/timetable.html", context)


@for_roles(Role.INSTITUTION, *OFFICERS)
@require_safe
def timetable(request: HttpRequest) -> HttpResponse:
    """An institution: its own timetable; a bureau: who teaches today."""
    if user_of(request).is_officer:
        return redirect("institutions:timetable_today")
    return _page(request, own_institution(request), is_own=True)


@for_roles(*OFFICERS)
@require_safe
def timetable_of(request: HttpRequest, pk: int) -> HttpResponse:
    """A bureau looks at an institution's timetable."""
    found = Institution.objects.visible_to(user_of(request)).select_related("organisation", "region")
    return _page(request, get_object_or_404(found, pk=pk), is_own=False)


@for_roles(*OFFICERS)
@require_safe
def timetable_today(request: HttpRequest) -> HttpResponse:
    """All sessions of a day street by street, those in breach first to be seen: what an inspector sets out with."""
    day = asked_day(request.GET.get("day"))
    # The premises say where; a session online, and premises without a street, are looked for where the institution is.
    street = Case(When(room__premises__street__gt="", then=F("room__premises__street")), default=F("institution__street"))
    found = Session.objects.visible_to(user_of(request)).planned().filter(on_date=day).annotate(found_in=street)
    streets = found.order_by().values_list("found_in", flat=True).distinct()
    law = current_law()
    judged = law.judge_touched("training_session", on_date=day)
    reasons = {each.row_id: [Reason.of(finding, law) for finding in each.breaches] for each in judged if each.breaches}
    in_breach = found.filter(pk__in=reasons).count()
    if request.GET.get("street"):
        found = found.filter(found_in=request.GET["street"])
    if request.GET.get("category") in TrainingCategory.values:
        found = found.filter(course__category=request.GET["category"])
    if request.GET.get("only") == "breach":
        found = found.filter(pk__in=reasons)
    ordered = found.with_names().select_related("institution__organisation", "room__premises")
    ordered = ordered.order_by("found_in", "institution_id", "starts_at", "pk")  # type: ignore[misc] # annotated above
    page = Paginator(ordered, _ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "day": day,
        "page": page,
        "reasons": reasons,
        "in_breach": in_breach,
        "streets": sorted(filter(None, streets)),
        "categories": TrainingCategory.choices,
        "asked": {name: request.GET.get(name, "") for name in ("street", "category", "only")},
        "before": day - datetime.timedelta(days=1),
        "after": day + datetime.timedelta(days=1),
    }
    if is_fragment(request):
        return render(request, "institutions/timetable/includes/today.html", context)
    return render(request, "institutions/timetable/today.html", context)


@for_roles(Role.INSTITUTION)
@require_safe
def timetable_plans(request: HttpRequest) -> HttpResponse:
    """One's own weekly plans that are not over."""
    plans = WeeklyPlan.objects.visible_to(user_of(request)).filter(last_day__gte=today())
    plans = plans.select_related("course", "room__premises", "teacher").order_by("weekday", "starts_at", "pk")
    page = Paginator(plans, _ROWS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "institutions/timetable/plans.html", {"page": page})


@for_roles(Role.INSTITUTION, *OFFICERS)
@require_safe
def timetable_export(request: HttpRequest, pk: int) -> HttpResponse:
    """A month as a workbook that ``qingdan audit`` reads; an institution its own, a bureau any of its region."""
    institutions = Institution.objects.visible_to(user_of(request)).select_related("organisation")
    institution = get_object_or_404(institutions, pk=pk)
    first, last = month_bounds(asked_day(request.GET.get("month")))
    found = Session.objects.filter(institution=institution).planned().filter(on_date__range=(first, last)).with_names()
    content = exporting.workbook(found.select_related("institution__organisation", "course", "room__premises", "teacher"))
    return saved(content, f"课表_{institution.name}_{first:%Y年%m月}.xlsx")
