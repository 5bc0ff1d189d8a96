"""From a fresh demonstration in a real Chromium: a family on a phone, an institution and the bureau at their desks.

The family signs, pays through the demo bank, confirms lessons and disputes one; a refund is agreed to and paid; a contract of three
months and a day is refused and one of three months accepted; the bureau sees who is running away, and the books are sound.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from qingdan.accounts.models import User
from qingdan.demo.loading import Scale, ensure_district
from qingdan.demo.plan import PASSWORD
from qingdan.demo.prepaid.plan import RUNAWAY
from qingdan.escrow import demo_accounts, tasks_banking
from qingdan.escrow.actions import dispatching
from qingdan.escrow.enums import ContractState, LessonState, RefundState
from qingdan.escrow.models import BankInstruction, Contract, Lesson, PaymentOrder, Refund
from qingdan.ledger.verify import verify_all
from tests.browsing import DESK, PHONE, SENT_BACK, look, sign_in, window
from tests.district import MONDAY
from tests.escrow.banking import Town, pass_day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

_DAY = datetime.timedelta(days=1)


@pytest.fixture
def demonstration(town: Town, transactional_db: None) -> Town:
    """One school's district, and the demo bank with an account for every agreement."""
    ensure_district(scale=Scale(schools=1, weeks=2, classes_per_grade=2))
    assert demo_accounts.open_missing() > 0
    return town


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, town: Town) -> Iterator[Page]:
    """The family's; it goes to the bank and comes back."""
    complaints: list[str] = []
    with window(browser, live_server, PHONE, complaints) as opened:
        opened.on("dialog", lambda dialog: dialog.accept())
        yield opened
    assert [each for each in complaints if not each.startswith(town.running.address)] == []


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, complaints: list[str]) -> Iterator[Page]:
    """An institution's, then the bureau's."""
    with window(browser, live_server, DESK, complaints) as opened:
        opened.on("dialog", lambda dialog: dialog.accept())
        yield opened
    assert complaints == []


def sign_and_pay(phone: Page) -> Contract:
    """From the offer in the list to the contract in force."""
    phone.goto(reverse("escrow:mine"))
    look(phone)
    phone.get_by_role("link", name="去核对签署").click()
    phone.get_by_text("核对并签署").click()
    expect(phone.locator("main")).to_contain_text("按今天的规定可以签")
    look(phone)
    phone.get_by_label("我已读完合同全文").check()
    phone.get_by_role("button", name="签署合同").click()
    expect(phone.locator("main")).to_contain_text("去缴费")
    order = PaymentOrder.objects.get(contract__guardian__username="demo-parent", state="waiting")
    phone.goto(reverse("escrow:pay", args=[order.reference]))
    look(phone)
    phone.get_by_role("button", name="去银行付款").click()
    phone.get_by_role("button", name="确认付款").click()
    expect(phone.locator("main")).to_contain_text("已缴费，合同开始履行")
    return Contract.objects.get(pk=order.contract_id)


def confirm_and_dispute(phone: Page, parent: User) -> None:
    """One lesson is disputed, all others are confirmed with one tap."""
    waiting = Lesson.objects.waiting().filter(contract__guardian=parent).count()
    assert waiting >= 2
    phone.goto(reverse("escrow:lessons_waiting"))
    look(phone)
    phone.locator("summary", has_text="不对").first.click()
    phone.get_by_label("哪里不对？").first.fill("那天请假没去")
    phone.get_by_role("button", name="提出异议，先不扣款").first.click()
    expect(phone.get_by_text("已提出异议")).to_be_visible()
    phone.get_by_role("button", name="都对，确认这").click()
    expect(phone.get_by_text(f"已确认 {waiting - 1} 次课。")).to_be_visible()
    states = Lesson.objects.filter(contract__guardian=parent)
    assert states.filter(state=LessonState.DISPUTED).count() == 1
    assert not states.waiting().exists()


def agree_to_refund(desk: Page, refund: Refund) -> None:
    desk.goto(reverse("escrow:refund", args=[refund.pk]))
    look(desk)
    desk.get_by_role("button", name="同意，退").click()
    expect(desk.get_by_text("已答复，家长会收到通知。")).to_be_visible()


def offer_until(desk: Page, draft: Contract, until: datetime.date) -> None:
    """Change a draft's last day and try to send it."""
    desk.goto(reverse("escrow:contract_edit", args=[draft.pk]))
    desk.get_by_label("本次所付课程起").fill("2026-11-20")
    desk.get_by_label("本次所付课程止").fill(until.isoformat())
    desk.get_by_role("button", name="签署并发给家长").click()


def test_prepaid_tuition_from_the_signature_to_the_warning(
    demonstration: Town, phone: Page, desk: Page, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = User.objects.get(username="demo-parent")
    refund = Refund.objects.get(contract__guardian=parent)
    sign_in(phone, "demo-parent", PASSWORD)
    signed = sign_and_pay(phone)
    assert (signed.state, signed.paid_on) == (ContractState.ACTIVE, MONDAY)
    confirm_and_dispute(phone, parent)

    sign_in(desk, "demo-institution", PASSWORD)
    agree_to_refund(desk, refund)
    dispatching.dispatch()
    refund.refresh_from_db()
    assert refund.state == RefundState.PAID
    phone.goto(reverse("escrow:refund", args=[refund.pk]))
    expect(phone.locator("main")).to_contain_text("已退")
    look(phone)

    draft = Contract.objects.filter(state=ContractState.DRAFT).order_by("pk")[0]
    offer_until(desk, draft, datetime.date(2027, 2, 20))
    expect(desk.locator("main")).to_contain_text("3 个月")
    look(desk)
    complaints.remove(SENT_BACK)
    draft.refresh_from_db()
    assert draft.state == ContractState.DRAFT
    offer_until(desk, draft, datetime.date(2027, 2, 19))
    expect(desk.locator("main")).to_contain_text("已签署并发给")
    look(desk)
    draft.refresh_from_db()
    assert draft.state == ContractState.OFFERED

    sign_in(desk, "demo-bureau", PASSWORD)
    desk.goto(reverse("escrow:risks"))
    expect(desk.locator("#results")).to_contain_text("紧急")
    look(desk)
    desk.get_by_role("link", name=RUNAWAY).first.click()
    expect(desk.locator("main")).to_contain_text("账上没有的流出")
    look(desk)

    pass_day(demonstration, monkeypatch, MONDAY + _DAY)
    assert tasks_banking.fetch_and_reckon() == []
    assert not BankInstruction.objects.filter(contract=refund.contract, lines=None).exists(), "the bank's statement has it too"
    for name in ("watch", "days", "ledgers"):
        desk.goto(reverse(f"escrow:{name}"))
        look(desk)
    assert list(verify_all()) == []
