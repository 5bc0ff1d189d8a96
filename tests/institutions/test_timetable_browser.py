"""A clerk plans a course on a phone and on a desk, in a real Chromium."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.institutions.models import Session
from qingdan.places.models import OverriddenDay
from tests.browsing import look, settle_down, sign_in
from tests.district import TUESDAY, District
from tests.institutions.timetabling import make_school

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_clerk_sees_the_refused_date_of_a_weekly_plan_and_leaves_it_out(page: Page, district: District) -> None:
    school = make_school(district.region, district.bureau)
    OverriddenDay.objects.create(region=district.region, day=TUESDAY, kind="holiday", note="放假")
    sign_in(page, school.clerk.username)
    page.goto(reverse("institutions:timetable"))
    look(page)
    page.get_by_role("link", name="排第一门课").click()
    page.get_by_label("课程").select_option(label="数学提高")
    page.get_by_label("每周").select_option(label="周二")
    page.get_by_label("开始时间").fill("18:30")
    page.get_by_label("结束时间").fill("20:00")
    page.get_by_label("起始日期").fill("2026-11-16")
    page.get_by_label("截止日期").fill("2026-12-06")
    page.get_by_label("教室").select_option(index=1)
    page.get_by_label("教师").select_option(label="王一")
    refusal = page.locator(".it-refusal")
    expect(refusal).to_contain_text("1 次课不能排，其余 2 次可以")
    expect(refusal).to_contain_text("学科类培训不得占用")
    expect(refusal.locator("a[href*='/clauses/']").first).to_be_visible()
    settle_down(page)
    look(page)
    page.get_by_role("button", name="不排这 1 次，保存其余 2 次").click()
    expect(page.get_by_text("已排 2 次课，1 个日期按您的选择没有排")).to_be_visible()
    look(page)
    assert Session.objects.count() == 2
    page.locator(".it-session:visible").first.click()
    look(page)
    page.get_by_role("button", name="取消这次课").click()
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_text("已恢复")).to_be_visible()
