"""A class: its pupils by name only for the leader and its class teacher, its teachers, and who comes and goes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.places import journal
from qingdan.places.calendar import today
from qingdan.schools import forms
from qingdan.schools.actions import classes
from qingdan.schools.models import Enrolment, Guardian, Pupil, SchoolClass, TeachingAssignment
from qingdan.schools.views.answering import SCOPE, answer_act, own_school


def _visible(request: HttpRequest, pk: int) -> SchoolClass:
    found = SchoolClass.objects.visible_to(user_of(request))
    return get_object_or_404(found.select_related("school__organisation", "school_year", "class_teacher", "continues"), pk=pk)


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER, Role.TEACHER)
@require_safe
def school_class(request: HttpRequest, pk: int) -> HttpResponse:
    """One class."""
    user, found = user_of(request), _visible(request, pk)
    year = found.school_year
    day = min(max(today(), year.starts_on), year.ends_on)
    enrolments = Enrolment.objects.filter(school_class=found)
    sees_names = SchoolClass.objects.named_to(user).filter(pk=pk).exists()
    context: dict[str, Any] = {
        "class": found,
        "school": found.school,
        "day": day,
        "size": enrolments.in_force(day).count(),
        "sees_names": sees_names,
        "is_leader": user.is_school_leader,
        "assignments": TeachingAssignment.objects.in_force(day).filter(school_class=found).select_related("subject", "teacher"),
        "undo": journal.remembered(request, SCOPE) if user.is_school_leader else "",
    }
    if sees_names:
        rows = list(enrolments.select_related("pupil").order_by("pupil__number"))
        present = [each for each in rows if classes.is_in_force(each, day)]
        context |= {
            "present": present,
            "coming": [each for each in rows if each.starts_on > day],
            "gone": [each for each in rows if each.ends_on is not None and each.ends_on < day],
            "guardians": _guardian_counts(present),
        }
    if user.is_school_leader:
        context |= {
            "teacher_form": forms.ClassTeacherForm(school=found.school, initial={"teacher": found.class_teacher_id}),
            "assignment_form": forms.AssignmentForm(school=found.school),
            "pupil_form": forms.NewPupilForm(),
        }
    return render(request, "schools/class.html", context)


def _guardian_counts(present: list[Enrolment]) -> Counter[int]:
    counted = Guardian.objects.filter(pupil__in=[each.pupil_id for each in present]).order_by().values_list("pupil").annotate(n=Count("pk"))
    return Counter(dict(counted))


def _own_class(request: HttpRequest, pk: int) -> SchoolClass:
    return get_object_or_404(SchoolClass.objects.select_related("school__organisation", "school_year"), pk=pk, school=own_school(request))


def _page(pk: int, part: str = "") -> str:
    return reverse("schools:class", args=[pk]) + part


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def set_teacher(request: HttpRequest, pk: int) -> HttpResponse:
    """Name the class teacher."""
    found = _own_class(request, pk)
    form = forms.ClassTeacherForm(request.POST, school=found.school)
    return answer_act(
        request,
        f"设置{found}的班主任",
        _page(pk),
        lambda: classes.set_class_teacher(found, form.cleaned_data["teacher"], by=user_of(request)),
        form,
    )


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody teach a subject in the class."""
    found = _own_class(request, pk)
    form = forms.AssignmentForm(request.POST, school=found.school)

    def act() -> journal.Journal:
        data = form.cleaned_data
        return classes.assign(data["teacher"], found, data["subject"], from_day=data["from_day"], by=user_of(request))

    return answer_act(request, f"安排{found}的任课", _page(pk, "#teachers"), act, form)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def end_assignment(request: HttpRequest, pk: int) -> HttpResponse:
    """Let today be the last day that somebody teaches a subject in a class."""
    assignment = get_object_or_404(TeachingAssignment, pk=pk, school_class__school=own_school(request))
    what = f"结束{assignment.teacher}的{assignment.subject}任课"
    back = _page(assignment.school_class_id, "#teachers")
    return answer_act(request, what, back, lambda: classes.end_assignment(assignment, last_day=today(), by=user_of(request)))


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def add_pupil(request: HttpRequest, pk: int) -> HttpResponse:
    """One new pupil by hand."""
    found = _own_class(request, pk)
    form = forms.NewPupilForm(request.POST)

    def act() -> journal.Journal:
        data = form.cleaned_data
        return classes.add_pupil(found, number=data["number"], name=data["name"], from_day=data["from_day"], by=user_of(request))

    return answer_act(request, f"在{found}添加一名学生", _page(pk, "#pupils"), act, form)


def _named_pupil(request: HttpRequest, class_pk: int, pk: int) -> tuple[SchoolClass, Pupil]:
    found = get_object_or_404(
        SchoolClass.objects.named_to(user_of(request)).select_related("school__organisation", "school_year"), pk=class_pk
    )
    pupils = Pupil.objects.visible_to(user_of(request)).select_related("school__organisation")
    return found, get_object_or_404(pupils.filter(pk__in=found.enrolments.values("pupil")), pk=pk)


@for_roles(Role.SCHOOL_LEADER, Role.TEACHER)
@require_safe
def pupil(request: HttpRequest, class_pk: int, pk: int) -> HttpResponse:
    """A pupil of a class: in which classes when, which guardians have joined; for the leader the acts."""
    found, child = _named_pupil(request, class_pk, pk)
    is_leader = user_of(request).is_school_leader
    context: dict[str, Any] = {
        "class": found,
        "school": found.school,
        "pupil": child,
        "is_leader": is_leader,
        "enrolments": child.enrolments.select_related("school_class__school_year").order_by("-starts_on"),
        "guardians": child.guardians.order_by("since"),
        "undo": journal.remembered(request, SCOPE) if is_leader else "",
    }
    if is_leader:
        context |= {
            "transfer_form": forms.TransferForm(school=found.school, year=found.school_year),
            "leave_form": forms.LeaveForm(),
            "pupil_form": forms.PupilForm(initial={"number": child.number, "name": child.name}),
        }
    return render(request, "schools/pupil.html", context)


def _pupil_page(found: SchoolClass, child: Pupil) -> str:
    return reverse("schools:pupil", args=[found.pk, child.pk])


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def transfer(request: HttpRequest, class_pk: int, pk: int) -> HttpResponse:
    """Put a pupil into another class from a day on."""
    found, child = _named_pupil(request, class_pk, pk)
    form = forms.TransferForm(request.POST, school=found.school, year=found.school_year)
    label = ""
    if form.is_valid():
        label = f"把{child}从 {form.cleaned_data['from_day']} 起转到{form.cleaned_data['to']}"

    def act() -> journal.Journal:
        return classes.transfer(child, to=form.cleaned_data["to"], from_day=form.cleaned_data["from_day"], by=user_of(request))

    return answer_act(request, label, _pupil_page(found, child), act, form)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def leave(request: HttpRequest, class_pk: int, pk: int) -> HttpResponse:
    """A pupil leaves the school."""
    found, child = _named_pupil(request, class_pk, pk)
    form = forms.LeaveForm(request.POST)
    act = lambda: classes.leave(child, last_day=form.cleaned_data["last_day"], by=user_of(request))  # noqa: E731 - one line says it
    return answer_act(request, f"办理{child}离校", _pupil_page(found, child), act, form)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def correct_pupil(request: HttpRequest, class_pk: int, pk: int) -> HttpResponse:
    """Correct a pupil's number or name."""
    found, child = _named_pupil(request, class_pk, pk)
    form = forms.PupilForm(request.POST)

    def act() -> journal.Journal:
        return classes.correct_pupil(child, number=form.cleaned_data["number"], name=form.cleaned_data["name"], by=user_of(request))

    return answer_act(request, f"更正{child}的信息", _pupil_page(found, child), act, form)
