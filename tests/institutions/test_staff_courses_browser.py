"""A course is filed and returned, and a serving teacher refused, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from qingdan.accounts.identity import digest, masked
from qingdan.accounts.models import User
from qingdan.institutions.models import Course, Institution, Staff
from qingdan.schools.models import StaffIdentity
from tests.district import District
from tests.institutions.making import make_course, make_permit, make_premises
from tests.web import test_browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

browser = test_browser.browser
_loop_beside_the_database = test_browser._loop_beside_the_database
look = test_browser.look
sign_in = test_browser.sign_in

NUMBER = "11010519491231002X"


@pytest.fixture(params=[test_browser.PHONE, test_browser.DESK], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A fresh window; it may complain of the one answer that refuses (400), of nothing else."""
    context = browser.new_context(viewport=request.param, locale="zh-CN", base_url=live_server.url)
    complaints: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert [each for each in complaints if "400 (Bad Request)" not in each] == []
    assert len(complaints) <= 1


def test_a_course_is_read_while_typed_submitted_and_returned_and_a_serving_teacher_refused(
    page: Page, district: District, institution: Institution, operator: User
) -> None:
    permit = make_permit(institution, make_premises(institution), district.bureau)
    course = make_course(institution, permit, name="思维素养营", state="draft")
    StaffIdentity.objects.create(user=district.first.teacher, identity_digest=digest(NUMBER), masked_identity=masked(NUMBER))
    sign_in(page, "operator")
    page.goto(reverse("institutions:course_edit", args=[course.pk]))
    page.get_by_label("内容与进度").fill("奥数与口算")
    expect(page.locator("#aid")).to_contain_text("像学科类")
    look(page)
    page.get_by_role("button", name="保存并提交备案").click()
    expect(page.get_by_role("main")).to_contain_text("等教育部门审核")
    page.goto(reverse("institutions:staff_new"))
    for label, text in (("姓名", "陈示例"), ("身份证号（外籍填护照号）", NUMBER), ("任教学科或项目", "美术"), ("入职日期", "2026-09-01")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("岗位", exact=True).select_option("teaching")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("在职中小学教师")
    look(page)
    assert not Staff.objects.exists()
    page.context.clear_cookies()
    sign_in(page, "bureau")
    page.goto(reverse("institutions:courses"))
    page.get_by_role("link", name="思维素养营").click()
    expect(page.get_by_role("complementary")).to_contain_text("奥数")
    look(page)
    page.get_by_label("审核意见").fill("内容是学科类，请改")
    page.get_by_role("button", name="退回").click()
    expect(page.get_by_role("main")).to_contain_text("已退回")
    assert Course.objects.get().state == "returned"
