"""From the teacher's phone to the head's decision, in a real Chromium."""

from __future__ import annotations

import time

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from qingdan.homework.actions.register import enter
from qingdan.homework.models import Homework
from tests.browsing import look, settle_down, sign_in
from tests.district import MONDAY, TUESDAY, District, homework

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


#: A machine that runs other things too is slower than a phone in a hand; the taps are what is counted.
SECONDS_MAX = 30
TAPS_MAX = 5


class Thumb:
    """Counts what a teacher has to tap."""

    def __init__(self) -> None:
        self.taps = 0
        self.began = time.monotonic()

    def tap(self, target: Locator) -> None:
        """One tap."""
        self.taps += 1
        target.click()


def chip(page: Page, name: str) -> Locator:
    return page.locator("label.hr-chip:visible", has_text=name).first


def test_homework_from_the_teacher_over_the_law_to_the_head(page: Page, district: District) -> None:
    school = district.first
    enter([homework(school.class_32, school.other_teacher, "语文", 45)], by=school.other_teacher)
    sign_in(page, "teacher")
    page.goto(reverse("homework:today"))
    look(page)
    thumb = Thumb()
    thumb.tap(page.locator("main").get_by_role("link", name="登记作业", exact=True))
    thumb.tap(chip(page, "三（2）班"))
    page.get_by_label("作业内容").first.fill("练习册第 12 页 1–4 题")
    thumb.tap(page.get_by_role("button", name="30", exact=True).first)
    expect(page.locator("#total")).to_contain_text("超 15 分钟")
    expect(page.locator("#total")).to_contain_text("合计 75 分钟")
    look(page)
    settle_down(page)
    thumb.tap(page.get_by_role("button", name="布置", exact=True))
    refusal = page.locator(".hr-refusal")
    expect(refusal).to_contain_text("超过本地上限 60 分钟")
    expect(refusal.locator("a[href*='/clauses/']").first).to_be_visible()
    look(page)
    settle_down(page)
    thumb.tap(page.get_by_role("button", name="交年级组统筹"))
    expect(page.get_by_text("已交年级组统筹，处理结果会通知您")).to_be_visible()
    assert thumb.taps <= TAPS_MAX
    assert time.monotonic() - thumb.began < SECONDS_MAX
    look(page)
    sign_in(page, "grade_head")
    page.goto(reverse("homework:board", args=[3]))
    look(page)
    waiting = page.locator(".hr-settle")
    page.get_by_label("减到").fill("16")
    page.get_by_role("button", name="减时长").click()
    expect(waiting).to_contain_text("合计 61 分钟")  # still too much, said in place
    page.get_by_label("减到").fill("15")
    page.get_by_role("button", name="减时长").click()
    expect(page.locator(".alert-success")).to_contain_text("由 30 分钟减到 15 分钟")
    expect(waiting).to_have_count(0)
    look(page)
    item = Homework.objects.get(teacher=school.teacher)
    assert (item.status, item.homework_minutes) == ("out", 15)
    page.goto(reverse("homework:item", args=[item.pk]))
    look(page)
    page.goto(reverse("homework:settle", args=[item.pk]))
    look(page)


def test_copying_yesterday_takes_two_taps(page: Page, district: District) -> None:
    school = district.first
    given = homework(school.class_32, school.teacher, minutes=15, on_date=MONDAY, content="口算一页")
    enter([given], by=school.teacher)
    sign_in(page, "teacher")
    page.goto(reverse("homework:today"))
    page.get_by_role("link", name="照昨天的").click()
    expect(page.locator("#total")).to_contain_text("15")
    page.locator(".hr-switch", has_text="拓展").click()
    page.locator("#id_extended-content").fill("思考题")
    page.locator("#id_extended-homework_minutes").fill("5")
    expect(page.locator("#total")).to_contain_text("还可布置 40 分钟")
    look(page)
    settle_down(page)
    page.get_by_role("button", name="布置", exact=True).click()
    expect(page.get_by_text("三（2）班 20/60 分钟")).to_be_visible()
    page.get_by_role("button", name="撤回这次登记").click()
    expect(page.get_by_text("点“重新布置”可以恢复")).to_be_visible()
    assert Homework.objects.filter(on_date=TUESDAY, status="withdrawn").count() == 2
