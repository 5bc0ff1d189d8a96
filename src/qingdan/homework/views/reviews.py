"""The monthly review of each school's totals, and how schools stand over a term."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.charting.sheets import table_xlsx
from qingdan.homework.actions.supervision import last_of, review_month
from qingdan.homework.charts.limits import stage_label
from qingdan.homework.charts.periods import Period, chosen_period, periods, region_of
from qingdan.homework.charts.questions import Scope, data_version
from qingdan.homework.charts.results import SchoolResult, school_results
from qingdan.homework.forms.supervision import PeriodForm, ReviewForm
from qingdan.homework.models import MonthlyReview
from qingdan.places.calendar import current_pack, today
from qingdan.schools.models import School
from qingdan.storage.downloads import saved

_MONTHS_BACK = 12
_PER_PAGE = 50
_KEPT_SECONDS = 600
#: What a list can be ordered by: name in the address -> (heading, which number, whether the largest come first).
SORTS = {
    "over": ("超限占比", "over_limit_percent", True),
    "minutes": ("平均分钟", "average_minutes", True),
    "in_time": ("按时公示率", "in_time_percent", False),
    "reported": ("反馈平均", "average_reported_minutes", True),
    "faults": ("抽查问题", "faults", True),
}


def previous_month(day: datetime.date) -> datetime.date:
    """The first of the month before a day's."""
    return (day.replace(day=1) - datetime.timedelta(days=1)).replace(day=1)


def months() -> list[datetime.date]:
    """The months that can be reviewed, the last one first."""
    found = [previous_month(today())]
    while len(found) < _MONTHS_BACK:
        found.append(previous_month(found[-1]))
    return found


def _month(text: str) -> datetime.date:
    """``2026-10`` as its first day; last month for anything else."""
    try:
        return datetime.date.fromisoformat(f"{text}-01")
    except ValueError:
        return previous_month(today())


def _schools(user: User) -> list[School]:
    return list(School.objects.visible_to(user).select_related("organisation"))


def kept_results(schools: Sequence[School], first: datetime.date, last: datetime.date) -> list[SchoolResult]:
    """The schools' results, counted once for each state of the data."""
    scope = Scope(tuple((each.pk, each.organisation.layer_code) for each in schools), first, last)
    key = scope.key(data_version(), "school_results")
    found: list[SchoolResult] | None = cache.get(key)
    if found is None:
        found = school_results(schools, first, last)
        cache.set(key, found, _KEPT_SECONDS)
    return found


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER)
@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """A bureau: all schools of a month, reviewed or not; a school leader: what was said of the own school."""
    user = user_of(request)
    if not user.is_bureau:
        found = MonthlyReview.objects.visible_to(user).select_related("reviewed_by", "school__organisation")
        own = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
        return render(request, "homework/supervision/reviews_school.html", {"page": own})
    month = _month(request.GET.get("month", ""))
    page = Paginator(_schools(user), _PER_PAGE).get_page(request.GET.get("page"))
    done = {each.school_id: each for each in MonthlyReview.objects.filter(month=month, school__in=list(page)).select_related("reviewed_by")}
    results = kept_results(list(page), month, last_of(month))
    context = {
        "page": page,
        "month": month,
        "months": months(),
        "rows": [{"result": each, "review": done.get(each.school_id)} for each in results],
        "reviewed": MonthlyReview.objects.visible_to(user).filter(month=month).count(),
        "is_over": last_of(month) < today(),
    }
    return render(request, "homework/supervision/reviews.html", context)


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER)
def review(request: HttpRequest, school_pk: int, year: int, number: int) -> HttpResponse:
    """One school's month: totals as they are or as they were frozen, beside the month before; the bureau writes its opinion."""
    user = user_of(request)
    if not (2020 <= year <= 2099 and 1 <= number <= 12):
        raise Http404
    school = get_object_or_404(School.objects.visible_to(user).select_related("organisation"), pk=school_pk)
    month = datetime.date(year, number, 1)
    found = MonthlyReview.objects.filter(school=school, month=month).select_related("reviewed_by").first()
    if not user.is_bureau and (found is None or request.method == "POST"):
        raise Http404
    form = ReviewForm(request.POST or None, initial={"opinion": found.opinion if found else ""})
    if request.method == "POST" and form.is_valid():
        try:
            review_month(
                school=school, month=month, by=user, opinion=form.cleaned_data["opinion"], counts_anew=form.cleaned_data["counts_anew"]
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"已评议{school}{month:%Y年%m月}的作业总量，学校可以看到。")
            return redirect(f"{reverse('homework:reviews')}?month={month:%Y-%m}")
    before = previous_month(month)
    context = {
        "school": school,
        "month": month,
        "review": found,
        "form": form,
        "totals": _shown(found.totals if found else kept_results([school], month, last_of(month))[0].as_json()),
        "before": _shown(kept_results([school], before, last_of(before))[0].as_json()),
        "before_month": before,
        "is_over": last_of(month) < today(),
    }
    return render(request, "homework/supervision/review.html", context, status=400 if form.errors else 200)


def _shown(totals: dict[str, Any]) -> list[tuple[str, str]]:
    """Totals in words, line by line."""

    def said(name: str, unit: str) -> str:
        value = totals.get(name)
        return "—" if value is None else f"{value:g} {unit}"

    pack = current_pack()
    stages = totals.get("average_minutes_by_stage") or {}
    return [
        ("有作业的天数", said("days", "天")),
        ("有作业的班级", said("classes", "个")),
        ("平均每天书面家庭作业", said("average_minutes", "分钟")),
        *((f"其中{stage_label(pack, stage)}", f"{minutes:g} 分钟") for stage, minutes in sorted(stages.items(), reverse=True)),
        ("超过上限的班·日", f"{totals.get('over_limit_days', 0)} / {totals.get('class_days', 0)}"),
        ("按时公示的年级·周", f"{totals.get('published_on_time', 0)} / {totals.get('weeks', 0)}"),
        ("家庭反馈", said("reports", "份")),
        ("反馈的平均用时", said("average_reported_minutes", "分钟")),
        ("随机抽查", said("checks", "个班")),
        ("与公示不一致", said("differing", "个班")),
        ("抽查发现的问题", said("faults", "项")),
    ]


_COLUMNS = (
    "学校", "有作业天数", "有作业班级", "班·日", "平均分钟", "超限班·日", "超限占比（%）", "应公示年级·周", "按时公示", "按时公示率（%）",
    "家庭反馈", "反馈平均分钟", "预计平均分钟", "抽查班级", "与公示不一致", "抽查问题",
)  # fmt: skip

#: The totals of a frozen review that are exported, and their headings.
_FROZEN = (
    "days", "classes", "class_days", "average_minutes", "over_limit_days", "weeks", "published_on_time", "reports",
    "average_reported_minutes", "checks", "differing", "faults",
)  # fmt: skip
_FROZEN_COLUMNS = (
    "学校", "有作业天数", "有作业班级", "班·日", "平均分钟", "超限班·日", "应公示年级·周", "按时公示", "家庭反馈",
    "反馈平均分钟", "抽查班级", "与公示不一致", "抽查问题", "评议意见", "评议人", "评议日期",
)  # fmt: skip


def _row(result: SchoolResult) -> tuple[object, ...]:
    return (
        result.name, result.days, result.classes, result.class_days, result.average_minutes, result.over_limit_days,
        result.over_limit_percent, result.weeks, result.published_on_time, result.in_time_percent, result.reports,
        result.average_reported_minutes, result.average_estimated_minutes, result.checks, result.differing, result.faults,
    )  # fmt: skip


@for_roles(Role.BUREAU)
@require_safe
def reviews_export(request: HttpRequest) -> HttpResponse:
    """A month of all schools as a workbook, with the opinions; reviewed schools as they were frozen."""
    user, month = user_of(request), _month(request.GET.get("month", ""))
    schools = _schools(user)
    done = {each.school_id: each for each in MonthlyReview.objects.filter(month=month, school__in=schools).select_related("reviewed_by")}
    rows: list[tuple[object, ...]] = []
    for result in kept_results(schools, month, last_of(month)):
        one = done.get(result.school_id)
        totals = one.totals if one else result.as_json()
        said = (one.opinion, str(one.reviewed_by), f"{one.reviewed_at:%Y-%m-%d}") if one else ("", "", "")
        rows.append((result.name, *(totals.get(name) for name in _FROZEN), *said))
    notes = (f"{month:%Y年%m月}作业总量评议。已评议的为评议时冻结的数，其余为导出时的数。",)
    return saved(table_xlsx(f"{month:%Y-%m} 评议", _FROZEN_COLUMNS, rows, notes=notes), f"作业总量评议_{month:%Y-%m}.xlsx")


def _standing(request: HttpRequest) -> tuple[Period, PeriodForm, list[SchoolResult], str]:
    user = user_of(request)
    choices = periods(region_of(user))
    form = PeriodForm(request.GET, choices=choices, stages=[], schools=[])
    period = chosen_period(choices, form.chosen("period"))
    results = kept_results(_schools(user), period.first, period.last)
    sort = request.GET.get("sort", "")
    if sort in SORTS:
        _, name, is_down = SORTS[sort]
        # Schools without a figure come last, whichever way.
        results = sorted(results, key=lambda each: (getattr(each, name) is None, (getattr(each, name) or 0) * (-1 if is_down else 1)))
    return period, form, results, sort


@for_roles(Role.BUREAU)
@require_safe
def standing(request: HttpRequest) -> HttpResponse:
    """How each school stands over a term."""
    period, form, results, sort = _standing(request)
    page = Paginator(results, _PER_PAGE).get_page(request.GET.get("page"))
    context = {"period": period, "form": form, "page": page, "sort": sort, "sorts": {name: each[0] for name, each in SORTS.items()}}
    return render(request, "homework/supervision/standing.html", context)


@for_roles(Role.BUREAU)
@require_safe
def standing_export(request: HttpRequest) -> HttpResponse:
    """The same as a workbook."""
    period, _, results, _ = _standing(request)
    notes = (f"{period.label}（{period.first} 至 {period.last}）",)
    return saved(table_xlsx("各校情况", _COLUMNS, [_row(each) for each in results], notes=notes), f"各校作业情况_{period.label}.xlsx")
