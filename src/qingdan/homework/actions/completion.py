"""What is told about finished homework: the share done at school, and what families add by subject."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from qingdan.accounts.models import User
from qingdan.homework.models import FamilyReport, SchoolFinish, SubjectMinutes
from qingdan.places.calendar import SchoolCalendar, today
from qingdan.policy.pack import Pack
from qingdan.schools.models import SchoolClass

log = logging.getLogger(__name__)
#: How many school days back a class teacher may still say how much was finished.
FINISH_SCHOOL_DAYS = 5
_SHARE = "homework.done_at_school_percent"


@dataclass(frozen=True)
class ShareLimit:
    """The least share of written homework to be finished at school, where it comes from and by which clauses."""

    percent: int
    #: The layer of the law that says so.
    layer: str
    layer_name: str
    #: ``(clause id, as it is cited)``.
    cites: tuple[tuple[str, str], ...]


def share_limit(pack: Pack, school_class: SchoolClass, day: datetime.date) -> ShareLimit | None:
    """The limit of a class's place, grade and day; None where the law sets none."""
    place = school_class.school.organisation.layer_code
    stage = next((name for name, grades in pack.layer(place).grades.stages.items() if school_class.grade in grades), None)
    statement = pack.find(_SHARE, at=place, on=day, case=(stage,))
    if statement is None:
        return None
    cites = tuple((clause, pack.cite(clause)) for clause in statement.cites)
    return ShareLimit(int(str(statement.value)), statement.layer, pack.layers[statement.layer].name, cites)


def finish_days(calendar: SchoolCalendar) -> list[datetime.date]:
    """The days that can be filled in: today, if there is school, and some school days before; the latest first."""
    day = today()
    days = [day] if calendar.is_school_day(day) else []
    before: datetime.date | None = day
    for _ in range(FINISH_SCHOOL_DAYS):
        before = calendar.last_school_day(before) if before else None
        if before:
            days.append(before)
    return days


def tell_finish(*, school_class: SchoolClass, day: datetime.date, by: User, finished_percent: int | None) -> SchoolFinish | None:
    """Keep (or, with None, forget) the share of a day's written homework finished at school; raise ValidationError where it cannot be."""
    if school_class.class_teacher_id != by.pk:
        raise ValidationError(f"只有{school_class}的班主任能填；班主任有变请联系学校教务")
    if day not in finish_days(SchoolCalendar(school_class.school.organisation.layer_code)):
        raise ValidationError(f"{day:%m月%d日}不能填：只能填今天和前 {FINISH_SCHOOL_DAYS} 个上学日")
    if finished_percent is None:
        SchoolFinish.objects.filter(school_class=school_class, on_date=day).delete()
        log.info("finish.forgotten class=%s day=%s by=%s", school_class.pk, day, by.pk)
        return None
    told = SchoolFinish(school_class=school_class, on_date=day, finished_percent=finished_percent, reported_by=by)
    told.full_clean(exclude=["school_class", "reported_by"], validate_unique=False)
    told, _ = SchoolFinish.objects.update_or_create(
        school_class=school_class, on_date=day, defaults={"finished_percent": finished_percent, "reported_by": by}
    )
    log.info("finish.told class=%s day=%s percent=%s by=%s", school_class.pk, day, finished_percent, by.pk)
    return told


@transaction.atomic
def tell_subjects(*, report: FamilyReport, by: User, minutes: Mapping[int, int]) -> None:
    """Keep how long each subject (its key) took, in place of what was said before; raise ValidationError where it cannot be."""
    report = FamilyReport.objects.select_for_update().get(pk=report.pk)
    if report.answered_at is None:
        raise ValidationError("请先填总用时和睡眠情况，再填各学科")
    if today() > report.last_day:
        raise ValidationError(f"{report.on_date:%m月%d日}的反馈已经不能再改了")
    rows = [SubjectMinutes(report=report, subject_id=subject, homework_minutes=each) for subject, each in minutes.items()]
    for row in rows:
        row.full_clean(exclude=["report", "subject"], validate_unique=False)
    report.subjects.all().delete()
    SubjectMinutes.objects.bulk_create(rows)
    log.info("family_report.subjects report=%s by=%s subjects=%s", report.pk, by.pk, len(rows))
