"""What training institutions are shown by, as people see it: from the application to the page that parents read."""

from __future__ import annotations

import datetime
import struct
import zlib
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.accounts.models import User
from qingdan.institutions.actions.applications import end_notices
from qingdan.institutions.models import Application, Institution, Permit
from qingdan.places.models import OverriddenDay
from tests.browsing import look, settle_down, sign_in
from tests.district import MONDAY, SATURDAY, District
from tests.institutions.applying import make_applicant, make_application, make_department
from tests.institutions.making import make_course, make_staff
from tests.institutions.timetabling import School, make_school, make_school_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def as_user(page: Page, user: User, address: str) -> None:
    """Sign in as somebody and open a page."""
    sign_in(page, user.username)
    page.goto(address)


def picture() -> bytes:
    """A picture of one green dot."""
    header, dot = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0), zlib.compress(b"\0\x88\xaa\x88")
    chunks = ((b"IHDR", header), (b"IDAT", dot), (b"IEND", b""))
    packed = (struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def press(page: Page, name: str) -> None:
    """A button of the page, and wait until its answer is there."""
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state()


def test_an_arts_institution_goes_over_two_departments_to_its_permit_and_page(page: Page, district: District) -> None:
    culture, market = make_department(district.region, "culture"), make_department(district.region, "market")
    founder = make_applicant(district.region, "梧桐艺术中心")
    application = make_application(founder)
    address = reverse("institutions:application", args=[application.pk])
    page.on("dialog", lambda dialog: dialog.accept())
    as_user(page, founder, address)
    press(page, "提交")
    for officer, button in ((culture, "材料齐全，受理"), (market, "同意"), (culture, "审查通过")):
        as_user(page, officer, address)
        press(page, button)
    page.get_by_role("link", name="记录现场核查").click()
    for name in ("has_fit_premises", "has_fit_staff", "has_fit_teaching"):
        page.locator(f"label[for=id_{name}_0]").click()
    page.locator("[name=photos]").set_input_files({"name": "现场.png", "mimeType": "image/png", "buffer": picture()})
    look(page)
    press(page, "提交核查结果")
    press(page, "开始公示")
    page.goto(reverse("institutions:applications_public"))
    expect(page.get_by_role("main")).to_contain_text("梧桐艺术中心")
    look(page)
    Application.objects.update(notice_from=MONDAY - datetime.timedelta(days=14), notice_until=MONDAY - datetime.timedelta(days=3))
    end_notices()
    page.goto(address)
    expect(page.get_by_role("link", name="现场.png")).to_be_visible()
    page.get_by_role("link", name="批准并发许可证").click()
    for name, value in {"number": "虚艺1号", "scope": "书画", "ends_on": "2029-11-15", "reason": "符合条件"}.items():
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name=starts_on]").fill(str(MONDAY))
    press(page, "批准")
    held = Permit.objects.get()
    make_course(held.institution, held, "儿童水彩", lesson_price_fen=7950)
    make_staff(held.institution, "周示例", certificate_number="20209901000012345")
    Institution.objects.update(refund_terms="开课前全额退费")
    page.context.clear_cookies()
    page.goto(reverse("directory:home"))
    page.get_by_role("searchbox").fill("wtys")
    page.get_by_role("link", name="梧桐艺术中心").click()
    for said in ("虚艺1号", "示范路1号", "儿童水彩", "79.50 元", "开课前全额退费", "周示例", "2345", "信用记录"):
        expect(page.get_by_role("main")).to_contain_text(said)
    look(page)
    page.get_by_role("link", name="打印门口公示牌").click()
    expect(page.locator("main img")).to_be_visible()
    look(page)


def plan(page: Page, school: School, weekday: str, from_to: tuple[str, str]) -> None:
    """Type a weekly plan for two weeks; what each date becomes stands below while it is typed."""
    as_user(page, school.clerk, reverse("institutions:timetable_new"))
    page.get_by_label("课程").select_option(value=str(school.course.pk))
    page.get_by_label("每周").select_option(label=weekday)
    values: dict[str, Any] = {"开始时间": from_to[0], "结束时间": from_to[1], "起始日期": "2026-11-16", "截止日期": "2026-11-29"}
    for label, value in values.items():
        page.get_by_label(label).fill(value)
    if school.course.mode == "offline":
        page.get_by_label("教室").select_option(index=1)
    page.get_by_label("教师").select_option(label="王一")


def test_a_timetable_is_judged_by_the_law_of_its_place_and_the_days_of_its_calendar(page: Page, district: District) -> None:
    OverriddenDay.objects.create(region=district.region, day=SATURDAY, kind="workday", note="调休上班")
    plan(page, make_school(district.region, district.bureau), "周六", ("10:00", "11:30"))
    refusal = page.locator(".it-refusal")
    expect(refusal).to_contain_text("1 次课不能排，其余 1 次可以")
    expect(refusal).to_contain_text("11月28日")
    expect(refusal).not_to_contain_text("11月21日（")
    online: dict[str, Any] = {"mode": "online", "lesson_minutes": 30, "gap_minutes": 10}
    plan(page, make_school_in("cn-shanghai", **online), "周三", ("20:20", "21:30"))
    expect(refusal).to_contain_text("晚于本地上限 21:00")
    expect(page.get_by_label("课程").locator("option:checked")).to_have_text("数学提高（线上）")
    settle_down(page)
    look(page)
    plan(page, make_school_in("cn-xinjiang", **online), "周三", ("20:20", "21:30"))
    expect(page.get_by_role("main")).to_contain_text("2 次课，都没有不合规定的地方")
    expect(refusal).to_have_count(0)
    settle_down(page)
    look(page)
    press(page, "保存")
    expect(page.get_by_text("已排 2 次课")).to_be_visible()
