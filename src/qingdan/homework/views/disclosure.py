"""Staff pages of disclosure: how a school's weeks stand, and the act of publishing one."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.homework.actions.disclosure import Week, led_grades, may_publish, publish, refuse_week, told_by_items
from qingdan.homework.forms.disclosure import PublishForm, WeekFilter
from qingdan.homework.models import Disclosure
from qingdan.homework.models.disclosure import VERSION_TAKEN
from qingdan.homework.snapshots import changes, week_table
from qingdan.homework.views.public import day_name, day_of
from qingdan.homework.weeks import GradeWeek, grade_weeks
from qingdan.places.calendar import monday_of, today
from qingdan.places.models import SchoolYear
from qingdan.policy.units import grade_name
from qingdan.schools.models import School

_WEEKS_PER_PAGE = 10
_WEEK = datetime.timedelta(days=6)


def _own_school(user: User) -> School:
    return get_object_or_404(School.objects.visible_to(user).select_related("organisation", "region"), pk=user.organisation_id)


@for_roles(Role.SCHOOL_LEADER, Role.TEACHER)
@require_safe
@never_cache
def disclosures(request: HttpRequest) -> HttpResponse:
    """The school's weeks and grades: what is published, what is due, what is late."""
    user = user_of(request)
    school, now = _own_school(user), today()
    years = list(SchoolYear.objects.filter(region=school.region, starts_on__lte=now + _WEEK))
    form = WeekFilter(request.GET, grades=school.grades, years=[(year.first_year, str(year)) for year in years])
    chosen = form.chosen()
    year = next((each for each in years if each.first_year == chosen["year"]), years[0] if years else None)
    weeks: list[GradeWeek] = []
    if year is not None:
        last = min(year.ends_on, monday_of(now) + datetime.timedelta(days=13))
        grades = [chosen["grade"]] if chosen["grade"] else None
        weeks = grade_weeks(school, first=monday_of(year.starts_on), last=last, today=now, grades=grades)
    if chosen["state"]:
        weeks = [each for each in weeks if each.state == chosen["state"]]
    by_week: dict[datetime.date, dict[int, GradeWeek]] = {}
    for each in weeks:
        by_week.setdefault(each.week_from, {})[each.grade] = each
    page = Paginator(list(by_week.items()), _WEEKS_PER_PAGE).get_page(request.GET.get("page"))
    shown = [chosen["grade"]] if chosen["grade"] else list(school.grades)
    context = {
        "school": school,
        "form": form,
        "has_years": len(years) > 1,
        "page": page,
        "grades": [(grade, grade_name(grade)) for grade in shown],
        "rows": [(week, day_name(week), [(grade_name(grade), found.get(grade)) for grade in shown]) for week, found in page],
        "led": led_grades(user, min(now, year.ends_on) if year else now),
        "waiting": sum(each.is_due for each in weeks),
        "is_filtered": bool(chosen["grade"] or chosen["state"]),
        "this_week": monday_of(now),
    }
    return render(request, "homework/disclosure/includes/list.html" if is_fragment(request) else "homework/disclosure/list.html", context)


@for_roles(Role.SCHOOL_LEADER, Role.TEACHER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def disclosure_publish(request: HttpRequest, grade: int, week: str) -> HttpResponse:
    """A week as the public will see it, and the button that publishes it."""
    user, day = user_of(request), day_of(week)
    school = _own_school(user)
    if grade not in school.grades or not may_publish(user, school=school, grade=grade, day=day):
        raise Http404
    if day != monday_of(day):
        return redirect("homework:publish", grade, monday_of(day))
    register = Week.of(school, grade, day)
    last = Disclosure.objects.filter(school=school, grade=grade, week_from=day).select_related("published_by").order_by("-version").first()
    said = {name: last.snapshot[name] for name in ("requirements", "intent")} if last else told_by_items(register.items)
    form = PublishForm(request.POST or None, last=last, initial=said)
    if request.method == "POST" and form.is_valid() and (new := _published(form, school=school, grade=grade, day=day, by=user, last=last)):
        told = f"第 {new.version} 版已公示" if last else "已公示，任何人不登录都能看到"
        messages.success(request, f"{new.grade_name} {day:%m月%d日} 起一周的作业{told}。")
        return redirect("homework:publish", grade, week)
    context = _preview(request, register, form, last)
    if is_fragment(request):
        return render(request, "homework/disclosure/includes/preview.html", context)
    return render(request, "homework/disclosure/publish.html", context, status=400 if form.errors else 200)


def _published(
    form: PublishForm, *, school: School, grade: int, day: datetime.date, by: User, last: Disclosure | None
) -> Disclosure | None:
    """The new version; None with the reason in the form."""
    data = form.cleaned_data
    if data["seen_version"] != str(last.version if last else 0):
        form.add_error(None, VERSION_TAKEN)
        return None
    try:
        return publish(
            school=school,
            grade=grade,
            week_from=day,
            by=by,
            intent=data["intent"],
            requirements=data["requirements"],
            correction=data.get("correction", ""),
        )
    except ValidationError as error:
        form.add_error(None, error)
        return None


def _preview(request: HttpRequest, register: Week, form: PublishForm, last: Disclosure | None) -> dict[str, Any]:
    """What the page needs: the snapshot as it would be, what is against publishing it, how it differs from the last."""
    # While it is being typed the preview follows.
    typed = request.GET if is_fragment(request) else form.data if form.is_bound else form.initial
    said = {name: str(typed.get(name, "")).strip() for name in ("requirements", "intent")}
    snapshot = register.snapshot(intent=said["intent"], requirements=said["requirements"])
    obstacle = ""
    try:
        refuse_week(register.week_from)
    except ValidationError as error:
        obstacle = error.messages[0]
    now = today()
    return {
        "school": register.school,
        "grade": register.grade,
        "grade_name": grade_name(register.grade),
        "week_from": register.week_from,
        "week_until": register.week_from + datetime.timedelta(days=4),
        "register": register,
        "form": form,
        "last": last,
        "snapshot": snapshot,
        "table": week_table(snapshot),
        "changes": changes(last.snapshot, snapshot) if last else [],
        "left": f"第 {last.version} 版" if last else "",
        "right": "现在",
        "obstacle": obstacle,
        "board": f"{reverse('homework:board', args=[register.grade])}?week={register.week_from}",
        "is_early": register.items and max(each.on_date for each in register.items) > now,
        "address": request.build_absolute_uri(reverse("public:week", args=[register.school.pk, register.grade, register.week_from])),
    }
