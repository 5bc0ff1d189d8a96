"""Who may open what of the schools app."""

from __future__ import annotations

import datetime
from typing import Any

from qingdan.places.models import SchoolYear
from qingdan.schools.actions.rollover import plan_for, roll_over
from qingdan.schools.models import JoinCode, RollImport, StaffIdentity
from tests.district import MONDAY
from tests.rights.table import Row, World

_STAFF = {"leader": 200, "grade_head": 200, "teacher": 200, "other_teacher": 200}
_LEADER_ACTS = {"leader": 302}
#: A leader of another school has pages of the same name: those of the own school.
_OWN = {"leader": 200, "second_leader": 200}
_OWN_ACTS = {"leader": 302, "second_leader": 302}


def prepare(world: World) -> None:
    """A roll, a code, a turned year."""
    school = world.district.first
    roll = RollImport.objects.create(
        school=school.school, kind="pupils", file_name="名册.xlsx", effective_on=MONDAY, uploaded_by=school.leader
    )
    code, _ = JoinCode.issue(school=school.school, by=school.leader, pupil=school.pupils[1])
    region = world.district.region
    SchoolYear.objects.create(region=region, first_year=2027, starts_on=datetime.date(2027, 9, 1), ends_on=datetime.date(2028, 8, 31))
    plan = plan_for(school.school, MONDAY)
    rollover = roll_over(
        school.school, plan, by=school.leader, first_classes=0, keeps_class_teachers=True, keeps_assignments=True, keeps_grade_leads=True
    )
    identity = StaffIdentity.objects.create(user=school.teacher, identity_digest="a" * 64, masked_identity="110*************2X")
    world.records |= {"roll": roll, "code": code, "rollover": rollover, "identity": identity}


def _class(world: World) -> tuple[Any, ...]:
    return (world.district.first.class_32.pk,)


def _pupil(world: World) -> tuple[Any, ...]:
    return (world.district.first.class_32.pk, world.district.first.pupils[0].pk)


def _record(name: str) -> Any:
    return lambda world: (world.records[name].pk,)


ROWS: dict[str, Row] = {
    "schools:new": Row({"bureau": 200}),
    "schools:list": Row(
        {"bureau": 200, **dict.fromkeys(("leader", "grade_head", "teacher", "other_teacher", "second_leader", "second_teacher"), 302)}
    ),
    "schools:school": Row({"bureau": 200, **_STAFF}, args=lambda world: (world.district.first.school.pk,)),
    "schools:undo": Row(_OWN_ACTS, method="post"),
    "schools:add_grade_lead": Row(_OWN_ACTS, method="post"),
    "schools:remove_grade_lead": Row(
        _LEADER_ACTS, method="post", args=lambda world: (world.district.first.school.grade_leads.earliest("school_year__first_year").pk,)
    ),
    "schools:add_subject_lead": Row(_OWN_ACTS, method="post"),
    "schools:remove_subject_lead": Row(
        _LEADER_ACTS, method="post", args=lambda world: (world.district.first.school.subject_leads.get().pk,)
    ),
    "schools:set_identity": Row(_OWN_ACTS, method="post"),
    "schools:remove_identity": Row(_LEADER_ACTS, method="post", args=lambda world: (world.records["identity"].pk,)),
    "schools:add_class": Row(_OWN_ACTS, method="post"),
    "schools:class": Row({"bureau": 200, **_STAFF}, args=_class),
    "schools:set_teacher": Row(_LEADER_ACTS, method="post", args=_class),
    "schools:assign": Row(_LEADER_ACTS, method="post", args=_class),
    "schools:end_assignment": Row(
        _LEADER_ACTS, method="post", args=lambda world: (world.district.first.class_32.assignments.earliest("pk").pk,)
    ),
    "schools:add_pupil": Row(_LEADER_ACTS, method="post", args=_class),
    "schools:pupil": Row({"leader": 200, "teacher": 200}, args=_pupil),
    "schools:transfer": Row(_LEADER_ACTS, method="post", args=_pupil),
    "schools:leave": Row(_LEADER_ACTS, method="post", args=_pupil),
    "schools:correct_pupil": Row(_LEADER_ACTS, method="post", args=_pupil),
    "schools:rolls": Row(_OWN),
    "schools:roll": Row({"leader": 200}, args=_record("roll")),
    "schools:roll_options": Row(_LEADER_ACTS, method="post", args=_record("roll")),
    "schools:apply_roll": Row(_LEADER_ACTS, method="post", args=_record("roll")),
    "schools:undo_roll": Row(_LEADER_ACTS, method="post", args=_record("roll")),
    "schools:discard_roll": Row(_LEADER_ACTS, method="post", args=_record("roll")),
    "schools:roll_export": Row(_OWN, args=lambda world: ("pupils",)),
    "schools:roll_template": Row(_OWN, args=lambda world: ("staff",)),
    "schools:codes": Row(_OWN | dict.fromkeys(("grade_head", "teacher", "other_teacher", "second_teacher"), 200)),
    "schools:class_codes": Row({"leader": 200, "teacher": 200}, args=_class),
    "schools:issue_codes": Row({"leader": 200, "teacher": 200}, method="post", args=_class, data=lambda world: {"all": "1"}),
    "schools:issue_staff_codes": Row(_OWN_ACTS, method="post"),
    "schools:revoke_code": Row({"leader": 302, "teacher": 302}, method="post", args=_record("code")),
    "schools:join": Row(dict.fromkeys(("bureau", "institution"), 200), others=200, nobody=200),
    "schools:rollover": Row(_OWN),
    "schools:undo_rollover": Row(_LEADER_ACTS, method="post", args=_record("rollover")),
}
