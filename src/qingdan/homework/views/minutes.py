"""Estimated against reported minutes: a week of classes for schools and parents, of schools for the bureau."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.homework.limits import DayLimit, day_limit
from qingdan.homework.minutes import subjects_of_classes, week_by_class, week_by_school
from qingdan.homework.models.completion import SMALLEST_GROUP
from qingdan.places.calendar import current_pack, monday_of, today
from qingdan.policy.units import grade_name
from qingdan.schools.models import Enrolment, GradeLead, School, SchoolClass
from qingdan.schools.models.places import SchoolClassQuerySet

_PER_PAGE = 20
_WEEK = datetime.timedelta(days=7)


class MinutesFilter(forms.Form):
    """Which week, and which part of the school or region."""

    week = forms.DateField(required=False)
    q = forms.CharField(label="学校", required=False, max_length=60)
    grade = forms.ChoiceField(label="年级", required=False)
    school_class = forms.ModelChoiceField(SchoolClass.objects.none(), label="班级", required=False, empty_label="全部班级")

    def __init__(self, *args: Any, classes: SchoolClassQuerySet | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if classes is None:
            del self.fields["school_class"], self.fields["grade"]
            search = {"type": "search", "class": "form-control", "placeholder": "校名、拼音或首字母", "autocomplete": "off"}
            self.fields["q"].widget = forms.TextInput(attrs=search)
            return
        del self.fields["q"]
        school_class, grade = self.fields["school_class"], self.fields["grade"]
        assert isinstance(school_class, forms.ModelChoiceField)
        assert isinstance(grade, forms.ChoiceField)
        school_class.queryset = classes
        grades = sorted(set(classes.order_by().values_list("grade", flat=True)))
        grade.choices = [("", "全部年级"), *((str(each), grade_name(each)) for each in grades)]
        for field in (school_class, grade):
            field.widget.attrs["class"] = "form-select"


def _classes(user: User, monday: datetime.date) -> SchoolClassQuerySet:
    """Whose minutes a user may compare: a leader the school's, a teacher those he teaches or leads, a parent the children's."""
    end = monday + datetime.timedelta(days=6)
    classes = SchoolClass.objects.visible_to(user).filter(school_year__starts_on__lte=end, school_year__ends_on__gte=monday)
    if user.is_teacher:
        led = GradeLead.objects.filter(user=user).values_list("school_year", "grade")
        of_grades = Q(pk__in=[])
        for year, grade in led:
            of_grades |= Q(school_year=year, grade=grade)
        taught = SchoolClass.objects.taught_by(user, min(end, max(monday, today()))).values("pk")
        classes = classes.filter(Q(class_teacher=user) | Q(pk__in=taught) | of_grades)
    if user.is_parent:
        # Only for the time that the child was there.
        there = Enrolment.objects.filter(Q(ends_on=None) | Q(ends_on__gte=monday), starts_on__lte=end, pupil__guardians__user=user)
        classes = classes.filter(pk__in=there.values("school_class"))
    return classes


def _week_of(request: HttpRequest) -> datetime.date:
    """The Monday asked for; this week's when nothing readable is, never one to come."""
    try:
        day = datetime.date.fromisoformat(request.GET.get("week", ""))
    except ValueError:
        day = today()
    return monday_of(min(max(day, datetime.date(2000, 1, 3)), today()))


@for_roles(Role.SCHOOL_LEADER, Role.TEACHER, Role.PARENT, Role.BUREAU)
@require_safe
def minutes(request: HttpRequest) -> HttpResponse:
    """A week: what was estimated, what families reported, who slept in time."""
    user, monday = user_of(request), _week_of(request)
    days = [monday + datetime.timedelta(days=number) for number in range(7)]
    context: dict[str, Any] = {
        "monday": monday,
        "last_day": days[-1],
        "before": monday - _WEEK,
        "after": monday + _WEEK if monday + _WEEK <= today() else None,
        "smallest": SMALLEST_GROUP,
    }
    context |= _of_schools(request, user, days) if user.is_bureau else _of_classes(request, user, days)
    # A Saturday is a column only where there was school, to make up for a holiday.
    context["days"] = [day for day in days if day.weekday() < 5 or any(row["week"].days[day].estimated_minutes for row in context["rows"])]
    for row in context["rows"]:
        # The week as a whole stands in the last column.
        row["cells"] = [*((day, row["week"].days[day]) for day in context["days"]), (None, row["week"].whole)]
    template = "homework/completion/includes/minutes.html" if is_fragment(request) else "homework/completion/minutes.html"
    return render(request, template, context)


def _of_schools(request: HttpRequest, user: User, days: list[datetime.date]) -> dict[str, Any]:
    form = MinutesFilter(request.GET, classes=None)
    form.is_valid()
    schools = School.objects.visible_to(user).matching(form.cleaned_data.get("q", "")).select_related("organisation")
    page = Paginator(schools, _PER_PAGE).get_page(request.GET.get("page"))
    weeks = week_by_school([school.pk for school in page], days)
    rows = [{"name": school.name, "week": weeks[school.pk], "limit": None} for school in page]
    return {"form": form, "page": page, "rows": rows, "is_by_school": True, "is_narrowed": bool(form.cleaned_data.get("q"))}


def _of_classes(request: HttpRequest, user: User, days: list[datetime.date]) -> dict[str, Any]:
    classes = _classes(user, days[0])
    form = MinutesFilter(request.GET, classes=classes)
    form.is_valid()
    chosen, grade = form.cleaned_data.get("school_class"), form.cleaned_data.get("grade")
    if chosen:
        classes = classes.filter(pk=chosen.pk)
    if grade:
        classes = classes.filter(grade=grade)
    page = Paginator(classes.select_related("school__organisation"), _PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    weeks = week_by_class([each.pk for each in shown], days)
    pack, limits = current_pack(), dict[tuple[str, int], DayLimit]()
    subjects: dict[int, list[Any]] = {each.pk: [] for each in shown}
    for row in subjects_of_classes(list(subjects), days, with_teachers=user.is_of_school):
        subjects[row.class_id].append(row)
    rows = []
    for each in shown:
        place = each.school.organisation.layer_code
        if (place, each.grade) not in limits:
            limits[place, each.grade] = day_limit(pack, place, each.grade, days[0])
        name = f"{each.school.name} {each.name}" if user.is_parent else each.name
        rows.append({"name": name, "week": weeks[each.pk], "limit": limits[place, each.grade], "subjects": subjects[each.pk]})
    return {"form": form, "page": page, "rows": rows, "is_by_school": False, "is_narrowed": bool(chosen or grade)}
