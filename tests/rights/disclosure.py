"""Who may see how weeks stand with their disclosure, and publish one."""

from __future__ import annotations

from qingdan.homework.actions.register import enter
from tests.district import MONDAY, homework
from tests.rights.table import Row, World


def prepare(world: World) -> None:
    """There is something to publish."""
    school = world.district.first
    enter([homework(school.class_32, school.teacher)], by=school.teacher)


_STAFF = ("leader", "grade_head", "teacher", "other_teacher", "second_leader", "second_teacher")

ROWS = {
    "homework:disclosures": Row(dict.fromkeys(_STAFF, 200)),
    # The second leader publishes the third grade of his own school.
    "homework:publish": Row(
        {"leader": 302, "grade_head": 302, "second_leader": 400},
        method="post",
        args=lambda world: (3, MONDAY.isoformat()),
        data=lambda world: {"intent": "巩固", "requirements": "独立完成", "seen_version": "0"},
    ),
}
