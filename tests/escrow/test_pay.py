"""A family pays at the bank; the bank's word counts, never the browser's return."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.escrow import books, tasks_banking
from qingdan.escrow.actions import reconciling
from qingdan.escrow.models import BankLine, CustodyAgreement, PaymentOrder
from tests.district import MONDAY, District, signed_in
from tests.escrow.banking import Town, make_line, make_order, make_statement


@pytest.fixture
def order(town: Town, agreement: CustodyAgreement, operator: User, parent: User) -> PaymentOrder:
    """A signed contract waits for 1,000 yuan."""
    town.open_for(agreement)
    return make_order(agreement, parent, operator)


@pytest.fixture
def family(parent: User) -> Client:
    """The guardian's browser."""
    return at_desk(parent)


def at_desk(parent: User) -> Client:
    """The demo bank leads back to this machine only."""
    client = signed_in(parent)
    client.defaults["SERVER_NAME"] = "localhost"
    return client


def pay_url(order: PaymentOrder) -> str:
    return reverse("escrow:pay", args=[order.reference])


def test_a_family_pays_at_the_bank_and_comes_back_to_a_contract_in_force(
    order: PaymentOrder, family: Client, town: Town, agreement: CustodyAgreement
) -> None:
    page = family.get(pay_url(order)).content.decode()
    assert "1,000.00 元" in page
    assert agreement.account_number in page
    answer = family.post(pay_url(order)).content.decode()
    found = re.search(r'href="(http://127[^"]+/pay[^"]*)"', answer)
    assert found, "the bank's page is one link away"
    assert family.post(pay_url(order)).status_code == 200, "again: the same order"
    town.desk.tell("pay", number=order.reference)
    back = family.get(reverse("escrow:pay_back", args=[order.reference]), follow=True)
    assert "已缴费，合同开始履行" in back.content.decode()
    order.refresh_from_db()
    assert (order.state, order.paid_on) == ("paid", MONDAY)
    assert order.payer_account.startswith("6200")
    assert order.contract.state == "active"
    assert books.due_at_bank_fen(agreement) == town.desk.balance_fen(agreement.account_number) == 100_000


def test_a_script_leads_straight_to_the_bank(order: PaymentOrder, family: Client) -> None:
    answer = family.post(pay_url(order), headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("http://127.0.0.1")


def test_coming_back_proves_nothing(order: PaymentOrder, family: Client) -> None:
    family.post(pay_url(order))
    back = family.get(reverse("escrow:pay_back", args=[order.reference]), follow=True)
    assert "还没有收到这笔付款" in back.content.decode()
    order.refresh_from_db()
    assert order.state == "waiting"


def test_a_bank_that_is_down_costs_nothing_and_can_be_tried_again(
    order: PaymentOrder, family: Client, town: Town, monkeypatch: Any
) -> None:
    town.desk.tell("down")
    answer = family.post(pay_url(order))
    assert answer.status_code == 503
    assert "没有扣款" in answer.content.decode()
    town.desk.tell("up")
    assert family.post(pay_url(order)).status_code == 200


def test_who_paid_and_left_is_found_by_the_task(order: PaymentOrder, family: Client, town: Town, monkeypatch: Any) -> None:
    family.post(pay_url(order))
    town.desk.tell("pay", number=order.reference)
    town.desk.misbehave("error")
    assert family.get(reverse("escrow:pay_back", args=[order.reference])).status_code == 503
    monkeypatch.setattr("qingdan.storage.connections.connections.close_all", lambda: None)
    tasks_banking.ask_about_orders.func(0)
    tasks_banking.ask_about_orders.func(0)
    order.refresh_from_db()
    assert order.state == "paid"


def test_a_paid_order_is_not_paid_twice(order: PaymentOrder, family: Client, town: Town) -> None:
    family.post(pay_url(order))
    town.desk.tell("pay", number=order.reference)
    family.get(reverse("escrow:pay_back", args=[order.reference]))
    assert family.post(pay_url(order)).status_code == 302
    assert "不用再付" in family.get(pay_url(order)).content.decode()


def test_in_reserve_mode_the_money_goes_to_the_institution(town: Town, agreement: CustodyAgreement, operator: User, parent: User) -> None:
    CustodyAgreement.objects.filter(pk=agreement.pk).update(mode="reserve", reserve_floor_fen=10_000_000)
    agreement.refresh_from_db()
    town.open_for(agreement)
    order = make_order(agreement, parent, operator)
    at_desk(parent).post(pay_url(order))
    town.desk.tell("pay", number=order.reference)
    at_desk(parent).get(reverse("escrow:pay_back", args=[order.reference]))
    order.refresh_from_db()
    assert order.state == "paid"
    assert town.desk.balance_fen(agreement.settlement_account) == 100_000


def test_a_cancelled_order_says_not_to_pay_and_what_comes_all_the_same_is_told(
    order: PaymentOrder, family: Client, town: Town, agreement: CustodyAgreement
) -> None:
    family.post(pay_url(order))
    PaymentOrder.objects.filter(pk=order.pk).update(state="cancelled")
    town.desk.tell("pay", number=order.reference)
    for page in (family.get(reverse("escrow:pay_back", args=[order.reference]), follow=True), family.post(pay_url(order))):
        assert "请不要付款" in page.content.decode()
    reconciling.take_in(make_statement(agreement, make_line(order.reference, 100_000)), agreements=[agreement])
    assert reconciling.match_open() == 0
    assert "要查明退回" in BankLine.objects.get().note


def test_another_family_sees_nothing(order: PaymentOrder, district: District) -> None:
    assert signed_in(district.second.parent).get(pay_url(order)).status_code == 404
