"""The public directory: every registered institution, for everybody, without signing in.

A visitor gets the same bytes as every other visitor, without a cookie, so that a cache in between may keep them for a minute. Nobody's
identity or telephone stands here; of a teacher the name, the subject and a masked certificate, as the law has it published.
"""

from __future__ import annotations

import datetime
import io
from typing import Any

import segno
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from qingdan.accounts.access import is_fragment, open_to_all
from qingdan.accounts.marks import marks_of
from qingdan.institutions.credit import credit_of
from qingdan.institutions.enums import ListColour
from qingdan.institutions.forms.public import DirectoryFilter
from qingdan.institutions.models import Course, Institution, Listing, Session, Staff
from qingdan.institutions.oversight import settled_findings
from qingdan.institutions.views.registry import with_standing
from qingdan.places.calendar import monday_of, today

_PER_PAGE = 30
_LISTED_PER_PAGE = 50
_SETTLED_SHOWN = 20
_CERTIFICATE_SHOWN = 4
_WEEKDAYS = "一二三四五六日"


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page; without a form nobody needs a token, and without a token there is no cookie."""
    return render(request, template, context if request.user.is_authenticated else {**context, "csrf_token": ""})


@open_to_all
def home(request: HttpRequest) -> HttpResponse:
    """All institutions, found by name, sound, initials, street, category, state and list."""
    streets = Institution.objects.exclude(street="").order_by("street").values_list("street", flat=True).distinct()
    form = DirectoryFilter(request.GET, streets=list(streets))
    chosen = form.chosen()
    found = with_standing(Institution.objects.public(), today()).matching(chosen["q"].strip())
    for name in ("category", "street", "state", "colour"):
        if chosen[name]:
            found = found.filter(**{name: chosen[name]})
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "is_filtered": any(chosen.values())}
    template = "institutions/public/includes/list.html" if is_fragment(request) else "institutions/public/home.html"
    return _page(request, template, context)


def _institution(pk: int) -> Institution:
    return get_object_or_404(with_standing(Institution.objects.public().select_related("region"), today()), pk=pk)


def masked(certificate: str) -> str:
    """The last digits of a certificate's number: enough to compare with the one on the wall."""
    if not certificate:
        return ""
    shown = certificate[-_CERTIFICATE_SHOWN:] if len(certificate) > 2 * _CERTIFICATE_SHOWN else ""
    return "*" * (len(certificate) - len(shown)) + shown


def _week(found: Institution, day: datetime.date) -> list[tuple[str, list[Session]]]:
    """This week's sessions by weekday."""
    monday = monday_of(day)
    sessions = Session.objects.planned().filter(institution=found, on_date__range=(monday, monday + datetime.timedelta(days=6)))
    by_day: dict[datetime.date, list[Session]] = {}
    for each in sessions.select_related("course", "room__premises"):
        by_day.setdefault(each.on_date, []).append(each)
    return [(f"周{_WEEKDAYS[on_date.weekday()]} {on_date.month}月{on_date.day}日", held) for on_date, held in by_day.items()]


def clock(minutes: int) -> str:
    """Minutes since midnight as people write them."""
    return f"{minutes // 60}:{minutes % 60:02}"


def yuan(fen: int) -> str:
    """An amount as people write it: ``80``, ``80.50``."""
    return f"{fen // 100}" if fen % 100 == 0 else f"{fen / 100:.2f}"


@open_to_all
def institution(request: HttpRequest, pk: int) -> HttpResponse:
    """What parents should know before they pay."""
    found, day = _institution(pk), today()
    inspections = list(found.inspections.concluded())
    listings, settled = list(found.listings.all()), settled_findings(found.pk)
    teachers = Staff.objects.filter(institution=found, role="teaching").published(day)
    courses = Course.objects.filed().filter(institution=found, ends_on__gte=day).order_by("name")
    context = {
        "institution": found,
        "permits": found.permits.in_force(day).select_related("premises"),
        "premises": [each for each in found.premises.all() if each.is_open(day)],
        "teachers": [(each.name, each.subject, masked(each.certificate_number)) for each in teachers],
        "courses": [(each, yuan(each.lesson_price_fen)) for each in courses],
        "week": [
            (name, [(clock(each.starts_at), clock(each.ends_at), each) for each in held]) for name, held in _week(found, day)
        ],
        "inspections": inspections,
        "listings": listings,
        "settled": settled[:_SETTLED_SHOWN],
        "settled_count": len(settled),
        "credit": credit_of(listings, inspections, settled, day),
        "evaluations": found.evaluations.all(),
        "pledges": found.pledges.all(),
        "marks": marks_of(found.pk, day),
    }  # fmt: skip
    return _page(request, "institutions/public/institution.html", context)


@open_to_all
def lists(request: HttpRequest) -> HttpResponse:
    """The white and the black list with days and reasons, those taken off too."""
    colour = request.GET.get("colour", "")
    colour = colour if colour in ListColour.values else ListColour.WHITE.value
    found = Listing.objects.filter(colour=colour).select_related("institution__organisation").order_by("-since", "-pk")
    page = Paginator(found, _LISTED_PER_PAGE).get_page(request.GET.get("page"))
    return _page(request, "institutions/public/lists.html", {"page": page, "colour": colour, "colours": ListColour.choices})


@open_to_all
def door(request: HttpRequest, pk: int) -> HttpResponse:
    """A sheet for the door: who this is, by which right, and where to look it up."""
    found = _institution(pk)
    context = {
        "institution": found,
        "permits": found.permits.in_force(today()).select_related("premises"),
        "address": request.build_absolute_uri(reverse("directory:institution", args=[pk])),
        "today": today(),
    }
    return _page(request, "institutions/public/door.html", context)


@open_to_all
def qr(request: HttpRequest, pk: int) -> HttpResponse:
    """The address of an institution's page as a QR code."""
    address = request.build_absolute_uri(reverse("directory:institution", args=[_institution(pk).pk]))
    drawing = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawing, kind="svg", scale=4, border=2, xmldecl=False)
    return HttpResponse(drawing.getvalue(), content_type="image/svg+xml")
