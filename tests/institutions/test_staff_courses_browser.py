"""A course is filed and returned, and a serving teacher refused, in a real Chromium."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.accounts.identity import digest, masked
from qingdan.accounts.models import User
from qingdan.institutions.models import Course, Institution, Staff
from qingdan.schools.models import StaffIdentity
from tests.browsing import SENT_BACK, look, sign_in
from tests.district import District
from tests.institutions.making import make_course, make_permit, make_premises

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


NUMBER = "11010519491231002X"


def test_a_course_is_read_while_typed_submitted_and_returned_and_a_serving_teacher_refused(
    page: Page, complaints: list[str], district: District, institution: Institution, operator: User
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
    complaints.remove(SENT_BACK)
    sign_in(page, "bureau")
    page.goto(reverse("institutions:courses"))
    page.get_by_role("link", name="思维素养营").click()
    expect(page.get_by_role("complementary")).to_contain_text("奥数")
    look(page)
    page.get_by_label("审核意见").fill("内容是学科类，请改")
    page.get_by_role("button", name="退回").click()
    expect(page.get_by_role("main")).to_contain_text("已退回")
    assert Course.objects.get().state == "returned"
