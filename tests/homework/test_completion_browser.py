"""Families, class teachers and the design library in a real Chromium, on a phone and on a desk."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from qingdan.accounts.enums import Role
from qingdan.draws.models import Draw
from qingdan.homework.actions.families import draw_families
from qingdan.homework.models import Design, FamilyReport, Marking, SchoolFinish, SubjectMinutes
from qingdan.schools.models import Guardian
from tests.browsing import look, settle_down, sign_in
from tests.district import MONDAY, District, SmallSchool, homework, make_pupil, make_user, subject

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FRIDAY = MONDAY + datetime.timedelta(days=4)


def a_week_of_homework(school: SmallSchool) -> None:
    """Homework of each day of the week, answers of three families for the first days, one answer only on Thursday."""
    contents = {"数学": "练习册第 12 页 1–4 题，用竖式计算并验算", "语文": "抄写第 9 课生字，每个组两个词", "英语": "朗读第三单元对话"}
    for number in range(5):
        day = MONDAY + datetime.timedelta(days=number)
        for name, content in contents.items():
            form = "oral" if name == "英语" else "written"
            homework(
                school.class_32, school.teacher, name, 20 + number, on_date=day, content=content, form=form, status="out",
                sent_at=timezone.now(),
            ).save()  # fmt: skip
        for answer in range(3 if number < 3 else 1 if number == 3 else 0):
            pupil = make_pupil(school.class_32)
            report = FamilyReport.objects.create(
                draw=Draw.hold("家庭反馈", [pupil.pk], 1), pupil=pupil, school_class=school.class_32, on_date=day,
                homework_minutes=40 + 15 * number + 5 * answer, sleep="late" if answer == 2 else "done_in_time", answered_at=timezone.now(),
            )  # fmt: skip
            SubjectMinutes.objects.create(report=report, subject=subject("数学"), homework_minutes=25)


@pytest.fixture(autouse=True)
def _friday(school_day: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Friday of the week."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: FRIDAY)


def test_a_parent_reports_in_two_taps(page: Page, district: District) -> None:
    school = district.first
    a_week_of_homework(school)
    for pupil in school.pupils[1:3]:
        Guardian.objects.create(user=make_user(f"guardian{pupil.pk}", Role.PARENT), pupil=pupil)
    assert draw_families(FRIDAY) == 3
    sign_in(page, "parent")
    page.goto(reverse("homework:family"))
    look(page)
    page.locator("label", has_text="45").click()
    page.get_by_role("button", name="没做完，也按时睡").click()
    expect(page.get_by_text("收到了，谢谢！")).to_be_visible()
    report = FamilyReport.objects.get(pupil=school.pupils[0])
    assert (report.homework_minutes, report.sleep) == (45, "stopped_in_time")
    page.get_by_text("再说说各学科用时").click()
    look(page)
    page.get_by_label("数学").fill("30")
    page.get_by_role("button", name="保存各学科").click()
    expect(page.get_by_text("各学科用时已记录")).to_be_visible()
    page.get_by_role("button", name="撤销重填").click()
    expect(page.get_by_text("可以重新填")).to_be_visible()
    page.locator("label", has_text="更长").click()
    page.get_by_label("用了多少分钟", exact=True).fill("150")
    look(page)
    page.get_by_role("button", name="做到很晚才睡").click()
    expect(page.get_by_text("150 分钟")).to_be_visible()
    page.get_by_role("link", name="看以前各周和各学科").click()
    expect(page.get_by_text("人少不显示").first).to_be_visible()
    look(page)


def test_the_class_teacher_ticks_the_share_and_records_marking(page: Page, district: District) -> None:
    school = district.first
    a_week_of_homework(school)
    sign_in(page, "teacher")
    page.goto(reverse("homework:finish"))
    today = page.locator(".hw-day").first
    today.get_by_role("button", name="90%").click()
    expect(today.get_by_text("已保存")).to_be_visible()
    page.locator(".hw-day").nth(1).get_by_role("button", name="70%").click()
    expect(page.get_by_text("低于下限")).to_be_visible()
    look(page)
    assert SchoolFinish.objects.count() == 2
    page.locator(".qd-tabs").get_by_role("link", name="批改与反馈").click()
    page.get_by_role("button", name="勾选还没记录的").first.click()
    page.get_by_label("课堂讲评").check()
    page.get_by_label("面批", exact=True).fill("5")
    look(page)
    page.get_by_role("button", name="勾选的：全批全改").click()
    expect(page.get_by_text("已记录 3 项批改")).to_be_visible()
    look(page)
    assert Marking.objects.filter(is_discussed_in_class=True, face_to_face_count=5).count() == 3
    page.locator(".qd-tabs").get_by_role("link", name="估计与实际用时").click()
    look(page)


def test_a_design_is_submitted_reviewed_and_used(page: Page, district: District, tmp_path: Path) -> None:
    school = district.first
    picture = tmp_path / "示意图.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 3000)
    sign_in(page, "teacher")
    page.goto(reverse("homework:designs"))
    look(page)
    page.get_by_role("link", name="写一份设计").click()
    page.get_by_label("名称").fill("周长：量一量身边的物品")
    page.get_by_label("学科").select_option("数学")
    page.get_by_label("年级").select_option("三年级")
    page.get_by_label("单元").fill("长方形和正方形")
    page.get_by_label("作业内容").fill("选家里三样长方形的物品，量出长和宽，算出周长，记在表里。")
    page.get_by_label("设计意图").fill("在生活里用周长，不做机械重复。")
    page.get_by_label("预计时长").fill("15")
    page.get_by_label("层次").select_option("基础")
    page.get_by_label("类型").select_option("实践")
    page.get_by_label("来源").select_option("改编")
    page.get_by_label("出处").fill("教材第 84 页例题")
    page.get_by_label("附件").set_input_files(picture)
    look(page)
    page.get_by_role("button", name="保存并提交审核").click()
    expect(page.get_by_text("已提交，等教研组长审核")).to_be_visible()
    look(page)
    sign_in(page, "grade_head")
    page.goto(reverse("homework:designs"))
    page.locator(".qd-tabs").get_by_role("link", name="待我审核（1）").click()
    look(page)
    page.get_by_role("link", name="周长：量一量身边的物品").click()
    page.get_by_role("button", name="审核入库").click()
    expect(page.get_by_text("全校教师都能用了")).to_be_visible()
    look(page)
    sign_in(page, "teacher")
    page.goto(reverse("homework:design", args=[Design.objects.get().pk]))
    page.get_by_role("link", name="用它布置").click()
    expect(page).to_have_url(re.compile("design="))
    assert "量出长和宽" in page.content()
    assert school.teacher.designs.get().status == "published"
    settle_down(page)
