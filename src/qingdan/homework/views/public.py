"""The public hall: what schools have published, for everybody, without signing in.

A visitor gets the same bytes as every other visitor, without a cookie, so that a cache in between may keep them for a minute.
"""

from __future__ import annotations

import datetime
import io
from functools import cache
from typing import Any

import segno
from django.core.cache import cache as default_cache
from django.core.paginator import Paginator
from django.db.models import Count, Max, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control

from qingdan.accounts.access import is_fragment, open_to_all
from qingdan.homework.forms.disclosure import SchoolFilter
from qingdan.homework.models import Disclosure
from qingdan.homework.snapshots import canonical, changes, print_size, week_table
from qingdan.places.calendar import monday_of, today
from qingdan.policy.calendars import FIRST_DAY
from qingdan.policy.units import grade_name
from qingdan.schools.models import School

_DAY_SECONDS = 24 * 3600
_YEAR_SECONDS = 365 * _DAY_SECONDS
_SCHOOLS_PER_PAGE = 30
_WEEKS_PER_PAGE = 10
_FRIDAY = datetime.timedelta(days=4)
_LAST_DAY = datetime.date(2199, 12, 31)


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page; without a form nobody needs a token, and without a token there is no cookie."""
    return render(request, template, context if request.user.is_authenticated else {**context, "csrf_token": ""})


def _school(pk: int) -> School:
    return get_object_or_404(School.objects.select_related("organisation", "region"), pk=pk)


def day_of(text: str) -> datetime.date:
    """The day in an address; Http404 when it is none, or none that a school ever had."""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise Http404 from None
    if not FIRST_DAY <= day <= _LAST_DAY:
        raise Http404
    return day


def day_name(day: datetime.date) -> str:
    """``11月16日``: written once for all the cells of a row."""
    return f"{day.month}月{day.day}日"


@open_to_all
def home(request: HttpRequest) -> HttpResponse:
    """All schools, with the newest week that each has published."""
    form = SchoolFilter(request.GET)
    chosen = form.chosen()
    schools = School.objects.select_related("organisation", "region").matching(chosen["q"].strip())
    if chosen["kind"]:
        schools = schools.filter(kind=chosen["kind"])
    of_school = Disclosure.objects.filter(school=OuterRef("pk")).order_by().values("school")
    newest = of_school.annotate(found=Max("week_from")).values("found")
    grades = of_school.filter(week_from=OuterRef("newest_week")).annotate(found=Count("grade", distinct=True)).values("found")
    listed = schools.annotate(newest_week=Subquery(newest)).annotate(grade_count=Subquery(grades))
    page = Paginator(listed, _SCHOOLS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "is_filtered": any(chosen.values()), "this_week": monday_of(today())}
    return _page(request, "homework/public/includes/schools.html" if is_fragment(request) else "homework/public/home.html", context)


@open_to_all
def school(request: HttpRequest, pk: int) -> HttpResponse:
    """A school's grades and the weeks they have published."""
    found = _school(pk)
    published = Disclosure.objects.filter(school=found)
    weeks = published.filter(version=1).order_by("-week_from").values_list("week_from", flat=True).distinct()
    page = Paginator(weeks, _WEEKS_PER_PAGE).get_page(request.GET.get("page"))
    by_week: dict[datetime.date, dict[int, Disclosure]] = {week: {} for week in page}
    for each in published.filter(week_from__in=list(by_week)).newest().defer("snapshot"):
        by_week[each.week_from][each.grade] = each
    grades = [(grade, grade_name(grade)) for grade in found.grades]
    rows = [
        (week, day_name(week), day_name(week + _FRIDAY), [(grade, name, versions.get(grade)) for grade, name in grades])
        for week, versions in by_week.items()
    ]
    context = {"school": found, "page": page, "rows": rows, "grades": grades, "this_week": monday_of(today())}
    return _page(request, "homework/public/school.html", context)


@open_to_all
def grade(request: HttpRequest, pk: int, grade: int) -> HttpResponse:
    """The newest week of a grade: an address that stays the same all year, for a board at the school's gate."""
    found = _school(pk)
    if grade not in found.grades:
        raise Http404
    newest = Disclosure.objects.filter(school=found, grade=grade).aggregate(newest=Max("week_from"))["newest"]
    return redirect("public:week", pk, grade, newest or monday_of(today()))


def _versions(pk: int, grade: int, week: str) -> tuple[School, datetime.date, list[Disclosure]]:
    """A known grade's week with its versions, the newest first."""
    found, day = _school(pk), day_of(week)
    if grade not in found.grades:
        raise Http404
    return found, day, list(Disclosure.objects.filter(school=found, grade=grade, week_from=day).order_by("-version"))


def _chosen(request: HttpRequest, versions: list[Disclosure]) -> Disclosure:
    """The version that the address names, or the newest."""
    wanted = request.GET.get("version", "")
    if not wanted:
        return versions[0]
    for each in versions:
        if str(each.version) == wanted:
            return each
    raise Http404


@open_to_all
def week(request: HttpRequest, pk: int, grade: int, week: str) -> HttpResponse:
    """One grade's week as it was published, with its older versions."""
    if (day := day_of(week)) != monday_of(day):
        return redirect("public:week", pk, grade, monday_of(day))
    found, day, versions = _versions(pk, grade, week)
    context = {"school": found, "grade": grade, "grade_name": grade_name(grade), "week_from": day, "week_until": day + _FRIDAY}
    context |= _neighbours(found, grade, day)
    if not versions:
        return _page(request, "homework/public/unpublished.html", context | {"is_over": day + datetime.timedelta(days=6) < today()})
    shown = _chosen(request, versions)
    before = next((each for each in versions if each.version == shown.version - 1), None)
    # What is published stays as it is, so it is laid out once; the template keeps the result under the same key.
    table = cache(lambda: week_table(shown.snapshot))
    kept = f"{shown.pk}-{shown.sha256}"
    size: tuple[int, int] | None = default_cache.get(f"print-size-{kept}")
    if size is None:
        size = print_size(table(), shown.snapshot)
        default_cache.set(f"print-size-{kept}", size, _DAY_SECONDS)
    context |= {
        "shown": shown,
        "snapshot": shown.snapshot,
        "table": table,
        "kept": kept,
        "print_size": size[0],
        "print_lines": size[1],
        "versions": versions,
        "newest": versions[0],
        "before": before,
        "changes": changes(before.snapshot, shown.snapshot) if before else [],
        "left": f"第 {before.version} 版" if before else "",
        "right": f"第 {shown.version} 版",
        "address": request.build_absolute_uri(reverse("public:week", args=[pk, grade, week])),
    }
    return _page(request, "homework/public/week.html", context)


def _neighbours(found: School, grade: int, day: datetime.date) -> dict[str, datetime.date | None]:
    """The published weeks before and after."""
    published = Disclosure.objects.filter(school=found, grade=grade).order_by("week_from").values_list("week_from", flat=True)
    return {"week_before": published.filter(week_from__lt=day).last(), "week_after": published.filter(week_from__gt=day).first()}


@open_to_all
def snapshot(request: HttpRequest, pk: int, grade: int, week: str) -> HttpResponse:
    """The very bytes that were hashed, so that anybody can check the fingerprint."""
    _, day, versions = _versions(pk, grade, week)
    if not versions:
        raise Http404
    shown = _chosen(request, versions)
    response = HttpResponse(canonical(shown.snapshot), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="homework-{pk}-{grade}-{day}-v{shown.version}.json"'
    if request.GET.get("version") and not request.user.is_authenticated:
        patch_cache_control(response, public=True, max_age=_YEAR_SECONDS, immutable=True)
    return response


def _qr(request: HttpRequest, address: str) -> HttpResponse:
    drawing = io.BytesIO()
    segno.make(request.build_absolute_uri(address), error="m", micro=False).save(drawing, kind="svg", scale=4, border=2, xmldecl=False)
    return HttpResponse(drawing.getvalue(), content_type="image/svg+xml")


@open_to_all
def week_qr(request: HttpRequest, pk: int, grade: int, week: str) -> HttpResponse:
    """The address of a week's newest version as a QR code."""
    found, day = _school(pk), day_of(week)
    if grade not in found.grades:
        raise Http404
    return _qr(request, reverse("public:week", args=[pk, grade, day]))


@open_to_all
def school_qr(request: HttpRequest, pk: int) -> HttpResponse:
    """The address of a school's page as a QR code, for a board that stays."""
    return _qr(request, reverse("public:school", args=[_school(pk).pk]))
