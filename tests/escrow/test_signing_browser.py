"""A family makes a code, an institution drafts and offers, the guardian signs on a phone: in a real Chromium."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.accounts.models import User
from qingdan.escrow.models import Contract, CustodyAgreement
from qingdan.institutions.models import Course
from tests.browsing import look, sign_in
from tests.district import District
from tests.escrow.offering import make_filing, make_price

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def judged(page: Page) -> None:
    """The law has answered; whoever leaves before breaks the question off, and the browser says so."""
    expect(page.locator(".ec-ok")).to_be_visible()


def test_a_contract_is_offered_signed_and_frozen(
    page: Page, course: Course, operator: User, parent: User, district: District, agreement: CustodyAgreement
) -> None:
    make_price(district.region, district.bureau)
    make_filing(course, operator)
    sign_in(page, "parent")
    page.goto(reverse("escrow:codes"))
    page.get_by_label("出生日期").fill("2017-05-01")
    page.get_by_role("button", name="生成签约码").click()
    code = page.locator(".ec-code .ec-big").inner_text()
    look(page)
    sign_in(page, "operator")
    page.goto(reverse("escrow:contract_new"))
    page.get_by_label("家长的签约码").fill(code)
    page.get_by_label("课程", exact=True).select_option(str(course.pk))
    page.get_by_label("课时数").fill("10")
    page.get_by_label("本次所付课程起").fill("2026-11-16")
    page.get_by_label("本次所付课程止").fill("2027-01-15")
    page.get_by_label("补充约定").fill("画具自备。中途退课概不退费。")
    expect(page.locator("#aid")).to_contain_text("800.00 元")
    expect(page.locator("#aid")).to_contain_text("中途退课概不退费")
    look(page)
    page.get_by_role("button", name="签署并发给家长").click()
    expect(page.locator("main")).to_contain_text("已签署并发给 1 位家长")
    judged(page)
    look(page)
    sign_in(page, "parent")
    page.goto(reverse("escrow:contracts"))
    look(page)
    page.get_by_text("核对并签署").click()
    expect(page.locator("main")).to_contain_text("按今天的规定可以签")
    expect(page.locator(".ec-terms")).to_contain_text("中途退课概不退费")
    look(page)
    page.get_by_label("我已读完合同全文").check()
    page.get_by_role("button", name="签署合同").click()
    expect(page.locator("main")).to_contain_text("去缴费")
    expect(page.locator(".ec-digest code")).to_have_text(Contract.objects.get().text_digest)
    judged(page)
    look(page)
    sign_in(page, "operator")
    page.goto(reverse("escrow:contract", args=[Contract.objects.get().pk]))
    expect(page.get_by_role("link", name="修改")).to_have_count(0)
    judged(page)
    look(page)
