"""A parent pays at the demo bank on a phone and comes back to a contract in force; an officer clears up a line: in a real Chromium."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.accounts.models import User
from qingdan.escrow.actions import balancing, reconciling
from qingdan.escrow.models import CustodyAgreement
from tests.browsing import look, sign_in
from tests.district import MONDAY, District
from tests.escrow.banking import Town, make_instruction, make_line, make_order, make_statement

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_parent_pays_and_an_officer_clears_up_the_rest(
    page: Page, town: Town, agreement: CustodyAgreement, operator: User, parent: User, district: District
) -> None:
    town.open_for(agreement)
    order, other = (make_order(agreement, parent, operator) for _ in range(2))
    sign_in(page, "parent")
    page.goto(reverse("escrow:pay", args=[order.reference]))
    expect(page.locator("main")).to_contain_text("1,000.00 元")
    look(page)
    # A window of its own: the house's must not leave the house.
    away = page.context.new_page()
    away.goto(reverse("escrow:pay", args=[order.reference]))
    away.get_by_role("button", name="去银行付款").click()
    away.get_by_role("button", name="确认付款").click()
    expect(away.locator("main")).to_contain_text("已缴费，合同开始履行")
    away.close()
    order.refresh_from_db()
    assert order.state == "paid"
    make_instruction(agreement)
    line = make_line("", 100_000, remittance="学费")
    reconciling.take_in(make_statement(agreement, line), agreements=[agreement])
    reconciling.match_open()
    balancing.balance(agreement, since=MONDAY, until=MONDAY)
    sign_in(page, "bureau")
    for name in ("agreements", "instructions", "statements", "days"):
        page.goto(reverse(f"escrow:{name}"))
        expect(page.locator("#results")).to_contain_text(agreement.institution.name)
        look(page)
    page.goto(reverse("escrow:agreement", args=[agreement.pk]))
    look(page)
    page.goto(reverse("escrow:lines"))
    page.get_by_role("link", name=line.bank_reference).click()
    page.get_by_label("一张缴费单的款").check()
    page.get_by_label("缴费单号").fill(other.reference)
    page.get_by_label("怎么查明的").fill("家长转账漏写单号")
    look(page)
    page.get_by_role("button", name="记下").click()
    expect(page.locator("main")).to_contain_text("没有待查明的流水")
    other.refresh_from_db()
    assert other.state == "paid"
