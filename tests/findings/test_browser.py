"""In a real browser: the bureau runs the audit now, the school answers, the bureau confirms; on a phone and on a desk."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.findings.auditing import run_audit
from qingdan.findings.models import AuditRun
from tests.browsing import look, sign_in
from tests.district import WEDNESDAY, make_district
from tests.findings.conftest import record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SENTENCE = "三（2）班 11月17日 书面家庭作业合计 70 分钟，超过本地上限 60 分钟"


def test_from_the_audit_to_the_end_of_a_finding(page: Page) -> None:
    school = make_district().first
    record(school)
    record(school, WEDNESDAY)
    sign_in(page, "bureau")
    page.goto(reverse("findings:list"))
    look(page)
    page.get_by_role("link", name="现在就做一次").click()
    look(page)
    page.get_by_role("button", name="现在体检").click()
    expect(page.get_by_text("排队中")).to_be_visible()
    look(page)
    run_audit(AuditRun.objects.get().pk)
    expect(page.get_by_text("按事实与日期类型")).to_be_visible()  # the page moves on by itself
    look(page)
    page.get_by_role("link", name="看问题清单").click()
    look(page)
    page.get_by_role("link", name=SENTENCE).click()
    look(page)
    expect(page.get_by_text("等待甲小学答复")).to_be_visible()
    address = page.url

    sign_in(page, "leader")
    page.goto(reverse("findings:list"))
    page.get_by_role("searchbox").fill("11月17日")
    expect(page.locator(".qd-finding-table tbody tr")).to_have_count(1)
    look(page)
    page.get_by_role("link", name=SENTENCE).click()
    page.get_by_label("答复：已整改").check()
    page.get_by_label("说明").fill("年级组已把数学减到 20 分钟")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("已办理，现在是“称已整改”")).to_be_visible()
    look(page)
    page.goto(reverse("findings:list"))
    page.evaluate("document.querySelector('[data-tick-all]').scrollIntoView()")
    for box in page.locator("input[name=finding]").all():
        box.check()
    expect(page.get_by_text("已选 2 个")).to_be_visible()

    sign_in(page, "bureau")
    page.goto(f"{reverse('findings:list')}?status=corrected")
    look(page)
    page.goto(address)
    page.get_by_label("确认整改，办结").check()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("教育局已处理：已办结")).to_be_visible()
    look(page)
    page.goto(reverse("findings:summary"))
    look(page)
