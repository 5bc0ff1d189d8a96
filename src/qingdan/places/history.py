"""Who changed a region's calendar, when, and to what."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.places.enums import DayOverride, VacationSeason
from qingdan.places.models import Region

#: Event model -> the way from it to the region.
_TRACKED = {
    "SchoolYearEvent": "region",
    "TermEvent": "school_year__region",
    "VacationEvent": "region",
    "OverriddenDayEvent": "region",
}
_ACTS = {"insert": "填写", "update": "改为", "delete": "删去"}
_SHOWN = 60


@dataclass(frozen=True)
class Change:
    """One change of the calendar."""

    at: datetime.datetime
    #: Empty when it was not done by somebody signed in (the demonstration's data, say).
    who: str
    what: str


def _words(event: Any) -> str:
    name = type(event).__name__
    if name == "OverriddenDayEvent":
        note = f"（{event.note}）" if event.note else ""
        return f"{event.day} 为{DayOverride(event.kind).label}{note}"
    span = f"{event.starts_on} 至 {event.ends_on}"
    if name == "SchoolYearEvent":
        return f"{event.first_year}学年 {span}"
    if name == "TermEvent":
        return f"{'第一学期' if event.ordinal == 1 else '第二学期'} {span}"
    return f"{VacationSeason(event.season).label} {span}"


def changes_of(region: Region) -> list[Change]:
    """The latest changes, newest first; as many queries however many there are."""
    events: list[Any] = []
    for name, way in _TRACKED.items():
        model = apps.get_model("places", name)
        # A term's school year may be gone; what it was is told all the same where the way still leads here.
        found = model._base_manager.filter(**{way: region}).select_related("pgh_context").order_by("-pgh_created_at", "-pk")
        events.extend(found[:_SHOWN])
    events.sort(key=lambda each: each.pgh_created_at, reverse=True)
    shown = events[:_SHOWN]
    names = _names({_user_id(each) for each in shown})
    return [
        Change(timezone.localtime(each.pgh_created_at), names.get(_user_id(each), ""), f"{_ACTS[each.pgh_label]} {_words(each)}")
        for each in shown
    ]


def _user_id(event: Any) -> int:
    return int((event.pgh_context.metadata.get("user") if event.pgh_context else None) or 0)


def _names(ids: set[int]) -> Mapping[int, str]:
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "display_name"))
