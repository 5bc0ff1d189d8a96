"""A campaign is started, reported on and checked, in a real Chromium."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.accounts.models import User
from qingdan.institutions.models import Inspection, Institution
from tests.browsing import look, sign_in
from tests.district import District

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


FILED = "institutions.staff-filed"


def test_a_campaign_is_started_reported_on_checked_and_its_result_read(
    page: Page, district: District, institution: Institution, operator: User
) -> None:
    sign_in(page, "bureau")
    page.goto(reverse("institutions:inspection_campaign_new"))
    look(page)
    page.get_by_role("button", name="发起并通知机构").click()
    expect(page.get_by_role("main")).to_contain_text("已向 1 家机构发起年检")
    look(page)
    inspection = Inspection.objects.get()
    filed = inspection.items.get(rule_id=FILED)
    # Two items are answered on the page; the others beforehand.
    inspection.items.exclude(rule_id__in=[FILED, "institutions.real-name"]).update(self_answer=True)
    sign_in(page, "operator")
    page.goto(reverse("institutions:inspection", args=[inspection.pk]))
    look(page)
    real_name = page.locator(f"#item-{inspection.items.get(rule_id='institutions.real-name').pk}")
    real_name.get_by_text("符合", exact=True).click()  # saved without another click
    expect(real_name).to_contain_text("已保存")
    wanting = page.locator(f"#item-{filed.pk}")
    wanting.get_by_text("不符合", exact=True).click()
    wanting.get_by_role("button", name="保存").click()
    expect(wanting.get_by_role("alert")).to_contain_text("请写明情况")
    wanting.get_by_label("说明").fill("两名教师正在备案")
    wanting.get_by_role("button", name="保存").click()
    expect(wanting).to_contain_text("已保存")
    expect(page.locator("#progress")).to_contain_text("1 项不符合")
    look(page)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="提交自查").click()
    expect(page.get_by_role("main")).to_contain_text("等主管部门核查")
    sign_in(page, "bureau")
    page.goto(reverse("institutions:inspection", args=[inspection.pk]))
    checked = page.locator(f"#item-{filed.pk}")
    expect(checked).to_contain_text("两名教师正在备案")
    checked.get_by_text("不符合", exact=True).last.click()
    checked.get_by_label("说明").fill("确未备案")
    checked.get_by_role("button", name="保存").click()
    expect(checked).to_contain_text("已保存")
    look(page)
    page.get_by_label("结论", exact=True).select_option("failed")
    page.get_by_label("结论说明").fill("教师未备案")
    page.get_by_role("button", name="作出结论").click()
    expect(page.get_by_role("heading", name="结论：不合格")).to_be_visible()
    expect(page.get_by_role("button", name="停业整顿")).to_be_visible()
    look(page)
