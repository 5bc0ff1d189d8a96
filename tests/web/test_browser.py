"""The house in a real Chromium, on a phone and on a desk: nothing sticks out, nothing is too pale, no script is forbidden."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from qingdan.uploads.actions import judge_upload
from qingdan.uploads.models import Upload
from tests.web.conftest import PASSWORD, Cast, Submit, homework

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

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


@pytest.fixture(scope="module", autouse=True)
def _loop_beside_the_database() -> Iterator[None]:
    """Playwright keeps an event loop in this thread; the tests' own queries run beside it, never inside it."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it, or as Playwright brings it; its absence is no excuse in CI."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=found, args=QUIET)
        except Error:
            if os.environ.get("CI"):
                raise
            pytest.skip("没有找到 Chromium")
        yield opened
        opened.close()


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A fresh window; whatever the page complains about fails the test."""
    context = browser.new_context(viewport=request.param, locale="zh-CN", base_url=live_server.url)
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    opened = context.new_page()
    opened.on("console", hear)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url) if not request.url.startswith((live_server.url, "data:")) else None)
    yield opened
    context.close()
    assert complaints == []


#: The document is whole, and no colour is on its way to another: nobody reads those in between.
SETTLED = """document.documentElement !== null && document.readyState === 'complete'
    && !document.getAnimations().some(each => each.effect?.getComputedTiming().endTime < Infinity)"""


def look(page: Page) -> None:
    """What holds for every page; of one that is still coming, once it has come."""
    page.wait_for_load_state()
    for _ in range(100):
        if page.evaluate(SETTLED):
            break
        page.wait_for_timeout(50)
    sticking_out = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert sticking_out <= 0, page.url
    assert page.evaluate(PALE) == [], page.url
    assert page.evaluate(UNNAMED) == [], page.url
    assert page.title().endswith("· 轻担")


def sign_in(page: Page, username: str) -> None:
    page.goto(reverse("accounts:login"))
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="登录").click()
    expect(page.locator(".qd-who")).to_have_count(1)


def test_public_pages(page: Page) -> None:
    for address in (
        reverse("home"),
        reverse("library:home"),
        reverse("library:document", args=["s1"]),
        reverse("library:parameters"),
        reverse("library:rules"),
        reverse("library:rule", args=["homework.daily-total"]),
        reverse("library:compare") + "?a=cn-shanghai&b=cn-xinjiang",
        reverse("library:layer", args=["demo-district"]),
        reverse("library:facts"),
        reverse("accounts:login"),
    ):
        page.goto(address)
        look(page)


def test_a_workbook_from_the_door_to_the_clause(page: Page, cast: Cast, tmp_path: Path) -> None:
    workbook = tmp_path / "第12周作业.xlsx"
    workbook.write_bytes(homework())
    sign_in(page, "school")
    page.goto(reverse("uploads:list"))
    look(page)
    page.get_by_role("link", name="上传第一个表格").click()
    look(page)
    page.get_by_label("表格文件").set_input_files(workbook)
    page.get_by_role("button", name="上传并体检").click()
    expect(page.get_by_text("排队中")).to_be_visible()
    look(page)
    judge_upload(Upload.objects.get().pk)
    sentence = page.get_by_text("三（2）班 11月17日 书面家庭作业合计 65 分钟，超过本地上限 60 分钟")
    expect(sentence).to_be_visible()  # the page moves on by itself
    look(page)
    for tab in ("未读内容", "缺列未判", "原文件"):
        page.locator(".qd-tabs").get_by_role("link", name=tab).click()
        look(page)
    page.locator(".qd-tabs").get_by_role("link", name="判定结果").click()
    page.locator(".qd-findings .is-breach dd a[href*='/clauses/']").first.click()
    expect(page.locator(".qd-clause:target")).to_be_in_viewport()


def test_filters_change_the_results_without_a_new_page(page: Page, cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, homework(), homework((0, "很久", 70)))
    sign_in(page, "school")
    page.goto(reverse("uploads:findings", args=[upload.pk]))
    page.evaluate("window.isStillHere = true")
    page.get_by_label("规则").select_option("homework.daily-total")
    expect(page.locator(".qd-rule-group")).to_have_count(1)
    page.get_by_role("searchbox").fill("没有这样的班")
    expect(page.get_by_text("没有符合筛选条件的结果")).to_be_visible()
    assert "rule=homework.daily-total" in page.url
    assert page.evaluate("window.isStillHere")
    page.reload()
    expect(page.get_by_text("没有符合筛选条件的结果")).to_be_visible()
    page.get_by_role("link", name="清除筛选").click()
    expect(page.locator(".qd-rule-group").first).to_be_visible()


def test_a_search_asks_once_and_never_calls_a_reader_back(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.headers.get("hx-request") else None)
    page.goto(reverse("library:rules"))
    page.get_by_role("searchbox").fill("作业")
    rule = page.locator("#results").get_by_role("link").first
    expect(page).to_have_url(re.compile("q="))
    page.get_by_role("searchbox").blur()  # which a browser tells as a change of the field
    page.wait_for_timeout(200)
    assert len(asked) == 1

    def late(route: Route) -> None:
        page.wait_for_timeout(300)
        route.continue_()

    page.route(re.compile(r"q="), late)
    with page.expect_request(re.compile("q=")):
        page.get_by_role("searchbox").fill("作业量")
    address = str(rule.get_attribute("href"))
    rule.click()
    expect(page).to_have_url(re.compile(re.escape(address)))
    page.wait_for_timeout(600)
    assert address in page.url


def test_deleting_asks_first_and_can_be_undone(page: Page, cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, names=["作业.xlsx"])
    sign_in(page, "school")
    page.goto(reverse("uploads:findings", args=[upload.pk]))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="删除").click()
    expect(page.get_by_role("link", name="下载结果（xlsx）")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="删除").click()
    page.get_by_text("最近删除（1）").click()
    look(page)
    page.get_by_role("button", name="恢复").click()
    expect(page.get_by_text("已恢复")).to_be_visible()


def test_the_keyboard_reaches_the_text_first(page: Page) -> None:
    page.goto(reverse("library:home"))
    page.keyboard.press("Tab")
    expect(page.get_by_text("跳到正文")).to_be_focused()
    expect(page.get_by_text("跳到正文")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
