"""The calendar: everybody signed in reads that of the own region, the bureau writes it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.places import actions, journal
from qingdan.places.calendar import today
from qingdan.places.enums import SchoolDayKind
from qingdan.places.forms import DaysForm, FillForm, YearForm
from qingdan.places.history import changes_of
from qingdan.places.models import Region, SchoolYear
from qingdan.places.months import MAKE_UP, sheets_of, span_of, year_of
from qingdan.policy.calendars import LAST_YEAR

log = logging.getLogger(__name__)

_SCOPE = "calendar"
_YEAR_MIN, _YEAR_MAX = 2020, 2100


def _chosen_year(request: HttpRequest, years: list[SchoolYear]) -> int:
    """The school year asked for; else the one today lies in."""
    text = request.GET.get("year", "")
    if text.isdecimal() and _YEAR_MIN <= int(text) <= _YEAR_MAX:
        return int(text)
    day = today()
    holding = next((each.first_year for each in years if each.starts_on <= day <= each.ends_on), None)
    return holding if holding is not None else year_of(day)


def _pickable(years: list[SchoolYear], chosen: int) -> list[int]:
    """Known years, the one chosen, and one before and after them, newest first."""
    known = {each.first_year for each in years} | {chosen, year_of(today())}
    return sorted({*known, max(known) + 1, min(known) - 1}, reverse=True)


def _page(region: Region, first_year: int, years: list[SchoolYear]) -> dict[str, Any]:
    year = next((each for each in years if each.first_year == first_year), None)
    first, last = span_of(first_year, year)
    sheets = sheets_of(region, first, last, today=today())
    return {
        "region": region,
        "first_year": first_year,
        "year": year,
        "terms": list(year.terms.all()) if year else [],
        "vacations": sorted(actions.vacations_of(region, first, last).values(), key=lambda each: each.starts_on),
        "months": sheets.html,
        "school_days": sheets.counts[SchoolDayKind.SCHOOL_DAY] + sheets.counts[MAKE_UP],
        "unknown_days": sheets.counts[SchoolDayKind.UNKNOWN],
        "years": _pickable(years, first_year),
        "last_known_year": LAST_YEAR,
    }


@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """A school year as months, with what each day is."""
    user = user_of(request)
    regions = list(Region.objects.visible_to(user).order_by("code"))
    own = Region.objects.edited_by(user)
    if not regions:
        return render(request, "places/none.html", {"may_start": user.is_bureau and bool(user.employer.region_code)})
    wanted = request.GET.get("region")
    region = next((each for each in regions if each.code == wanted), None)
    if wanted and region is None:
        raise Http404
    own_code = own.values_list("code", flat=True).first() if user.is_bureau else None
    region = region or next((each for each in regions if each.code == own_code), regions[0])
    years = list(region.school_years.prefetch_related("terms"))
    context = _page(region, _chosen_year(request, years), years)
    context |= {"regions": regions, "may_edit": region.code == own_code, "changes": changes_of(region) if user.is_bureau else []}
    context["undo"] = journal.remembered(request, _SCOPE) if context["may_edit"] else ""
    return render(request, "places/calendar.html", context)


def _own_region(request: HttpRequest) -> Region:
    return get_object_or_404(Region.objects.edited_by(user_of(request)))


def _edit_page(request: HttpRequest, region: Region, first_year: int, forms: dict[str, Any], status: int = 200) -> HttpResponse:
    years = list(region.school_years.prefetch_related("terms"))
    context = _page(region, first_year, years)
    first, last = span_of(first_year, context["year"])
    context |= {
        "form": YearForm(region=region, first_year=first_year),
        "days_form": DaysForm(first_year=first_year),
        "fill_form": FillForm(initial={"first": first, "last": min(last, actions.LAST_DAY)}),
        "overridden": list(region.overridden_days.filter(day__range=(first, last))),
        "undo": journal.remembered(request, _SCOPE),
        "changes": changes_of(region),
        **forms,
    }
    return render(request, "places/edit.html", context, status=status)


@for_roles(Role.BUREAU)
@require_safe
def edit(request: HttpRequest) -> HttpResponse:
    """Everything of a school year that the bureau decides."""
    region = _own_region(request)
    return _edit_page(request, region, _chosen_year(request, list(region.school_years.all())), {})


def _act(request: HttpRequest, first_year: int, what: str, act: Callable[[], journal.Journal]) -> HttpResponse | ValidationError:
    """Do something, tell it and keep how to take it back; or give back why it cannot be."""
    try:
        done = act()
    except ValidationError as error:
        return error
    if done.entries:
        journal.remember(request, what, done, scope=_SCOPE)
        messages.success(request, f"已{what}，即刻生效。")
    else:
        messages.info(request, "没有变化。")
    return redirect(f"{reverse('places:edit')}?year={first_year}")


def _checked_year(first_year: int) -> int:
    if not _YEAR_MIN <= first_year <= _YEAR_MAX:
        raise Http404
    return first_year


@for_roles(Role.BUREAU)
@require_POST
def save_year(request: HttpRequest, first_year: int) -> HttpResponse:
    """Keep a school year with its terms and vacations."""
    region = _own_region(request)
    form = YearForm(request.POST, region=region, first_year=_checked_year(first_year))
    if form.is_valid():
        answer = _act(
            request, first_year, f"保存{first_year}学年的日期", lambda: actions.save_year(region, form.dates(), by=user_of(request))
        )
        if isinstance(answer, HttpResponse):
            return answer
        for text in answer.messages:
            form.add_error(None, text)
    return _edit_page(request, region, first_year, {"form": form}, status=400)


@for_roles(Role.BUREAU)
@require_POST
def add_days(request: HttpRequest, first_year: int) -> HttpResponse:
    """Say what single days are."""
    region = _own_region(request)
    form = DaysForm(request.POST, first_year=_checked_year(first_year))
    if form.is_valid():
        data = form.cleaned_data
        label = dict(form.fields["kind"].choices)[data["kind"]]  # type: ignore[attr-defined]
        answer = _act(
            request,
            first_year,
            f"把 {len(set(data['days']))} 天改为{label}",
            lambda: actions.override_days(region, data["days"], data["kind"], note=data["note"], by=user_of(request)),
        )
        if isinstance(answer, HttpResponse):
            return answer
        form.add_error("days", answer.messages)
    return _edit_page(request, region, first_year, {"days_form": form}, status=400)


@for_roles(Role.BUREAU)
@require_POST
def fill_days(request: HttpRequest, first_year: int) -> HttpResponse:
    """Fill in the days that nobody has decided, by the week."""
    region = _own_region(request)
    form = FillForm(request.POST)
    _checked_year(first_year)
    if form.is_valid():
        data = form.cleaned_data
        answer = _act(
            request,
            first_year,
            "按周填写未定的日子",
            lambda: actions.fill_unknown_days(region, data["first"], data["last"], by=user_of(request)),
        )
        if isinstance(answer, HttpResponse):
            return answer
        for text in answer.messages:
            form.add_error(None, text)
    return _edit_page(request, region, first_year, {"fill_form": form}, status=400)


@for_roles(Role.BUREAU)
@require_POST
def remove_days(request: HttpRequest, first_year: int) -> HttpResponse:
    """Take back what was said of single days."""
    region = _own_region(request)
    chosen = [int(each) for each in request.POST.getlist("day") if each.isdecimal()]
    answer = _act(request, _checked_year(first_year), "恢复所选的日子", lambda: actions.take_back_days(region, chosen, by=user_of(request)))
    if isinstance(answer, HttpResponse):
        return answer
    messages.error(request, "；".join(answer.messages))
    return redirect(f"{reverse('places:edit')}?year={first_year}")


@for_roles(Role.BUREAU)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back the last change of the calendar."""
    region = _own_region(request)
    try:
        what = actions.take_back(request, region, scope=_SCOPE, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, f"已撤销：{what}。")
    year = request.POST.get("year", "")
    return redirect(f"{reverse('places:edit')}?year={year}" if year.isdecimal() else "places:edit")


@for_roles(Role.BUREAU)
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begin a calendar for a region that has none."""
    user = user_of(request)
    try:
        actions.start_calendar(user.employer, by=user)
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect("places:calendar")
    messages.success(request, "已建立本地区的校历，请填写学年与学期。")
    return redirect("places:edit")
