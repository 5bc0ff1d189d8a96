"""By when a step of an application is to be done, counted in working days; counted anew when the calendar changes.

A notice to the public is not counted anew: its last day has been announced.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from qingdan.accounts.models import Organisation
from qingdan.institutions.enums import OPEN_STATES, ApplicationState
from qingdan.institutions.models import Application
from qingdan.institutions.routing import after_working_days, deadlines_of, office_of, offices_over
from qingdan.places.calendar import current_pack, today
from qingdan.places.models import Region

log = logging.getLogger(__name__)


def start_step(application: Application) -> None:
    """Let the time of a step begin today; none once decided, or where the calendar does not know yet."""
    application.step_began_on = today() if application.state in OPEN_STATES else None
    application.due_on = _Offices().due_on(application)


class _Offices:
    """Whose time it is, asked once for each applicant's region and department."""

    def __init__(self) -> None:
        self._over: dict[str, list[Organisation]] = {}
        self._deadlines: dict[int, dict[str, int]] = {}

    def due_on(self, application: Application) -> datetime.date | None:
        """By which day the present step is to be done, as calendar and deadlines are now."""
        if application.state not in OPEN_STATES or application.step_began_on is None:
            return None
        if application.state == ApplicationState.ON_NOTICE:
            return application.notice_until
        owner = application.applicant
        if owner.region_code not in self._over:
            self._over[owner.region_code] = offices_over(owner)
        office = office_of(application.department, self._over[owner.region_code])
        if office is None:
            return None
        if office.pk not in self._deadlines:
            self._deadlines[office.pk] = deadlines_of(office)
        return after_working_days(owner.layer_code, application.step_began_on, self._deadlines[office.pk][application.state])


@transaction.atomic
def count_anew(applications: Iterable[Application]) -> int:
    """Bring the last days of open steps into line with the calendar as it is; how many moved. A second run moves none."""
    offices, moved = _Offices(), 0
    for each in applications:
        due_on = offices.due_on(each)
        if due_on != each.due_on:
            # Only while nobody has moved it on in the meantime: the next step has a time of its own.
            here = Application.objects.filter(pk=each.pk, state=each.state, step_began_on=each.step_began_on)
            moved += here.update(due_on=due_on)
            log.info("application.due_on_moved application=%s before=%s after=%s", each.pk, each.due_on, due_on)
    return moved


def _running() -> Any:
    return Application.objects.open().filter(step_began_on__isnull=False).select_related("applicant")


def answer_calendar(sender: object, *, region: Region, **more: object) -> None:
    """Answer ``places.events.calendar_changed``: steps that the region's calendar counts for get their last day anew."""
    layers = [code for code, layer in current_pack().layers.items() if region.layer_code in layer.chain]
    count_anew(_running().filter(applicant__layer_code__in=layers))


def count_all_anew() -> int:
    """Every open step, for what no act on a calendar tells of: a nation's new year of holidays comes with a new pack."""
    return count_anew(_running())
