"""An institution that can teach: premises, rooms, permit, teachers and a filed course, on school days of the district."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.test import Client

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.models import Course, Institution, Permit, Premises, Room, Session, Staff
from qingdan.places.models import Region
from tests.district import TUESDAY, make_region, make_user, signed_in
from tests.institutions.making import make_course, make_institution, make_permit, make_premises, make_room, make_staff

#: Half past six to eight in the evening, in minutes since midnight.
EVENING, EIGHT = 18 * 60 + 30, 20 * 60


@dataclass
class School:
    """A teaching institution and its clerk."""

    institution: Institution
    clerk: User
    premises: Premises
    room: Room
    other_room: Room
    teacher: Staff
    other_teacher: Staff
    permit: Permit
    course: Course

    @property
    def client(self) -> Client:
        """A browser in which the clerk has signed in."""
        return signed_in(self.clerk)

    def form(self, **values: Any) -> dict[str, Any]:
        """The form of a weekly plan as the browser sends it: every Tuesday for three weeks."""
        given: dict[str, Any] = {
            "course": self.course.pk, "weekday": "2", "starts_at": "18:30", "ends_at": "20:00", "first_day": "2026-11-16",
            "last_day": "2026-12-06", "room": self.room.pk, "teacher": self.teacher.pk,
        }  # fmt: skip
        return given | values

    def session(self, on_date: datetime.date = TUESDAY, **values: Any) -> Session:
        """A session, not saved."""
        given: dict[str, Any] = {
            "institution": self.institution, "course": self.course, "on_date": on_date, "starts_at": EVENING, "ends_at": EIGHT,
            "room": self.room, "teacher": self.teacher,
        }  # fmt: skip
        return Session(**(given | values))


def make_school(region: Region, bureau: User, *, prefix: str = "", category: str = "academic", **course: Any) -> School:
    """An institution with all it needs to teach; an academic one unless told otherwise."""
    field = "academic" if category == "academic" else "culture"
    institution = make_institution(region, f"{prefix}示例培训中心", category=category, field=field, department="education", street="东街道")
    clerk = make_user(f"{prefix}clerk", Role.INSTITUTION, institution.organisation)
    premises = make_premises(institution, "总部")
    permit = make_permit(institution, premises, bureau)
    given: dict[str, Any] = {
        "ends_on": datetime.date(2027, 8, 31), "subject": "数学", "first_grade": 4, "last_grade": 4, "youngest_age": 9,
    }  # fmt: skip
    return School(
        institution,
        clerk,
        premises,
        make_room(premises, "101"),
        make_room(premises, "102"),
        make_staff(institution, "王一"),
        make_staff(institution, "李二"),
        permit,
        make_course(institution, permit, "数学提高", **(given | course)),
    )


def make_school_in(layer_code: str, **course: Any) -> School:
    """An institution in a region of its own on another layer of the law."""
    region = make_region(code={"cn-shanghai": "990201", "cn-xinjiang": "990301"}[layer_code], layer_code=layer_code)
    office = Organisation.objects.create(
        name=f"{layer_code} 某局", kind=OrganisationKind.BUREAU, layer_code=layer_code, region_code=region.code
    )
    return make_school(region, make_user(f"bureau-{region.code}", Role.BUREAU, office), prefix=layer_code, **course)
