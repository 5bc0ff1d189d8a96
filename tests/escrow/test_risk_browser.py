"""A warning from the menu to the plan, as an officer does it on a phone and at a desk; a family's complaint."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.accounts.models import User
from qingdan.escrow.actions import flows, scoring
from qingdan.escrow.models import Complaint, CustodyAgreement, RiskStep
from tests.browsing import look, sign_in
from tests.district import District
from tests.escrow.making import make_contract
from tests.escrow.risking import days_ago, make_bank_line, make_day, make_refund

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_warning_to_the_plan(page: Page, agreement: CustodyAgreement, parent: User, operator: User, district: District) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    contract = make_contract(agreement, parent, operator)
    make_day(agreement, bank_fen=20_000, owed_fen=100_000)
    make_refund(contract, due_fen=60_000, due_on=days_ago(20))
    make_bank_line(agreement, -9_000_000, match="unknown", counterparty_name="某商贸公司")
    flows.mark_large()
    for number in range(3, -1, -1):
        scoring.score_all(days_ago(number))

    sign_in(page, parent.username)
    page.goto(reverse("escrow:mine"))
    page.get_by_role("link", name="投诉").last.click()
    look(page)
    page.get_by_label("要反映的情况").fill("去了两次都锁着门")
    page.get_by_role("button", name="交给主管部门").click()
    expect(page.get_by_text("已交给主管部门")).to_be_visible()
    look(page)
    assert Complaint.objects.count() == 1

    sign_in(page, "bureau")
    page.goto(reverse("escrow:watch"))
    look(page)
    page.get_by_role("link", name=agreement.institution.name).first.click()
    expect(page.get_by_role("heading", name="分值的构成")).to_be_visible()
    look(page)
    page.get_by_label("责任人").fill("李示例")
    page.get_by_label("完成期限").fill("2026-11-20")
    page.get_by_role("button", name="记入档案").click()
    expect(page.get_by_text("已记入风险档案。")).to_be_visible()
    page.get_by_label("理由（记入档案，机构会收到）").fill("余额不足")
    page.get_by_role("button", name="暂停划拨").click()
    expect(page.get_by_text("已暂停划拨；家长退费照常。")).to_be_visible()
    look(page)
    assert set(RiskStep.objects.values_list("kind", flat=True)) == {"plan", "paused"}

    for name in ("risks", "flows", "complaints", "ledgers", "risk_weights"):
        page.goto(reverse(f"escrow:{name}"))
        look(page)
    page.goto(reverse("escrow:ledgers"))
    page.get_by_role("link", name="预收费账").click()
    look(page)
    page.get_by_role("button", name="逐笔复核").click()
    expect(page.get_by_text("编号、摘要链、借贷、余额都没有问题")).to_be_visible()

    sign_in(page, "operator")
    page.goto(reverse("escrow:desk"))
    look(page)
