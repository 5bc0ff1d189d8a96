"""An institution's way to its permit in a real Chromium: applied for at a desk, seen on site with a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.institutions.models import Application
from tests.browsing import look, sign_in
from tests.district import MONDAY, District
from tests.institutions.applying import NEW, lead_to, make_applicant, make_application, make_department
from tests.institutions.making import credit_code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_form_over_two_departments_to_the_permit(page: Page, district: District, tmp_path: Path) -> None:
    culture, market = make_department(district.region, "culture"), make_department(district.region, "market")
    by = make_applicant(district.region)
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, by.username)
    page.goto(reverse("institutions:application_apply", args=["new"]))
    for name, value in (NEW | {"credit_code": credit_code(811)}).items():
        if name == "registration":
            page.locator(f"[name={name}]").select_option(str(value))
        else:
            page.locator(f"[name={name}]").fill(str(value))
    page.locator("[name=category]").select_option("non_academic")
    page.locator("[name=field]").select_option("culture")
    page.locator("[name=audience]").select_option("compulsory")
    look(page)
    page.get_by_role("button", name="保存草稿").click()
    paper = tmp_path / "章程.pdf"
    paper.write_bytes(b"%PDF-1.4 fictional")
    page.locator("[name=label]").fill("章程")
    page.locator("[name=files]").set_input_files(paper)
    page.get_by_role("button", name="上传材料").click()
    expect(page.get_by_text("材料已上传。")).to_be_visible()
    look(page)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("已提交给文化和旅游部门。")).to_be_visible()
    application = Application.objects.get()
    lead_to(application, "to_visit", by=by, officer=culture, second=market)
    sign_in(page, culture.username)
    page.goto(reverse("institutions:queue"))
    look(page)
    page.get_by_role("link", name="拟设艺术中心").click()
    look(page)
    page.get_by_role("link", name="记录现场核查").click()
    look(page)
    for name in ("has_fit_premises", "has_fit_staff", "has_fit_teaching"):
        page.locator(f"label[for=id_{name}_0]").click()
    page.get_by_role("button", name="提交核查结果").click()
    expect(page.get_by_text("核查结果已保存。")).to_be_visible()
    application.refresh_from_db()
    lead_to(application, "to_decide", by=by, officer=culture)
    page.goto(reverse("institutions:application_approve", args=[application.pk]))
    for name, value in {
        "number": "教民1",
        "scope": "书画",
        "starts_on": str(MONDAY),
        "ends_on": "2029-11-15",
        "reason": "符合条件",
    }.items():
        page.locator(f"[name={name}]").fill(value)
    look(page)
    page.get_by_role("button", name="批准").click()
    expect(page.get_by_text("已批准，申请单位会收到通知。")).to_be_visible()
    page.get_by_role("link", name="教民1").click()
    look(page)


def test_an_academic_one_is_refused_with_the_clause(page: Page, district: District) -> None:
    by = make_applicant(district.region, layer_code="cn-shanghai")
    application = make_application(by, category="academic", field="academic")
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, by.username)
    page.goto(reverse("institutions:application", args=[application.pk]))
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", name="政策不允许批准")).to_be_visible()
    look(page)
