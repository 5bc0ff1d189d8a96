"""A list of people is handed in, previewed, applied and taken back, and an institution registered with its clerk, in a real Chromium."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.accounts.identity import digest
from qingdan.accounts.models import User
from qingdan.institutions.actions.permits import revoke
from qingdan.institutions.models import Institution, Staff
from qingdan.schools.models import StaffIdentity
from tests.browsing import look, sign_in
from tests.district import District
from tests.institutions.applying import make_department
from tests.institutions.making import credit_code, make_permit, make_premises
from tests.institutions.test_staff_import import number, row, workbook

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_list_of_people_is_imported_and_taken_back(page: Page, district: District, institution: Institution, operator: User) -> None:
    StaffIdentity.objects.create(user=district.first.teacher, identity_digest=digest(number(3)), masked_identity="110*************2X")
    sign_in(page, "operator")
    page.goto(reverse("institutions:staff"))
    page.get_by_role("link", name="批量导入").click()
    look(page)
    file = workbook(row(1), row(2, 身份证号="110105194912310021"), row(3))
    page.get_by_label("从业人员名册").set_input_files({"name": "人员.xlsx", "mimeType": file.content_type or "", "buffer": file.read()})
    page.get_by_role("button", name="上传并预览").click()
    expect(page.get_by_role("main")).to_contain_text("在职中小学教师")
    look(page)
    page.get_by_role("link", name="拒收 2").click()
    expect(page.get_by_role("main")).to_contain_text("只看“拒收”，2 行")
    page.get_by_role("button", name="确认导入（1 行）").click()
    expect(page.get_by_role("main")).to_contain_text("已导入")
    assert Staff.objects.get().name == "示例1"
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="撤销导入").click()
    expect(page.get_by_role("main")).to_contain_text("已撤销导入")
    look(page)
    assert not Staff.objects.exists()


def test_an_institution_is_registered_with_a_slip_for_its_clerk(page: Page, district: District, institution: Institution) -> None:
    permit = make_permit(institution, make_premises(institution), district.bureau)
    revoke(permit=permit, by=make_department(district.region, "culture"), reason="超出许可范围")
    sign_in(page, "bureau")
    page.goto(reverse("institutions:institution_new"))
    page.get_by_label("机构名称").fill("新芽艺术培训中心")
    page.get_by_label("统一社会信用代码", exact=True).fill(credit_code(901))
    page.get_by_label("法定代表人").fill("李示例")
    page.get_by_label("登记日期").fill("2026-10-08")
    for label, value in (("登记性质", "non_profit"), ("类别", "non_academic"), ("领域", "culture"), ("招生对象", "compulsory")):
        page.get_by_label(label, exact=True).select_option(value)
    page.get_by_label("主管部门", exact=True).select_option("culture")
    page.get_by_label("经办人姓名").fill("李经办")
    look(page)
    page.get_by_role("button", name="登记").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("新芽艺术培训中心已登记：经办人的加入码")
    look(page)
    page.get_by_role("link", name="已打印，返回").click()
    expect(page.get_by_role("main")).to_contain_text("等本人设密码")
    look(page)
    page.goto(reverse("institutions:permit", args=[permit.pk]))
    expect(page.get_by_role("main")).to_contain_text("改动记录")
    look(page)


def test_a_leader_enters_a_number(page: Page, district: District) -> None:
    sign_in(page, "leader")
    page.goto(reverse("schools:school", args=[district.first.school.pk]))
    page.get_by_text("登记教职工证件").click()
    page.get_by_role("combobox", name="教职工").select_option(str(district.first.teacher.pk))
    page.get_by_label("身份证号（外籍填护照号）").fill(number(1))
    page.get_by_role("button", name="登记证件").click()
    expect(page.get_by_role("main")).to_contain_text("已登记证件。")
    look(page)
