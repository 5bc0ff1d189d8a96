"""The list of findings, what it adds up to, and taking it along."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.accounts.models import Organisation, User
from qingdan.findings.actions import act_on_many
from qingdan.findings.counting import Count, by_status, grouped, rule_title
from qingdan.findings.enums import PENDING, FindingDay, FindingStatus
from qingdan.findings.exporting import EXPORT_ROWS_MAX, csv_lines, xlsx_bytes
from qingdan.findings.forms import ALL, ActForm, FindingFilter, PeriodFilter, acts_for
from qingdan.findings.models import AuditRun, Finding, FindingQuerySet
from qingdan.storage.downloads import saved, under_name

log = logging.getLogger(__name__)
#: Who has to do with findings.
MEMBERS = (Role.BUREAU, Role.SCHOOL_LEADER, Role.INSTITUTION)
#: Other departments read what is found of their institutions; the education bureau decides.
READERS = (*MEMBERS, Role.DEPARTMENT)
_PER_PAGE = 50
_ORGANISATIONS_IN_SUMMARY = 50


class _CountedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of a list whose length is known already."""

    def __init__(self, found: QuerySet[Finding, Any], per_page: int, *, count: int) -> None:
        super().__init__(found, per_page)
        self.count = count


def _names_of(pks: Iterable[int]) -> dict[int, str]:
    """Organisations by number, in the order of their names."""
    return dict(Organisation.objects.filter(pk__in=set(pks)).order_by("pinyin").values_list("pk", "name"))


def _filter(request: HttpRequest, user: User) -> tuple[FindingFilter, FindingQuerySet, list[Count]]:
    """The filter as asked for, the findings that the user may see at all, and their counts."""
    visible = Finding.objects.visible_to(user)
    counts = visible.counts()
    rules = sorted(((rule, rule_title(rule)) for rule in {count.rule_id for count in counts}), key=lambda each: each[1])
    form = FindingFilter(
        request.GET,
        rules=rules,
        organisations=list(_names_of(count.organisation_id for count in counts).items()) if user.is_officer else [],
        kinds=sorted({count.kind for count in counts}),
    )
    return form, visible, counts


def _counts_by_status(visible: FindingQuerySet, counts: list[Count], chosen: dict[str, Any]) -> dict[str, int]:
    """Counts under all filters but the status; asked of the database only where the counts do not tell them apart."""
    if any(chosen[name] for name in ("first", "last", "text", "field")):
        return visible.matching(**chosen | {"status": []}).by_status()
    exact = {"rule_id": chosen["rule"], "organisation_id": chosen["organisation"], "kind": chosen["kind"], "day_kind": chosen["day_kind"]}
    wanted = {name: value for name, value in exact.items() if value}
    return by_status(count for count in counts if all(getattr(count, name) == value for name, value in wanted.items()))


def _tabs(counts: dict[str, int], chosen: str) -> list[dict[str, Any]]:
    named: list[tuple[str, str, int]] = [("", "待处理", sum(counts.get(status, 0) for status in PENDING))]
    named += [(status.value, str(status.label), counts.get(status, 0)) for status in FindingStatus]
    named.append((ALL, "全部", sum(counts.values())))
    return [{"status": status, "label": label, "count": count, "is_current": status == chosen} for status, label, count in named]


@for_roles(*READERS)
@require_safe
@never_cache
def finding_list(request: HttpRequest) -> HttpResponse:
    """A bureau: its whole region; a department: its institutions; a school or institution: its own."""
    user = user_of(request)
    form, visible, counts = _filter(request, user)
    chosen = form.chosen()
    status = form.cleaned_data.get("status", "")
    tabs = _tabs(_counts_by_status(visible, counts, chosen), status)
    count = next(tab["count"] for tab in tabs if tab["is_current"])
    # The order is found among short rows first; only the fifty of the page are read whole.
    numbers = visible.matching(**chosen).order_by(*form.order()).values_list("pk", flat=True)
    page = _CountedPaginator(numbers, _PER_PAGE, count=count).get_page(request.GET.get("page"))
    whole = Finding.objects.select_related("organisation").defer("observed", "limits", "remedy").in_bulk(list(page.object_list))
    page.object_list = [whole[number] for number in page.object_list if number in whole]
    # The bureau decides by state: what fits one answer does not fit another. Another department reads.
    can_choose = status in (FindingStatus.CORRECTED, FindingStatus.DISPUTED) if user.is_officer else status in ("", *PENDING)
    can_choose = can_choose and user.role in MEMBERS
    context = {
        "form": form,
        "page": page,
        "tabs": tabs,
        "status": status,
        "is_filtered": any(value for name, value in chosen.items() if name != "status"),
        "has_any": bool(counts),
        "query": request.GET.urlencode(),
        "act_form": ActForm(acts=acts_for(is_bureau=user.is_bureau, status=status or FindingStatus.OPEN)) if can_choose else None,
        "last_run": AuditRun.objects.done().order_by("-ended_at").only("ended_at").first(),
    }
    return render(request, "findings/includes/results.html" if is_fragment(request) else "findings/list.html", context)


@for_roles(Role.BUREAU)
@require_safe
@never_cache
def summary(request: HttpRequest) -> HttpResponse:
    """What the findings of a region add up to: by rule, by organisation, by kind of day."""
    form = PeriodFilter(request.GET)
    chosen = form.chosen()
    counts = Finding.objects.visible_to(user_of(request)).matching(**chosen).counts()
    organisations, days = grouped(counts, "organisation_id"), grouped(counts, "day_kind")
    names = _names_of(group.value for group in organisations[:_ORGANISATIONS_IN_SUMMARY])
    labels = dict(FindingDay.choices)
    context = {
        "form": form,
        "rules": [(group, rule_title(group.value)) for group in grouped(counts, "rule_id")],
        "organisations": [(group, names[group.value]) for group in organisations if group.value in names],
        "organisation_count": len(organisations),
        "days": [(group, labels.get(group.value, "")) for group in days],
        "most": max((group.whole for group in days), default=0),
        "totals": {name: sum(getattr(group, name) for group in days) for name in ("whole", "pending", "unanswered", "undecided")},
        "period": "".join(f"&{name}={value.isoformat()}" for name in ("first", "last") if (value := chosen[name])),
        "is_filtered": any(chosen.values()),
    }
    return render(request, "findings/summary.html", context)


@for_roles(*READERS)
@require_safe
def export(request: HttpRequest, form: str) -> HttpResponse:
    """The filtered list as a workbook or csv; all of it or, with a message, nothing."""
    user = user_of(request)
    filter_form, visible, _ = _filter(request, user)
    found = visible.matching(**filter_form.chosen()).order_by(*filter_form.order()).select_related("organisation")
    count = found.count()
    if count > EXPORT_ROWS_MAX:
        messages.error(request, f"共 {count:,} 个问题，一次最多导出 {EXPORT_ROWS_MAX:,} 个；请按单位、规则或日期缩小范围后再导出。")
        return redirect(f"{reverse('findings:list')}?{request.GET.urlencode()}")
    log.info("findings.exported user=%s form=%s rows=%s filter=%s", user.pk, form, count, request.GET.urlencode())
    name = f"问题清单_{timezone.localtime():%Y%m%d_%H%M}.{form}"
    if form == "csv":
        return under_name(StreamingHttpResponse(csv_lines(found), content_type="text/csv; charset=utf-8"), name)
    return saved(xlsx_bytes(found), name)


@for_roles(*MEMBERS)
@require_POST
def act_many(request: HttpRequest) -> HttpResponse:
    """One answer or decision on the findings ticked in the list."""
    user = user_of(request)
    back = f"{reverse('findings:list')}?{request.GET.urlencode()}"
    ticked = {int(each) for each in request.POST.getlist("finding") if each.isdecimal() and len(each) < 19}
    form = ActForm(request.POST, acts=acts_for(is_bureau=user.is_bureau))
    if not ticked:
        messages.error(request, "没有选中任何问题。请先在列表里勾选，再一起办理。")
        return redirect(back)
    if not form.is_valid():
        messages.error(request, "；".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect(back)
    findings = list(Finding.objects.visible_to(user).filter(pk__in=ticked).select_related("organisation"))
    if len(findings) != len(ticked):
        raise Http404
    try:
        done, refused = act_on_many(form.cleaned_data["act"], findings, by=user, reason=form.cleaned_data["reason"])
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect(back)
    if done:
        messages.success(request, f"已办理 {len(done)} 个问题，对方会收到通知。")
    for message in {each.message for each in refused}:
        number = sum(each.message == message for each in refused)
        messages.error(request, f"{number} 个没有办理：{message}。")
    return redirect(back)
