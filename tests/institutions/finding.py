"""Findings of institutions as an audit leaves them, for tests."""

from __future__ import annotations

import itertools
from typing import Any

from django.utils import timezone

from qingdan.accounts.models import Organisation
from qingdan.findings.enums import RunStatus
from qingdan.findings.models import AuditRun, Finding
from qingdan.policy.packs import default_pack

_numbers = itertools.count(1)


def make_finding(organisation: Organisation, rule_id: str = "institutions.staff-filed", **values: Any) -> Finding:
    """A finding that waits for the institution's answer; ``row_id`` is the record's."""
    rule, number = default_pack().rules[rule_id], next(_numbers)
    run = AuditRun.objects.filter(status=RunStatus.DONE).first()
    if run is None:
        run = AuditRun.objects.create(status=RunStatus.DONE, started_at=timezone.now(), ended_at=timezone.now())
    given: dict[str, Any] = {
        "rule_id": rule_id,
        "title": rule.title,
        "kind": rule.facts,
        "fact_key": f"{rule.facts}:{number}",
        "row_id": number,
        "place": organisation.layer_code,
        "sentence": f"某教师{number} 没有备案",
        "remedy": rule.remedy,
        "cites": [{"clause": rule.cites[0], "text": default_pack().cite(rule.cites[0])}],
        "last_run": run,
    }
    return Finding.objects.create(organisation=organisation, **(given | values))
