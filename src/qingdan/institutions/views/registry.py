"""The bureau's registry: the list, an institution's page, its data; and an institution's own page."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.institutions.actions import registry as actions
from qingdan.institutions.actions.accounts import accounts_of, issue_codes
from qingdan.institutions.enums import ListColour
from qingdan.institutions.forms import registry as forms
from qingdan.institutions.history import history
from qingdan.institutions.imports import exporting
from qingdan.institutions.models import Course, Institution, Listing, Permit, Session, Staff
from qingdan.institutions.models.registry import InstitutionQuerySet
from qingdan.places.calendar import current_pack, monday_of, today
from qingdan.schools.views.joining import sheet
from qingdan.storage.downloads import saved

_PER_PAGE = 30


def fetch(request: HttpRequest, pk: int) -> Institution:
    """An institution that the user may see."""
    return get_object_or_404(Institution.objects.visible_to(user_of(request)).select_related("organisation", "region"), pk=pk)


def with_standing(found: InstitutionQuerySet, day: datetime.date) -> InstitutionQuerySet:
    """With the last day of the permits in force and the list that each stands on."""
    permits = Permit.objects.in_force(day).filter(institution=OuterRef("pk")).order_by("-ends_on").values("ends_on")[:1]
    listed = Listing.objects.filter(Q(until=None) | Q(until__gt=day), institution=OuterRef("pk"), since__lte=day)
    return found.annotate(permit_until=Subquery(permits), colour=Subquery(listed.order_by("-since").values("colour")[:1]))


def _filtered(request: HttpRequest) -> tuple[forms.RegistryFilter, QuerySet[Institution]]:
    day = today()
    visible = Institution.objects.visible_to(user_of(request))
    streets = visible.exclude(street="").order_by("street").values_list("street", flat=True).distinct()
    form = forms.RegistryFilter(request.GET, streets=list(streets))
    chosen = form.chosen()
    found = with_standing(visible.select_related("organisation"), day).matching((chosen["q"] or "").strip())
    for name in ("category", "field", "department", "state", "street", "colour"):
        if chosen[name]:
            found = found.filter(**{name: chosen[name]})
    if chosen["expiring"] == 0:
        found = found.filter(Q(permit_until=None))
    elif chosen["expiring"]:
        found = found.filter(pk__in=Permit.objects.expiring(day, chosen["expiring"]).values("institution"))
    return form, found.order_by(*forms.SORTS[chosen["sort"] or "name"][1])


@for_roles(*OFFICERS)
@require_safe
def registry(request: HttpRequest) -> HttpResponse:
    """The institutions of the bureau's region."""
    form, found = _filtered(request)
    day = today()
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    chosen = form.chosen()
    context: dict[str, Any] = {
        "form": form,
        "page": page,
        "soon": day + datetime.timedelta(days=90),
        "is_filtered": any(value not in ("", None) for name, value in chosen.items() if name != "sort"),
    }
    if is_fragment(request):
        return render(request, "institutions/registry/includes/list.html", context)
    visible = with_standing(Institution.objects.visible_to(user_of(request)), day)
    context["counts"] = visible.aggregate(
        whole=Count("pk"),
        academic=Count("pk", filter=Q(category="academic")),
        non_academic=Count("pk", filter=Q(category="non_academic")),
        without_permit=Count("pk", filter=Q(permit_until=None, state="active")),
        black=Count("pk", filter=Q(colour=ListColour.BLACK)),
    )
    return render(request, "institutions/registry/list.html", context)


@for_roles(*OFFICERS)
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """What the list shows, in the columns that an import reads."""
    _, found = _filtered(request)
    content = exporting.workbook(exporting.register_list(current_pack().vocabulary), exporting.register_rows(found))
    return saved(content, f"机构名册_{today():%Y%m%d}.xlsx")


@for_roles(*OFFICERS, Role.INSTITUTION)
@require_safe
def institution(request: HttpRequest, pk: int) -> HttpResponse:
    """All that is known of an institution."""
    found = fetch(request, pk)
    day = today()
    monday = monday_of(day)
    deals = list(found.capital_changes.all())
    objected: dict[int, list[Any]] = {}
    for each in actions.objections(found, "institution_capital") if deals else []:
        objected.setdefault(each.row_id, []).append(each.told)
    permits = [(each, each.is_in_force(day)) for each in found.permits.select_related("premises")]
    staff = Staff.objects.filter(institution=found).employed(day)
    courses = Course.objects.visible_to(user_of(request)).filter(institution=found).order_by("state", "name")
    sessions = Session.objects.planned().filter(institution=found, on_date__range=(monday, monday + datetime.timedelta(days=6)))
    context: dict[str, Any] = {
        "institution": found,
        "is_bureau": user_of(request).is_officer,
        "today": day,
        "objections": [each.told for each in actions.objections(found, "institution")],
        "premises": [(each, each.is_open(day)) for each in found.premises.all()],
        "permits": permits,
        "owners": found.owners.all(),
        "deals": [(each, objected.get(each.pk, [])) for each in deals],
        "listings": found.listings.select_related("decided_by"),
        "evaluations": found.evaluations.all(),
        "pledges": found.pledges.all(),
        "inspections": found.inspections.select_related("campaign").order_by("-campaign__year", "-pk"),
        "staff_counts": staff.order_by().aggregate(whole=Count("pk"), teaching=Count("pk", filter=Q(role="teaching"))),
        "courses": courses[:20],
        "course_count": courses.count(),
        "session_count": sessions.count(),
        "steps": history(found),
        "accounts": (accounts := accounts_of(found)),
        "is_entered": any(each.has_usable_password() for each in accounts),
    }
    return render(request, "institutions/registry/institution.html", context)


@for_roles(Role.INSTITUTION)
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """One's own institution; who is not registered yet is told how it comes about."""
    user = user_of(request)
    if Institution.objects.visible_to(user).exists():
        return redirect("institutions:institution", user.organisation_id)
    return render(request, "institutions/registry/unregistered.html")


#: What an account's record calls a field -> what the form calls it.
_OF_ACCOUNT = {"username": "account_username", "display_name": "account_name"}


def add_errors(form: BaseForm, error: ValidationError) -> None:
    """Say a refusal beside the fields that it is about, or above the form."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    for each, said in by_field.items():
        name = _OF_ACCOUNT.get(each, each)
        form.add_error(name if name in form.fields else None, said)


def answer_form(
    request: HttpRequest, form: BaseForm, *, title: str, button: str, crumbs: list[tuple[str, str]], hint: str = ""
) -> HttpResponse:
    """A page with one form; refusals answer 400."""
    context = {"form": form, "title": title, "button": button, "crumbs": crumbs, "hint": hint}
    return render(request, "institutions/registry/form.html", context, status=400 if form.errors else 200)


@for_roles(*OFFICERS)
def institution_new(request: HttpRequest) -> HttpResponse:
    """Register an institution."""
    form = forms.InstitutionForm(request.POST or None, user=user_of(request))
    if request.method == "POST" and form.is_valid():
        record: Institution = form.save(commit=False)
        data = form.cleaned_data
        account = actions.FirstAccount(data["account_name"], data["account_username"]) if data["account_name"] else None
        try:
            _, slip = actions.register(record, name=data["name"], region=data["region"], by=user_of(request), account=account)
        except ValidationError as error:
            add_errors(form, error)
        else:
            if slip is not None:
                back = reverse("institutions:institution", args=[record.pk])
                return sheet(request, record.name, [slip], f"{record.name}已登记：经办人的加入码", back)
            messages.success(request, f"已登记“{record.name}”。接着可以添加教学点和举办者。")
            return redirect("institutions:institution", record.pk)
    return answer_form(request, form, title="登记机构", button="登记", crumbs=[])


@for_roles(*OFFICERS)
@require_POST
def institution_codes(request: HttpRequest, pk: int) -> HttpResponse:
    """A one-time code for whoever first signs in for an institution; it is shown once."""
    found = fetch(request, pk)
    back = reverse("institutions:institution", args=[pk])
    try:
        slips = issue_codes([found], by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect(back)
    return sheet(request, found.name, slips, f"{found.name}：经办人的加入码", back)


@for_roles(*OFFICERS, Role.INSTITUTION)
def institution_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an institution's data; the institution itself only what it answers for alone."""
    found = fetch(request, pk)
    user = user_of(request)
    sent = request.POST or None
    form: Any = forms.InstitutionForm(sent, instance=found, user=user) if user.is_officer else forms.OwnDataForm(sent, instance=found)
    name = found.name
    if request.method == "POST" and form.is_valid():
        try:
            actions.change(form.save(commit=False), name=form.cleaned_data.get("name"), by=user)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "已保存。")
            return redirect("institutions:institution", pk)
    hint = "" if user.is_officer else "名称、信用代码、类别等由主管部门登记；有变化请提出变更申请。"
    return answer_form(
        request, form, title="修改资料", button="保存", crumbs=[(reverse("institutions:institution", args=[pk]), name)], hint=hint
    )
