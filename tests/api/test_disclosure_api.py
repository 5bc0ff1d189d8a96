"""Disclosure through the API."""

from __future__ import annotations

import hashlib
import json

from django.db import connection
from django.test.utils import CaptureQueriesContext

from qingdan.accounts.enums import Scope
from qingdan.homework.actions.register import enter
from qingdan.homework.models import Disclosure
from tests.api.conftest import program, told
from tests.district import MONDAY, TUESDAY, WEDNESDAY, District, homework

WEEK = {"grade": 3, "week_from": str(MONDAY), "intent": "巩固", "requirements": "独立完成"}


def give(district: District) -> None:
    school = district.first
    enter([homework(school.class_31, school.teacher), homework(school.class_32, school.teacher)], by=school.teacher)


def test_a_head_publishes_and_anybody_of_the_region_reads_and_checks_the_hash(district: District) -> None:
    give(district)
    response = program(district.first.grade_head).post("disclosures", WEEK)
    assert response.status_code == 201, response.content.decode()
    published = told(response)
    assert (published["grade"], published["version"], published["school"]) == (3, 1, "甲小学")
    seen = told(program(district.bureau).get(f"disclosures/{published['id']}"))
    canonical = json.dumps(seen["snapshot"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == seen["sha256"]


def test_a_correction_is_a_second_version_with_a_reason(district: District) -> None:
    give(district)
    head = program(district.first.grade_head)
    head.post("disclosures", WEEK)
    enter([homework(district.first.class_32, district.first.teacher, on_date=WEDNESDAY)], by=district.first.teacher)
    refused = head.post("disclosures", WEEK)
    assert refused.status_code == 422
    assert "更正" in told(refused)["message"]
    second = told(head.post("disclosures", WEEK | {"correction": "补上周三的作业"}))
    assert [each["version"] for each in second["versions"]] == [2, 1]
    assert told(head.get("disclosures"))["count"] == 1
    assert told(head.get("disclosures", every_version="true"))["count"] == 2


def test_disclosures_are_filtered(district: District) -> None:
    give(district)
    head = program(district.first.grade_head)
    head.post("disclosures", WEEK)
    assert told(head.get("disclosures", grade=2))["count"] == 0
    assert told(head.get("disclosures", **{"from": str(TUESDAY)}))["count"] == 0
    assert told(head.get("disclosures", school_id=district.first.school.pk, to=str(MONDAY)))["count"] == 1


def test_who_leads_no_grade_cannot_publish(district: District) -> None:
    give(district)
    response = program(district.first.other_teacher).post("disclosures", WEEK)
    assert response.status_code in (403, 422)
    assert program(district.bureau, Scope.DISCLOSURE_READ).post("disclosures", WEEK).status_code == 403
    assert not Disclosure.objects.exists()


def test_a_week_without_homework_or_not_from_monday_is_refused(district: District) -> None:
    head = program(district.first.grade_head)
    assert "没有已布置的作业" in told(head.post("disclosures", WEEK))["message"]
    assert "周一" in told(head.post("disclosures", WEEK | {"week_from": str(TUESDAY)}))["message"]


def test_a_school_finds_its_own_disclosures_only(district: District) -> None:
    give(district)
    published = told(program(district.first.grade_head).post("disclosures", WEEK))
    stranger = program(district.second.leader)
    assert stranger.get(f"disclosures/{published['id']}").status_code == 404
    assert told(stranger.get("disclosures"))["count"] == 0


def test_the_list_asks_the_same_number_of_questions_for_one_and_for_many(district: District) -> None:
    give(district)
    school = district.first
    head = program(school.grade_head)
    head.post("disclosures", WEEK)
    head.get("disclosures")

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert head.get("disclosures", every_version="true").status_code == 200
        return len(asked)

    few = questions()
    first = Disclosure.objects.get()
    for number in range(2, 12):
        first.pk, first.version, first.correction = None, number, "更正"
        first.save(force_insert=True)
    assert questions() == few
