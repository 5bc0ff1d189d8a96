"""A real Chromium for tests: its windows, what every page has to be like, and signing in."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, ViewportSize, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.district import PASSWORD

#: The first that is installed is used. Without windows Chromium takes half the processor time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1440, height=900)

#: Text that stands out too little from what is behind it (WCAG AA: 4.5, large or bold 3).
PALE = """() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const pale = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("noscript, option, .visually-hidden")) continue;
    const style = getComputedStyle(element), [a, b] = [light(rgb(style.color)), light(behind(element))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const what = `${element.tagName}.${element.className} ${element.textContent.trim().slice(0, 20)}`;
    if (ratio < (large ? 3 : 4.5)) pale.push(`${ratio.toFixed(2)} ${what}`);
  }
  return pale;
}"""
#: Fields without a name, pictures without one, ids given twice, and anything but one first heading.
UNNAMED = """() => [
  ...[...document.querySelectorAll("input:not([type=hidden]), select")].filter(e => !e.labels?.length && !e.ariaLabel),
  ...[...document.querySelectorAll("button, a[href]")].filter(e => !e.textContent.trim() && !e.ariaLabel),
  ...[...document.querySelectorAll("[id]")].filter(e => document.querySelectorAll(`[id="${e.id}"]`).length > 1),
  ...(document.querySelectorAll("h1").length === 1 ? [] : [document.body]),
].map(e => e.outerHTML.slice(0, 120))"""
#: The document is whole, and no colour is on its way to another: nobody reads those in between.
SETTLED = """() => document.documentElement !== null && document.readyState === 'complete'
    && !document.getAnimations().some(each => each.effect?.getComputedTiming().endTime < Infinity)"""
#: Nobody taps faster than a page comes, except a test: until its scripts are there, a page takes no tap, and Playwright waits.
PATIENCE = """
  const hold = () => { if (document.documentElement) document.documentElement.style.pointerEvents = 'none'; };
  const watch = new MutationObserver(hold);
  watch.observe(document, {childList: true});
  hold();
  window.addEventListener('load', () => { watch.disconnect(); document.documentElement.style.pointerEvents = ''; });
"""
#: All that is wrong with a page, looked at in one moment.
FAULTS = f"""() => [
  ...(document.documentElement.scrollWidth > innerWidth ? [`${{document.documentElement.scrollWidth}} px wide`] : []),
  ...({PALE})(),
  ...({UNNAMED})(),
  ...(document.title.endsWith("· 轻担") ? [] : [`title ${{document.title}}`]),
]"""

#: What the browser says of a form that is sent back.
SENT_BACK = "Failed to load resource: the server responded with a status of 400 (Bad Request)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it, or as Playwright brings it; its absence is no excuse in CI."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; the tests' own queries run beside it, never inside it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        try:
            opened = playwright.chromium.launch(executable_path=found, args=QUIET)
        except Error:
            if os.environ.get("CI"):
                raise
            pytest.skip("没有找到 Chromium")
        yield opened
        opened.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser said against the pages so far. At the end there must be nothing: a test takes out what it meant to cause."""
    return []


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer, complaints: list[str]) -> Iterator[Page]:
    """A fresh window of the house; whatever the browser complains about fails the test."""
    with window(browser, live_server, request.param, complaints) as opened:
        yield opened
    assert complaints == []


@contextlib.contextmanager
def window(browser: Browser, live_server: LiveServer, viewport: ViewportSize, complaints: list[str]) -> Iterator[Page]:
    """A window with cookies of its own; what it complains about is noted, foreign addresses too: pages bring all they need."""

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def watch(asked: Request) -> None:
        if not asked.url.startswith((live_server.url, "data:")):
            complaints.append(asked.url)

    with browser.new_context(viewport=viewport, locale="zh-CN", base_url=live_server.url) as context:
        context.add_init_script(PATIENCE)
        opened = context.new_page()
        opened.on("console", hear)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", watch)
        yield opened


def look(page: Page) -> None:
    """What holds for every page; of one that is still coming, once it has come."""
    page.wait_for_function(SETTLED)
    assert page.evaluate(FAULTS) == [], page.url


def settle_down(page: Page) -> None:
    """Let questions that are under way be answered: leaving the page would break them off, which the browser reports as an error."""
    page.wait_for_load_state("networkidle")


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Somebody takes the device, whoever had it before."""
    page.context.clear_cookies()
    page.goto(reverse("accounts:login"))
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(password)
    page.locator("main").get_by_role("button", name="登录").click()
    expect(page.locator(".qd-who")).to_have_count(1)
