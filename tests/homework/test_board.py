"""The board of a grade: what it shows to whom, and what its head decides there."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.enums import Role
from qingdan.homework.actions.register import enter
from qingdan.homework.models import Homework
from qingdan.notices.models import Notice
from qingdan.schools.models import GradeLead
from tests.district import MONDAY, SATURDAY, TUESDAY, WEDNESDAY, District, SmallSchool, homework, make_class, make_user, signed_in

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def school(district: District) -> SmallSchool:
    return district.first


@pytest.fixture
def head(school: SmallSchool) -> Client:
    return signed_in(school.grade_head)


@pytest.fixture
def held(school: SmallSchool) -> Homework:
    """数学 of 50 minutes is out, 语文 of 30 waits."""
    enter([homework(school.class_32, school.teacher, minutes=50)], by=school.teacher)
    (item,) = enter([homework(school.class_32, school.other_teacher, "语文", 30)], by=school.other_teacher, hold=True)
    Notice.objects.all().delete()
    return item


def text(response: Any) -> str:
    return str(response.content.decode())


def board(client: Client, grade: int = 3, query: str = "") -> str:
    response = client.get(reverse("homework:board", args=[grade]) + query)
    assert response.status_code == 200
    return text(response)


def settle(client: Client, item: Homework, act: str, **values: object) -> Any:
    item.refresh_from_db()
    data = {"act": act, "seen": item.version} | values
    return client.post(reverse("homework:settle", args=[item.pk]), data, follow=True)


def test_the_head_finds_what_waits_with_its_reason_and_the_others_only_read(school: SmallSchool, held: Homework, head: Client) -> None:
    page = board(head)
    assert "待统筹" in page
    assert "书面家庭作业合计 80 分钟，超过本地上限 60 分钟" in page
    assert "减时长" in page
    assert 'value="10"' in page  # what would fit
    assert "放行" not in page  # it does not fit now
    reader = board(signed_in(school.teacher))
    assert "只读" in reader
    assert "减时长" not in reader
    assert "减时长" in board(signed_in(school.leader))


def test_a_piece_is_reduced_and_the_teacher_is_told(school: SmallSchool, held: Homework, head: Client) -> None:
    page = text(settle(head, held, "reduce", homework_minutes=10))
    assert "三（2）班 语文：由 30 分钟减到 10 分钟，已布置" in page
    held.refresh_from_db()
    assert (held.status, held.homework_minutes, held.settled_by) == ("out", 10, school.grade_head)
    notice = Notice.objects.get()
    assert notice.user == school.other_teacher
    assert notice.text == "三（2）班语文作业经年级组统筹由 30 分钟减到 10 分钟，已布置在11月17日"
    assert signed_in(school.other_teacher).get(notice.url).status_code == 200


def test_a_reduction_that_is_still_too_much_is_refused_in_place(held: Homework, head: Client) -> None:
    data = {"act": "reduce", "seen": held.version, "homework_minutes": 11}
    response = head.post(reverse("homework:settle", args=[held.pk]), data, **HTMX)  # type: ignore[arg-type]
    assert response["HX-Retarget"] == f"#settle-{held.pk}"
    assert "这样仍不能布置" in text(response)
    assert "合计 61 分钟" in text(response)
    held.refresh_from_db()
    assert held.status == "held"
    assert not Notice.objects.exists()


def test_a_piece_moves_to_another_day_and_is_judged_there(school: SmallSchool, held: Homework, head: Client) -> None:
    enter([homework(school.class_32, school.teacher, minutes=40, on_date=WEDNESDAY)], by=school.teacher)
    assert "合计 70 分钟" in text(settle(head, held, "move", on_date=str(WEDNESDAY)))
    assert "休息日" in text(settle(head, held, "move", on_date=str(SATURDAY)))
    assert "请选另一个上学日" in text(settle(head, held, "move", on_date=str(TUESDAY)))
    assert "由11月17日改到11月16日" in text(settle(head, held, "move", on_date=str(MONDAY)))
    held.refresh_from_db()
    assert (held.status, held.on_date) == ("out", MONDAY)


def test_a_piece_comes_into_school(held: Homework, head: Client) -> None:
    settle(head, held, "school")
    held.refresh_from_db()
    assert (held.status, held.done_at) == ("out", "school")
    assert "本来就在校内完成" in text(settle(head, held, "school"))


def test_what_fits_by_now_is_released(school: SmallSchool, held: Homework, head: Client) -> None:
    assert "合计 80 分钟" in text(settle(head, held, "release"))
    other = Homework.objects.get(teacher=school.teacher)
    settle(head, other, "reduce", homework_minutes=30)
    assert "放行" in board(head)
    assert "放行，已布置" in text(settle(head, held, "release"))
    assert "已经布置，不必放行" in text(settle(head, held, "release"))


def test_a_return_needs_a_reason_which_the_teacher_reads(school: SmallSchool, held: Homework, head: Client) -> None:
    assert "退回要写明理由" in text(settle(head, held, "return", note=" "))
    settle(head, held, "return", note="与昨天重复")
    held.refresh_from_db()
    assert (held.status, held.settlement) == ("returned", "与昨天重复")
    assert "被退回：与昨天重复" in Notice.objects.get().text
    teacher = signed_in(school.other_teacher)
    assert "与昨天重复" in text(teacher.get(reverse("homework:today")))
    assert "年级组退回：与昨天重复" in text(teacher.get(reverse("homework:edit", args=[held.pk])))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"act": "burn"}, "没有这种处理"),
        ({"act": "reduce"}, "要在 1 至 29 分钟之间（现在是 30 分钟）"),
        ({"act": "reduce", "homework_minutes": 30}, "要在 1 至 29 分钟之间"),
        ({"act": "reduce", "homework_minutes": -5}, "时长要在 0 至 600 分钟之间"),
        ({"act": "reduce", "homework_minutes": "半小时"}, "时长请填整数分钟"),
        ({"act": "move", "on_date": "明天"}, "日期请写成 2026-11-17 这样"),
        ({"act": "move"}, "请选另一个上学日"),
        ({"act": "move", "on_date": "2026-11-10"}, "已经过去"),
        ({"act": "return", "note": "长" * 151}, "最多 150 字"),
        ({"act": "release", "seen": ""}, "页面已过期"),
    ],
)
def test_a_wrong_decision_is_refused_with_what_to_do(held: Homework, head: Client, values: dict[str, object], words: str) -> None:
    response = head.post(reverse("homework:settle", args=[held.pk]), {"seen": held.version} | values)
    if response.status_code != 400:
        response = head.post(reverse("homework:settle", args=[held.pk]), {"seen": held.version} | values, follow=True)
    assert words in text(response)
    held.refresh_from_db()
    assert held.status == "held"


def test_the_second_head_sees_what_the_first_has_done(school: SmallSchool, held: Homework, head: Client) -> None:
    second = make_user("second_head", Role.TEACHER, school.teacher.organisation, "李组长")
    GradeLead.objects.create(school=school.school, school_year=school.year, grade=3, user=second)
    seen = held.version
    settle(head, held, "reduce", homework_minutes=10)
    response = signed_in(second).post(reverse("homework:settle", args=[held.pk]), {"act": "return", "seen": seen, "note": "太多"})
    assert response.status_code == 400
    assert "这项作业刚刚由grade_head处理过" in text(response)
    assert "由 30 分钟减到 10 分钟" in text(response)
    held.refresh_from_db()
    assert held.status == "out"


def test_only_this_grades_head_and_the_leaders_settle(district: District, school: SmallSchool, held: Homework) -> None:
    other_head = make_user("other_head", Role.TEACHER, school.teacher.organisation)
    GradeLead.objects.create(school=school.school, school_year=school.year, grade=2, user=other_head)
    for user in (other_head, school.teacher, school.other_teacher, district.second.grade_head, district.second.leader, school.parent):
        assert settle(signed_in(user), held, "school").status_code == 404
    assert settle(signed_in(school.leader), held, "school").status_code == 200


def test_without_a_head_the_leaders_are_told(school: SmallSchool) -> None:
    GradeLead.objects.all().delete()
    enter([homework(school.class_21, school.teacher, minutes=20)], by=school.teacher, hold=True)
    assert Notice.objects.get().user == school.leader


def test_what_the_teacher_took_back_needs_no_settling(school: SmallSchool, held: Homework, head: Client) -> None:
    seen = held.version
    signed_in(school.other_teacher).post(reverse("homework:withdraw", args=[held.pk]))
    page = text(head.post(reverse("homework:settle", args=[held.pk]), {"act": "school", "seen": seen}))
    assert "现在是“已撤回”" in page
    assert "教师已撤回，不必再统筹" in page
    assert "待统筹 <span" not in board(head)


def test_the_board_is_empty_in_several_ways_and_says_what_to_do(school: SmallSchool, head: Client) -> None:
    assert "这一周还没有登记作业" in board(head)
    assert "这一周不上学" in board(head, query="?week=2027-02-01")
    assert "还没有四年级的班级" in board(head, 4)
    assert head.get(reverse("homework:board", args=[7])).status_code == 404
    assert "11月16日" in board(head, query="?week=nonsense&day=x")
    make_class(school.school, 3, 3)
    enter([homework(school.class_32, school.teacher)], by=school.teacher)
    assert "还没有任课教师，请学校教务更新任课表" in board(head)


def test_a_moved_piece_and_its_history_stay_readable(school: SmallSchool, held: Homework, head: Client) -> None:
    settle(head, held, "reduce", homework_minutes=10)
    page = text(head.get(reverse("homework:item", args=[held.pk])))
    assert "<del>30</del> → 10" in page
    assert "grade_head：由 30 分钟减到 10 分钟" in page


def test_the_board_costs_the_same_however_much_there_is(school: SmallSchool, held: Homework, head: Client) -> None:
    def cost() -> int:
        address = reverse("homework:board", args=[3])
        head.get(address)
        with CaptureQueriesContext(connection) as captured:
            head.get(address)
        return len(captured)

    few = cost()
    classes = [make_class(school.school, 3, number) for number in range(3, 12)]
    days = [MONDAY + datetime.timedelta(days=number) for number in range(5)]
    waits = {"status": "held", "objections": held.objections}
    Homework.objects.bulk_create(
        homework(each, school.teacher, name, 5, on_date=day, **waits) for each in classes for day in days for name in ("语文", "数学")
    )
    assert cost() == few <= 18
