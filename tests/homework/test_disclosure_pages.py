"""The staff pages of disclosure, through the door that year-group heads and leaders use."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from qingdan.homework.actions.disclosure import publish
from qingdan.homework.actions.register import change, enter
from qingdan.homework.enums import HomeworkStatus
from qingdan.homework.models import Disclosure, Homework
from tests.district import FRIDAY, MONDAY, NEXT_MONDAY, WEDNESDAY, District, SmallSchool, homework, make_class, signed_in

SAID = {"intent": "巩固本周所学", "requirements": "独立完成，书写工整"}
ADDRESS = f"/homework/disclosures/3/{MONDAY}/"


@pytest.fixture
def school(district: District) -> SmallSchool:
    """The first school, with homework of the third grade."""
    school = district.first
    given = homework(school.class_32, school.teacher, requirements="写清步骤", intent="巩固进位加法")
    enter([given], by=school.teacher)
    enter([homework(school.class_31, school.grade_head, "英语", 15, intent="积累单词", on_date=WEDNESDAY)], by=school.grade_head)
    return school


@pytest.fixture
def head(school: SmallSchool) -> Client:
    return signed_in(school.grade_head)


def text(response: Any) -> str:
    return str(response.content.decode())


def press(client: Client, *, seen: int = 0, address: str = ADDRESS, **said: str) -> Any:
    """Press the button."""
    return client.post(address, {**SAID, "seen_version": seen, **said}, follow=True)


def test_the_page_shows_what_the_public_will_see_with_the_teachers_words_in_place(head: Client, school: SmallSchool) -> None:
    page = text(head.get(ADDRESS))
    assert "公众将看到的样子" in page
    assert "数学练习" in page
    assert "数学：写清步骤。</textarea>" in page
    assert "数学：巩固进位加法。英语：积累单词。</textarea>" in page
    assert "这一周还没有过完" in page


def test_one_button_publishes_and_the_page_then_leads_to_the_public_one(head: Client, school: SmallSchool) -> None:
    page = text(press(head))
    published = Disclosure.objects.get()
    assert (published.published_by, published.snapshot["intent"]) == (school.grade_head, SAID["intent"])
    assert "已公示，任何人不登录都能看到" in page
    public = reverse("public:week", args=[school.school.pk, 3, MONDAY])
    assert f'href="{public}"' in page
    assert f"http://testserver{public}" in page
    assert "公示以后作业没有变动" in page
    assert "数学练习" in text(Client().get(public))


def test_a_correction_shows_the_differences_and_wants_a_word(head: Client, school: SmallSchool) -> None:
    press(head)
    change(Homework.objects.get(subject__name="数学"), by=school.teacher, homework_minutes=10)
    page = text(head.get(ADDRESS))
    assert "公示以后的变动" in page
    assert "数学练习 20 分钟；要求：写清步骤" in page
    assert "发布第 2 版" in page
    refused = press(head, seen=1)
    assert refused.status_code == 400
    assert "更正公示要写明更正了什么" in text(refused)
    assert "第 2 版已公示" in text(press(head, seen=1, correction="数学减为 10 分钟"))
    assert Disclosure.objects.newest().get().version == 2


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"intent": ""}, "请写明设计意图：公示应当说明"),
        ({"requirements": " "}, "请写明完成要求：公示应当说明"),
        ({"intent": "长" * 501}, "500"),
        ({"seen": -1}, "刚刚由别人发布了，请刷新后再看"),
        ({"seen": 3}, "刚刚由别人发布了，请刷新后再看"),
    ],
)
def test_what_cannot_be_published_is_told_and_nothing_is_saved(head: Client, said: dict[str, Any], words: str) -> None:
    response = press(head, **said)
    assert response.status_code == 400
    assert words in text(response)
    assert SAID["requirements"] in text(response) or "requirements" in said  # nothing typed is lost
    assert not Disclosure.objects.exists()


def test_a_screen_that_is_out_of_date_does_not_publish(head: Client, school: SmallSchool) -> None:
    press(signed_in(school.leader))
    change(Homework.objects.get(subject__name="数学"), by=school.teacher, homework_minutes=10)
    response = press(head, seen=0, correction="改了")
    assert response.status_code == 400
    assert "刚刚由别人发布了，请刷新后再看" in text(response)
    assert Disclosure.objects.count() == 1


def test_held_homework_stands_in_the_way_with_a_link_to_the_board(head: Client, school: SmallSchool) -> None:
    enter([homework(school.class_32, school.other_teacher, "语文", 50)], by=school.other_teacher, hold=True)
    page = text(head.get(ADDRESS))
    assert "还有 1 项作业待统筹，现在不能公示" in page
    assert f"/homework/board/3/?week={MONDAY}" in page
    assert '<form method="post" action="#publish"' not in page
    refused = press(head)
    assert refused.status_code == 400
    assert "现在不能公示" in text(refused)
    assert not Disclosure.objects.exists()


def test_a_week_without_homework_and_one_too_far_ahead_say_so(head: Client, school: SmallSchool) -> None:
    assert "这一周没有已布置的作业" in text(head.get(f"/homework/disclosures/3/{NEXT_MONDAY}/"))
    later = NEXT_MONDAY + datetime.timedelta(days=7)
    assert "起的一周还早" in text(head.get(f"/homework/disclosures/3/{later}/"))
    assert head.get(f"/homework/disclosures/3/{FRIDAY}/")["Location"] == ADDRESS
    for address in ("/homework/disclosures/3/soon/", f"/homework/disclosures/2/{MONDAY}/", f"/homework/disclosures/9/{MONDAY}/"):
        assert head.get(address).status_code == 404


def test_the_preview_follows_what_is_typed(head: Client) -> None:
    response = head.get(ADDRESS, {"intent": "读一读", "requirements": "<b>大声</b>"}, headers={"HX-Request": "true"})
    page = text(response)
    assert "<html" not in page
    assert "读一读" in page
    assert "&lt;b&gt;大声&lt;/b&gt;" in page


def test_the_list_shows_states_and_filters_them(head: Client, school: SmallSchool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "未到公示日" in text(head.get("/homework/disclosures/"))
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: FRIDAY)
    page = text(head.get("/homework/disclosures/"))
    assert "待公示" in page
    assert "11月22日 前" in page
    assert f'href="{ADDRESS}"' in page
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: NEXT_MONDAY)
    assert "补公示" in text(head.get("/homework/disclosures/"))
    press(head)
    assert "qd-is-published" in text(head.get("/homework/disclosures/"))
    assert "没有符合筛选条件的周" in text(head.get("/homework/disclosures/?state=late"))
    assert "没有符合筛选条件的周" in text(head.get("/homework/disclosures/?grade=2"))
    assert "<html" not in text(head.get("/homework/disclosures/?state=published&grade=3", headers={"HX-Request": "true"}))
    assert "qd-is-published" in text(head.get("/homework/disclosures/?state=nonsense&grade=x&year=1&page=999"))


def test_a_teacher_without_a_grade_sees_states_but_no_button(school: SmallSchool, district: District) -> None:
    page = text(signed_in(school.teacher).get("/homework/disclosures/"))
    assert "未到公示日" in page
    assert ADDRESS not in page
    assert signed_in(school.teacher).get(ADDRESS).status_code == 404
    assert "还没有可公示的作业" in text(signed_in(district.second.leader).get("/homework/disclosures/"))


def test_queries_do_not_grow_with_rows(head: Client, school: SmallSchool) -> None:
    def counts() -> list[int]:
        found = []
        for address in ("/homework/disclosures/", ADDRESS):
            with CaptureQueriesContext(connection) as queries:
                assert head.get(address).status_code == 200
            found.append(len(queries))
        return found

    press(head)
    few = counts()
    rooms = [make_class(school.school, 3, number) for number in range(3, 9)]
    items = [
        homework(room, school.teacher, name, 10, on_date=MONDAY + datetime.timedelta(days=day - 7 * week))
        for room in rooms
        for day in range(5)
        for week in range(5)
        for name in ("数学", "语文")
    ]
    for item in items:
        item.status, item.sent_at = HomeworkStatus.OUT, timezone.now()
    Homework.objects.bulk_create(items)
    for week in range(1, 4):
        monday = MONDAY - datetime.timedelta(days=7 * week)
        publish(school=school.school, grade=3, week_from=monday, by=school.grade_head, **SAID)
    assert counts() == few
    assert max(few) <= 16
