"""A bureau brings a school in; its leader sets the password with the code that is shown once."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from qingdan.accounts.models import Organisation, User
from qingdan.places.models import Region
from qingdan.schools.models import JoinCode, School
from tests.district import District, signed_in

GIVEN = {
    "name": "丙小学", "kind": "nine_year", "locality": "country", "layer_code": "demo-district", "address": "某街1号",
    "leader_name": "丙校管理者", "leader_username": "bing",
}  # fmt: skip


def test_a_school_comes_in_with_its_leader(district: District) -> None:
    answer = signed_in(district.bureau).post(reverse("schools:new"), GIVEN)
    school = School.objects.get(organisation__name="丙小学")
    assert (school.first_grade, school.last_grade, school.region) == (1, 9, district.region)
    leader = User.objects.get(username="bing")
    assert not leader.has_usable_password()
    assert answer["Cache-Control"] == "no-store"
    (code,) = re.findall(r"[2-9A-Z]{5}-[2-9A-Z]{5}", re.sub(r"src=.data:[^ ]*", "", answer.content.decode()))
    found = JoinCode.objects.of_code(code)
    assert found is not None
    assert found.staff == leader
    assert "丙小学" in signed_in(district.bureau).get(reverse("schools:list")).content.decode()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "甲小学"}, "已有同名的单位"),
        ({"leader_username": "leader"}, "用户"),
        ({"layer_code": "cn-shanghai"}, "cn-shanghai"),
        ({"name": ""}, "请填写学校全称"),
    ],
)
def test_what_does_not_fit_is_told_and_nothing_is_made(district: District, changes: dict[str, str], told: str) -> None:
    before = Organisation.objects.count(), User.objects.count()
    answer = signed_in(district.bureau).post(reverse("schools:new"), GIVEN | changes)
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert (Organisation.objects.count(), User.objects.count()) == before


def test_a_bureau_without_a_region_is_sent_to_the_calendar(district: District) -> None:
    Organisation.objects.filter(pk=district.bureau.employer.pk).update(region_code="990909")
    assert not Region.objects.filter(code="990909").exists()
    client = signed_in(User.objects.get(pk=district.bureau.pk))
    answer = client.get(reverse("schools:new"), follow=True)
    assert answer.redirect_chain == [(reverse("places:calendar"), 302)]
    assert "先在“校历”页面建立校历" in answer.content.decode()


def test_nobody_else_may(district: District) -> None:
    assert Client().get(reverse("schools:new")).status_code == 302
    assert signed_in(district.first.leader).post(reverse("schools:new"), GIVEN).status_code == 404
