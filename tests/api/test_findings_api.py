"""Findings through the API: schools answer, the bureau decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from qingdan.accounts.models import Organisation
from qingdan.findings.enums import FindingStatus
from qingdan.findings.models import AuditRun, Finding
from tests.api.conftest import program, told
from tests.district import MONDAY, TUESDAY, District


@pytest.fixture
def run(db: None) -> AuditRun:
    return AuditRun.objects.create(status="done", ended_at=timezone.now())


def make_finding(run: AuditRun, organisation: Organisation, number: int = 1, **values: Any) -> Finding:
    """A finding as the audit writes it."""
    given = {
        "rule_id": "homework.daily-total",
        "title": "每日书面家庭作业总量",
        "kind": "class_day",
        "fact_key": f"class_day:{number}",
        "row_id": number,
        "place": organisation.layer_code,
        "subject": "三（2）班",
        "date": TUESDAY,
        "sentence": "三（2）班合计 65 分钟，超过上限 60 分钟",
        "cites": [{"clause": "s2.homework.limits-primary", "text": "条款"}],
    }
    return Finding.objects.create(organisation=organisation, last_run=run, **given | values)


def test_findings_are_listed_filtered_and_shown_whole(district: District, run: AuditRun) -> None:
    first, second = district.first.school.organisation, district.second.school.organisation
    one = make_finding(run, first)
    make_finding(run, first, 2, rule_id="homework.other", date=MONDAY, status=FindingStatus.SETTLED)
    make_finding(run, second, 3)
    bureau, leader = program(district.bureau), program(district.first.leader)
    assert told(bureau.get("findings"))["count"] == 3
    assert told(bureau.get("findings", organisation_id=second.pk))["count"] == 1
    assert told(bureau.get("findings", rule="homework.other"))["count"] == 1
    assert told(leader.get("findings"))["count"] == 2
    assert told(leader.get("findings", status="open"))["count"] == 1
    assert told(leader.get("findings", **{"from": str(TUESDAY), "to": str(TUESDAY)}))["count"] == 1
    whole = told(leader.get(f"findings/{one.pk}"))
    assert (whole["organisation"], whole["rule"], whole["cites"][0]["clause"]) == (
        "甲小学",
        "homework.daily-total",
        "s2.homework.limits-primary",
    )


def test_a_school_answers_and_the_bureau_decides(district: District, run: AuditRun) -> None:
    finding = make_finding(run, district.first.school.organisation)
    leader, bureau, path = program(district.first.leader), program(district.bureau), f"findings/{finding.pk}/answers"
    assert told(leader.post(path, {"act": "dispute", "reason": "当天停课"}))["status"] == "disputed"
    assert told(bureau.post(path, {"act": "uphold", "reason": "校历上没有停课"}))["status"] == "open"
    assert told(leader.post(path, {"act": "correct", "reason": "已减去抄写"}))["status"] == "corrected"
    assert told(bureau.post(path, {"act": "send_back", "reason": "请附统筹记录"}))["status"] == "open"
    leader.post(path, {"act": "correct", "reason": "已附"})
    closed = bureau.post(path, {"act": "confirm"})
    assert closed.status_code == 201
    events = told(closed)["events"]
    assert [each["act"] for each in events] == ["dispute", "uphold", "correct", "send_back", "correct", "confirm"]
    assert [each["by"] for each in events[:2]] == ["甲小学", "某区教育局"]
    assert "leader" not in closed.content.decode()


def test_a_dispute_can_be_accepted(district: District, run: AuditRun) -> None:
    finding = make_finding(run, district.first.school.organisation)
    path = f"findings/{finding.pk}/answers"
    program(district.first.leader).post(path, {"act": "dispute", "reason": "班级名称记错了"})
    assert told(program(district.bureau).post(path, {"act": "accept", "reason": "核实无误"}))["status"] == "withdrawn"


def test_an_act_that_the_state_does_not_allow_is_a_conflict(district: District, run: AuditRun) -> None:
    finding = make_finding(run, district.first.school.organisation)
    response = program(district.bureau).post(f"findings/{finding.pk}/answers", {"act": "confirm"})
    assert response.status_code == 409
    assert "待答复" in told(response)["message"]


def test_each_side_does_its_own_part_only(district: District, run: AuditRun) -> None:
    finding = make_finding(run, district.first.school.organisation)
    path = f"findings/{finding.pk}/answers"
    for caller, act in ((district.bureau, "correct"), (district.first.leader, "confirm")):
        response = program(caller).post(path, {"act": act, "reason": "x"})
        assert response.status_code == 403
        assert told(response)["code"] == "not_allowed"
    finding.refresh_from_db()
    assert finding.status == FindingStatus.OPEN


def test_an_answer_needs_a_reason(district: District, run: AuditRun) -> None:
    finding = make_finding(run, district.first.school.organisation)
    response = program(district.first.leader).post(f"findings/{finding.pk}/answers", {"act": "correct"})
    assert response.status_code == 422
    assert "写明" in told(response)["message"]
    assert program(district.first.leader).post(f"findings/{finding.pk}/answers", {"act": "gone"}).status_code == 422


def test_strangers_find_nothing(district: District, run: AuditRun) -> None:
    finding = make_finding(run, district.first.school.organisation)
    stranger = program(district.second.leader)
    assert stranger.get(f"findings/{finding.pk}").status_code == 404
    assert stranger.post(f"findings/{finding.pk}/answers", {"act": "correct", "reason": "x"}).status_code == 404
    assert told(stranger.get("findings"))["count"] == 0


def test_the_list_asks_the_same_number_of_questions_for_one_and_for_many(district: District, run: AuditRun) -> None:
    leader = program(district.first.leader)
    make_finding(run, district.first.school.organisation)
    leader.get("findings")

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert leader.get("findings").status_code == 200
        return len(asked)

    few = questions()
    for number in range(2, 30):
        make_finding(run, district.first.school.organisation, number)
    assert questions() == few
