"""The life of an import: taken in and previewed, applied once, perhaps taken back.

Nothing of the school is written before it is confirmed. Applying asks the same question again, under the school's lock: when the
answer is another than the one that was shown, nothing is done and the preview is made anew.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.places.journal import Journal
from qingdan.places.journal import undo as undo_journal
from qingdan.schools.actions.classes import UNUSED_CODES, end_enrolments, lock_school, year_holding
from qingdan.schools.enums import RollAct, RollKind, RollStatus
from qingdan.schools.models import Enrolment, RollImport, RollRow, School, SchoolClass, TeachingAssignment
from qingdan.schools.models.places import class_name
from qingdan.schools.rolls.comparing import ClassKey, Comparison, classes_of, compare_pupils, missing_from
from qingdan.schools.rolls.reading import Line, RollReading
from qingdan.schools.rolls.staffing import compare_staff

log = logging.getLogger(__name__)

_BATCH = 1000


class PreviewIsStale(ValidationError):
    """The school has changed since the preview was made."""


@transaction.atomic
def take_in(school: School, reading: RollReading, *, kind: str, file_name: str, effective_on: datetime.date, by: User) -> RollImport:
    """Keep what was read, with what each line would do."""
    year_holding(school, effective_on)
    roll = RollImport.objects.create(
        school=school, kind=kind, file_name=file_name, effective_on=effective_on, uploaded_by=by, ignored_columns=reading.ignored
    )
    _write_rows(roll, reading.lines, compare(roll, reading.lines))
    log.info("roll.previewed roll=%s kind=%s rows=%s by=%s", roll.pk, kind, len(reading.lines), by.pk)
    return roll


def _write_rows(roll: RollImport, lines: list[Line], comparison: Comparison) -> None:
    RollRow.objects.bulk_create(
        [
            RollRow(
                roll=roll, sheet=line.sheet, row=line.row, act=outcome.act, what=outcome.what, values={**line.values, "fault": line.fault}
            )
            for line, outcome in zip(lines, comparison.outcomes, strict=True)
        ],
        batch_size=_BATCH,
    )


def lines_of(roll: RollImport) -> list[Line]:
    """The lines as they were read."""
    return [Line(each.sheet, each.row, each.values, str(each.values.get("fault", ""))) for each in roll.rows.all()]


def compare(roll: RollImport, lines: list[Line] | None = None) -> Comparison:
    """What the roll would do to the school as it is now."""
    lines = lines_of(roll) if lines is None else lines
    year = year_holding(roll.school, roll.effective_on)
    compare_kind = compare_pupils if roll.kind == RollKind.PUPILS else compare_staff
    return compare_kind(roll.school, lines, year=year, effective_on=roll.effective_on, creates_classes=roll.creates_classes)


@dataclass(frozen=True)
class Outlook:
    """What a preview shows besides its rows."""

    #: Pupils of the roll's classes whom it does not name.
    missing: list[Enrolment]
    #: Names of classes that the import will make.
    new_classes: list[str]


def outlook(roll: RollImport) -> Outlook:
    """Who is missing and which classes are new, from the rows as they were compared; a page needs no second comparison."""
    rows = list(roll.rows.values_list("act", "values"))
    year = year_holding(roll.school, roll.effective_on)
    present = classes_of(roll.school, year)
    named: dict[ClassKey, None] = {}
    for act, values in rows:
        if act != RollAct.REFUSE:
            keys = [values["key"]] if roll.kind == RollKind.PUPILS else [*values["classes"], *values["leads_class"]]
            named |= dict.fromkeys((grade, number) for grade, number in keys)
    missing = missing_from(present, [values for _, values in rows], roll.effective_on) if roll.kind == RollKind.PUPILS else []
    return Outlook(missing, [class_name(*key) for key in named if key not in present])


@transaction.atomic
def preview_again(roll: RollImport, *, creates_classes: bool | None = None, effective_on: datetime.date | None = None) -> None:
    """Make the preview anew, perhaps with other choices."""
    roll = RollImport.objects.select_for_update(of=("self",)).get(pk=roll.pk)
    if roll.status != RollStatus.PREVIEWED:
        return
    if creates_classes is not None:
        roll.creates_classes = creates_classes
    if effective_on is not None:
        year_holding(roll.school, effective_on)
        roll.effective_on = effective_on
    roll.save(update_fields=["creates_classes", "effective_on"])
    lines = lines_of(roll)
    roll.rows.all().delete()
    _write_rows(roll, lines, compare(roll, lines))


@transaction.atomic
def apply(roll: RollImport, *, leaving: Iterable[int] = (), by: User) -> bool:
    """Import what was previewed, all of it or nothing; a second time it does nothing and says so with False.

    ``leaving``: pupils of whom the roll says nothing and who have left the school, ticked by the leader.
    Raises PreviewIsStale when the school has changed, ValidationError when there is nothing to import.
    """
    lock_school(roll.school)
    roll = RollImport.objects.select_for_update(of=("self",)).select_related("school__organisation").get(pk=roll.pk)
    if roll.status != RollStatus.PREVIEWED:
        return False
    comparison = compare(roll)
    shown = list(roll.rows.values_list("act", "what"))
    if shown != [(outcome.act, outcome.what) for outcome in comparison.outcomes]:
        raise PreviewIsStale("预览之后学校的数据有了变化，已按现在的数据重新比对；请再核对一遍后确认")
    ticked = set(leaving)
    gone = [each for each in comparison.missing if each.pupil_id in ticked]
    if not gone and not any(outcome.act in (RollAct.ADD, RollAct.CHANGE) for outcome in comparison.outcomes):
        raise ValidationError("没有要导入的内容：名册里的每一行都与现在相同，或被拒收")
    roll.journal = _write(roll, comparison, gone).entries
    roll.status, roll.applied_at = RollStatus.APPLIED, timezone.now()
    roll.save(update_fields=["journal", "status", "applied_at"])
    log.info("roll.applied roll=%s by=%s changes=%s", roll.pk, by.pk, len(roll.journal))
    return True


def _write(roll: RollImport, comparison: Comparison, gone: list[Enrolment]) -> Journal:
    journal = Journal()
    year = year_holding(roll.school, roll.effective_on)
    made = [
        SchoolClass(school=roll.school, school_year=year, grade=grade, number=number, name=class_name(grade, number))
        for grade, number in comparison.new_classes
    ]
    journal.create_all(made)
    classes = comparison.classes | {(each.grade, each.number): each for each in made}
    journal.create_all([pupil for pupil, _ in comparison.new_pupils])
    journal.create_all(
        [Enrolment(pupil=pupil, school_class=classes[key], starts_on=roll.effective_on) for pupil, key in comparison.new_pupils]
    )
    for outcome in comparison.outcomes:
        for effect in outcome.effects:
            effect(journal, classes)
    last_day = roll.effective_on - datetime.timedelta(days=1)
    for each in gone:
        held = each.pupil.enrolments.filter(Q(ends_on=None) | Q(ends_on__gt=last_day))
        end_enrolments(journal, list(held), last_day=last_day)
    return journal


@transaction.atomic
def undo_roll(roll: RollImport, *, by: User) -> bool:
    """Put the school back as it was before the import; raise ValidationError when something came to depend on it."""
    lock_school(roll.school)
    roll = RollImport.objects.select_for_update(of=("self",)).get(pk=roll.pk)
    if roll.status != RollStatus.APPLIED:
        return False
    if reasons := _depending(roll):
        raise ValidationError(f"不能撤销：{'；'.join(reasons)}。请到相应班级里逐项修改")
    undo_journal(roll.journal, discard=UNUSED_CODES)
    roll.status, roll.undone_at = RollStatus.UNDONE, timezone.now()
    roll.save(update_fields=["status", "undone_at"])
    log.info("roll.undone roll=%s by=%s", roll.pk, by.pk)
    return True


def _depending(roll: RollImport) -> list[str]:
    """What came to rest on an assignment or enrolment of the import without naming it: homework, answers of families.

    Both lie in an app above this one; they are asked for by the names under which they hang on teacher and pupil.
    """
    made: dict[str, list[int]] = {"schools.TeachingAssignment": [], "schools.Enrolment": []}
    for each in roll.journal:
        if each["before"] is None and each["model"] in made:
            made[each["model"]].append(each["pk"])
    reasons = []
    taught = TeachingAssignment.objects.filter(
        pk__in=made["schools.TeachingAssignment"],
        teacher__homework__school_class=F("school_class"),
        teacher__homework__subject=F("subject"),
        teacher__homework__on_date__gte=F("starts_on"),
    )
    for assignment in taught.select_related("school_class", "subject", "teacher").distinct()[:5]:
        reasons.append(f"{assignment.teacher}已在{assignment.school_class}布置了{assignment.subject}作业")
    answered = Enrolment.objects.filter(
        pk__in=made["schools.Enrolment"],
        pupil__family_reports__school_class=F("school_class"),
        pupil__family_reports__on_date__gte=F("starts_on"),
    )
    if (count := answered.distinct().count()) > 0:
        reasons.append(f"{count} 名学生的家庭已按新班级收到作业反馈")
    return reasons


def discard(roll: RollImport, *, by: User) -> bool:
    """Throw a preview away; what was imported is kept for good."""
    deleted, _ = RollImport.objects.filter(pk=roll.pk, status=RollStatus.PREVIEWED).delete()
    log.info("roll.discarded roll=%s by=%s done=%s", roll.pk, by.pk, bool(deleted))
    return bool(deleted)
