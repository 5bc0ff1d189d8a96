"""A head publishes a week, everybody reads it, the head corrects it: in a real Chromium, on a phone and on a desk, and on paper."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from qingdan.homework.actions.disclosure import publish
from qingdan.homework.actions.register import change, enter
from qingdan.homework.enums import HomeworkStatus
from qingdan.homework.models import Homework
from tests.browsing import PHONE, look, sign_in
from tests.district import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    District,
    SmallSchool,
    homework,
    make_class,
    make_district,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = re.compile(rb"/Type\s*/Page\b")


@pytest.fixture
def district(transactional_db: None) -> District:
    """Made after the tables were emptied: the subjects come back with a flush."""
    return make_district()


def test_a_head_publishes_everybody_reads_and_the_head_corrects(page: Page, district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    school = district.first
    (item,) = enter([homework(school.class_32, school.teacher, content="练习册第 38 页", on_date=FRIDAY)], by=school.teacher)
    enter([homework(school.class_31, school.grade_head, "英语", 15, on_date=WEDNESDAY)], by=school.grade_head)
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: FRIDAY)
    sign_in(page, "grade_head")
    page.goto(reverse("homework:disclosures"))
    look(page)
    page.get_by_role("link", name="公示三年级 11月16日 起一周的作业").click()
    page.get_by_label("完成要求").fill("独立完成，书写工整")
    page.get_by_label("设计意图").fill("巩固本周所学")
    expect(page.locator("#preview").get_by_text("巩固本周所学")).to_be_visible()  # the preview follows
    look(page)
    page.get_by_role("button", name="公示", exact=True).click()
    expect(page.get_by_text("已公示，任何人不登录都能看到")).to_be_visible()
    look(page)
    page.context.clear_cookies()

    page.goto(reverse("public:home"))
    look(page)
    page.get_by_role("searchbox").fill("jiaxiao")
    expect(page.get_by_text("乙小学")).to_have_count(0)
    page.get_by_role("link", name="甲小学").click()
    look(page)
    page.get_by_role("link", name="三年级 11月16日 起一周").click()
    expect(page.get_by_role("heading", name="甲小学三年级作业公示")).to_be_visible()
    expect(page.get_by_text("练习册第 38 页")).to_be_visible()
    look(page)
    if page.viewport_size == PHONE:
        page.get_by_role("link", name="三（1）班").click()
        expect(page.get_by_text("练习册第 38 页")).to_be_hidden()
        page.get_by_role("link", name="全部").click()
        expect(page.get_by_text("练习册第 38 页")).to_be_visible()

    change(Homework.objects.get(pk=item.pk), by=school.grade_head, homework_minutes=10)
    sign_in(page, "grade_head")
    page.goto(reverse("homework:disclosures"))
    page.get_by_role("link", name="更正三年级 11月16日 起一周的公示").click()
    expect(page.locator("#changes").get_by_text("练习册第 38 页 10 分钟")).to_be_visible()
    page.get_by_label("更正了什么").fill("数学减为 10 分钟")
    page.get_by_role("button", name="发布第 2 版").click()
    page.get_by_role("link", name="看公示页").click()
    expect(page.get_by_text("第 2 版（最新）")).to_be_visible()
    expect(page.locator("#changes").get_by_text("练习册第 38 页 20 分钟")).to_be_visible()
    look(page)
    page.get_by_role("link", name="第 1 版", exact=True).click()
    expect(page.get_by_text("这是第 1 版，后来更正过")).to_be_visible()
    look(page)


def crowd(school: SmallSchool, classes: int, content: str, subjects: tuple[str, ...]) -> None:
    """A third grade of so many classes with homework of every day, written straight into the register."""
    rooms = [school.class_31, school.class_32, *(make_class(school.school, 3, number) for number in range(3, classes + 1))]
    items = [
        homework(room, school.teacher, name, 10, on_date=day, content=content, tier=tier, requirements="独立完成")
        for room in rooms
        for day in (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY)
        for name in subjects
        for tier in (("basic", "extended") if len(content) > 40 else ("basic",))
    ]
    for item in items:
        item.status, item.sent_at = HomeworkStatus.OUT, timezone.now()
    Homework.objects.bulk_create(items)


@pytest.mark.parametrize(
    ("classes", "content", "subjects"),
    [
        (4, "抄写第 12 课生字各两遍", ("语文", "数学")),
        (8, "练习册第 38 页第 1 至 6 题，做完自己检查一遍", ("语文", "数学", "英语", "科学")),
        # Nobody writes so much; even so it stays one sheet, cut off with the code beside it.
        (8, "把本单元学过的词语按意思分类，每类选两个写一句话，再读给家里人听一听，改一改不通顺的地方。" * 4, ("语文", "数学", "英语")),
    ],
    ids=["four classes", "eight classes", "eight classes with very long texts"],
)
def test_a_week_prints_on_one_sheet(
    browser: Browser, live_server: LiveServer, district: District, classes: int, content: str, subjects: tuple[str, ...]
) -> None:
    school = district.first
    crowd(school, classes, content, subjects)
    said = {"intent": "语文：积累词语。数学：巩固周长的计算，联系生活。" * 3, "requirements": "独立完成，书写工整；做完自己检查一遍。" * 3}
    publish(school=school.school, grade=3, week_from=MONDAY, by=school.leader, **said)
    context = browser.new_context(locale="zh-CN", base_url=live_server.url)
    page = context.new_page()
    page.goto(reverse("public:week", args=[school.school.pk, 3, MONDAY]), wait_until="networkidle")
    sheets = len(PAGE.findall(page.pdf(prefer_css_page_size=True)))
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1062, "height": 733})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.qd-week td')).fontSize)")
    context.close()
    assert sheets == 1
    assert size >= 6.5  # 5 pt
