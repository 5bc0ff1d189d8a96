"""Campaigns of yearly inspections for officers, and the list of an institution's own."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import attempt
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.charting.sheets import table_xlsx
from qingdan.institutions.actions import inspections as acts
from qingdan.institutions.enums import InspectionState
from qingdan.institutions.forms import inspections as forms
from qingdan.institutions.models import Inspection, InspectionCampaign
from qingdan.institutions.models.supervision import InspectionQuerySet
from qingdan.institutions.views.registry import add_errors
from qingdan.places.calendar import today
from qingdan.storage.downloads import saved

_PER_PAGE = 30
_READERS = (*OFFICERS, Role.INSTITUTION)
_COLUMNS = (
    "机构", "统一社会信用代码", "类别", "主管部门", "状态", "自查提交", "项目数", "自查不符合", "系统已知问题项", "核查不符合", "核查日期",
    "整改期限", "结论说明",
)  # fmt: skip


@for_roles(*_READERS)
@require_safe
def inspections(request: HttpRequest) -> HttpResponse:
    """For officers the campaigns, for an institution its own inspections, the newest first."""
    user = user_of(request)
    if user.is_officer:
        # What a department counts is what it may see.
        seen = Inspection.objects.visible_to(user)
        count = Count("inspections", filter=Q(inspections__in=seen))
        checked = Count("inspections", filter=Q(inspections__in=seen.filter(state__in=_results())))
        found: Any = InspectionCampaign.objects.visible_to(user).select_related("bureau").annotate(count=count, checked=checked)
        page = Paginator(found.order_by("-year", "-pk"), _PER_PAGE).get_page(request.GET.get("page"))
        return render(request, "institutions/inspections/campaigns.html", {"page": page, "waiting": seen.to_check().count()})
    own = _with_progress(Inspection.objects.visible_to(user).select_related("campaign__bureau")).order_by("-campaign__year", "-pk")
    page = Paginator(own, _PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "institutions/inspections/own.html", {"page": page, "today": today()})


def _results() -> tuple[str, ...]:
    return (InspectionState.PASSED, InspectionState.TO_CORRECT, InspectionState.FAILED)


def _with_progress(found: InspectionQuerySet) -> Any:
    """With how many items there are, are answered, are known to the records, are wanting."""
    return found.annotate(
        item_count=Count("items"),
        answered_count=Count("items", filter=Q(items__self_answer__isnull=False)),
        own_no_count=Count("items", filter=Q(items__self_answer=False)),
        known_count=Count("items", filter=Q(items__known_breaches__gt=0)),
        uncounted_count=Count("items", filter=Q(items__known_breaches=None, items__isnull=False)),
        checked_count=Count("items", filter=Q(items__is_met__isnull=False)),
        failed_count=Count("items", filter=Q(items__is_met=False)),
    )


@for_roles(*OFFICERS)
def campaign_new(request: HttpRequest) -> HttpResponse:
    """Start a year's inspection."""
    form = forms.CampaignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        record: InspectionCampaign = form.save(commit=False)
        try:
            count = acts.start_campaign(record, by=user_of(request))
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"已向 {count} 家机构发起年检，清单按现行规定生成，机构会收到通知。")
            return redirect("institutions:inspection_campaign", record.pk)
    return render(request, "institutions/inspections/new.html", {"form": form}, status=400 if form.errors else 200)


def _campaign(request: HttpRequest, pk: int) -> InspectionCampaign:
    return get_object_or_404(InspectionCampaign.objects.visible_to(user_of(request)).select_related("bureau"), pk=pk)


def _filtered(request: HttpRequest, campaign: InspectionCampaign) -> tuple[forms.CampaignFilter, Any]:
    form = forms.CampaignFilter(request.GET)
    found = form.apply(Inspection.objects.visible_to(user_of(request)).filter(campaign=campaign))
    found = _with_progress(found.select_related("institution__organisation"))
    return form, found.order_by("institution__organisation__pinyin", "pk")


@for_roles(*OFFICERS)
@require_safe
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """A campaign with its progress and institutions."""
    found = _campaign(request, pk)
    form, listed = _filtered(request, found)
    page = Paginator(listed, _PER_PAGE).get_page(request.GET.get("page"))
    is_counting = found.inspections.filter(items__known_breaches=None, items__isnull=False).exists()
    context: dict[str, Any] = {"campaign": found, "form": form, "page": page, "today": today(), "is_counting": is_counting}
    if is_fragment(request):
        return render(request, "institutions/inspections/includes/list.html", context)
    visible = Inspection.objects.visible_to(user_of(request)).filter(campaign=found)
    counts = dict(visible.order_by().values_list("state").annotate(Count("pk")))
    context["counts"] = [(state, label, counts.get(state, 0)) for state, label in InspectionState.choices]
    context["whole"] = sum(counts.values())
    context["late"] = visible.late(today()).count()
    context["is_own"] = found.bureau_id == user_of(request).organisation_id
    # Nobody has begun: it can still be taken back.
    context["may_cancel"] = context["is_own"] and set(counts) <= {InspectionState.WAITING.value}
    return render(request, "institutions/inspections/campaign.html", context)


@for_roles(*OFFICERS)
@require_safe
def campaign_export(request: HttpRequest, pk: int) -> HttpResponse:
    """What the list shows, as a workbook."""
    found = _campaign(request, pk)
    _, listed = _filtered(request, found)
    rows = (
        (
            each.institution.name, each.institution.credit_code, each.institution.get_category_display(),
            each.institution.get_department_display(), each.get_state_display(),
            f"{timezone.localtime(each.reported_at):%Y-%m-%d}" if each.reported_at else None,
            each.item_count, each.own_no_count, None if each.uncounted_count else each.known_count, each.failed_count,
            each.inspected_on and each.inspected_on.isoformat(), each.correct_until and each.correct_until.isoformat(),
            each.conclusion or None,
        )
        for each in listed
    )  # fmt: skip
    return saved(table_xlsx("年检", _COLUMNS, rows), f"{found.title}_{today():%Y%m%d}.xlsx")


@for_roles(*OFFICERS)
@require_POST
def campaign_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Take in institutions registered since."""
    found = _campaign(request, pk)
    try:
        count = acts.extend_campaign(found, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, f"补入 {count} 家机构。" if count else "没有新登记的机构要补入。")
    return redirect("institutions:inspection_campaign", pk)


@for_roles(*OFFICERS)
@require_POST
def campaign_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a campaign that was started by mistake."""
    found = _campaign(request, pk)
    if attempt(request, lambda: acts.cancel_campaign(found, by=user_of(request)), f"“{found.title}”已撤销。"):
        return redirect("institutions:inspections")
    return redirect("institutions:inspection_campaign", pk)
