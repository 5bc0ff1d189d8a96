"""The optional column 身份证号 of a roll of staff: only a digest and a mask go on from the workbook."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from qingdan.accounts.identity import digest
from qingdan.schools.models import RollImport, RollRow, StaffIdentity
from tests.district import District, signed_in
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
