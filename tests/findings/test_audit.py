"""The audit: one finding for each rule and fact, however often it looks."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from qingdan.findings import auditing
from qingdan.findings.actions import accept, confirm, correct, dispute, send_back
from qingdan.findings.auditing import run_audit, start_audit, start_nightly_audit
from qingdan.findings.enums import FindingAct, FindingStatus, RunStatus
from qingdan.findings.merging import merge
from qingdan.findings.models import ATTEMPTS_MAX, AuditRun, Finding
from qingdan.homework.models import Homework, SchoolFinish
from qingdan.judging.law import current_law
from qingdan.notices.models import Notice
from qingdan.places.models import OverriddenDay
from tests.district import MONDAY, SATURDAY, TUESDAY, WEDNESDAY, District, signed_in
from tests.findings.conftest import Audit, record

DAILY_TOTAL = "homework.daily-total"


def total(**values: object) -> Finding:
    return Finding.objects.get(rule_id=DAILY_TOTAL, **values)


def acts(finding: Finding) -> list[str]:
    return list(finding.events.values_list("act", flat=True))


def test_a_breach_is_found_once_however_often_the_audit_runs(district: District, audit: Audit) -> None:
    record(district.first)
    first = audit()
    assert (first.opened, first.reopened, first.vanished) == (1, 0, 0)
    finding = total()
    assert finding.status == FindingStatus.OPEN
    assert finding.organisation == district.first.school.organisation
    assert finding.sentence == "三（2）班 11月17日 书面家庭作业合计 70 分钟，超过本地上限 60 分钟"
    assert finding.remedy
    assert {"label": "已知的书面家庭作业合计", "text": "70 分钟"} in finding.observed
    (limit,) = finding.limits
    assert (limit["text"], bool(limit["layer_name"]), bool(limit["cites"])) == ("60 分钟", True, True)
    assert finding.cites
    again = audit()
    assert (again.opened, again.reopened, again.vanished) == (0, 0, 0)
    assert Finding.objects.count() == 1
    assert acts(finding) == [FindingAct.FOUND]
    assert total().last_run == again


def test_the_text_of_a_pending_finding_follows_the_fact(district: District, audit: Audit) -> None:
    item = record(district.first)
    audit()
    Homework.objects.filter(pk=item.pk).update(homework_minutes=80)
    audit()
    assert "80 分钟" in total().sentence
    assert total().status == FindingStatus.OPEN


def test_a_corrected_fact_is_gone_and_reopens_when_it_recurs(district: District, audit: Audit) -> None:
    item = record(district.first)
    audit()
    correct(total(), by=district.first.leader, reason="已调减")
    Homework.objects.filter(pk=item.pk).update(homework_minutes=20)
    assert audit().vanished == 1
    assert total().status == FindingStatus.GONE
    Homework.objects.filter(pk=item.pk).update(homework_minutes=70)
    assert audit().reopened == 1
    finding = total()
    assert (finding.status, finding.times_reopened, finding.answered_at) == (FindingStatus.OPEN, 1, None)
    assert acts(finding) == [FindingAct.FOUND, FindingAct.CORRECT, FindingAct.VANISH, FindingAct.REOPEN]


@pytest.mark.parametrize(("answer", "decision", "end"), [(correct, confirm, "settled"), (dispute, accept, "withdrawn")])
def test_what_is_decided_stays_until_something_else_is_seen(answer: Any, decision: Any, end: str, district: District, audit: Audit) -> None:
    item = record(district.first)
    audit()
    answer(total(), by=district.first.leader, reason="说明")
    decision(total(), by=district.bureau, reason="同意")
    assert audit().reopened == 0
    assert total().status == end
    Homework.objects.filter(pk=item.pk).update(homework_minutes=20)
    assert audit().vanished == 0
    assert total().status == end
    Homework.objects.filter(pk=item.pk).update(homework_minutes=90)
    assert audit().reopened == 1
    assert (total().status, total().decided_at) == (FindingStatus.OPEN, None)


def test_an_answer_stays_while_the_fact_does(district: District, audit: Audit) -> None:
    record(district.first)
    audit()
    dispute(total(), by=district.first.leader, reason="其中一项是选做")
    audit()
    assert total().status == FindingStatus.DISPUTED


def test_two_schools_and_two_days_are_different_findings(district: District, audit: Audit) -> None:
    record(district.first)
    record(district.first, WEDNESDAY)
    record(district.second)
    audit()
    assert Finding.objects.filter(rule_id=DAILY_TOTAL).count() == 3
    assert Finding.objects.filter(rule_id=DAILY_TOTAL, organisation=district.second.school.organisation).count() == 1


def test_workdays_rest_days_holidays_and_vacations_are_told_apart(district: District, audit: Audit) -> None:
    vacation = datetime.date(2027, 2, 1)
    OverriddenDay.objects.create(region=district.region, day=WEDNESDAY, kind="holiday")
    for day in (TUESDAY, WEDNESDAY, SATURDAY, vacation):
        record(district.first, day)
    run = audit()
    kinds = {finding.date: finding.day_kind for finding in Finding.objects.filter(rule_id=DAILY_TOTAL)}
    assert kinds == {TUESDAY: "workday", WEDNESDAY: "holiday", SATURDAY: "rest_day", vacation: "vacation"}
    (of_class_day,) = [each for each in run.summary if each["kind"] == "class_day"]
    assert of_class_day["facts"] == of_class_day["breaches"] == 4
    assert {each["day_kind"]: (each["facts"], each["breaches"]) for each in of_class_day["by_day_kind"]} == dict.fromkeys(
        kinds.values(), (1, 1)
    )


def test_a_week_is_of_no_kind_of_day(district: District, audit: Audit) -> None:
    record(district.first, datetime.date(2026, 9, 8), minutes=10)  # a week that is over and was never published
    run = audit()
    (weekly,) = [each for each in run.summary if each["kind"] == "homework_disclosure"]
    assert (weekly["facts"], weekly["by_day_kind"]) == (1, [])
    assert Finding.objects.filter(rule_id="homework.disclosure-weekly", day_kind="").exists()


def test_what_cannot_be_judged_is_counted_and_not_stored(district: District, audit: Audit) -> None:
    school = district.first
    for day in (TUESDAY, WEDNESDAY):  # the class teacher has told something, the families nothing
        SchoolFinish.objects.create(school_class=school.class_32, on_date=day, finished_percent=100, reported_by=school.teacher)
    run = audit()
    (completion,) = [each for each in run.summary if each["kind"] == "homework_completion"]
    undetermined = {each["rule"]: (each["count"], each["missing"]) for each in completion["undetermined"]}
    assert undetermined["homework.actual-minutes"] == (2, ["书面家庭作业实际平均用时"])
    assert (completion["facts"], completion["breaches"]) == (2, 0)
    assert not Finding.objects.exists()
    shown = signed_in(district.bureau).get(f"/findings/runs/{run.pk}/").content.decode()
    assert "书面家庭作业实际平均用时" in shown


def test_the_audit_agrees_with_the_law_fact_by_fact(district: District, audit: Audit) -> None:
    for number, day in enumerate((MONDAY, TUESDAY, WEDNESDAY)):
        record(district.first, day, minutes=50 + 10 * number, marked_by="parent")
        record(district.second, day, minutes=15, form="electronic")
    run = audit()
    law = current_law()
    expected = {
        (breach.rule.id, judged.key) for kind in law.kinds_to_judge() for judged in law.judge_all(kind.name) for breach in judged.breaches
    }
    assert set(Finding.objects.values_list("rule_id", "fact_key")) == expected
    assert run.opened == len(expected) > 3


def test_those_who_have_to_answer_are_told_once_how_much_there_is(district: District, audit: Audit) -> None:
    record(district.first)
    record(district.first, WEDNESDAY)
    audit()
    audit()
    (notice,) = Notice.objects.all()
    assert notice.user == district.first.leader
    assert "2 个问题" in notice.text
    assert notice.url.endswith("?status=open")


def test_a_finding_whose_rule_is_no_longer_broken_by_any_kind_is_gone(district: District, audit: Audit) -> None:
    record(district.first)
    audit()
    Finding.objects.update(kind="no_such_kind", rule_id="no.such-rule")
    assert audit().vanished == 1


# ---- interrupted, twice at once, broken


def test_only_one_audit_waits(district: District) -> None:
    start_audit()
    with pytest.raises(ValidationError, match="已有一次体检在排队"):
        start_audit(by=district.bureau)


def test_a_race_for_the_queue_ends_in_the_same_words(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    start_audit()
    monkeypatch.setattr(AuditRun, "validate_constraints", lambda self: None)
    with pytest.raises(ValidationError, match="已有一次体检在排队"):
        start_audit(by=district.bureau)


def test_an_audit_that_was_killed_is_done_anew(district: District) -> None:
    record(district.first)
    run = start_audit()
    assert run.take_up()
    run.tell_progress("判定作业", 1, 9)
    run_audit(run.pk)
    run.refresh_from_db()
    assert (run.status, run.attempt, run.opened) == (RunStatus.DONE, 2, 1)


def test_an_audit_that_is_killed_each_time_is_given_up(district: District) -> None:
    run = start_audit()
    for _ in range(ATTEMPTS_MAX):
        assert run.take_up()
    run_audit(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "重新开始" in run.problem


def test_an_attempt_that_was_overtaken_writes_nothing(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    record(district.first)
    run = start_audit()
    kept: list[bool] = []

    def overtaken(mine: AuditRun, summary: list[dict[str, Any]]) -> bool:
        assert AuditRun.objects.get(pk=run.pk).take_up()
        kept.append(real(mine, summary))
        return kept[-1]

    real = merge
    monkeypatch.setattr(auditing, "merge", overtaken)
    run_audit(run.pk)
    assert kept == [False]
    assert not Finding.objects.exists()
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING


def test_an_accident_ends_in_a_message_and_leaves_the_findings_alone(
    district: District, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = record(district.first)
    audit()
    Homework.objects.filter(pk=item.pk).update(homework_minutes=20)

    def broken(*args: Any) -> bool:
        raise RuntimeError("boom")

    monkeypatch.setattr(auditing, "merge", broken)
    run = start_audit()
    run_audit(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "出了意外" in run.problem
    assert "boom" not in run.problem
    assert total().status == FindingStatus.OPEN
    monkeypatch.undo()


def test_what_is_at_an_end_is_left_alone(district: District, audit: Audit) -> None:
    run = audit()
    ended = run.ended_at
    run_audit(run.pk)
    run_audit(10**9)
    run.refresh_from_db()
    assert run.ended_at == ended


def test_a_night_has_one_audit(district: District) -> None:
    run = start_nightly_audit()
    assert run is not None
    assert start_nightly_audit() is None
    run_audit(run.pk)
    assert start_nightly_audit() is None
    AuditRun.objects.update(queued_at=run.queued_at - datetime.timedelta(days=1))
    assert start_nightly_audit() is not None


def test_a_correction_sent_back_is_open_again(district: District, audit: Audit) -> None:
    record(district.first)
    audit()
    correct(total(), by=district.first.leader, reason="改了")
    send_back(total(), by=district.bureau, reason="仍然超量")
    audit()
    assert total().status == FindingStatus.OPEN
    assert acts(total()) == [FindingAct.FOUND, FindingAct.CORRECT, FindingAct.SEND_BACK]
