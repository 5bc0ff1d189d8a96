"""A small district for tests: one region with a calendar, two schools with their people, and whatever homework a test wants.

Days: ``MONDAY`` to ``FRIDAY`` are school days of an ordinary week in term, far enough ahead to give homework for. The calendar is the
bureau's own, so that the tests do not depend on the day they run: TODAY is fixed by the fixture ``school_day``.
"""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass, field

from django.test import Client

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.homework.models import Homework
from qingdan.places.models import Region, SchoolYear, Term, Vacation
from qingdan.schools.models import Enrolment, GradeLead, Guardian, Pupil, School, SchoolClass, Subject, SubjectLead, TeachingAssignment
from qingdan.schools.models.places import class_name

#: A Monday in term; the tests' "today".
MONDAY = datetime.date(2026, 11, 16)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = (MONDAY + datetime.timedelta(days=number) for number in range(1, 7))
NEXT_MONDAY = MONDAY + datetime.timedelta(days=7)
PASSWORD = "a-long-test-password"
_numbers = itertools.count(1)


def make_user(username: str, role: Role, organisation: Organisation | None = None, name: str = "") -> User:
    """A user who can sign in with PASSWORD."""
    return User.objects.create_user(
        username=username, password=PASSWORD, display_name=name or username, organisation=organisation, role=role
    )


def signed_in(user: User) -> Client:
    """A browser in which a user has signed in."""
    client = Client()
    client.force_login(user, backend="qingdan.accounts.backends.OrganisationBackend")
    return client


def make_region(code: str = "990101", layer_code: str = "demo-district") -> Region:
    """A fictional region whose school year holds all the days above."""
    region = Region.objects.create(code=code, name=f"某区{code}", layer_code=layer_code, is_fictional=True)
    year = SchoolYear.objects.create(
        region=region, first_year=2026, starts_on=datetime.date(2026, 9, 1), ends_on=datetime.date(2027, 8, 31)
    )
    Term.objects.create(school_year=year, ordinal=1, starts_on=datetime.date(2026, 9, 1), ends_on=datetime.date(2027, 1, 22))
    Term.objects.create(school_year=year, ordinal=2, starts_on=datetime.date(2027, 2, 22), ends_on=datetime.date(2027, 7, 2))
    Vacation.objects.create(region=region, season="winter", starts_on=datetime.date(2027, 1, 23), ends_on=datetime.date(2027, 2, 21))
    return region


@dataclass
class SmallSchool:
    """A school with classes 三（1）班, 三（2）班 and 二（1）班, and everybody who works there."""

    school: School
    leader: User
    #: Teaches 数学 in both third grades and 二（1）班; class teacher of 三（2）班.
    teacher: User
    #: Teaches 语文 in 三（2）班.
    other_teacher: User
    #: Leads grade three, teaches 英语 in 三（1）班 and 三（2）班; heads the research group of 数学.
    grade_head: User
    #: Parent of the first pupil of 三（2）班.
    parent: User
    class_31: SchoolClass
    class_32: SchoolClass
    class_21: SchoolClass
    pupils: list[Pupil] = field(default_factory=list)

    @property
    def year(self) -> SchoolYear:
        """The school year of its classes."""
        return self.class_32.school_year


def subject(name: str) -> Subject:
    """A subject by its name, as the migrations wrote it."""
    return Subject.objects.get(name=name)


def make_class(
    school: School, grade: int, number: int, *, class_teacher: User | None = None, year: SchoolYear | None = None
) -> SchoolClass:
    """A class of the region's (first) school year."""
    year = year or school.region.school_years.get(first_year=2026)
    return SchoolClass.objects.create(
        school=school, school_year=year, grade=grade, number=number, name=class_name(grade, number), class_teacher=class_teacher
    )


def assign(teacher: User, school_class: SchoolClass, name: str) -> TeachingAssignment:
    """A teacher teaches a subject in a class from the school year's first day."""
    return TeachingAssignment.objects.create(
        teacher=teacher, school_class=school_class, subject=subject(name), starts_on=school_class.school_year.starts_on
    )


def make_pupil(school_class: SchoolClass, name: str = "") -> Pupil:
    """A pupil in a class since the school year's first day."""
    number = next(_numbers)
    pupil = Pupil.objects.create(school=school_class.school, number=f"P{number:05}", name=name or f"学生{number}")
    Enrolment.objects.create(pupil=pupil, school_class=school_class, starts_on=school_class.school_year.starts_on)
    return pupil


def make_school(region: Region, name: str = "甲小学", layer_code: str = "demo-school", prefix: str = "", pupils: int = 6) -> SmallSchool:
    """A school with its people; ``prefix`` keeps the user names of two schools apart."""
    owner = Organisation.objects.create(name=name, kind=OrganisationKind.SCHOOL, layer_code=layer_code, region_code=region.code)
    school = School.objects.create(organisation=owner, region=region, kind="primary", first_grade=1, last_grade=6)
    leader = make_user(f"{prefix}leader", Role.SCHOOL_LEADER, owner)
    teacher, other, head = (make_user(f"{prefix}{each}", Role.TEACHER, owner) for each in ("teacher", "other_teacher", "grade_head"))
    class_31, class_32, class_21 = make_class(school, 3, 1), make_class(school, 3, 2, class_teacher=teacher), make_class(school, 2, 1)
    for each in (class_31, class_32, class_21):
        assign(teacher, each, "数学")
    assign(other, class_32, "语文")
    assign(head, class_31, "英语")
    assign(head, class_32, "英语")
    GradeLead.objects.create(school=school, school_year=class_32.school_year, grade=3, user=head)
    SubjectLead.objects.create(school=school, subject=subject("数学"), user=head)
    members = [make_pupil(class_32) for _ in range(pupils)]
    parent = make_user(f"{prefix}parent", Role.PARENT)
    Guardian.objects.create(user=parent, pupil=members[0])
    return SmallSchool(school, leader, teacher, other, head, parent, class_31, class_32, class_21, members)


@dataclass
class District:
    """A region with a bureau and two schools."""

    region: Region
    bureau: User
    first: SmallSchool
    second: SmallSchool


def make_district() -> District:
    """The district most tests use."""
    region = make_region()
    office = Organisation.objects.create(
        name="某区教育局", kind=OrganisationKind.BUREAU, layer_code=region.layer_code, region_code=region.code
    )
    bureau = make_user("bureau", Role.BUREAU, office)
    return District(region, bureau, make_school(region), make_school(region, "乙小学", "demo-district", prefix="second_"))


def homework(school_class: SchoolClass, teacher: User, name: str = "数学", minutes: int = 20, **values: object) -> Homework:
    """A piece of written homework at home for Tuesday, not saved."""
    given = {"on_date": TUESDAY, "content": f"{name}练习", "form": "written", "done_at": "home", "homework_minutes": minutes}
    return Homework(school_class=school_class, teacher=teacher, subject=subject(name), **(given | values))
