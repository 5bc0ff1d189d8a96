"""The house in a real Chromium, on a phone and on a desk: nothing sticks out, nothing is too pale, no script is forbidden."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from qingdan.uploads.actions import judge_upload
from qingdan.uploads.models import Upload
from tests.browsing import look, sign_in
from tests.web.conftest import Cast, Submit, homework

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
