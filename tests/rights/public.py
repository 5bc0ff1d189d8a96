"""The public hall is open to everybody."""

from __future__ import annotations

from dataclasses import replace

from qingdan.homework.actions.disclosure import publish
from qingdan.homework.actions.register import enter
from tests.district import MONDAY, homework
from tests.rights.table import Row, World, everyone


def prepare(world: World) -> None:
    """A week is published."""
    school = world.district.first
    enter([homework(school.class_32, school.teacher)], by=school.teacher)
    publish(school=school.school, grade=3, week_from=MONDAY, by=school.grade_head, intent="巩固", requirements="独立完成")


def _school(world: World) -> tuple[int]:
    return (world.district.first.school.pk,)


def _week(world: World) -> tuple[int, int, str]:
    return world.district.first.school.pk, 3, MONDAY.isoformat()


OPEN = Row(everyone(200), nobody=200)
ROWS = {
    "public:home": OPEN,
    "public:school": replace(OPEN, args=_school),
    "public:school_qr": replace(OPEN, args=_school),
    "public:grade": Row(everyone(302), nobody=302, args=lambda world: (world.district.first.school.pk, 3)),
    "public:week": replace(OPEN, args=_week),
    "public:qr": replace(OPEN, args=_week),
    "public:snapshot": replace(OPEN, args=_week),
}
