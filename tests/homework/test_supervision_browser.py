"""Supervision in a real Chromium: the bureau draws, an inspector checks a class on the road, charts are looked at."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from qingdan.homework.actions.disclosure import publish
from qingdan.homework.actions.register import enter
from qingdan.homework.actions.supervision import complete, draw_spot_check, save_item
from qingdan.homework.comparing import week_homework
from qingdan.homework.models import CheckedClass, CheckedHomework
from tests.browsing import look, settle_down, sign_in
from tests.district import MONDAY, WEDNESDAY, District, homework, make_district
from tests.homework.test_supervision_reviews import disclosed, out, told

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: A folder for pictures of each page, for people who want to look at them.
PICTURES = os.environ.get("QINGDAN_TEST_PICTURES", "")


def picture(page: Page, name: str) -> None:
    look(page)
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-{page.evaluate('innerWidth')}.png", full_page=True, caret="initial")


@pytest.fixture
def busy(transactional_db: None) -> Iterator[District]:
    """Two schools with a published week, something changed since, and families' reports."""
    cache.clear()
    district = make_district()
    school = district.first
    enter([homework(school.class_32, school.teacher, minutes=20, content="完成练习册第 32 页第 1–4 题，写清算式")], by=school.teacher)
    enter([homework(school.class_32, school.other_teacher, "语文", 15, content="给第 9 课的生字组词，每字两个")], by=school.other_teacher)
    publish(school=school.school, grade=3, week_from=MONDAY, by=school.leader, intent="巩固当天所学", requirements="独立完成")
    later = homework(school.class_32, school.grade_head, "英语", 10, on_date=WEDNESDAY, content="听录音跟读第 4 单元对话")
    enter([later], by=school.grade_head)
    for week in range(6):
        monday = MONDAY - datetime.timedelta(weeks=week)
        for each, minutes in ((school, 42 + 3 * week), (district.second, 66 - 2 * week)):
            out(each.class_31, each.teacher, minutes, monday)
            disclosed(each.school, 3, monday, monday + datetime.timedelta(days=5 + week), each.leader) if week else None
            told(each.class_31, monday, *(minutes + extra for extra in (-12, -4, 1, 3, 5, 8, 13, 16, 18, 24, 27, 29)))
    yield district
    cache.clear()


def test_the_bureau_draws_and_an_inspector_checks(page: Page, busy: District) -> None:
    sign_in(page, "bureau")
    page.goto(reverse("homework:checks"))
    picture(page, "checks-empty")
    page.get_by_role("link", name="发起第一次抽查").click()
    page.get_by_label("名称").fill("十一月第三周作业抽查")
    page.get_by_label("检查哪一周的作业").select_option(f"{MONDAY}")
    page.get_by_label("抽几个班").fill("1")
    page.get_by_text("三年级", exact=True).click()
    page.get_by_text("只在这些学校里抽").click()
    page.get_by_text("甲小学", exact=True).click()
    expect(page.locator("#eligible")).to_contain_text("2 个班")
    picture(page, "check-new")
    # The seed by which 三（2）班 has the smaller lot; anybody can work it out, nobody after the draw.
    page.get_by_label("种子").fill(next(seed for seed in map(str, range(99)) if _draws(seed, busy)))
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="抽取").click()
    expect(page.get_by_text("已抽出 1 个班")).to_be_visible()
    page.get_by_role("button", name="当场重算一遍").click()
    expect(page.get_by_text("完全一致")).to_be_visible()
    picture(page, "check")
    page.get_by_role("link", name="三（2）班", exact=False).first.click()
    items = page.locator("li.qd-item")
    expect(items).to_have_count(3)
    items.nth(0).get_by_text("与公示一致").click()
    expect(items.nth(0).get_by_text("已保存")).to_be_visible()
    items.nth(1).get_by_text("不一致", exact=True).click()
    expect(items.nth(1).get_by_text("已保存")).to_be_visible()
    items.nth(1).get_by_text("记问题、批改和时长").click()
    items.nth(1).get_by_text("机械重复").click()
    items.nth(1).get_by_label("估计实际需时（分钟）").fill("35")
    items.nth(1).get_by_label("说明").fill("实际要求每字抄五遍")
    items.nth(1).get_by_label("说明").blur()
    expect(page.locator("#progress")).to_contain_text("已看 2 / 3")
    page.get_by_text("加一项公示里没有的作业").click()
    page.locator("#extras").get_by_label("作业内容").fill("口算卡 50 题")
    picture(page, "check-class")
    page.get_by_role("button", name="加上").click()
    expect(page.locator("#extras .qd-item")).to_have_count(1)
    settle_down(page)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="其余都与公示一致").click()
    expect(page.get_by_text("还有 1 项公示里没有")).to_be_visible()
    items.nth(2).get_by_text("与公示一致").click()
    expect(page.locator("#progress")).to_contain_text("已看 3 / 3")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="签名，完成检查").click()
    expect(page.get_by_text("检查已完成并签名")).to_be_visible()
    saved = CheckedHomework.objects.get(faults=["mechanical"])
    assert (saved.seen_minutes, saved.note, saved.is_as_published) == (35, "实际要求每字抄五遍", False)
    checked = CheckedClass.objects.get()
    assert checked.is_as_published is False
    page.goto(reverse("homework:check_class", args=[checked.pk]))
    picture(page, "check-signed")


def _draws(seed: str, district: District) -> bool:
    from qingdan.draws.models import lot

    school = district.first
    return lot(seed, school.class_32.pk) < lot(seed, school.class_31.pk)


def test_a_lost_connection_loses_nothing(browser: Browser, live_server: LiveServer, busy: District) -> None:
    """On a phone; the browser's own complaints about the connection are what is expected here."""
    check = draw_spot_check(by=busy.bureau, title="x", week_from=MONDAY, classes=[busy.first.class_32], count=1)
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", base_url=live_server.url)
    page = context.new_page()
    sign_in(page, "bureau")
    page.goto(reverse("homework:check_class", args=[check.classes.get().pk]))
    item = page.locator("li.qd-item").first
    context.set_offline(True)
    item.get_by_text("不一致", exact=True).click()
    expect(item.get_by_text("没有存上")).to_be_visible()
    assert not CheckedHomework.objects.exists()
    context.set_offline(False)
    expect(item.get_by_text("已保存")).to_be_visible()
    assert CheckedHomework.objects.get().is_as_published is False
    context.close()


def test_a_tap_before_the_scripts_have_come_is_saved(page: Page, busy: District) -> None:
    check = draw_spot_check(by=busy.bureau, title="x", week_from=MONDAY, classes=[busy.first.class_32], count=1)

    def late(route: Route) -> None:
        page.wait_for_timeout(800)
        route.continue_()

    sign_in(page, "bureau")
    page.route("**/supervision.js", late)
    page.goto(reverse("homework:check_class", args=[check.classes.get().pk]), wait_until="commit")
    first = page.locator("li.qd-item input[type=radio]").first
    first.wait_for(state="attached")
    first.dispatch_event("click")
    assert page.evaluate("document.readyState") != "complete"
    expect(page.locator("li.qd-item").first.get_by_text("已保存")).to_be_visible()
    assert CheckedHomework.objects.get().is_as_published is True


def test_charts_and_results_on_every_screen(page: Page, busy: District) -> None:
    check = draw_spot_check(by=busy.bureau, title="十一月抽查", week_from=MONDAY, classes=[busy.first.class_32], count=1)
    for number, item in enumerate(week_homework(busy.first.class_32, MONDAY)):
        values = {"is_as_published": number != 1}
        save_item(checked=check.classes.get(), key=f"h{item.pk}", token="new", by=busy.bureau, values=values)
    complete(checked=check.classes.get(), by=busy.bureau)
    sign_in(page, "bureau")
    page.goto(reverse("homework:charts"))
    for picture_of in page.locator(".qd-chart img").all():
        picture_of.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture_of.element_handle())
    picture(page, "charts")
    page.get_by_label("学段").select_option("primary_upper")
    expect(page.get_by_text("按所选学段、学校")).to_be_visible()
    assert "stage=primary_upper" in page.url
    page.locator("#by-school").get_by_text("看数字").click()
    expect(page.locator("#by-school").get_by_role("cell", name="小学中高年级").first).to_be_visible()
    for name, address in (
        ("reviews", reverse("homework:reviews")),
        ("review", reverse("homework:review", args=[busy.second.school.pk, 2026, 10])),
        ("standing", reverse("homework:standing")),
        ("checks", reverse("homework:checks")),
    ):
        page.goto(address)
        picture(page, name)
