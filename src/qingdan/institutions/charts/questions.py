"""The numbers behind the charts of institutions: one aggregate each, over what the asker may see."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, TruncMonth

from qingdan.accounts.models import User
from qingdan.institutions.enums import InstitutionState, RegistrationKind, TrainingAudience, TrainingCategory
from qingdan.institutions.models import Inspection, Institution, Permit

_ACADEMIC = TrainingCategory.ACADEMIC


@dataclass(frozen=True)
class Reduction:
    """Academic institutions then and now. ``present`` = ``base`` − ``closed`` − ``converted`` + ``added``."""

    runs_online: bool
    #: Registered by the base day.
    base: int
    #: Of these struck off since.
    closed: int
    #: Of these no longer academic.
    converted: int
    #: Academic now and not counted at the base day.
    added: int
    present: int
    #: Of those at the base day now non-profit, or struck off: what Shanghai calls put in order.
    in_order: int

    @property
    def percent(self) -> float | None:
        """The rate of reduction; None where there was nothing to reduce, below zero where there are more than there were."""
        return round(100 * (self.base - self.present) / self.base, 1) if self.base else None


def reduction(user: User, base_day: datetime.date) -> list[Reduction]:
    """Academic institutions offline and online.

    What an institution was at the base day is what the register knew first of it: its earliest event since then holds the old row,
    and where there is none it has not changed.
    """
    events: Any = apps.get_model("institutions", "InstitutionEvent")
    since = events.objects.filter(pgh_obj_id=OuterRef("pk"), pgh_created_at__date__gt=base_day)
    first = since.order_by("pgh_created_at", "pgh_id").values("category")[:1]
    was = Q(registered_on__lte=base_day, first_category=_ACADEMIC)
    is_closed = Q(state=InstitutionState.CLOSED)
    rows = (
        Institution.objects.visible_to(user)
        .annotate(first_category=Coalesce(Subquery(first), F("category")))
        .order_by("runs_online")
        .values_list("runs_online")
        .annotate(
            base=Count("pk", filter=was),
            closed=Count("pk", filter=was & is_closed),
            converted=Count("pk", filter=was & ~is_closed & ~Q(category=_ACADEMIC)),
            added=Count("pk", filter=~was & ~is_closed & Q(category=_ACADEMIC)),
            present=Count("pk", filter=~is_closed & Q(category=_ACADEMIC)),
            in_order=Count("pk", filter=was & (is_closed | ~Q(registration=RegistrationKind.COMPANY))),
        )
    )
    return [Reduction(*row) for row in rows]


def by_column(user: User, column: str) -> list[tuple[str, str, int]]:
    """Value of a column, state, and how many institutions."""
    rows = Institution.objects.visible_to(user).order_by(column, "state").values_list(column, "state").annotate(n=Count("pk"))
    return [(value, state, count) for value, state, count in rows]


def academic_of_compulsory_education(user: User) -> int:
    """Academic institutions that go on and teach pupils of compulsory education."""
    wanted = (TrainingAudience.COMPULSORY, TrainingAudience.COMPULSORY_AND_SENIOR)
    return Institution.objects.visible_to(user).active().filter(category=_ACADEMIC, audience__in=wanted).count()


def inspections_by_field(user: User) -> tuple[int | None, list[tuple[str, str, int]]]:
    """The last year with results, and for it field, result and how many institutions."""
    concluded = Inspection.objects.visible_to(user).concluded().order_by()
    rows = concluded.values_list("campaign__year", "institution__field", "state").annotate(n=Count("pk"))
    found = list(rows.order_by("campaign__year", "institution__field", "state"))
    if not found:
        return None, []
    last = found[-1][0]
    return last, [(field, state, count) for year, field, state, count in found if year == last]


def permits_by_month(user: User, day: datetime.date) -> list[tuple[datetime.date, str, int]]:
    """First of the month in which permits in force end, their category, and how many."""
    held = Permit.objects.visible_to(user).in_force(day).annotate(month=TruncMonth("ends_on"))
    rows = held.order_by("month", "category").values_list("month", "category").annotate(n=Count("pk"))
    return [(month, category, count) for month, category, count in rows]
