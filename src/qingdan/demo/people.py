"""Schools, classes and everybody in them: staff by number, pupils by number, nobody who exists."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from qingdan.accounts.enums import KIND_OF_ROLE, OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.demo.copying import Ids, copy_rows
from qingdan.demo.plan import (
    ACCOUNTS,
    FIRST_SCHOOL,
    MAIN,
    PASSWORD,
    STORY_GRADE,
    ClassRoom,
    SchoolPlan,
    main_subjects,
    other_subjects,
    seeded,
)
from qingdan.places.models import Region, SchoolYear
from qingdan.schools.enums import Relation
from qingdan.schools.models import Enrolment, GradeLead, Guardian, Pupil, School, SchoolClass, Subject, SubjectLead, TeachingAssignment
from qingdan.schools.models.places import class_name

_USER = (
    "id", "password", "is_superuser", "username", "email", "is_staff", "is_active", "date_joined", "display_name", "role",
    "organisation_id",
)  # fmt: skip
#: Nobody signs in with these accounts.
_UNUSABLE = "!" + "demo" * 10
#: So many classes a teacher of a lesser subject has.
_CLASSES_OF_OTHERS = 8
_REACHABLE = 0.85
#: Which subject each account teaches in which grade of the first school, in classes one and two.
_TAUGHT_BY_ACCOUNT = {
    "demo-teacher": ("数学", STORY_GRADE),
    "demo-head": ("英语", STORY_GRADE),
    "demo-research": ("数学", 5),
}


def ensure_accounts() -> dict[str, User]:
    """Make (or put back as they were) the organisations and users that people sign in with; safe to run again."""
    users: dict[str, User] = {}
    hashed = ""
    for account in ACCOUNTS:
        organisation = None
        if account.organisation:
            wanted = {
                "kind": KIND_OF_ROLE[account.role], "layer_code": account.layer_code, "region_code": account.region_code,
                "department": account.department, "is_fictional": True,
            }  # fmt: skip
            organisation, _ = Organisation.objects.update_or_create(name=account.organisation, defaults=wanted)
        user = User.objects.filter(username=account.username).first() or User(username=account.username)
        user.display_name, user.organisation, user.role, user.is_active = account.display_name, organisation, account.role, True
        # Setting it again would end every open session of the demonstration at each start. One hash serves all: the word is public.
        if not user.password or (user.password != hashed and not user.check_password(PASSWORD)):
            user.password = hashed or make_password(PASSWORD)
        hashed = user.password
        user.save()
        users[account.username] = user
    return users


@dataclass
class _Rows:
    """What is to be copied, table by table, in the order in which they need each other."""

    users: list[tuple[object, ...]] = field(default_factory=list)
    classes: list[tuple[object, ...]] = field(default_factory=list)
    assignments: list[tuple[object, ...]] = field(default_factory=list)
    grade_leads: list[tuple[object, ...]] = field(default_factory=list)
    subject_leads: list[tuple[object, ...]] = field(default_factory=list)
    pupils: list[tuple[object, ...]] = field(default_factory=list)
    enrolments: list[tuple[object, ...]] = field(default_factory=list)
    guardians: list[tuple[object, ...]] = field(default_factory=list)

    def copy(self) -> None:
        """Write all of them."""
        copy_rows(User, _USER, self.users)
        copy_rows(SchoolClass, ("id", "school_id", "school_year_id", "grade", "number", "name", "class_teacher_id"), self.classes)
        copy_rows(TeachingAssignment, ("teacher_id", "school_class_id", "subject_id", "starts_on"), self.assignments)
        copy_rows(GradeLead, ("school_id", "school_year_id", "grade", "user_id"), self.grade_leads)
        copy_rows(SubjectLead, ("school_id", "subject_id", "user_id"), self.subject_leads)
        copy_rows(Pupil, ("id", "school_id", "number", "name"), self.pupils)
        copy_rows(Enrolment, ("pupil_id", "school_class_id", "starts_on"), self.enrolments)
        copy_rows(Guardian, ("user_id", "pupil_id", "relation", "since"), self.guardians)


class People:
    """Fills the schools."""

    def __init__(self, region: Region, year: SchoolYear, accounts: dict[str, User]) -> None:
        self.region, self.year, self.accounts = region, year, accounts
        self.subjects = dict(Subject.objects.values_list("name", "pk"))
        self.rows = _Rows()
        self._user_ids, self._class_ids, self._pupil_ids = Ids(User), Ids(SchoolClass), Ids(Pupil)
        self._staff_numbers, self._pupil_numbers = itertools.count(1), itertools.count(1)
        self._joined = datetime.datetime.combine(year.starts_on, datetime.time(8), tzinfo=timezone.get_default_timezone())

    def write(self, plans: Sequence[SchoolPlan]) -> None:
        """All schools with their people."""
        for plan in plans:
            self._school(plan)
        self.rows.copy()

    def _school(self, plan: SchoolPlan) -> None:
        owner, _ = Organisation.objects.update_or_create(
            name=plan.name,
            defaults={
                "kind": OrganisationKind.SCHOOL,
                "layer_code": plan.layer_code,
                "region_code": self.region.code,
                "is_fictional": True,
            },
        )
        School.objects.create(
            organisation=owner,
            region=self.region,
            kind=plan.kind,
            first_grade=plan.grades[0],
            last_grade=plan.grades[-1],
            locality=plan.locality,
            address="示范区（虚构地址）",
        )
        if plan.name != FIRST_SCHOOL:
            self._user(f"demo-leader-{owner.pk}", "示范校长", Role.SCHOOL_LEADER, owner.pk)
        rooms = [
            ClassRoom(self._class_ids.take(), owner.pk, plan, grade, number, class_name(grade, number), 0)
            for grade in plan.grades
            for number in range(1, plan.classes_per_grade + 1)
        ]
        self._staff(plan, owner.pk, rooms)
        for room in rooms:
            self.rows.classes.append((room.id, owner.pk, self.year.pk, room.grade, room.number, room.name, room.class_teacher_id))
            for subject, teacher_id in room.teachers.items():
                self.rows.assignments.append((teacher_id, room.id, self.subjects[subject], self.year.starts_on))
            self._pupils(room)

    def _user(self, username: str, display_name: str, role: Role, organisation_id: int | None) -> int:
        found = self._user_ids.take()
        self.rows.users.append(
            (found, _UNUSABLE, False, username, "", False, True, self._joined, display_name, role.value, organisation_id)
        )
        return found

    def _teacher(self, organisation_id: int) -> int:
        number = next(self._staff_numbers)
        return self._user(f"demo-t{number:04}", f"示范教师{number:04}", Role.TEACHER, organisation_id)

    def _staff(self, plan: SchoolPlan, organisation_id: int, rooms: Sequence[ClassRoom]) -> None:
        """Who teaches what: Chinese by the class teacher, mathematics and English in two classes of a grade, the rest in up to eight."""
        for room in rooms:
            is_of_account = room.is_of_story
            room.class_teacher_id = self.accounts["demo-class-teacher"].pk if is_of_account else self._teacher(organisation_id)
            room.teachers["语文"] = room.class_teacher_id
        for subject in MAIN[1:]:
            taught = [room for room in rooms if subject in main_subjects(room.grade)]
            for (grade, pair), members in itertools.groupby(taught, key=lambda room: (room.grade, (room.number - 1) // 2)):
                account = self._account_for(plan, subject, grade) if pair == 0 else None
                teacher = account.pk if account else self._teacher(organisation_id)
                for room in members:
                    room.teachers[subject] = teacher
        for subject in dict.fromkeys(name for room in rooms for name in other_subjects(room.grade)):
            taught = [room for room in rooms if subject in other_subjects(room.grade)]
            for start in range(0, len(taught), _CLASSES_OF_OTHERS):
                teacher = self._teacher(organisation_id)
                for room in taught[start : start + _CLASSES_OF_OTHERS]:
                    room.teachers[subject] = teacher
        self._heads(plan, organisation_id, rooms)

    def _account_for(self, plan: SchoolPlan, subject: str, grade: int) -> User | None:
        if plan.name != FIRST_SCHOOL:
            return None
        return next((self.accounts[name] for name, taught in _TAUGHT_BY_ACCOUNT.items() if taught == (subject, grade)), None)

    def _heads(self, plan: SchoolPlan, organisation_id: int, rooms: Sequence[ClassRoom]) -> None:
        """The head of each year group and of each main subject's research group: teachers of the school."""
        is_first = plan.name == FIRST_SCHOOL
        for grade in plan.grades:
            first = next(room for room in rooms if room.grade == grade)
            head = self.accounts["demo-head"].pk if is_first and grade == STORY_GRADE else first.class_teacher_id
            self.rows.grade_leads.append((organisation_id, self.year.pk, grade, head))
        for subject in MAIN:
            last = [room for room in rooms if subject in room.teachers][-1]
            head = self.accounts["demo-research"].pk if is_first and subject == "数学" else last.teachers[subject]
            self.rows.subject_leads.append((organisation_id, self.subjects[subject], head))

    def _pupils(self, room: ClassRoom) -> None:
        chance = seeded("pupils", room.plan.name, room.grade, room.number)
        for seat in range(1, 36 + int(chance.random() * 9) + 1):
            number, pupil = next(self._pupil_numbers), self._pupil_ids.take()
            code = f"{self._entered(room.grade)}{1 if room.grade <= 6 else 2}{room.number:02}{seat:02}"
            self.rows.pupils.append((pupil, room.school_id, code, f"学生{number:05}"))
            self.rows.enrolments.append((pupil, room.id, self.year.starts_on))
            is_of_account = room.is_of_story and seat == 1
            if is_of_account or chance.random() < _REACHABLE:
                parent = self.accounts["demo-parent"].pk if is_of_account else self._parent(number)
                relation = (Relation.MOTHER, Relation.FATHER, Relation.OTHER)[min(2, int(chance.random() * 2.1))]
                self.rows.guardians.append((parent, pupil, relation.value, self._joined))

    def _entered(self, grade: int) -> int:
        """The year in which a grade entered its school."""
        return self.year.first_year - (grade - 1 if grade <= 6 else grade - 7)

    def _parent(self, number: int) -> int:
        return self._user(f"demo-p{number:05}", f"家长{number:05}", Role.PARENT, None)


def read_rooms(region: Region, plans: Sequence[SchoolPlan], day: datetime.date) -> list[ClassRoom]:
    """The loaded classes with what their records need, as they stand on a day."""
    by_name = {plan.name: plan for plan in plans}
    classes = SchoolClass.objects.current(day).filter(school__region=region, school__organisation__name__in=by_name)
    rooms: dict[int, ClassRoom] = {}
    for each in classes.select_related("school__organisation").order_by("school_id", "grade", "number"):
        plan = by_name[each.school.organisation.name]
        rooms[each.pk] = ClassRoom(each.pk, each.school_id, plan, each.grade, each.number, each.name, each.class_teacher_id or 0)
    taught = TeachingAssignment.objects.in_force(day).filter(school_class__in=rooms)
    for class_id, subject, teacher in taught.values_list("school_class_id", "subject__name", "teacher_id"):
        rooms[class_id].teachers[subject] = teacher
    for class_id, pupil, guardian in _guardians(rooms, day):
        rooms[class_id].guardians.setdefault(pupil, guardian)
    return list(rooms.values())


def _guardians(rooms: dict[int, ClassRoom], day: datetime.date) -> Iterator[tuple[int, int, int]]:
    members = Enrolment.objects.in_force(day).filter(school_class__in=rooms, pupil__guardians__isnull=False)
    return members.values_list("school_class_id", "pupil_id", "pupil__guardians__user_id").order_by("pupil_id").iterator()
