"""Findings: the bureau sees its region, leaders and institutions their own; teachers and parents nothing."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from qingdan.findings.enums import FindingStatus, RunStatus
from qingdan.findings.models import AuditRun, Finding
from tests.district import TUESDAY
from tests.rights.table import Row, World

_OWN = {"bureau": 200, "leader": 200}
_LISTS = {"bureau": 200, "leader": 200, "second_leader": 200, "institution": 200}


def prepare(world: World) -> None:
    """A finding of the first school that it may answer, one that the bureau may decide, and the audit that found them."""
    now = timezone.now()
    run = AuditRun.objects.create(status=RunStatus.DONE, started_at=now, ended_at=now)
    values: dict[str, Any] = {
        "organisation": world.district.first.school.organisation,
        "rule_id": "homework.daily-total",
        "title": "每日书面家庭作业总量",
        "kind": "class_day",
        "row_id": 1,
        "place": "demo-school",
        "date": TUESDAY,
        "sentence": "三（2）班超过上限",
        "cites": [{"clause": "s2.homework.limits-primary-upper", "text": "国家规定"}],
        "last_run": run,
    }
    world.records["finding"] = Finding.objects.create(fact_key="a", **values)
    world.records["answered"] = Finding.objects.create(fact_key="b", status=FindingStatus.CORRECTED, **values)
    world.records["run"] = run


def _of(name: str) -> Any:
    return lambda world: (world.records[name].pk,)


ROWS: dict[str, Row] = {
    "findings:list": Row(_LISTS),
    "findings:export_xlsx": Row(_LISTS),
    "findings:export_csv": Row(_LISTS),
    "findings:summary": Row({"bureau": 200}),
    "findings:finding": Row(_OWN, args=_of("finding")),
    "findings:answer": Row({"leader": 302}, "post", _of("finding"), lambda world: {"act": "correct", "reason": "已改"}),
    "findings:decide": Row({"bureau": 302}, "post", _of("answered"), lambda world: {"act": "confirm", "reason": ""}),
    # Somebody else's finding is not there at all.
    "findings:act_many": Row(
        {"leader": 302, "bureau": 302},
        "post",
        data=lambda world: {"finding": world.records["answered"].pk, "act": "correct", "reason": "已改"},
    ),
    "findings:runs": Row({"bureau": 200}),
    "findings:run": Row({"bureau": 200}, args=_of("run")),
    "findings:run_progress": Row({"bureau": 200}, args=_of("run")),
    "findings:run_now": Row({"bureau": 302}, "post"),
}
