"""Codes are handed out on paper; parents and staff come in with them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import segno
from django import forms as django_forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.places.calendar import today
from qingdan.schools import forms
from qingdan.schools.actions import joining
from qingdan.schools.enums import JoinKind
from qingdan.schools.models import Enrolment, Guardian, JoinAttempt, JoinCode, Pupil, SchoolClass
from qingdan.schools.models.joining import TRIES_MINUTES
from qingdan.schools.views.answering import own_school

_BACKEND = "qingdan.accounts.backends.OrganisationBackend"


@for_roles(Role.SCHOOL_LEADER, Role.TEACHER)
@require_safe
def codes(request: HttpRequest) -> HttpResponse:
    """The classes for whose families one may hand out codes; for the leader the staff too."""
    user, school, day = user_of(request), own_school(request), today()
    classes = list(SchoolClass.objects.named_to(user).current(day))
    pupils = Enrolment.objects.in_force(day).filter(school_class__in=classes).order_by()
    joined = pupils.filter(pupil__guardians__isnull=False)
    waiting = pupils.filter(pupil__join_codes__in=JoinCode.objects.open())
    context: dict[str, Any] = {"school": school, "classes": classes, "is_leader": user.is_school_leader}
    for name, found in (("sizes", pupils), ("joined", joined), ("waiting", waiting)):
        context[name] = Counter(dict(found.values_list("school_class").annotate(number=Count("pupil", distinct=True))))
    if user.is_school_leader:
        staff = [each for each in forms.staff_of(school) if not each.has_usable_password()]
        open_codes = JoinCode.objects.visible_to(user).open().filter(kind=JoinKind.STAFF)
        context |= {"staff": staff, "staff_codes": {each.staff_id: each for each in open_codes}}
    return render(request, "schools/codes.html", context)


def _named_class(request: HttpRequest, pk: int) -> SchoolClass:
    found = SchoolClass.objects.named_to(user_of(request)).current(today())
    return get_object_or_404(found.select_related("school__organisation", "school_year"), pk=pk)


@for_roles(Role.SCHOOL_LEADER, Role.TEACHER)
@require_safe
def class_codes(request: HttpRequest, pk: int) -> HttpResponse:
    """A class: whose family has joined, who has a code."""
    found = _named_class(request, pk)
    pupils = [
        each.pupil
        for each in Enrolment.objects.in_force(today()).filter(school_class=found).select_related("pupil").order_by("pupil__number")
    ]
    open_codes = {each.pupil_id: each for each in JoinCode.objects.open().filter(kind=JoinKind.GUARDIAN, pupil__in=pupils)}
    joined = Counter(dict(Guardian.objects.filter(pupil__in=pupils).order_by().values_list("pupil").annotate(number=Count("pk"))))
    context = {
        "class": found,
        "school": found.school,
        "pupils": pupils,
        "codes": open_codes,
        "joined": joined,
        "without": sum(1 for each in pupils if each.pk not in open_codes and not joined[each.pk]),
    }
    return render(request, "schools/class_codes.html", context)


def sheet(request: HttpRequest, issuer: str, slips: list[joining.Slip], title: str, back: str) -> HttpResponse:
    """The slips on paper. They are the answer to the act itself: the codes are kept nowhere, so there is no page to return to."""
    address = request.build_absolute_uri(reverse("schools:join"))
    # The code stands behind #: browsers do not send that part, so no log of any server ever has it.
    printed = [(slip, segno.make(f"{address}#{slip.code}", error="m").svg_data_uri(scale=3, border=1)) for slip in slips]
    response = render(request, "schools/slips.html", {"slips": printed, "title": title, "back": back, "address": address, "issuer": issuer})
    response["Cache-Control"] = "no-store"
    return response


@for_roles(Role.SCHOOL_LEADER, Role.TEACHER)
@require_POST
def issue_codes(request: HttpRequest, pk: int) -> HttpResponse:
    """New codes for the pupils ticked, or for all whose family has neither joined nor a code."""
    found = _named_class(request, pk)
    pupils = Pupil.objects.filter(pk__in=Enrolment.objects.in_force(today()).filter(school_class=found).values("pupil"))
    back = reverse("schools:class_codes", args=[pk])
    chosen = [int(each) for each in request.POST.getlist("pupil") if each.isdecimal()]
    if "all" in request.POST:
        with_code = JoinCode.objects.open().filter(kind=JoinKind.GUARDIAN).values("pupil")
        pupils = pupils.filter(guardians=None).exclude(pk__in=with_code)
    else:
        pupils = pupils.filter(pk__in=chosen)
    if not (wanted := list(pupils)):
        messages.error(request, "请先勾选学生；已加入或已有码的学生要换码，也请勾选后再发。")
        return redirect(back)
    slips = joining.issue_for_pupils(found.school, wanted, class_name=found.name, by=user_of(request))
    return sheet(request, found.school.name, slips, f"{found}家长加入码", back)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def issue_staff_codes(request: HttpRequest) -> HttpResponse:
    """New codes for members of staff who have no password yet."""
    school = own_school(request)
    chosen = [int(each) for each in request.POST.getlist("staff") if each.isdecimal()]
    wanted = list(forms.staff_of(school).filter(pk__in=chosen))
    if not wanted:
        messages.error(request, "请先勾选要发码的教师。")
        return redirect("schools:codes")
    try:
        slips = joining.issue_for_staff(school, wanted, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect("schools:codes")
    return sheet(request, school.name, slips, "教师加入码", reverse("schools:codes"))


@for_roles(Role.SCHOOL_LEADER, Role.TEACHER)
@require_POST
def revoke_code(request: HttpRequest, pk: int) -> HttpResponse:
    """End a code that was handed out."""
    code = get_object_or_404(JoinCode.objects.visible_to(user_of(request)).distinct(), pk=pk)
    code.revoke()
    messages.success(request, "已作废；纸条上的码不能再用，需要时重新发放。")
    held = SchoolClass.objects.named_to(user_of(request)).current(today()).filter(enrolments__pupil=code.pupil_id or 0).first()
    return redirect("schools:class_codes", held.pk) if held else redirect("schools:codes")


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _fail(request: HttpRequest, form: forms.CodeForm) -> HttpResponse:
    form.add_error("code", joining.NO_SUCH_CODE)
    return render(request, "schools/join.html", {"form": form}, status=400)


def _step(request: HttpRequest, code: JoinCode, data: Any) -> django_forms.Form:
    """What is still asked of somebody with this code."""
    if code.kind == JoinKind.STAFF:
        return forms.StaffJoinForm(data)
    return forms.ChildForm(data) if request.user.is_authenticated else forms.ParentJoinForm(data)


@login_not_required
@never_cache
@sensitive_post_parameters("code", "password", "again")
def join(request: HttpRequest) -> HttpResponse:
    """Enter a code, see for whom it is, make an account (or add the child to one's own) and be signed in."""
    if request.method != "POST":
        return render(request, "schools/join.html", {"form": forms.CodeForm()})
    if JoinAttempt.must_wait(_address(request)):
        return render(request, "schools/join.html", {"form": forms.CodeForm(), "minutes": TRIES_MINUTES}, status=429)
    form = forms.CodeForm(request.POST)
    if not form.is_valid():
        return render(request, "schools/join.html", {"form": form}, status=400)
    code = JoinCode.objects.of_code(form.cleaned_data["code"])
    if code is None:
        JoinAttempt.note(_address(request))
        return _fail(request, form)
    context = {"form": form, "code": form.cleaned_data["code"], "found": code, "today": today()} | _for_whom(code)
    if request.user.is_authenticated and (code.kind == JoinKind.STAFF or not user_of(request).is_parent):
        return render(request, "schools/join.html", context | {"wrong_account": True}, status=400)
    is_last = request.POST.get("step") == "join"
    asked = _step(request, code, request.POST if is_last else None)
    if is_last and asked.is_valid():
        try:
            return _joined(request, code, asked.cleaned_data)
        except ValidationError as error:
            _tell(asked, error)
    return render(request, "schools/join.html", context | {"asked": asked}, status=400 if asked.errors else 200)


def _for_whom(code: JoinCode) -> dict[str, str]:
    """As much as lets a family know its own child: never the whole name."""
    if code.pupil is None:
        assert code.staff is not None
        return {"who": joining.masked(code.staff.display_name), "username": code.staff.username}
    held = Enrolment.objects.in_force(today()).filter(pupil=code.pupil).select_related("school_class").first()
    return {"who": joining.masked(code.pupil.name), "room": held.school_class.name if held else ""}


def _tell(form: django_forms.Form, error: ValidationError) -> None:
    """Put refusals beside the fields they are about."""
    if not hasattr(error, "error_dict"):
        form.add_error("password" if "password" in form.fields else None, error)
        return
    for name, found in error.error_dict.items():
        form.add_error(name if name in form.fields else None, found)


def _joined(request: HttpRequest, code: JoinCode, data: dict[str, Any]) -> HttpResponse:
    if code.kind == JoinKind.STAFF:
        user = joining.join_as_staff(code, password=data["password"])
    elif request.user.is_authenticated:
        joining.add_child(code, user_of(request), relation=data["relation"])
        messages.success(request, "已关联这个孩子。")
        return redirect("home")
    else:
        user = joining.join_as_parent(
            code, username=data["username"], display_name=data["display_name"], password=data["password"], relation=data["relation"]
        )
    login(request, user, backend=_BACKEND)
    messages.success(request, f"欢迎，{user}！账户已可使用，下次用用户名“{user.username}”和密码登录。")
    return redirect("home")
