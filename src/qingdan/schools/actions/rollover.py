"""The turn of the school year: every class goes up a grade as a new class that names the old one, the last grade graduates.

The classes of last year stay what they were: whatever was recorded of 三（2）班 still says 三（2）班.
"""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.places.journal import Journal
from qingdan.places.journal import undo as undo_journal
from qingdan.places.models import SchoolYear
from qingdan.schools.actions.classes import UNUSED_CODES, lock_school
from qingdan.schools.models import Enrolment, GradeLead, School, SchoolClass, TeachingAssignment, YearRollover
from qingdan.schools.models.places import class_name

log = logging.getLogger(__name__)

NEW_CLASSES_MAX = 60


@dataclass(frozen=True)
class Step:
    """What becomes of one class."""

    old: SchoolClass
    #: The name next year; empty for a class that graduates.
    new_name: str
    pupils: int


@dataclass(frozen=True)
class Plan:
    """The turn of a school's year before it is done."""

    from_year: SchoolYear
    to_year: SchoolYear
    steps: list[Step] = field(default_factory=list)
    #: How many first-grade classes there are now: as many are proposed for next year.
    first_classes: int = 0

    @property
    def rising(self) -> list[Step]:
        """The classes that go up."""
        return [each for each in self.steps if each.new_name]


def plan_for(school: School, day: datetime.date) -> Plan:
    """The next turn of the year as of a day; raise ValidationError, with whom to ask, when there can be none."""
    from_year = (
        SchoolYear.objects.filter(classes__school=school, starts_on__lte=day).distinct().order_by("-first_year").first()
        or SchoolYear.objects.filter(classes__school=school).distinct().order_by("first_year").first()
    )
    if from_year is None:
        raise ValidationError("学校还没有班级，谈不上升级；请先导入学生名册或新建班级")
    to_year = school.region.school_years.filter(first_year=from_year.first_year + 1).first()
    if to_year is None:
        raise ValidationError(f"校历里还没有{from_year.first_year + 1}学年；请教育局先在校历里填写新学年的起止日期，再来升级")
    classes = school.classes.filter(school_year=from_year)
    counted = Enrolment.objects.in_force(min(max(day, from_year.starts_on), from_year.ends_on)).filter(school_class__in=classes)
    sizes = dict(counted.order_by().values_list("school_class").annotate(number=Count("pk")))
    steps = [
        Step(each, class_name(each.grade + 1, each.number) if each.grade < school.last_grade else "", sizes.get(each.pk, 0))
        for each in classes.order_by("grade", "number")
    ]
    return Plan(from_year, to_year, steps, sum(1 for each in steps if each.old.grade == school.first_grade))


@transaction.atomic
def roll_over(
    school: School,
    plan: Plan,
    *,
    by: User,
    first_classes: int,
    keeps_class_teachers: bool,
    keeps_assignments: bool,
    keeps_grade_leads: bool,
) -> YearRollover:
    """Go to the next school year, all of it or nothing; done already, it does nothing again and gives back what was done."""
    lock_school(school)
    done = YearRollover.objects.in_force().filter(school=school, to_year=plan.to_year).first()
    if done is not None:
        return done
    if not 0 <= first_classes <= NEW_CLASSES_MAX:
        raise ValidationError(f"新生班级数要在 0 至 {NEW_CLASSES_MAX} 之间")
    journal = Journal()
    successors = _raise_classes(journal, school, plan, first_classes, keeps_class_teachers=keeps_class_teachers)
    _move_pupils(journal, plan, successors)
    _move_assignments(journal, plan, successors, keeps_assignments=keeps_assignments)
    if keeps_grade_leads:
        _move_grade_leads(journal, school, plan)
    rollover = YearRollover.objects.create(
        school=school, from_year=plan.from_year, to_year=plan.to_year, applied_by=by, journal=journal.entries
    )
    log.info("rollover.applied school=%s to_year=%s by=%s changes=%s", school.pk, plan.to_year.pk, by.pk, len(journal.entries))
    return rollover


def _raise_classes(
    journal: Journal, school: School, plan: Plan, first_classes: int, *, keeps_class_teachers: bool
) -> dict[int, SchoolClass]:
    """Old class -> the class it becomes. A class that stands there already is taken, unless it continues another."""
    present = {(each.grade, each.number): each for each in school.classes.filter(school_year=plan.to_year)}
    successors = {}
    for step in plan.rising:
        old, key = step.old, (step.old.grade + 1, step.old.number)
        teacher = old.class_teacher if keeps_class_teachers else None
        found = present.get(key)
        if found is None:
            found = SchoolClass(
                school=school,
                school_year=plan.to_year,
                grade=key[0],
                number=key[1],
                name=step.new_name,
                class_teacher=teacher,
                continues=old,
            )
            journal.create(found)
        elif found.continues_id not in (None, old.pk):
            raise ValidationError(f"{plan.to_year}的{found}已由别的班升上来，与{old}冲突；请先核对班级")
        else:
            journal.change(found, continues=old)
        successors[old.pk] = found
    for number in range(1, first_classes + 1):
        grade = school.first_grade
        if (grade, number) not in present:
            made = SchoolClass(school=school, school_year=plan.to_year, grade=grade, number=number, name=class_name(grade, number))
            journal.create(made)
    return successors


def _move_pupils(journal: Journal, plan: Plan, successors: dict[int, SchoolClass]) -> None:
    """Enrolments end with the old year; those of classes that go up begin anew with the next."""
    last, first = plan.from_year.ends_on, plan.to_year.starts_on
    staying = list(
        Enrolment.objects.filter(Q(ends_on=None) | Q(ends_on__gte=last), school_class__school_year=plan.from_year, starts_on__lte=last)
        .filter(school_class__in=[step.old.pk for step in plan.steps])
        .select_related("pupil")
    )
    settled = set(
        Enrolment.objects.filter(pupil__in=[each.pupil_id for each in staying], starts_on__gt=last).values_list("pupil_id", flat=True)
    )
    journal.change_all(staying, "ends_on", last)
    journal.create_all(
        [
            Enrolment(pupil=each.pupil, school_class=successors[each.school_class_id], starts_on=first)
            for each in staying
            if each.school_class_id in successors and each.pupil_id not in settled
        ]
    )


def _move_assignments(journal: Journal, plan: Plan, successors: dict[int, SchoolClass], *, keeps_assignments: bool) -> None:
    last, first = plan.from_year.ends_on, plan.to_year.starts_on
    held = list(
        TeachingAssignment.objects.filter(
            Q(ends_on=None) | Q(ends_on__gte=last), school_class__in=[step.old.pk for step in plan.steps], starts_on__lte=last
        ).order_by("pk")
    )
    journal.change_all(held, "ends_on", last)
    if keeps_assignments:
        journal.create_all(
            [
                TeachingAssignment(
                    teacher_id=each.teacher_id, school_class=successors[each.school_class_id], subject_id=each.subject_id, starts_on=first
                )
                for each in held
                if each.school_class_id in successors
            ]
        )


def _move_grade_leads(journal: Journal, school: School, plan: Plan) -> None:
    """Heads go up with their year group; that of the grade which leaves has done its duty."""
    present = set(GradeLead.objects.filter(school=school, school_year=plan.to_year).values_list("grade", "user_id"))
    for lead in GradeLead.objects.filter(school=school, school_year=plan.from_year, grade__lt=school.last_grade):
        if (lead.grade + 1, lead.user_id) not in present:
            journal.create(GradeLead(school=school, school_year=plan.to_year, grade=lead.grade + 1, user_id=lead.user_id))


@transaction.atomic
def undo_rollover(rollover: YearRollover, *, by: User) -> bool:
    """Take the turn of the year back; raise ValidationError when something came to depend on it. Done already, it does nothing."""
    lock_school(rollover.school)
    rollover = YearRollover.objects.select_for_update(of=("self",)).get(pk=rollover.pk)
    if rollover.undone_at is not None:
        return False
    undo_journal(rollover.journal, discard=UNUSED_CODES)
    rollover.undone_at = timezone.now()
    rollover.save(update_fields=["undone_at"])
    log.info("rollover.undone rollover=%s by=%s", rollover.pk, by.pk)
    return True
