"""Pages of staff: an institution keeps its list, the bureau checks it, a school learns of its own matched teachers only."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.institutions.actions.staff import (
    check_staff,
    enter_staff,
    leave,
    matched_staff,
    matched_teachers,
    put_up,
    take_back,
    tell_bureau_of_matches,
)
from qingdan.institutions.forms.staff import STANDINGS, CheckForm, LeaveForm, StaffFilter, StaffForm
from qingdan.institutions.models import Institution, Staff
from qingdan.judging.trying import Refused
from qingdan.places.calendar import today

_PER_PAGE = 40
_READERS = (Role.INSTITUTION, *OFFICERS)


def _found(request: HttpRequest, pk: int) -> Staff:
    return get_object_or_404(Staff.objects.visible_to(user_of(request)).select_related("institution__organisation", "checked_by"), pk=pk)


def _own_institution(request: HttpRequest) -> Institution:
    return get_object_or_404(Institution.objects.visible_to(user_of(request)).select_related("organisation"))


@for_roles(*_READERS)
@require_safe
def staff(request: HttpRequest) -> HttpResponse:
    """An institution's own people, or for the bureau those of its region."""
    user, day = user_of(request), today()
    visible, matched = Staff.objects.visible_to(user), matched_staff(user)
    form = StaffFilter(request.GET, is_bureau=user.is_officer)
    found = form.apply(visible, matched if user.is_officer else visible.none())
    page = Paginator(found.select_related("institution__organisation").order_by("institution_id", "name", "pk"), _PER_PAGE).get_page(
        request.GET.get("page")
    )
    on_page = [each.pk for each in page]
    context: dict[str, Any] = {
        "page": page,
        "form": form,
        "today": day,
        "waiting": visible.employed(day).filter(is_qualification_checked=False).count(),
        "matched_count": matched.count() if user.is_officer else 0,
        "matched": set(matched.filter(pk__in=on_page).values_list("pk", flat=True)) if user.is_officer else set(),
        "standings": STANDINGS,
    }
    template = "institutions/staff/includes/list.html" if is_fragment(request) else "institutions/staff/list.html"
    return render(request, template, context)


@for_roles(Role.INSTITUTION)
def staff_new(request: HttpRequest) -> HttpResponse:
    """Add somebody, unless the law says no."""
    return _save(request, StaffForm(request.POST or None, institution=_own_institution(request)))


@for_roles(Role.INSTITUTION)
def staff_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is known of somebody; the bureau checks it again."""
    found = _found(request, pk)
    if found.employed_until is not None:
        messages.error(request, f"{found.name}已登记离职，不能再修改；又回来工作的请重新添加。")
        return redirect("institutions:staff_member", pk)
    return _save(request, StaffForm(request.POST or None, instance=found, institution=found.institution))


def _save(request: HttpRequest, form: StaffForm) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "is_new": form.instance.pk is None}
    if request.method != "POST":
        return render(request, "institutions/staff/edit.html", context)
    if form.is_valid():
        person: Staff = form.save(commit=False)
        try:
            enter_staff(staff=person, by=user_of(request))
        except ValidationError as error:
            form.add_error(None, error)
        except Refused as refused:
            tell_bureau_of_matches(institution=person.institution, digests=[person.identity_digest])
            context["objections"] = refused.objections
        else:
            messages.success(request, f"{person.name}已登记，等教育部门审核资质。")
            return redirect("institutions:staff_member", person.pk)
    return render(request, "institutions/staff/edit.html", context, status=400)


def _page(request: HttpRequest, person: Staff, *, status: int = 200, **more: Any) -> HttpResponse:
    user = user_of(request)
    context = {
        "person": person,
        "is_employed": person.employed_until is None or person.employed_until >= today(),
        "is_matched": user.is_officer and matched_staff(user).filter(pk=person.pk).exists(),
        "leave_form": LeaveForm(),
        "check_form": CheckForm(),
    }
    return render(request, "institutions/staff/member.html", context | more, status=status)


@for_roles(*_READERS)
@require_safe
def staff_member(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: what is filed, and the bureau's check."""
    return _page(request, _found(request, pk))


@for_roles(Role.INSTITUTION)
@require_POST
def staff_leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody leaves; he stays on record."""
    found, form = _found(request, pk), LeaveForm(request.POST)
    if form.is_valid():
        try:
            leave(staff=found, last_day=form.cleaned_data["last_day"], by=user_of(request))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{found.name}已登记离职。")
            return redirect("institutions:staff")
    return _page(request, _found(request, pk), status=400, leave_form=form)


@for_roles(*OFFICERS)
@require_POST
def staff_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check, file and publish somebody, or take it back with a reason."""
    user, found, form = user_of(request), _found(request, pk), CheckForm(request.POST)
    verdict = request.POST.get("verdict")
    if not form.is_valid() or verdict not in ("pass", "return"):
        return _page(request, found, status=400, check_form=form)
    data = form.cleaned_data
    try:
        if verdict == "pass":
            check_staff(staff=found, by=user, is_certificate_fitting=data["fitting"], meets_foreign_rules=data["foreign"])
        else:
            take_back(staff=found, by=user, reason=data["reason"])
    except ValidationError as error:
        form.add_error("reason" if verdict == "return" else None, error)
        return _page(request, _found(request, pk), status=400, check_form=form)
    except Refused as refused:
        return _page(request, _found(request, pk), status=400, check_form=form, objections=refused.objections)
    messages.success(request, f"{found.name}已备案并公示。" if verdict == "pass" else f"{found.name}已退回，机构会收到通知。")
    return redirect("institutions:staff")


@for_roles(Role.INSTITUTION)
@require_safe
def staff_sheet(request: HttpRequest) -> HttpResponse:
    """The published list to print and put up on the premises."""
    institution = _own_institution(request)
    people = institution.staff.published(today())
    return render(request, "institutions/staff/sheet.html", {"institution": institution, "people": people, "today": today()})


@for_roles(Role.INSTITUTION)
@require_POST
def staff_put_up(request: HttpRequest) -> HttpResponse:
    """The sheet hangs on the premises."""
    count = put_up(institution=_own_institution(request).organisation, by=user_of(request))
    if count:
        messages.success(request, f"已记下：{count} 人的资格已在场所公布。")
    else:
        messages.error(request, "还没有已公示的人员，没有可以张贴的内容；请等教育部门审核。")
    return redirect("institutions:staff")


@for_roles(Role.SCHOOL_LEADER)
@require_safe
def matched(request: HttpRequest) -> HttpResponse:
    """A school's own people who stand on some training institution's list; which one, the school is not told."""
    return render(request, "institutions/staff/matched.html", {"teachers": matched_teachers(user_of(request))})
