"""What must never stand in the findings' tables is refused by the database, in words that a clerk reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from qingdan.findings.enums import FindingAct, RunStatus
from qingdan.findings.models import AuditRun, Finding, FindingEvent
from tests.district import District
from tests.findings.conftest import finding_of


def changed(finding: Finding, **values: Any) -> Finding:
    for name, value in values.items():
        setattr(finding, name, value)
    return finding


def twin(finding: Finding) -> Finding:
    return changed(Finding.objects.get(pk=finding.pk), pk=None)


def waiting_twice(finding: Finding) -> AuditRun:
    AuditRun.objects.create()
    return AuditRun()


CASES: list[tuple[str, Callable[[Finding], models.Model], str]] = [
    ("run_status_is_known", lambda finding: AuditRun(status="odd"), "没有这种状态"),
    ("run_one_at_a_time", waiting_twice, "已有一次体检在排队"),
    ("run_progress_within_whole", lambda finding: AuditRun(progress_done=2, progress_whole=1), "进度不能超过总量"),
    ("run_at_an_end_has_a_time", lambda finding: AuditRun(status=RunStatus.DONE), "要有结束时间"),
    ("run_failure_has_a_reason", lambda finding: AuditRun(status=RunStatus.FAILED, ended_at=timezone.now()), "写明原因"),
    ("finding_once_per_rule_and_fact", twin, "只记一个问题"),
    ("oversight_finding_status_is_known", lambda finding: changed(finding, status="odd"), "没有这种状态"),
    ("oversight_finding_has_reason_and_clause", lambda finding: changed(finding, cites=[]), "没有依据条款"),
    ("oversight_finding_has_reason_and_clause", lambda finding: changed(finding, sentence=""), "没有说明"),
    ("oversight_finding_day_kind_is_known", lambda finding: changed(finding, day_kind="odd"), "没有这种日期类型"),
    ("finding_act_is_known", lambda finding: FindingEvent(finding=finding, act="odd", reason="x"), "没有这种办理事项"),
    ("finding_answer_has_a_reason", lambda finding: FindingEvent(finding=finding, act=FindingAct.DISPUTE), "请写明情况或理由"),
]


@pytest.mark.parametrize(("constraint", "make", "message"), CASES)
def test_the_database_refuses_and_the_validation_says_why(
    constraint: str, make: Callable[[Finding], models.Model], message: str, district: District
) -> None:
    instance = make(finding_of(district.first))
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        instance.save(force_insert=instance.pk is None)
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.diag.constraint_name == constraint  # type: ignore[attr-defined]
    with pytest.raises(ValidationError) as told:
        instance.validate_constraints()
    assert message in "；".join(told.value.messages)


def test_every_constraint_has_a_case() -> None:
    named = {constraint.name for model in (AuditRun, Finding, FindingEvent) for constraint in model._meta.constraints}
    assert named == {name for name, _, _ in CASES}


def test_what_somebody_did_stays_his(district: District) -> None:
    finding = finding_of(district.first)
    FindingEvent.objects.create(finding=finding, act=FindingAct.CORRECT, actor=district.first.leader, reason="已改")
    for protected in (district.first.leader, finding.organisation, finding.last_run):
        with pytest.raises(models.ProtectedError):
            protected.delete()
