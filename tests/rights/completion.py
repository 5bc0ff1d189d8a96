"""Who may tell and see what of finished homework."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from qingdan.draws.models import Draw
from qingdan.homework.models import FamilyReport, Marking
from tests.district import MONDAY, homework
from tests.rights.table import Row, World

_STAFF = dict.fromkeys(("leader", "grade_head", "teacher", "other_teacher", "second_leader", "second_teacher"), 200)
_PARENTS = {"parent": 200, "second_parent": 200}


def prepare(world: World) -> None:
    """Homework of the teacher, marked; a family drawn that has answered."""
    school = world.district.first
    item = homework(school.class_32, school.teacher, on_date=MONDAY, status="out", sent_at=timezone.now())
    item.save()
    Marking.objects.create(homework=item, marked_on=MONDAY, recorded_by=school.teacher)
    pupil = school.pupils[0]
    report = FamilyReport.objects.create(
        draw=Draw.hold("家庭反馈", [pupil.pk], 1), pupil=pupil, school_class=school.class_32, on_date=MONDAY, homework_minutes=30,
        sleep="late", answered_at=timezone.now(),
    )  # fmt: skip
    world.records |= {"homework": item.pk, "report": report.pk}


def _report(world: World) -> tuple[Any, ...]:
    return (world.records["report"],)


ROWS = {
    "homework:finish": Row(_STAFF),
    "homework:finish_save": Row(
        {"teacher": 302},
        "post",
        args=lambda world: (world.district.first.class_32.pk, MONDAY),
        data=lambda world: {"finished_percent": "90"},
    ),
    "homework:markings": Row(_STAFF),
    "homework:marking_undo": Row({"teacher": 302}, "post", args=lambda world: (world.records["homework"],)),
    "homework:family": Row(_PARENTS),
    "homework:family_answer": Row({"parent": 302}, "post", args=_report, data=lambda world: {"homework_minutes": "30", "sleep": "late"}),
    "homework:family_undo": Row({"parent": 302}, "post", args=_report),
    "homework:family_subjects": Row({"parent": 302}, "post", args=_report),
    "homework:minutes": Row({**_STAFF, **_PARENTS, "bureau": 200}),
}
