"""A roll and a code in a real Chromium, on a phone and on a desk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.schools.models import Pupil
from tests.browsing import look, sign_in
from tests.district import District
from tests.schools.workbooks import PUPIL_HEAD, xlsx

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_roll_from_upload_to_undo_and_a_parent_with_a_code(page: Page, district: District, tmp_path: Path) -> None:
    school = district.first
    roll = tmp_path / "名册.xlsx"
    moved = school.pupils[1]
    roll.write_bytes(
        xlsx(("名册", [PUPIL_HEAD, ["三（1）班", moved.number, moved.name], ["三1班", "N1", "新生甲"], ["九（9）班", "N2", "无班"]]))
    )
    sign_in(page, "leader")
    page.goto(reverse("schools:school", args=[school.school.pk]))
    look(page)
    page.get_by_role("link", name="名册导入").click()
    look(page)
    page.get_by_label("名册文件").set_input_files(roll)
    page.get_by_role("button", name="上传并预览").click()
    expect(page.get_by_text("这是预览，学校数据还没有变化")).to_be_visible()
    look(page)
    page.get_by_role("link", name="拒收 1").click()
    expect(page.get_by_text("不在本校的年级")).to_be_visible()
    expect(page.get_by_text("新生，编入三（1）班")).to_have_count(0)
    page.get_by_role("button", name="确认导入（2 行）").click()
    expect(page.get_by_text("已导入。如果导错了")).to_be_visible()
    look(page)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="撤销导入").click()
    expect(page.get_by_text("已撤销导入")).to_be_visible()
    assert not Pupil.objects.filter(number="N1").exists()
    page.goto(reverse("schools:class_codes", args=[school.class_32.pk]))
    look(page)
    page.get_by_role("button", name=re.compile("发给还没有的")).click()
    code = page.locator(".schools-code").first.inner_text()
    look(page)
    page.context.clear_cookies()
    page.goto(f"{reverse('schools:join')}#{code}")
    expect(page.get_by_label("加入码")).to_have_value(code)
    look(page)
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_text("三（2）班")).to_be_visible()
    look(page)
    page.get_by_label("您的姓名").fill("张妈妈")
    page.get_by_label("用户名").fill("zhangmama")
    page.get_by_label("密码", exact=True).fill("spring-blossom-26")
    page.get_by_label("再输一遍密码").fill("spring-blossom-26")
    page.get_by_role("button", name="建立账户并登录").click()
    expect(page.get_by_text("欢迎，张妈妈")).to_be_visible()
    page.goto(reverse("places:calendar"))
    look(page)


def test_the_bureau_makes_a_day_a_holiday_and_takes_it_back(page: Page, district: District) -> None:
    sign_in(page, "bureau")
    page.goto(reverse("schools:list"))
    look(page)
    page.goto(reverse("places:edit"))
    look(page)
    page.get_by_label("日期", exact=True).fill("2026-11-17、11月18日")
    page.get_by_label("改为").select_option("holiday")
    page.get_by_label("说明").fill("运动会")
    page.get_by_role("button", name="调整", exact=True).click()
    expect(page.get_by_text("已把 2 天改为放假，即刻生效")).to_be_visible()
    look(page)
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_text("已撤销：把 2 天改为放假")).to_be_visible()
