"""The parents' page: today's homework of each child, and, when a family is drawn, two taps."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass, field

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.homework.actions.completion import tell_subjects
from qingdan.homework.enums import HomeworkForm, HomeworkPlace, SleepAnswer
from qingdan.homework.forms.completion import MINUTES_CHIPS, MORE, AnswerForm, SubjectMinutesForm, errors_of
from qingdan.homework.minutes import Week, week_by_class
from qingdan.homework.models import FamilyReport, Homework, SubjectMinutes
from qingdan.homework.models.completion import SMALLEST_GROUP
from qingdan.places.calendar import SchoolCalendar, current_pack, monday_of, today
from qingdan.schools.models import Enrolment, Pupil, SchoolClass, Subject


@dataclass
class Child:
    """One child on the page."""

    pupil: Pupil
    #: None for a child who is in no class today.
    school_class: SchoolClass | None
    #: The day whose homework is shown: today, or the last school day.
    day: datetime.date | None = None
    items: list[Homework] = field(default_factory=list)
    reports: list[FamilyReport] = field(default_factory=list)
    week: Week | None = None

    @property
    def home_written_minutes(self) -> int:
        """The day's written homework at home as teachers estimated it."""
        return sum(item.homework_minutes for item in self.items if item.is_written_at_home)


def _children(request: HttpRequest) -> list[Child]:
    """Every child with class, homework and reports. The number of queries does not depend on the number of children."""
    user, now, pack = user_of(request), today(), current_pack()
    enrolled = Enrolment.objects.in_force(now).select_related("school_class__school__organisation")
    pupils = Pupil.objects.visible_to(user).prefetch_related(
        Prefetch("enrolments", queryset=enrolled),
        Prefetch(
            "family_reports",
            queryset=FamilyReport.objects.visible_to(user).changeable(now).prefetch_related(_SUBJECTS).select_related("school_class"),
        ),
    )
    children = []
    for pupil in pupils:
        school_class = next((each.school_class for each in pupil.enrolments.all()), None)
        child = Child(pupil, school_class, reports=list(pupil.family_reports.all()))
        if school_class is not None:
            calendar = SchoolCalendar(school_class.school.organisation.layer_code, pack)
            child.day = now if calendar.is_school_day(now) else calendar.last_school_day(now)
        children.append(child)
    _add_homework(children)
    _add_weeks(children, now)
    _add_fields(children)
    return children


_SUBJECTS = Prefetch("subjects", queryset=SubjectMinutes.objects.select_related("subject"))


def _add_homework(children: list[Child]) -> None:
    days = {(child.school_class.pk, child.day) for child in children if child.school_class and child.day}
    items: defaultdict[tuple[int, datetime.date], list[Homework]] = defaultdict(list)
    found = Homework.objects.out().filter(school_class__in=[pk for pk, _ in days], on_date__in=[day for _, day in days])
    for item in found.select_related("subject").order_by("subject__position", "tier", "pk"):
        items[item.school_class_id, item.on_date].append(item)
    for child in children:
        if child.school_class and child.day:
            child.items = items[child.school_class.pk, child.day]


def _add_weeks(children: list[Child], now: datetime.date) -> None:
    monday = monday_of(now)
    days = [monday + datetime.timedelta(days=number) for number in range(7) if monday + datetime.timedelta(days=number) <= now]
    weeks = week_by_class({child.school_class.pk for child in children if child.school_class}, days)
    for child in children:
        if child.school_class:
            week = weeks[child.school_class.pk]
            # A weekend without homework is no column.
            told = {day: each for day, each in week.days.items() if day.weekday() < 5 or each.estimated_minutes}
            child.week = Week(told, week.whole)


def _add_fields(children: list[Child]) -> None:
    """To each report the fields by subject: those that gave written homework at home that day."""
    reports = [report for child in children for report in child.reports]
    given = _subjects_given(reports)
    for report in reports:
        report.subject_form = _subject_form(report, given[report.school_class_id, report.on_date])  # type: ignore[attr-defined]


def _subjects_given(reports: list[FamilyReport]) -> defaultdict[tuple[int, datetime.date], list[Subject]]:
    given: defaultdict[tuple[int, datetime.date], list[Subject]] = defaultdict(list)
    found = (
        Homework.objects.out()
        .filter(
            school_class__in={report.school_class_id for report in reports},
            on_date__in={report.on_date for report in reports},
            form=HomeworkForm.WRITTEN,
            done_at=HomeworkPlace.HOME,
        )
        .select_related("subject")
        .order_by("subject__position", "subject")
    )
    for item in found:
        subjects = given[item.school_class_id, item.on_date]
        if item.subject not in subjects:
            subjects.append(item.subject)
    return given


def _subject_form(report: FamilyReport, subjects: list[Subject]) -> SubjectMinutesForm:
    said = {f"subject_{each.subject_id}": each.homework_minutes for each in report.subjects.all()}
    return SubjectMinutesForm(subjects=subjects, initial=said, auto_id=f"report{report.pk}_%s")


def _choices() -> dict[str, object]:
    return {"minutes_chips": MINUTES_CHIPS, "more": MORE, "sleep_choices": SleepAnswer.choices, "smallest": SMALLEST_GROUP}


@for_roles(Role.PARENT)
@require_safe
def family(request: HttpRequest) -> HttpResponse:
    """Each child's homework, what this family is asked, and the week of the class."""
    context = {"children": _children(request), "today": today(), **_choices()}
    return render(request, "homework/completion/family.html", context)


def _own_report(request: HttpRequest, pk: int) -> FamilyReport:
    """A report of one's own child; late ones are found too, so that they can be told that it is too late."""
    reports = FamilyReport.objects.visible_to(user_of(request)).select_related("pupil", "school_class").prefetch_related(_SUBJECTS)
    return get_object_or_404(reports, pk=pk)


def _answered(request: HttpRequest, pk: int, problems: list[str], done: str) -> HttpResponse:
    """The report as it stands now: alone for htmx, else on the whole page."""
    if not is_fragment(request):
        for problem in problems:
            messages.error(request, problem)
        if not problems:
            messages.success(request, done)
        return redirect("homework:family")
    report = _own_report(request, pk)
    report.subject_form = _subject_form(report, _subjects_given([report])[report.school_class_id, report.on_date])  # type: ignore[attr-defined]
    chosen = request.POST.get("homework_minutes", "") if problems else ""
    context = {"report": report, "problems": problems, "done": done, "chosen": chosen, "today": today(), **_choices()}
    # htmx shows only what succeeds: what is wrong stands in the card itself.
    return render(request, "homework/completion/includes/report.html", context)


@for_roles(Role.PARENT)
@require_POST
def family_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep minutes and sleep."""
    report, form = _own_report(request, pk), AnswerForm(request.POST)
    problems = errors_of(form)
    if not problems:
        data = form.cleaned_data
        try:
            report.answer(by=user_of(request), homework_minutes=data["minutes"], sleep=data["sleep"], day=today())
        except ValidationError as error:
            problems = error.messages
    return _answered(request, pk, problems, "收到了，谢谢！")


@for_roles(Role.PARENT)
@require_POST
def family_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an answer back; it can be given anew."""
    report, problems = _own_report(request, pk), []
    try:
        report.take_back(by=user_of(request), day=today())
    except ValidationError as error:
        problems = error.messages
    return _answered(request, pk, problems, "已撤销，可以重新填。")


@for_roles(Role.PARENT)
@require_POST
def family_subjects(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep how long each subject took."""
    report = _own_report(request, pk)
    form = SubjectMinutesForm(request.POST, subjects=_subjects_given([report])[report.school_class_id, report.on_date])
    problems = errors_of(form)
    if not problems:
        try:
            tell_subjects(report=report, by=user_of(request), minutes=form.chosen())
        except ValidationError as error:
            problems = error.messages
    return _answered(request, pk, problems, "各学科用时已记录，谢谢！")
