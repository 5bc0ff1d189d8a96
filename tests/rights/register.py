"""Rights of the register: giving homework, reading it, settling it."""

from __future__ import annotations

from typing import Any

from qingdan.homework.actions.register import enter
from qingdan.homework.models import Homework
from tests.district import homework
from tests.rights.table import Row, World


def prepare(world: World) -> None:
    """Homework of the teacher in 三（2）班 that went out, and a piece of his colleague that was too much."""
    school = world.district.first
    (world.records["item"],) = enter([homework(school.class_32, school.teacher, minutes=50)], by=school.teacher)
    (world.records["held"],) = enter([homework(school.class_32, school.other_teacher, "语文", 30)], by=school.other_teacher, hold=True)


def of(name: str) -> Any:
    """The number of a record."""
    return lambda world: (world.records[name].pk,)


def settled(world: World) -> dict[str, str]:
    """The colleague's piece is brought into school."""
    return {"act": "school", "seen": Homework.objects.get(pk=world.records["held"].pk).version}


TEACHERS = {"grade_head": 200, "teacher": 200, "other_teacher": 200, "second_teacher": 200}
OWN_SCHOOL = {"leader": 200, "grade_head": 200, "teacher": 200, "other_teacher": 200}

ROWS = {
    "homework:today": Row({**TEACHERS, "leader": 200, "second_leader": 200}),
    "homework:new": Row(TEACHERS),
    "homework:total": Row(TEACHERS, method="post"),
    "homework:suggestions": Row(TEACHERS),
    "homework:item": Row({**OWN_SCHOOL, "bureau": 200, "parent": 200}, args=of("item")),
    "homework:edit": Row({"grade_head": 200, "teacher": 200}, args=of("item")),
    "homework:withdraw": Row({"teacher": 302}, method="post", args=of("item")),
    "homework:board": Row({**OWN_SCHOOL, "second_leader": 200, "second_teacher": 200}, args=lambda world: (3,)),
    "homework:settle": Row({"leader": 302, "grade_head": 302}, method="post", args=of("held"), data=settled),
}
