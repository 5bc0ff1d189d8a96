"""The spans of time that charts and results can be about: the last weeks, and the terms of a region that have begun."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from qingdan.accounts.models import User
from qingdan.places.calendar import monday_of, today
from qingdan.places.models import Region, Term
from qingdan.schools.models import School

_WEEKS = {"4w": (4, "最近四周"), "8w": (8, "最近八周")}


@dataclass(frozen=True)
class Period:
    """Some time until today at the latest, both days included."""

    key: str
    label: str
    first: datetime.date
    last: datetime.date


def region_of(user: User) -> Region | None:
    """The region whose calendar counts for a user; the first one where a bureau oversees several."""
    if user.is_bureau:
        return Region.objects.filter(code__startswith=user.employer.region_prefix or "-").first()
    school = School.objects.filter(pk=user.organisation_id).select_related("region").first()
    return school.region if school is not None else None


def periods(region: Region | None) -> list[Period]:
    """What there is to choose from, the usual choice first: the term of today (or the last one), then the last weeks."""
    now = today()
    begun = Term.objects.filter(school_year__region=region, starts_on__lte=now).select_related("school_year").order_by("-starts_on")
    terms = [Period(f"t{each.pk}", str(each), each.starts_on, min(each.ends_on, now)) for each in begun[:6]]
    weeks = [Period(key, label, monday_of(now) - datetime.timedelta(weeks=count - 1), now) for key, (count, label) in _WEEKS.items()]
    return [*terms[:1], *weeks, *terms[1:]]


def chosen_period(choices: list[Period], key: str) -> Period:
    """The one with a key; the usual one for a key that there is not."""
    return next((each for each in choices if each.key == key), choices[0])
