"""Two people press at the same moment: real threads, real transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connections

from qingdan.accounts.enums import Role
from qingdan.homework.actions.register import Refused, day_total, enter
from qingdan.homework.actions.settling import Overtaken, Settlement, settle
from qingdan.homework.enums import Settling
from qingdan.homework.models import Homework
from qingdan.schools.models import GradeLead
from tests.district import TUESDAY, WEDNESDAY, District, homework, make_district, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def district(transactional_db: None) -> District:
    """The district, visible to every thread."""
    return make_district()


def together(*acts: Callable[[], object]) -> list[object]:
    """What each act gave or raised, all of them begun at once."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=10)
            results[number] = act()
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)
    return results


@pytest.mark.parametrize("attempt", range(3))
def test_two_teachers_never_pass_the_limit_together(district: District, attempt: int) -> None:
    school = district.first
    results = together(
        lambda: enter([homework(school.class_32, school.teacher, minutes=35)], by=school.teacher),
        lambda: enter([homework(school.class_32, school.other_teacher, "语文", 35)], by=school.other_teacher),
    )
    (refused,) = [each for each in results if isinstance(each, Refused)]
    assert "70 分钟" in refused.objections[0].sentence
    assert Homework.objects.out().count() == 1
    assert day_total(school.class_32, TUESDAY).minutes == 35


def test_two_who_want_the_same_classes_in_another_order_do_not_block_each_other(district: District) -> None:
    school = district.first
    batch = [homework(each, school.teacher, minutes=10) for each in (school.class_31, school.class_32)]
    for each in batch[1:]:
        each.batch = batch[0].batch
    other = [homework(each, school.grade_head, "英语", 10) for each in (school.class_32, school.class_31)]
    for each in other[1:]:
        each.batch = other[0].batch
    results = together(lambda: enter(batch, by=school.teacher), lambda: enter(other, by=school.grade_head))
    assert [len(each) for each in results if isinstance(each, list)] == [2, 2]
    assert Homework.objects.out().count() == 4


def test_pressing_twice_at_once_saves_once(district: District) -> None:
    school = district.first
    first = homework(school.class_32, school.teacher)
    second = homework(school.class_32, school.teacher, batch=first.batch)
    results = together(lambda: enter([first], by=school.teacher), lambda: enter([second], by=school.teacher))
    assert all(isinstance(each, list) for each in results)
    assert Homework.objects.count() == 1


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_heads_the_second_is_told_what_the_first_did(district: District, attempt: int) -> None:
    school = district.first
    second = make_user("second_head", Role.TEACHER, school.teacher.organisation)
    GradeLead.objects.create(school=school.school, school_year=school.year, grade=3, user=second)
    enter([homework(school.class_32, school.teacher, minutes=50)], by=school.teacher)
    (held,) = enter([homework(school.class_32, school.other_teacher, "语文", 30)], by=school.other_teacher, hold=True)
    seen = held.version
    move = Settlement(Settling.MOVE, on_date=WEDNESDAY)
    reduce = Settlement(Settling.REDUCE, homework_minutes=10)
    results = together(
        lambda: settle(Homework.objects.get(pk=held.pk), by=school.grade_head, seen=seen, settlement=move),
        lambda: settle(Homework.objects.get(pk=held.pk), by=second, seen=seen, settlement=reduce),
    )
    (overtaken,) = [each for each in results if isinstance(each, Overtaken)]
    (done,) = [each for each in results if isinstance(each, Homework)]
    assert f"刚刚由{done.settled_by}处理过" in str(overtaken)
    held.refresh_from_db()
    assert (held.on_date, held.homework_minutes) in ((WEDNESDAY, 30), (TUESDAY, 10))
    assert held.settlement == done.settlement
