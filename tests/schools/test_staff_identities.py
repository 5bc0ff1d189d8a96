"""Numbers of staff, from a roll's optional column 身份证号 or typed in by the leader: only a digest and a mask are kept."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from qingdan.accounts.identity import digest
from qingdan.schools.models import RollImport, RollRow, StaffIdentity
from tests.district import District, signed_in
from tests.institutions.making import make_institution, make_staff
from tests.schools.workbooks import STAFF_HEAD, acts, post, send, xlsx

#: The example of GB 11643; nobody's.
NUMBER = "11010519491231002X"
HEAD = [*STAFF_HEAD, "身份证号"]


@pytest.fixture
def leader(district: District) -> Client:
    """The leader's browser."""
    return signed_in(district.first.leader)


def sent(leader: Client, *rows: list[str]) -> RollImport:
    send(leader, xlsx(("教师", [HEAD, *rows])), "staff")
    return RollImport.objects.latest("pk")


def line(username: str, number: str) -> list[str]:
    return [username, username, "", "", "", "", "", number]


def test_a_number_becomes_a_digest_and_can_be_taken_back(district: District, leader: Client) -> None:
    roll = sent(leader, line("teacher", NUMBER.lower()), line("xin", ""))
    assert acts(roll) == ["change", "add"]
    assert NUMBER[6:] not in json.dumps(list(RollRow.objects.values("values", "what")), ensure_ascii=False).upper()
    assert "登记证件 110*************2X" in roll.rows.all()[0].what
    post(leader, "apply_roll", roll)
    assert StaffIdentity.objects.get().user == district.first.teacher
    assert StaffIdentity.objects.get().identity_digest == digest(NUMBER)
    assert acts(sent(leader, line("teacher", NUMBER))) == ["same"]
    post(leader, "undo_roll", roll)
    assert not StaffIdentity.objects.exists()


def test_a_new_teacher_gets_account_and_identity_together(district: District, leader: Client) -> None:
    roll = sent(leader, line("xin", NUMBER))
    post(leader, "apply_roll", roll)
    assert StaffIdentity.objects.get().user.username == "xin"


def test_a_wrong_or_taken_number_refuses_the_line_without_repeating_it(district: District, leader: Client) -> None:
    StaffIdentity.objects.create(user=district.second.teacher, identity_digest=digest(NUMBER), masked_identity="110*************2X")
    roll = sent(leader, line("teacher", NUMBER), line("other_teacher", "110105194912310021"))
    assert acts(roll) == ["refuse", "refuse"]
    taken, wrong = (each.what for each in roll.rows.all())
    assert "已属于另一位教职工" in taken
    assert "身份证号不对" in wrong
    assert "110105" not in taken + wrong
    assert district.second.school.name not in taken


def enter(leader: Client, district: District, **values: object) -> str:
    """The page after a number was typed for the teacher."""
    given = {"user": district.first.teacher.pk, "number": NUMBER} | values
    return leader.post(reverse("schools:set_identity"), given, follow=True).content.decode()


def test_a_leader_enters_a_number_sees_its_mask_and_takes_it_back(district: District, leader: Client) -> None:
    assert "0 / 4 人已登记" in enter(leader, district, number="")
    page = enter(leader, district, number=NUMBER.lower())
    assert "已登记证件。" in page
    assert "110*************2X" in page
    assert "1 / 4 人已登记" in page
    assert NUMBER[6:] not in page.upper()
    assert StaffIdentity.objects.get().identity_digest == digest(NUMBER)
    assert "已撤销：登记证件" in leader.post(reverse("schools:undo"), follow=True).content.decode()
    assert not StaffIdentity.objects.exists()


def test_nobody_but_the_leader_sees_the_mask(district: District, leader: Client) -> None:
    enter(leader, district)
    for reader in (district.bureau, district.first.teacher, district.first.other_teacher):
        page = signed_in(reader).get(reverse("schools:school", args=[district.first.school.pk])).content.decode()
        assert "110*" not in page
        assert "登记证件" not in page


def test_a_number_is_corrected_and_forgotten(district: District, leader: Client) -> None:
    enter(leader, district)
    assert "没有变化" in enter(leader, district)
    enter(leader, district, number="AB 1234567", is_foreign="on")
    kept = StaffIdentity.objects.get()
    assert (kept.identity_digest, kept.masked_identity) == (digest("AB1234567", is_foreign=True), "A******67")
    leader.post(reverse("schools:remove_identity", args=[kept.pk]))
    assert not StaffIdentity.objects.exists()
    leader.post(reverse("schools:undo"))
    assert StaffIdentity.objects.get().identity_digest == kept.identity_digest


def test_a_wrong_taken_or_strange_one_is_refused_and_nothing_is_kept(district: District, leader: Client) -> None:
    assert "身份证号不对" in enter(leader, district, number="110105194912310021")
    assert "请填写证件号" in enter(leader, district, number=" ")
    assert "请从列表里选择教职工" in enter(leader, district, user=district.second.teacher.pk)
    StaffIdentity.objects.create(user=district.second.teacher, identity_digest=digest(NUMBER), masked_identity="110*************2X")
    refused = enter(leader, district)
    assert "已属于另一位教职工" in refused
    assert district.second.school.name not in refused
    assert not StaffIdentity.objects.filter(user=district.first.teacher).exists()


def test_what_a_leader_enters_is_matched_with_institutions(district: District, leader: Client) -> None:
    make_staff(make_institution(district.region), identity_digest=digest(NUMBER))
    matched = reverse("institutions:staff_matched")
    assert district.first.teacher.display_name not in leader.get(matched).content.decode().split("<main")[1]
    enter(leader, district)
    assert district.first.teacher.display_name in leader.get(matched).content.decode().split("<main")[1]
