"""Who is in charge of what: departments by field and registration, their offices in a region, and by when a step is to be done."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from qingdan.accounts.enums import OrganisationKind
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.enums import (
    DEPARTMENT_OF_FIELD,
    ApplicationKind,
    ApplicationState,
    CompetentDepartment,
    RegistrationKind,
)
from qingdan.institutions.models import StepDeadline
from qingdan.places.calendar import SchoolCalendar

#: What a bureau begins with until it says otherwise; its own figures, no law's.
FIRST_WORKING_DAYS: dict[str, int] = {
    ApplicationState.SUBMITTED: 5,
    ApplicationState.INCOMPLETE: 20,
    ApplicationState.ACCEPTED: 10,
    ApplicationState.TO_VISIT: 10,
    ApplicationState.TO_NOTIFY: 3,
    ApplicationState.ON_NOTICE: 5,
    ApplicationState.TO_DECIDE: 5,
}
#: Kinds in which the registration itself is concerned, so that who registers has a say.
_REGISTERED_ANEW = (
    ApplicationKind.NEW,
    ApplicationKind.REREGISTRATION,
    ApplicationKind.FILING_TO_APPROVAL,
    ApplicationKind.CONVERSION,
    ApplicationKind.CHANGE,
    ApplicationKind.CLOSURE,
)
_REGISTRAR: dict[str, CompetentDepartment] = {
    RegistrationKind.NON_PROFIT: CompetentDepartment.CIVIL_AFFAIRS,
    RegistrationKind.COMPANY: CompetentDepartment.MARKET,
}


def department_in_charge(field: str) -> CompetentDepartment:
    """The department of a field; education where none is named for it."""
    return DEPARTMENT_OF_FIELD.get(field, CompetentDepartment.EDUCATION)


def department_consulted(kind: str, registration: str) -> str:
    """Who has to agree besides: the registrar, where the registration is concerned; empty where nobody."""
    return _REGISTRAR.get(registration, "") if kind in _REGISTERED_ANEW else ""


def own_department(user: User) -> str:
    """The department that a bureau's user works for."""
    return user.employer.department or CompetentDepartment.EDUCATION


def offices_over(organisation: Organisation) -> list[Organisation]:
    """The offices in whose region an organisation lies, the nearest first."""
    code = organisation.region_code
    if not code:
        return []
    codes = [code, f"{code[:4]}00", f"{code[:2]}0000"]
    found = Organisation.objects.filter(kind=OrganisationKind.BUREAU, region_code__in=codes)
    return sorted(found, key=lambda each: (codes.index(each.region_code), each.pk))


def office_of(department: str, offices: Iterable[Organisation]) -> Organisation | None:
    """The nearest office of a department; the education bureau's where the department has none here."""
    offices = list(offices)
    for wanted in (department, CompetentDepartment.EDUCATION):
        for each in offices:
            if (each.department or CompetentDepartment.EDUCATION) == wanted:
                return each
    return None


def acts_for(user: User, department: str, offices: Iterable[Organisation]) -> bool:
    """Whether a user may act as a department: the own one, or, for the education bureau, one that has no office here.

    What such a department answers on paper the education bureau records.
    """
    if not user.is_officer or not department:
        return False
    office = office_of(department, offices)
    if office is None:
        return False
    return own_department(user) == (office.department or CompetentDepartment.EDUCATION)


def deadlines_of(bureau: Organisation) -> dict[str, int]:
    """State -> working days, as a bureau has it; what it has never said begins with the first figures."""
    found = dict(StepDeadline.objects.filter(bureau=bureau).values_list("state", "working_days"))
    missing = [
        StepDeadline(bureau=bureau, state=state, working_days=days) for state, days in FIRST_WORKING_DAYS.items() if state not in found
    ]
    if missing:
        StepDeadline.objects.bulk_create(missing, ignore_conflicts=True)
        found = dict(StepDeadline.objects.filter(bureau=bureau).values_list("state", "working_days"))
    return found


def after_working_days(layer_code: str, start: datetime.date, count: int) -> datetime.date | None:
    """The working day that is ``count`` working days after ``start``; None where the calendar does not know the days between."""
    return SchoolCalendar(layer_code).after_working_days(start, count)
