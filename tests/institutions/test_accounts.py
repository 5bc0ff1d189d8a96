"""Whoever registers an institution hands its clerk a one-time code; the clerk sets the password, as in a school."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qingdan.accounts.models import Organisation, User
from qingdan.institutions.models import Institution, RegisterImport
from qingdan.schools.models import JoinCode
from tests.district import District, signed_in
from tests.institutions.making import credit_code
from tests.institutions.test_import import act, preview, row, workbook
from tests.institutions.test_registry import data

PASSWORD = "xiao-qing-dan-2026"


def codes_on(answer: Any) -> list[str]:
    """The codes printed on a page, in order."""
    assert answer["Cache-Control"] == "no-store"
    return re.findall(r"[2-9A-Z]{5}-[2-9A-Z]{5}", re.sub(r"src=.data:[^ ]*", "", answer.content.decode()))


def come_in(code: str) -> Client:
    """A browser in which somebody has used a code."""
    client = Client()
    client.post(reverse("schools:join"), {"code": code, "step": "join", "password": PASSWORD, "again": PASSWORD})
    return client


def test_an_institution_is_registered_with_its_clerk_who_comes_in_with_the_code(district: District) -> None:
    given = data(region=str(district.region.pk), account_name="李经办", account_username="xinya")
    (code,) = codes_on(signed_in(district.bureau).post(reverse("institutions:institution_new"), given))
    made, clerk = Institution.objects.get(), User.objects.get(username="xinya")
    assert (clerk.organisation, clerk.role, clerk.display_name) == (made.organisation, "institution", "李经办")
    assert not clerk.has_usable_password()
    asked = Client().post(reverse("schools:join"), {"code": code}).content.decode()
    assert "新芽艺术培训中心" in asked
    assert "<dt>单位</dt>" in asked
    assert "李经办" not in asked
    mine = come_in(code).get(reverse("institutions:institution", args=[made.pk]))
    assert "新芽艺术培训中心" in mine.content.decode()
    assert "打印加入码" not in mine.content.decode()
    assert "加入码不对" in Client().post(reverse("schools:join"), {"code": code}).content.decode()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"account_name": "李经办", "account_username": "leader"}, "用户名"),
        ({"account_username": "xinya"}, "也请填写经办人姓名"),
        ({"account_name": "李经办", "account_username": "有 空格"}, "用户名"),
    ],
)
def test_an_account_that_does_not_fit_registers_nothing(district: District, given: dict[str, str], told: str) -> None:
    before = Organisation.objects.count(), User.objects.count()
    answer = signed_in(district.bureau).post(reverse("institutions:institution_new"), data(region=str(district.region.pk)) | given)
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert (Organisation.objects.count(), User.objects.count()) == before


def test_an_institution_without_account_gets_one_later_and_a_lost_slip_is_replaced(district: District, institution: Institution) -> None:
    bureau = signed_in(district.bureau)
    page = reverse("institutions:institution", args=[institution.pk])
    assert "开通账户并打印加入码" in bureau.get(page).content.decode()
    (first,) = codes_on(bureau.post(reverse("institutions:institution_codes", args=[institution.pk])))
    clerk = User.objects.get(organisation=institution.organisation)
    assert (clerk.username, clerk.display_name) == (institution.credit_code, "示例艺术培训中心经办人")
    assert "重新打印加入码" in bureau.get(page).content.decode()
    (second,) = codes_on(bureau.post(reverse("institutions:institution_codes", args=[institution.pk])))
    assert JoinCode.objects.of_code(first) is None
    come_in(second)
    clerk.refresh_from_db()
    assert clerk.has_usable_password()
    again = bureau.post(reverse("institutions:institution_codes", args=[institution.pk]), follow=True).content.decode()
    assert "已有人设好密码登录" in again
    assert "打印加入码" not in again


def test_an_import_prints_codes_for_what_it_registered_and_can_still_be_undone(district: District) -> None:
    bureau = signed_in(district.bureau)
    preview(bureau, workbook(row(1), row(2)))
    url = reverse("institutions:register_codes", args=[RegisterImport.objects.get().pk])
    assert "不用再发加入码" in bureau.post(url, follow=True).content.decode()
    assert not User.objects.filter(role="institution").exists()
    assert "打印新机构的加入码" in act(bureau, "apply")
    assert len(codes_on(bureau.post(url))) == 2
    assert set(User.objects.filter(role="institution").values_list("username", flat=True)) == {credit_code(1), credit_code(2)}
    assert "已撤销" in act(bureau, "undo")
    assert not User.objects.filter(role="institution").exists()
    assert not JoinCode.objects.exists()


def test_an_import_into_which_somebody_has_come_is_not_undone(district: District) -> None:
    bureau = signed_in(district.bureau)
    preview(bureau, workbook(row(1)))
    act(bureau, "apply")
    (code,) = codes_on(bureau.post(reverse("institutions:register_codes", args=[RegisterImport.objects.get().pk])))
    come_in(code)
    assert "后来有了用户" in act(bureau, "undo")
    assert Institution.objects.exists()
