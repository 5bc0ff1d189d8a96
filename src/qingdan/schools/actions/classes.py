"""Pupils come, go, and change class in mid-term; classes get their teachers.

Each act writes through a journal and can be taken back. A move ends one enrolment the day before and begins another, so that every
record of the days before still belongs to the old class.
"""

from __future__ import annotations

import copy
import datetime
import logging
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.places.journal import Discardable, Journal
from qingdan.places.models import SchoolYear
from qingdan.schools.models import Enrolment, JoinCode, Pupil, School, SchoolClass, Subject, TeachingAssignment
from qingdan.schools.models.places import class_name

log = logging.getLogger(__name__)

_DAY = datetime.timedelta(days=1)
#: An undo may delete codes that nobody has used; a used one stands for a person who came.
UNUSED_CODES: Discardable = {JoinCode: Q(used_at=None)}


def lock_school(school: School) -> None:
    """Whoever changes classes and pupils of a school waits for whoever does it now; until the transaction ends."""
    School.objects.select_for_update(of=("self",)).get(pk=school.pk)


def year_holding(school: School, day: datetime.date) -> SchoolYear:
    """The school year of a day; raise ValidationError when the bureau has none for it."""
    year = school.region.school_years.holding(day).first()
    if year is None:
        raise ValidationError(f"校历里没有包含 {day} 的学年；请核对日期，或请教育局先填写校历")
    return year


def move(journal: Journal, pupil: Pupil, enrolments: Sequence[Enrolment], to: SchoolClass, *, from_day: datetime.date) -> None:
    """Put a pupil into a class from a day on; ``enrolments`` are all of the pupil's."""
    current = next((each for each in enrolments if is_in_force(each, from_day)), None)
    later = min((each.starts_on for each in enrolments if each.starts_on > from_day), default=None)
    if current is not None and current.school_class_id == to.pk:
        return
    if current is not None and current.starts_on == from_day:
        journal.change(current, school_class=to)
        return
    until = current.ends_on if current is not None else later - _DAY if later else None
    if current is not None:
        journal.change(current, ends_on=from_day - _DAY)
    journal.create(Enrolment(pupil=pupil, school_class=to, starts_on=from_day, ends_on=until))


def is_in_force(each: Enrolment | TeachingAssignment, day: datetime.date) -> bool:
    """Whether an enrolment or assignment holds on a day."""
    return each.starts_on <= day and (each.ends_on is None or each.ends_on >= day)


def end_enrolments(journal: Journal, enrolments: Sequence[Enrolment], *, last_day: datetime.date) -> None:
    """A pupil is at school for the last time on a day; what would have begun later never begins."""
    for each in enrolments:
        if each.starts_on > last_day:
            journal.delete(each)
        elif each.ends_on is None or each.ends_on > last_day:
            journal.change(each, ends_on=last_day)


@transaction.atomic
def transfer(pupil: Pupil, *, to: SchoolClass, from_day: datetime.date, by: User) -> Journal:
    """A pupil changes class from a day on, in the middle of the term if need be; raise ValidationError when it cannot be."""
    lock_school(pupil.school)
    enrolments = list(pupil.enrolments.select_related("school_class").order_by("starts_on"))
    if to.school_id != pupil.school_id:
        raise ValidationError("只能转到本校的班级")
    if not to.school_year.starts_on <= from_day <= to.school_year.ends_on:
        raise ValidationError(f"{to}是{to.school_year}的班级，转班日期要在 {to.school_year.starts_on} 至 {to.school_year.ends_on} 之间")
    current = next((each for each in enrolments if is_in_force(each, from_day)), None)
    if current is not None and current.school_class_id == to.pk:
        raise ValidationError(f"{pupil}在 {from_day} 已经在{to}；请选别的班级或日期")
    if any(each.starts_on > from_day and each.school_class.school_year_id == to.school_year_id for each in enrolments):
        raise ValidationError(f"{pupil}在 {from_day} 之后还有一次转班；请先撤销那一次，或选更晚的日期")
    journal = Journal()
    move(journal, pupil, enrolments, to, from_day=from_day)
    log.info("pupil.transferred pupil=%s to=%s from_day=%s by=%s", pupil.pk, to.pk, from_day, by.pk)
    return journal


@transaction.atomic
def leave(pupil: Pupil, *, last_day: datetime.date, by: User) -> Journal:
    """A pupil leaves the school after a day; open codes for the guardians end."""
    lock_school(pupil.school)
    enrolments = list(pupil.enrolments.order_by("starts_on"))
    current = next((each for each in enrolments if is_in_force(each, last_day)), None)
    if current is None:
        raise ValidationError(f"{pupil}在 {last_day} 不在班；请核对离校日期")
    journal = Journal()
    end_enrolments(journal, enrolments, last_day=last_day)
    if not journal.entries:
        raise ValidationError(f"{pupil}本来就在 {last_day} 离校，没有变化")
    log.info("pupil.left pupil=%s last_day=%s by=%s", pupil.pk, last_day, by.pk)
    return journal


@transaction.atomic
def add_pupil(school_class: SchoolClass, *, number: str, name: str, from_day: datetime.date, by: User) -> Journal:
    """A new pupil in a class; a number the school knows already is refused with where that pupil is."""
    lock_school(school_class.school)
    year = school_class.school_year
    if not year.starts_on <= from_day <= year.ends_on:
        raise ValidationError(f"入班日期要在{year}（{year.starts_on} 至 {year.ends_on}）之内")
    known = Pupil.objects.filter(school=school_class.school_id, number=number).first()
    if known is not None:
        raise ValidationError(f"学号 {number} 已属于{known}；若是转班，请在该生的页面办理，若是新生，请换一个学号")
    pupil = Pupil(school=school_class.school, number=number, name=name)
    pupil.full_clean()
    journal = Journal()
    journal.create(pupil)
    journal.create(Enrolment(pupil=pupil, school_class=school_class, starts_on=from_day))
    log.info("pupil.added pupil=%s class=%s by=%s", pupil.pk, school_class.pk, by.pk)
    return journal


@transaction.atomic
def correct_pupil(pupil: Pupil, *, number: str, name: str, by: User) -> Journal:
    """Correct number and name."""
    lock_school(pupil.school)
    changed = copy.copy(pupil)
    changed.number, changed.name = number, name
    changed.full_clean()
    journal = Journal()
    journal.change(pupil, number=number, name=name)
    log.info("pupil.corrected pupil=%s by=%s", pupil.pk, by.pk)
    return journal


@transaction.atomic
def add_class(school: School, year: SchoolYear, *, grade: int, number: int, by: User) -> Journal:
    """A new class of a school year."""
    lock_school(school)
    if grade not in school.grades:
        raise ValidationError(f"{school}没有这个年级；学校的年级是{school.first_grade}至{school.last_grade}")
    made = SchoolClass(school=school, school_year=year, grade=grade, number=number, name=class_name(grade, number))
    made.full_clean()
    journal = Journal()
    journal.create(made)
    log.info("class.added class=%s by=%s", made.pk, by.pk)
    return journal


def colleague(school: School, pk: int) -> User:
    """Somebody who works in the school; raise ValidationError for anybody else."""
    found = User.objects.filter(
        pk=pk, organisation=school.organisation_id, role__in=[Role.TEACHER, Role.SCHOOL_LEADER], is_active=True
    ).first()
    if found is None:
        raise ValidationError("请从本校教师里选一位；名单里没有的，请先导入教师任课表")
    return found


@transaction.atomic
def set_class_teacher(school_class: SchoolClass, teacher: User | None, *, by: User) -> Journal:
    """Who is class teacher from now on."""
    journal = Journal()
    journal.change(school_class, class_teacher=teacher)
    log.info("class.teacher_set class=%s teacher=%s by=%s", school_class.pk, teacher and teacher.pk, by.pk)
    return journal


@transaction.atomic
def assign(teacher: User, school_class: SchoolClass, subject: Subject, *, from_day: datetime.date, by: User) -> Journal:
    """A teacher teaches a subject in a class from a day on; the exclusion constraint's words when it is so already."""
    lock_school(school_class.school)
    year = school_class.school_year
    if not year.starts_on <= from_day <= year.ends_on:
        raise ValidationError(f"任课的开始日期要在{year}（{year.starts_on} 至 {year.ends_on}）之内")
    assignment = TeachingAssignment(teacher=teacher, school_class=school_class, subject=subject, starts_on=from_day)
    assignment.full_clean()
    journal = Journal()
    journal.create(assignment)
    log.info("assignment.begun assignment=%s by=%s", assignment.pk, by.pk)
    return journal


def stop_teaching(journal: Journal, assignment: TeachingAssignment, *, last_day: datetime.date) -> None:
    """End an assignment; one that would have begun later never was."""
    if assignment.starts_on > last_day:
        journal.delete(assignment)
    else:
        journal.change(assignment, ends_on=last_day)


@transaction.atomic
def end_assignment(assignment: TeachingAssignment, *, last_day: datetime.date, by: User) -> Journal:
    """A teacher teaches a subject in a class for the last time on a day."""
    journal = Journal()
    stop_teaching(journal, assignment, last_day=last_day)
    log.info("assignment.ended assignment=%s by=%s", assignment.pk, by.pk)
    return journal
