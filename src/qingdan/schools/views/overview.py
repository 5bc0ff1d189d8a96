"""The bureau's list of schools, and a school's own page: grades, classes, staff, duties."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.places import journal
from qingdan.places.calendar import today
from qingdan.places.models import SchoolYear
from qingdan.policy.units import grade_name
from qingdan.schools import forms
from qingdan.schools.actions import classes, duties, identities
from qingdan.schools.models import Enrolment, GradeLead, School, SchoolClass, StaffIdentity, SubjectLead, TeachingAssignment
from qingdan.schools.views.answering import SCOPE, answer_act, own_school

log = logging.getLogger(__name__)

_SCHOOLS_PER_PAGE = 30


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER, Role.TEACHER)
@require_safe
def school_list(request: HttpRequest) -> HttpResponse:
    """The bureau's schools; who works in a school is sent to it."""
    user = user_of(request)
    if user.is_of_school:
        return redirect("schools:school", own_school(request).pk)
    form = forms.SchoolFilter(request.GET)
    form.is_valid()
    text, kind = form.cleaned_data.get("q", ""), form.cleaned_data.get("kind", "")
    found = School.objects.visible_to(user).select_related("organisation").matching(text)
    if kind:
        found = found.filter(kind=kind)
    page = Paginator(found, _SCHOOLS_PER_PAGE).get_page(request.GET.get("page"))
    shown = [each.pk for each in page]
    day = today()
    class_counts = dict(
        SchoolClass.objects.current(day).filter(school__in=shown).order_by().values_list("school").annotate(number=Count("pk"))
    )
    pupil_counts = dict(
        Enrolment.objects.in_force(day)
        .filter(school_class__school__in=shown)
        .order_by()
        .values_list("school_class__school")
        .annotate(number=Count("pk"))
    )
    context = {"page": page, "form": form, "is_filtered": bool(text or kind), "class_counts": class_counts, "pupil_counts": pupil_counts}
    return render(request, "schools/includes/list.html" if is_fragment(request) else "schools/list.html", context)


def chosen_year(request: HttpRequest, years: list[SchoolYear]) -> SchoolYear | None:
    """The school year asked for, else that of today, else the latest that has begun, else the first."""
    text = request.GET.get("year", "")
    asked = next((each for each in years if text == str(each.first_year)), None)
    day = today()
    holding = next((each for each in years if each.starts_on <= day <= each.ends_on), None)
    begun = next((each for each in years if each.starts_on <= day), None)
    return asked or holding or begun or (years[-1] if years else None)


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER, Role.TEACHER)
@require_safe
def school(request: HttpRequest, pk: int) -> HttpResponse:
    """One school in one school year."""
    user = user_of(request)
    found = get_object_or_404(School.objects.visible_to(user).select_related("organisation", "region"), pk=pk)
    years = list(found.region.school_years.order_by("-first_year"))
    year = chosen_year(request, years)
    is_leader = user.is_school_leader
    context: dict[str, Any] = {"school": found, "years": years, "year": year, "is_leader": is_leader, "undo": ""}
    context |= _classes(found, year)
    context |= _staff(found, year)
    if is_leader:
        context |= {
            "grade_lead_form": forms.GradeLeadForm(school=found),
            "subject_lead_form": forms.SubjectLeadForm(school=found),
            "class_form": forms.ClassForm(school=found),
            "identity_form": forms.IdentityForm(school=found),
            "identities": {each.user_id: each for each in StaffIdentity.objects.filter(user__organisation=found.organisation)},
            "undo": journal.remembered(request, SCOPE),
        }
    context["leads_a_class"] = any(each.class_teacher_id == user.pk for _, _, group in context["grades"] for each in group)
    return render(request, "schools/school.html", context)


def _classes(found: School, year: SchoolYear | None) -> dict[str, Any]:
    """Grades with their heads and classes, and how many pupils each class has today (or had when the year ended)."""
    classes_of_year = list(found.classes.filter(school_year=year).select_related("class_teacher")) if year else []
    day = min(max(today(), year.starts_on), year.ends_on) if year else today()
    sizes = dict(
        Enrolment.objects.in_force(day)
        .filter(school_class__in=classes_of_year)
        .order_by()
        .values_list("school_class")
        .annotate(number=Count("pk"))
    )
    leads = defaultdict(list)
    for lead in GradeLead.objects.filter(school=found, school_year=year).select_related("user") if year else []:
        leads[lead.grade].append(lead)
    by_grade = defaultdict(list)
    for each in classes_of_year:
        by_grade[each.grade].append(each)
    grades = [(grade_name(grade), leads[grade], by_grade[grade]) for grade in sorted({*by_grade, *leads})]
    return {"grades": grades, "sizes": sizes, "class_count": len(classes_of_year), "pupil_count": sum(sizes.values())}


def _staff(found: School, year: SchoolYear | None) -> dict[str, Any]:
    """Everybody who works there, with what they teach in the year."""
    taught: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    if year:
        day = min(max(today(), year.starts_on), year.ends_on)
        assignments = TeachingAssignment.objects.in_force(day).filter(school_class__school=found, school_class__school_year=year)
        shown = assignments.values_list("teacher", "subject__name", "school_class__name")
        for teacher, subject, room in shown:
            taught[teacher][subject].append(room)
    heads = list(SubjectLead.objects.filter(school=found).select_related("user", "subject").order_by("subject__position", "pk"))
    staff = [(each, [(name, "、".join(rooms)) for name, rooms in taught[each.pk].items()]) for each in forms.staff_of(found)]
    return {"staff": staff, "subject_leads": heads, "waiting": sum(1 for each, _ in staff if not each.has_usable_password())}


def _page(found: School, year: int | None = None) -> str:
    return reverse("schools:school", args=[found.pk]) + (f"?year={year}" if year else "")


def _back(request: HttpRequest, found: School) -> str:
    text = request.POST.get("year", "")
    return f"{_page(found, int(text) if text.isdecimal() else None)}#grades"


def _year(request: HttpRequest, found: School) -> SchoolYear:
    text = request.POST.get("year", "")
    year = found.region.school_years.filter(first_year=int(text) if text.isdecimal() and len(text) == 4 else 0).first()
    if year is None:
        raise ValidationError("校历里没有这个学年；请先请教育局填写校历")
    return year


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def add_grade_lead(request: HttpRequest) -> HttpResponse:
    """Give a year group a head."""
    found = own_school(request)
    form = forms.GradeLeadForm(request.POST, school=found)

    def act() -> journal.Journal:
        data = form.cleaned_data
        return duties.set_grade_lead(found, _year(request, found), data["grade"], data["user"], by=user_of(request))

    return answer_act(request, "设置年级组长", _back(request, found), act, form)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def remove_grade_lead(request: HttpRequest, pk: int) -> HttpResponse:
    """A year group loses a head."""
    found = own_school(request)
    lead = get_object_or_404(GradeLead.objects.select_related("school_year"), pk=pk, school=found)
    back = f"{_page(found, lead.school_year.first_year)}#grades"
    return answer_act(request, f"撤下{lead.user}的年级组长", back, lambda: duties.remove_lead(lead, by=user_of(request)))


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def add_subject_lead(request: HttpRequest) -> HttpResponse:
    """Give a research group a head."""
    found = own_school(request)
    form = forms.SubjectLeadForm(request.POST, school=found)

    def act() -> journal.Journal:
        return duties.set_subject_lead(found, form.cleaned_data["subject"], form.cleaned_data["user"], by=user_of(request))

    return answer_act(request, "设置教研组长", f"{_page(found)}#staff", act, form)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def remove_subject_lead(request: HttpRequest, pk: int) -> HttpResponse:
    """A research group loses a head."""
    found = own_school(request)
    lead = get_object_or_404(SubjectLead, pk=pk, school=found)
    return answer_act(request, f"撤下{lead.user}的教研组长", f"{_page(found)}#staff", lambda: duties.remove_lead(lead, by=user_of(request)))


@for_roles(Role.SCHOOL_LEADER)
@sensitive_post_parameters("number")
@require_POST
def set_identity(request: HttpRequest) -> HttpResponse:
    """Enter or correct the number of a member of staff."""
    found = own_school(request)
    form = forms.IdentityForm(request.POST, school=found)

    def act() -> journal.Journal:
        data = form.cleaned_data
        return identities.set_identity(found, data["user"], data["number"], is_foreign=data["is_foreign"], by=user_of(request))

    return answer_act(request, "登记证件", f"{_page(found)}#staff", act, form)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def remove_identity(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget the number of a member of staff."""
    found = own_school(request)
    identity = get_object_or_404(StaffIdentity.objects.select_related("user"), pk=pk, user__organisation=found.organisation)
    said = f"删去{identity.user}的证件"
    return answer_act(request, said, f"{_page(found)}#staff", lambda: identities.remove_identity(identity, by=user_of(request)))


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def add_class(request: HttpRequest) -> HttpResponse:
    """Make a class by hand."""
    found = own_school(request)
    form = forms.ClassForm(request.POST, school=found)

    def act() -> journal.Journal:
        data = form.cleaned_data
        return classes.add_class(found, _year(request, found), grade=data["grade"], number=data["number"], by=user_of(request))

    return answer_act(request, "新建班级", _back(request, found), act, form)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back the last act on the school's pages."""
    found = own_school(request)
    try:
        what = journal.undo_remembered(request, SCOPE, discard=classes.UNUSED_CODES)
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        log.info("school.undone school=%s by=%s", found.pk, user_of(request).pk)
        messages.success(request, f"已撤销：{what}。")
    back = request.POST.get("next", "")
    # After an undone addition its page is gone: only pages that are there for certain are returned to.
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    return redirect(back if is_ours and "/pupils/" not in back else _page(found))
