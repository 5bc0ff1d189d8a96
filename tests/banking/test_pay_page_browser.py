"""A parent pays at the demo bank in a real Chromium, on a phone and on a desk."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from qingdan.banking import Order, OrderStatus
from tests.banking.conftest import Town
from tests.banking.records import CUSTODY
from tests.browsing import DESK, PHONE

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_parent_pays_with_one_button_and_comes_back(town: Town, browser: Browser, viewport: ViewportSize) -> None:
    """By keyboard; nothing sticks out; the page's own rules let the browser go back to who asked."""
    bank, back = town.bank(), f"{town.running.address}/nothing?contract=7"
    order = Order("HT-2026-000123", 120_000, CUSTODY, "王小明家长（虚构）", "创意美术 20 课时（虚构）", back)
    receipt = bank.collect(order)
    page = browser.new_page(viewport=viewport)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.goto(receipt.pay_address)
    expect(page.get_by_role("banner")).to_contain_text("演示银行（虚构）")
    expect(page.get_by_role("heading", level=1)).to_have_text("确认付款")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if folder := os.environ.get("QINGDAN_SHOTS"):
        page.screenshot(path=f"{folder}/pay-{viewport['width']}.png")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="确认付款 ¥1200.00")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{back}&order=HT-2026-000123")
    assert bank.collected("HT-2026-000123").status is OrderStatus.PAID
    page.goto(receipt.pay_address)
    expect(page.get_by_role("link", name="已付款，返回")).to_be_visible()
    if folder := os.environ.get("QINGDAN_SHOTS"):
        page.screenshot(path=f"{folder}/paid-{viewport['width']}.png")
    assert complaints == []
    page.close()
