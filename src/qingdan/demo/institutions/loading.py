"""Loads all training institutions of the demonstration, in the order in which their records need each other."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping

from qingdan.accounts.models import User
from qingdan.demo.calendar import YearPlan, write_year
from qingdan.demo.institutions.applications import write_applications, write_past_applications
from qingdan.demo.institutions.courses import write_courses
from qingdan.demo.institutions.plan import institution_plans
from qingdan.demo.institutions.registry import officers_of, write_registry
from qingdan.demo.institutions.staff import write_identities, write_staff
from qingdan.demo.institutions.supervision import start_inspection, write_advertising, write_last_inspection
from qingdan.demo.institutions.timetable import write_timetable
from qingdan.demo.plan import SCHOOLS, SMALL_REGIONS
from qingdan.places.models import Region

log = logging.getLogger(__name__)


def make_small_regions(year: YearPlan, version: int) -> None:
    """The regions under the two provinces' laws, with the district's school year."""
    for code, (name, layer) in SMALL_REGIONS.items():
        region = Region.objects.create(code=code, name=name, layer_code=layer, is_fictional=True, calendar_version=version)
        write_year(region, year)


def load_institutions(accounts: Mapping[str, User], schools: int, day: datetime.date) -> None:
    """Everything about institutions, as it stands today; regions, schools and accounts are there."""
    plans, officers, bureau = institution_plans(schools, len(SCHOOLS)), officers_of(accounts), accounts["demo-bureau"]
    regions = {region.code: region for region in Region.objects.filter(code__in={plan.region_code for plan in plans})}
    loaded = write_registry(plans, regions, officers, accounts, day)
    write_staff(loaded, write_identities(), day)
    write_courses(loaded, day)
    sessions = write_timetable(loaded, day)
    write_past_applications(loaded)
    write_applications(loaded, officers, day)
    write_advertising(loaded, day)
    write_last_inspection(loaded, day, by=bureau)
    start_inspection(loaded, day, by=bureau)
    log.info("demo.institutions_loaded day=%s institutions=%s sessions=%s", day, len(loaded), sessions)
