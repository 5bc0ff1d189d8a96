"""The public hall: everybody reads it without signing in, and everybody can check what it says."""

from __future__ import annotations

import datetime
import hashlib
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
from tests.district import MONDAY, SATURDAY, TUESDAY, WEDNESDAY, District, SmallSchool, homework, make_class, make_school, signed_in

SAID = {"intent": "巩固本周所学", "requirements": "独立完成，书写工整"}


def out(school: SmallSchool, **values: Any) -> Disclosure:
    given: dict[str, Any] = {"school": school.school, "grade": 3, "week_from": MONDAY, "by": school.leader}
    return publish(**(given | SAID | values))


@pytest.fixture
def school(district: District) -> SmallSchool:
    """The first school with a published week of the third grade."""
    school = district.first
    enter([homework(school.class_32, school.teacher, content="练习册第 38 页", requirements="写清步骤")], by=school.teacher)
    enter([homework(school.class_31, school.grade_head, "英语", 15, form="oral", on_date=WEDNESDAY)], by=school.grade_head)
    out(school)
    return school


def get(name: str, *args: Any, client: Client | None = None, query: str = "", headers: dict[str, str] | None = None) -> Any:
    return (client or Client()).get(reverse(f"public:{name}", args=args) + query, headers=headers)


def text(response: Any) -> str:
    return str(response.content.decode())


def test_anybody_reads_a_week_with_content_minutes_totals_and_the_clause(school: SmallSchool) -> None:
    page = text(get("week", school.school.pk, 3, MONDAY))
    for words in (
        "甲小学三年级作业公示", "独立完成，书写工整", "巩固本周所学", "三（1）班", "三（2）班", "练习册第 38 页", "要求：写清步骤",
        "20 分钟", "口头", "每日书面家庭作业上限 60 分钟（示范区第一小学）", "/library/clauses/s3.homework.limits-primary-upper/",
        Disclosure.objects.get().sha256, "没有作业", "年级组已统筹",
    ):  # fmt: skip
        assert words in page
    for word in ("teacher", "grade_head", "leader", "学生"):
        assert word not in page.partition("<main")[2].partition("</main")[0]


def test_the_data_file_has_the_fingerprint(school: SmallSchool) -> None:
    first = Disclosure.objects.get()
    response = get("snapshot", school.school.pk, 3, MONDAY)
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment")
    assert hashlib.sha256(response.content).hexdigest() == first.sha256
    change(Homework.objects.get(subject__name="数学"), by=school.teacher, homework_minutes=10)
    second = out(school, correction="数学减为 10 分钟")
    content = get("snapshot", school.school.pk, 3, MONDAY, query="?version=2").content
    assert hashlib.sha256(first.sha256.encode() + content).hexdigest() == second.sha256
    assert get("snapshot", school.school.pk, 3, MONDAY).content == content


def test_a_correction_stands_beside_the_old_version(school: SmallSchool) -> None:
    change(Homework.objects.get(subject__name="数学"), by=school.teacher, homework_minutes=10)
    out(school, correction="数学减为 10 分钟")
    newest = text(get("week", school.school.pk, 3, MONDAY))
    assert "第 2 版（最新）" in newest
    assert "<b>更正：</b>数学减为 10 分钟" in newest
    assert "练习册第 38 页 20 分钟；要求：写清步骤" in newest  # before
    assert "练习册第 38 页 10 分钟；要求：写清步骤" in newest  # after
    old = text(get("week", school.school.pk, 3, MONDAY, query="?version=1"))
    assert "这是第 1 版，后来更正过" in old
    assert "第 1 版改了什么" not in old
    assert get("week", school.school.pk, 3, MONDAY, query="?version=3").status_code == 404
    assert get("week", school.school.pk, 3, MONDAY, query="?version=x").status_code == 404


def test_a_known_grade_without_a_week_says_so_and_an_unknown_one_is_not_there(school: SmallSchool) -> None:
    response = get("week", school.school.pk, 4, MONDAY)
    assert response.status_code == 200
    assert "这一周没有公示" in text(response)
    for address in (
        ("week", school.school.pk, 7, MONDAY),
        ("week", 999_999, 3, MONDAY),
        ("school", 999_999),
        ("grade", school.school.pk, 9),
    ):
        assert get(*address).status_code == 404
    for week in ("2026-11-31", "yesterday", "9999-12-27", "0001-01-01"):
        assert get("week", school.school.pk, 3, week).status_code == 404
    assert get("snapshot", school.school.pk, 4, MONDAY).status_code == 404


def test_a_day_leads_to_its_monday_and_a_grade_to_its_newest_week(school: SmallSchool) -> None:
    assert get("week", school.school.pk, 3, SATURDAY)["Location"] == reverse("public:week", args=[school.school.pk, 3, MONDAY])
    assert get("grade", school.school.pk, 3)["Location"] == reverse("public:week", args=[school.school.pk, 3, MONDAY])
    assert text(Client().get(reverse("public:grade", args=[school.school.pk, 2]), follow=True)).count("这一周没有公示") == 1


@pytest.mark.parametrize("words", ["甲", "jia xiao", "jiaxiao", "jxx", "JXX"])
def test_a_school_is_found_by_name_sound_and_initials(school: SmallSchool, words: str) -> None:
    page = text(get("home", query=f"?q={words}"))
    assert "甲小学" in page
    assert "乙小学" not in page


def test_the_hall_filters_says_what_is_newest_and_marks_what_is_made_up(school: SmallSchool, district: District) -> None:
    page = text(get("home"))
    assert "本周已公示" in page
    assert "还没有公示" in page
    assert page.count("虚构") - page.count("均为虚构") == 2
    assert "没有找到这样的学校" in text(get("home", query="?kind=junior"))
    assert "没有找到这样的学校" in text(get("home", query="?q=%25"))
    assert text(get("home", query="?kind=primary", headers={"HX-Request": "true"})).lstrip().startswith("<ul")


def test_the_school_page_lists_weeks_by_grade(school: SmallSchool, district: District) -> None:
    page = text(get("school", school.school.pk))
    assert page.count("看公示") == 1
    assert "11月16日–11月20日" in page
    assert "这所学校还没有公示" in text(get("school", district.second.school.pk))


def test_the_codes_lead_back_to_the_pages(school: SmallSchool) -> None:
    for address in (("qr", school.school.pk, 3, MONDAY), ("school_qr", school.school.pk)):
        response = get(*address)
        assert response["Content-Type"] == "image/svg+xml"
        assert response.content.startswith(b"<svg")


def test_visitors_share_one_copy_without_a_cookie_and_ask_again_by_its_tag(school: SmallSchool) -> None:
    addresses: list[tuple[Any, ...]] = [
        ("home",),
        ("school", school.school.pk),
        ("week", school.school.pk, 3, MONDAY),
        ("qr", school.school.pk, 3, MONDAY),
    ]
    for address in addresses:
        first, again = get(*address), get(*address)
        assert first.content == again.content
        assert not first.cookies
        assert first["Cache-Control"] == "public, max-age=60"
        assert {"Cookie", "HX-Request"} <= {each.strip() for each in first["Vary"].split(",")}
        assert get(*address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    fixed = get("snapshot", school.school.pk, 3, MONDAY, query="?version=1")
    assert "immutable" in fixed["Cache-Control"]
    own = get("week", school.school.pk, 3, MONDAY, client=signed_in(school.leader))
    assert "private" in own["Cache-Control"]
    assert Client().post(reverse("public:home")).status_code == 405


def fill(school: SmallSchool, classes: int, weeks: int) -> None:
    """A larger third grade with some published weeks."""
    rooms = [make_class(school.school, 3, number) for number in range(3, 3 + classes)]
    items = [
        homework(room, school.teacher, name, 10, on_date=MONDAY + datetime.timedelta(days=day - 7 * week))
        for room in rooms for day in range(5) for week in range(weeks) for name in ("数学", "语文")
    ]  # fmt: skip
    for item in items:
        item.status, item.sent_at = HomeworkStatus.OUT, timezone.now()
    Homework.objects.bulk_create(items)
    for week in range(1, weeks):
        out(school, week_from=MONDAY - datetime.timedelta(days=7 * week))


def test_queries_do_not_grow_with_rows(school: SmallSchool, district: District) -> None:
    addresses: list[tuple[Any, ...]] = [("home",), ("school", school.school.pk), ("week", school.school.pk, 3, MONDAY)]

    def counts() -> list[int]:
        found = []
        for address in addresses:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert get(*address).status_code == 200
            found.append(len(queries))
        return found

    few = counts()
    fill(school, classes=6, weeks=4)
    out(school, correction="补上六个班")
    for number in range(8):
        make_school(district.region, f"第{number}小学", "demo-district", prefix=f"x{number}_", pupils=1)
    assert counts() == few
    assert max(few) <= 6


def test_a_snapshot_from_before_a_code_was_known_is_still_shown(school: SmallSchool) -> None:
    snapshot = Disclosure.objects.get().snapshot
    item = snapshot["classes"][1]["days"][0]["items"][0]
    item["form"] = "sung"
    del item["is_optional"], item["requirements"]
    Disclosure.objects.create(
        school=school.school, school_year=school.year, grade=3, week_from=MONDAY, version=2, snapshot=snapshot, sha256="0" * 64,
        correction="更正", published_by=school.leader, published_at=timezone.now(),
    )  # fmt: skip
    page = text(get("week", school.school.pk, 3, MONDAY))
    assert "sung" in page
    assert not Disclosure.objects.get(version=2).is_intact()


def test_a_day_over_its_limit_is_shown_as_such(district: District) -> None:
    school = district.first
    item = homework(school.class_32, school.teacher, minutes=61, status=HomeworkStatus.OUT, sent_at=timezone.now())
    item.save()
    assert item.on_date == TUESDAY
    out(school)
    assert "，超过上限" in text(get("week", school.school.pk, 3, MONDAY))
