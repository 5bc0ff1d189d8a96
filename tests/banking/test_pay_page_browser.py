"""A parent pays at the demo bank in a real Chromium, on a phone and on a desk."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from qingdan.banking import Order, OrderStatus
from tests.banking.conftest import Town
from tests.banking.records import CUSTODY

pytestmark = pytest.mark.browser
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)], ids=["phone", "desktop"])
def test_a_parent_pays_with_one_button_and_comes_back(town: Town, browser: Browser, width: int, height: int) -> None:
    """By keyboard; nothing sticks out; the page's own rules let the browser go back to who asked."""
    bank, back = town.bank(), f"{town.running.address}/nothing?contract=7"
    order = Order("HT-2026-000123", 120_000, CUSTODY, "王小明家长（虚构）", "创意美术 20 课时（虚构）", back)
    receipt = bank.collect(order)
    page = browser.new_page(viewport=ViewportSize(width=width, height=height))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.goto(receipt.pay_address)
    expect(page.get_by_role("banner")).to_contain_text("演示银行（虚构）")
    expect(page.get_by_role("heading", level=1)).to_have_text("确认付款")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if folder := os.environ.get("QINGDAN_SHOTS"):
        page.screenshot(path=f"{folder}/pay-{width}.png")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="确认付款 ¥1200.00")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{back}&order=HT-2026-000123")
    assert bank.collected("HT-2026-000123").status is OrderStatus.PAID
    page.goto(receipt.pay_address)
    expect(page.get_by_role("link", name="已付款，返回")).to_be_visible()
    if folder := os.environ.get("QINGDAN_SHOTS"):
        page.screenshot(path=f"{folder}/paid-{width}.png")
    assert complaints == []
    page.close()
