"""A teacher gives homework through the pages: what is saved, what is refused and in which words."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.enums import Role
from qingdan.homework.actions.register import day_total, day_totals, enter, withdraw
from qingdan.homework.enums import DesignStatus
from qingdan.homework.models import Design, Homework
from qingdan.notices.models import Notice
from qingdan.places.models import SchoolYear
from qingdan.schools.models import SchoolClass
from tests.district import (
    FRIDAY,
    MONDAY,
    NEXT_MONDAY,
    SATURDAY,
    TUESDAY,
    WEDNESDAY,
    District,
    SmallSchool,
    assign,
    homework,
    make_class,
    make_user,
    signed_in,
    subject,
)


def filled(*classes: SchoolClass, name: str = "数学", minutes: object = 20, day: object = TUESDAY, **values: object) -> dict[str, Any]:
    """The form as a browser sends it."""
    data: dict[str, Any] = {
        "batch": str(uuid.uuid4()),
        "subject": subject(name).pk,
        "classes": [each.pk for each in classes],
        "on_date": str(day),
        "marked_by": "teacher",
        "done_by": "pupil",
        "is_assigned_in_class": "on",
    }
    for tier in ("basic", "extended", "personal"):
        data |= {f"{tier}-content": "", f"{tier}-homework_minutes": "", f"{tier}-form": "written", f"{tier}-done_at": "home"}
    data |= {"basic-content": "练习册第 12 页", "basic-homework_minutes": minutes}
    return data | values


@pytest.fixture
def school(district: District) -> SmallSchool:
    return district.first


@pytest.fixture
def teacher(school: SmallSchool) -> Client:
    return signed_in(school.teacher)


def text(response: Any) -> str:
    return str(response.content.decode())


def test_two_classes_get_homework_with_one_press_and_it_can_be_taken_back(school: SmallSchool, teacher: Client) -> None:
    data = filled(school.class_31, school.class_32)
    response = teacher.post(reverse("homework:new"), data, follow=True)
    assert "三（1）班 20/60 分钟、三（2）班 20/60 分钟" in text(response)
    assert "撤回这次登记" in text(response)
    assert Homework.objects.out().count() == 2
    teacher.post(reverse("homework:new"), data)
    assert Homework.objects.count() == 2  # pressing twice saves once
    response = teacher.post(reverse("homework:new"), data | {"basic-homework_minutes": 25}, follow=True)
    assert "先前已经保存，这次的改动没有保存" in text(response)
    assert "还可布置 20 分钟" in text(teacher.post(reverse("homework:total"), data))  # a question that comes late is answered
    first = Homework.objects.order_by("pk")[0]
    response = teacher.post(reverse("homework:withdraw", args=[first.pk]), {"all": "1"}, follow=True)
    assert "已撤回三（1）班、三（2）班的数学作业" in text(response)
    assert not Homework.objects.out().exists()
    response = teacher.post(reverse("homework:withdraw", args=[first.pk]), {"undo": "1"}, follow=True)
    assert "已重新布置给三（1）班" in text(response)
    assert Homework.objects.out().count() == 1


def test_what_was_withdrawn_comes_back_only_while_it_still_fits(school: SmallSchool, teacher: Client) -> None:
    (item,) = enter([homework(school.class_32, school.teacher, minutes=40)], by=school.teacher)
    withdraw(item, by=school.teacher)
    enter([homework(school.class_32, school.other_teacher, "语文", 40)], by=school.other_teacher)
    response = teacher.post(reverse("homework:withdraw", args=[item.pk]), {"undo": "1"}, follow=True)
    assert "不能重新布置：三（2）班 11月17日 书面家庭作业合计 80 分钟" in text(response)
    item.refresh_from_db()
    assert item.status == "withdrawn"


def test_tiers_are_saved_side_by_side(school: SmallSchool, teacher: Client) -> None:
    more = {"extended-is_on": "on", "extended-content": "思考题", "extended-homework_minutes": 10, "extended-is_optional": "on"}
    assert teacher.post(reverse("homework:new"), filled(school.class_32) | more).status_code == 302
    assert list(Homework.objects.order_by("tier").values_list("tier", "homework_minutes", "is_optional")) == [
        ("basic", 20, False),
        ("extended", 10, True),
    ]


def test_an_extended_piece_may_stand_alone_but_must_be_optional(school: SmallSchool, teacher: Client) -> None:
    alone: dict[str, Any] = {"basic-content": "", "basic-homework_minutes": "", "extended-is_on": "on", "extended-content": "思考题"}
    alone |= {"extended-homework_minutes": 10}
    response = teacher.post(reverse("homework:new"), filled(school.class_32) | alone)
    assert "拓展作业应由学有余力的学生选做" in text(response)
    assert teacher.post(reverse("homework:new"), filled(school.class_32) | alone | {"extended-is_optional": "on"}).status_code == 302
    assert Homework.objects.get().tier == "extended"


def test_one_class_over_its_limit_keeps_all_from_going_out_and_is_named(school: SmallSchool, teacher: Client) -> None:
    enter([homework(school.class_32, school.other_teacher, "语文", 50)], by=school.other_teacher)
    data = filled(school.class_31, school.class_32, minutes=20, unit="第三单元")
    response = teacher.post(reverse("homework:new"), data)
    page = text(response)
    assert response.status_code == 200
    assert "没有布置出去" in page
    assert "三（2）班 11月17日 书面家庭作业合计 70 分钟，超过本地上限 60 分钟" in page
    assert "三（1）班 11月17日" not in page
    assert "/library/clauses/s3.homework.limits-primary-upper/" in page
    assert "由年级组统筹" in page
    assert "练习册第 12 页" in page  # nothing that was typed is lost
    assert 'value="第三单元"' in page
    assert Homework.objects.count() == 1


def test_what_is_too_much_goes_to_the_year_group_and_the_rest_goes_out(school: SmallSchool, teacher: Client) -> None:
    enter([homework(school.class_32, school.other_teacher, "语文", 50)], by=school.other_teacher)
    data = filled(school.class_31, school.class_32, minutes=20, hold="1")
    page = text(teacher.post(reverse("homework:new"), data, follow=True))
    assert "已布置 11月17日的作业。书面家庭作业合计：三（1）班 20/60 分钟" in page
    assert "三（2）班的作业已交年级组统筹" in page
    assert Homework.objects.held().get().school_class == school.class_32
    assert Homework.objects.out().get(teacher=school.teacher).school_class == school.class_31
    notice = Notice.objects.get()
    assert notice.user == school.grade_head
    assert notice.text == "三（2）班11月17日的数学作业超出规定，等您统筹"
    assert signed_in(school.grade_head).get(notice.url).status_code == 200


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"basic-homework_minutes": -1}, "预计时长要在 0 至 600 分钟之间"),
        ({"basic-homework_minutes": 601}, "预计时长要在 0 至 600 分钟之间"),
        ({"basic-homework_minutes": "一刻钟"}, "预计时长请填整数分钟"),
        ({"basic-homework_minutes": ""}, "请填写预计时长（分钟）"),
        ({"basic-content": "  "}, "请写明作业内容"),
        ({"basic-content": "长" * 501}, "最多 500 字"),
        ({"basic-form": "magic"}, "请在所列的类型里选择"),
        ({"on_date": "2026-11-13"}, "已经过去，不能再布置作业"),
        ({"on_date": str(SATURDAY)}, "休息日，不上学，不能布置作业；最近的上学日是 2026-11-23"),
        ({"on_date": "2027-02-01"}, "寒暑假"),
        ({"on_date": "昨天"}, "日期请写成 2026-11-17 这样"),
        ({"classes": []}, "请至少选一个班"),
        ({"classes": [999_999]}, "所选的班里有您现在不任教的班；任课有变请联系学校教务"),
        ({"subject": ""}, "请选择学科"),
        ({"subject": 999_999}, "您现在不教这门学科"),
        ({"batch": "x"}, "页面已过期"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(school: SmallSchool, teacher: Client, values: dict[str, Any], words: str) -> None:
    response = teacher.post(reverse("homework:new"), filled(school.class_32) | values)
    assert response.status_code == 400
    assert words in text(response)
    assert not Homework.objects.exists()


def test_a_class_or_subject_of_somebody_else_is_refused(district: District, school: SmallSchool, teacher: Client) -> None:
    response = teacher.post(reverse("homework:new"), filled(district.second.class_32))
    assert "您现在不任教的班" in text(response)
    assign(school.teacher, school.class_31, "科学")
    response = teacher.post(reverse("homework:new"), filled(school.class_32, name="科学"))
    assert "您在三（2）班不教科学" in text(response)
    assert not Homework.objects.exists()


def test_a_teacher_without_classes_is_told_whom_to_ask(school: SmallSchool) -> None:
    newcomer = make_user("newcomer", Role.TEACHER, school.teacher.organisation)
    for name in ("homework:today", "homework:new"):
        assert "请联系学校教务（leader）更新任课表" in text(signed_in(newcomer).get(reverse(name)))


def test_last_years_class_is_neither_offered_nor_taken(school: SmallSchool, teacher: Client) -> None:
    year = SchoolYear.objects.create(
        region=school.school.region, first_year=2025, starts_on=datetime.date(2025, 9, 1), ends_on=datetime.date(2026, 8, 31)
    )
    old = make_class(school.school, 2, 2, year=year)
    assign(school.teacher, old, "数学")
    assert "二（2）班" not in text(teacher.get(reverse("homework:new")))
    assert "您现在不任教的班" in text(teacher.post(reverse("homework:new"), filled(old)))


def test_the_date_is_the_next_school_day_and_today_can_be_chosen(
    school: SmallSchool, teacher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = text(teacher.get(reverse("homework:new")))
    assert f'value="{TUESDAY}" class="form-control"' in page
    assert f'value="{MONDAY}">今天' in page
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: FRIDAY)
    assert f'value="{NEXT_MONDAY}" class="form-control"' in text(teacher.get(reverse("homework:new")))
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: SATURDAY)
    page = text(teacher.get(reverse("homework:new")))
    assert f'value="{SATURDAY}"' not in page


def test_yesterdays_homework_is_copied_over_a_weekend(school: SmallSchool, teacher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: FRIDAY)
    batch = uuid.uuid4()
    given: dict[str, Any] = {"on_date": FRIDAY, "batch": batch, "content": "口算一页", "minutes": 15, "unit": "第四单元"}
    enter([homework(each, school.teacher, **given) for each in (school.class_31, school.class_32)], by=school.teacher)
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: NEXT_MONDAY)
    monkeypatch.setattr("qingdan.homework.views.entry.today", lambda: NEXT_MONDAY)
    page = text(teacher.get(reverse("homework:new") + "?copy=last"))
    assert "已照 11月20日三（1）班、三（2）班的数学作业填好" in page
    assert "口算一页" in page
    assert 'value="第四单元"' in page
    for each in (school.class_31, school.class_32):
        assert f'name="classes" value="{each.pk}"' in page
    assert page.count("checked") >= 2
    only = text(teacher.post(reverse("homework:new"), filled(school.class_31, day=NEXT_MONDAY) | {"copy": "1", "basic-content": ""}))
    assert "口算一页" in only
    assert not Homework.objects.filter(on_date=NEXT_MONDAY).exists()


def test_copying_where_there_is_nothing_keeps_what_was_typed(school: SmallSchool, teacher: Client) -> None:
    page = text(teacher.post(reverse("homework:new"), filled(school.class_32, copy="1")))
    assert "没有可照的" in page
    assert "练习册第 12 页" in page


def test_while_typing_the_total_and_the_refusal_are_shown_and_nothing_is_saved(school: SmallSchool, teacher: Client) -> None:
    enter([homework(school.class_32, school.other_teacher, "语文", 45)], by=school.other_teacher)
    address = reverse("homework:total")
    page = text(teacher.post(address, filled(school.class_31, school.class_32, minutes=15)))
    assert "还可布置 45 分钟" in page
    assert "已到上限" in page
    assert "符合规定，可以布置" in page
    page = text(teacher.post(address, filled(school.class_32, minutes=16) | {"basic-content": ""}))
    assert "超 1 分钟" in page
    assert "书面家庭作业合计 61 分钟" in page
    assert "/library/clauses/" in page
    assert "超 1 分钟" not in text(teacher.post(address, filled(school.class_32, minutes=16) | {"basic-form": "oral"}))
    assert "还可布置 15 分钟" in text(teacher.post(address, filled(school.class_32, minutes="")))
    assert "休息日" in text(teacher.post(address, filled(school.class_32, day=SATURDAY)))
    assert "选好班级" in text(teacher.post(address, {}))
    assert "不得布置书面家庭作业" in text(teacher.post(address, filled(school.class_21)))
    assert Homework.objects.count() == 1


def test_homework_is_changed_and_judged_again(school: SmallSchool, teacher: Client) -> None:
    (item,) = enter([homework(school.class_32, school.teacher, minutes=20)], by=school.teacher)
    enter([homework(school.class_32, school.other_teacher, "语文", 30)], by=school.other_teacher)
    address = reverse("homework:edit", args=[item.pk])
    data = filled(minutes=31) | {"seen": item.version}
    assert "超 1 分钟" in text(teacher.post(reverse("homework:total") + f"?item={item.pk}", data))
    page = text(teacher.post(address, data))
    assert "改动没有保存" in page
    assert "书面家庭作业合计 61 分钟" in page
    item.refresh_from_db()
    assert item.homework_minutes == 20
    assert teacher.post(address, data | {"basic-homework_minutes": 30}).status_code == 302
    item.refresh_from_db()
    assert (item.homework_minutes, item.status) == (30, "out")
    assert teacher.post(address, data | {"basic-homework_minutes": 35}).status_code == 400  # what was seen is no longer so
    data["seen"] = item.version
    assert teacher.post(address, data | {"basic-homework_minutes": 35, "hold": "1"}).status_code == 302
    item.refresh_from_db()
    assert (item.homework_minutes, item.status) == (35, "held")
    page = text(teacher.get(reverse("homework:item", args=[item.pk])))
    assert "<del>20</del> → 30" in page
    assert "<del>已布置</del> → 待统筹" in page


def test_a_change_to_a_day_without_school_is_refused(school: SmallSchool, teacher: Client) -> None:
    (item,) = enter([homework(school.class_32, school.teacher)], by=school.teacher)
    response = teacher.post(reverse("homework:edit", args=[item.pk]), filled(day=SATURDAY) | {"seen": item.version})
    assert response.status_code == 400
    assert "不上学，不能布置作业" in text(response)


def test_parents_see_what_went_out_but_not_by_whom(district: District, school: SmallSchool) -> None:
    school.teacher.display_name = "周老师"
    school.teacher.save()
    (item,) = enter([homework(school.class_32, school.teacher, minutes=50)], by=school.teacher)
    (held,) = enter([homework(school.class_32, school.other_teacher, "语文", 30)], by=school.other_teacher, hold=True)
    parent = signed_in(school.parent)
    page = text(parent.get(reverse("homework:item", args=[item.pk])))
    assert "数学练习" in page
    assert "周老师" not in page
    assert "经过" not in page
    assert parent.get(reverse("homework:item", args=[held.pk])).status_code == 404
    assert signed_in(district.bureau).get(reverse("homework:item", args=[held.pk])).status_code == 404
    assert signed_in(district.second.teacher).get(reverse("homework:item", args=[item.pk])).status_code == 404
    assert "周老师" in text(signed_in(school.leader).get(reverse("homework:item", args=[item.pk])))


def test_a_design_of_the_library_fills_its_row(school: SmallSchool, teacher: Client) -> None:
    design = Design.objects.create(
        school=school.school, subject=subject("数学"), grade=3, unit="除法", title="分糖", content="分一分", intent="理解平均分",
        tier="extended", form="practical", homework_minutes=12, origin="own", author=school.teacher, status=DesignStatus.PUBLISHED,
        reviewed_by=school.grade_head, reviewed_at=datetime.datetime.now(datetime.UTC),
    )  # fmt: skip
    page = text(teacher.get(reverse("homework:new") + f"?design={design.pk}"))
    assert "分一分" in page
    assert 'value="除法"' in page
    assert f'<input type="hidden" name="extended-design" value="{design.pk}"' in page
    used = {"extended-is_on": "on", "extended-content": "分一分", "extended-homework_minutes": 12, "extended-is_optional": "on"}
    teacher.post(reverse("homework:new"), filled(school.class_32) | used | {"extended-design": design.pk})
    assert Homework.objects.get(tier="extended").design == design
    assert signed_in(school.teacher).get(reverse("homework:new") + "?design=999999").status_code == 404


def test_the_days_of_many_classes_add_up_as_the_law_adds_them(school: SmallSchool) -> None:
    enter([homework(school.class_32, school.teacher, minutes=25)], by=school.teacher)
    enter([homework(school.class_32, school.other_teacher, "语文", 15, form="oral")], by=school.other_teacher)
    enter([homework(school.class_31, school.teacher, minutes=35, on_date=WEDNESDAY)], by=school.teacher)
    classes = list(SchoolClass.objects.filter(school=school.school).select_related("school__organisation"))
    totals = day_totals(classes, [TUESDAY, WEDNESDAY])
    assert totals == {(each.pk, day): day_total(each, day) for each in classes for day in (TUESDAY, WEDNESDAY)}
    assert totals[school.class_32.pk, TUESDAY].minutes == 25


def cost(client: Client, address: str) -> int:
    client.get(address)  # first visits may load what stays in memory
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_the_pages_cost_the_same_however_much_there_is(school: SmallSchool, teacher: Client) -> None:
    head, leader = signed_in(school.grade_head), signed_in(school.leader)
    (item,) = enter([homework(school.class_32, school.teacher, minutes=1)], by=school.teacher)
    pages = [
        (teacher, reverse("homework:today")),
        (head, reverse("homework:today")),
        (leader, reverse("homework:today")),
        (teacher, reverse("homework:new")),
        (teacher, reverse("homework:new") + "?copy=last"),
        (teacher, reverse("homework:item", args=[item.pk])),
    ]
    few = [cost(*each) for each in pages]
    for number in range(3, 9):
        assign(school.teacher, make_class(school.school, 3, number), "数学")
    held: dict[str, Any] = {"status": "held", "objections": [{"rule": "x", "title": "x", "sentence": "x", "remedy": "", "cites": []}]}
    classes = SchoolClass.objects.filter(school=school.school, grade=3)
    Homework.objects.bulk_create(homework(each, school.teacher, minutes=1, **held) for each in classes for _ in range(3))
    assert [cost(*each) for each in pages] == few
    assert max(few) <= 22
