"""Builders of institutions and what they have, for tests. Everything is fictional."""

from __future__ import annotations

import datetime
import itertools

from stdnum.cn import uscc

from qingdan.accounts.enums import OrganisationKind
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.models import Course, Institution, Permit, Premises, Room, Staff
from qingdan.places.models import Region

#: A day before all days of the tests.
LONG_AGO = datetime.date(2025, 9, 1)
#: The last day of a permit that holds through all days of the tests.
FAR_OFF = datetime.date(2028, 8, 31)
_numbers = itertools.count(1)


def credit_code(number: int) -> str:
    """A fictional unified social credit code with its right check digit."""
    base = f"52990101{number:09}"
    return base + uscc.calc_check_digit(base)


def make_institution(region: Region, name: str = "", **values: object) -> Institution:
    """An institution of a region: non-academic, arts, non-profit unless told otherwise."""
    number = next(_numbers)
    owner = Organisation.objects.create(
        name=name or f"示例艺术培训中心{number}",
        kind=OrganisationKind.INSTITUTION,
        layer_code=region.layer_code,
        region_code=region.code,
        is_fictional=True,
    )
    given = {
        "credit_code": credit_code(number),
        "legal_person": "王示例",
        "registration": "non_profit",
        "category": "non_academic",
        "field": "culture",
        "audience": "compulsory",
        "department": "culture",
        "approval_basis": "approval",
        "street": "示范街道",
        "registered_on": LONG_AGO,
    }
    return Institution.objects.create(organisation=owner, region=region, **(given | values))


def make_premises(institution: Institution, name: str = "本部", **values: object) -> Premises:
    """Premises that have long been in use."""
    given = {"address": "示范路1号", "street": "示范街道", "area_m2": 300, "opened_on": LONG_AGO}
    return Premises.objects.create(institution=institution, name=name, **(given | values))


def make_room(premises: Premises, name: str = "101", seats: int = 20) -> Room:
    """A room of premises."""
    return Room.objects.create(premises=premises, name=name, seats=seats)


def make_permit(institution: Institution, premises: Premises | None, by: User, **values: object) -> Permit:
    """A permit in force for the institution's own category and field."""
    given = {
        "number": f"教民{next(_numbers):08}号",
        "department": institution.department,
        "category": institution.category,
        "field": institution.field,
        "audience": institution.audience,
        "scope": "义务教育阶段非学科类培训",
        "starts_on": LONG_AGO,
        "ends_on": FAR_OFF,
        "issued_by": by,
    }
    return Permit.objects.create(institution=institution, premises=premises, **(given | values))


def make_staff(institution: Institution, name: str = "陈示例", **values: object) -> Staff:
    """A teacher who has been checked, filed and published."""
    number = next(_numbers)
    given = {
        "identity_digest": f"{number:064x}",
        "masked_identity": f"9901***********{number % 10000:04}",
        "role": "teaching",
        "category": institution.category,
        "subject": "美术",
        "certificate_number": f"2020990100{number:07}",
        "is_certificate_fitting": True,
        "is_qualification_checked": True,
        "is_filed": True,
        "is_published": True,
        "is_shown_on_site": True,
        "employed_from": LONG_AGO,
    }
    return Staff.objects.create(institution=institution, name=name, **(given | values))


def make_course(institution: Institution, permit: Permit | None = None, name: str = "儿童画", **values: object) -> Course:
    """A filed course within the institution's field."""
    given = {
        "category": institution.category,
        "field": institution.field,
        "subject": "美术",
        "audience": institution.audience,
        "first_grade": 1,
        "last_grade": 6,
        "youngest_age": 6,
        "mode": "offline",
        "class_size": 20,
        "lesson_count": 20,
        "lesson_minutes": 40,
        "gap_minutes": 10,
        "lesson_price_fen": 8000,
        "goal": "学会观察和表现",
        "syllabus": "第一讲 线条；第二讲 色彩",
        "starts_on": datetime.date(2026, 9, 5),
        "ends_on": datetime.date(2027, 1, 20),
        "state": "filed",
    }
    return Course.objects.create(institution=institution, permit=permit, name=name, **(given | values))
