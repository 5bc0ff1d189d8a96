"""Each constraint of applications and permits, broken in the database, and what it says to a clerk."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from qingdan.accounts.models import User
from qingdan.institutions.models import Application, ApplicationEvent, ApplicationFile, Institution, Permit, StepDeadline
from tests.district import MONDAY, District
from tests.institutions.applying import make_application
from tests.institutions.making import make_permit, make_premises

BROKEN: dict[str, tuple[type[models.Model], dict[str, Any], str]] = {
    "deadline_in_range": (StepDeadline, {"state": "accepted", "working_days": 121}, "时限要在 1 至 120 个工作日之间"),
    "deadline_once_per_step": (StepDeadline, {"state": "submitted", "working_days": 3}, "这一步已有时限"),
    "application_state_is_known": (Application, {"state": "lost"}, "没有这种状态"),
    "application_decision_has_day_and_reason": (Application, {"state": "approved"}, "决定要有日期和理由"),
    "application_notice_has_both_days": (
        Application, {"notice_from": MONDAY, "notice_until": MONDAY - datetime.timedelta(days=1)}, "公示要有起止日期",
    ),
    "application_open_once_per_kind": (Application, {"state": "submitted"}, "同一事项已有一件申请在办，请等它办完或先撤回"),
    "application_act_has_a_reason": (ApplicationEvent, {"act": "refuse", "reason": ""}, "请写明理由"),
    "application_file_is_not_empty": (ApplicationFile, {"size_bytes": 0}, "文件是空的"),
    "permit_runs_forward": (Permit, {"number": "甲", "ends_on": datetime.date(2025, 9, 1), "field": "sports"}, "有效期止要晚于有效期起"),
    "permit_revocation_is_explained": (
        Permit, {"number": "乙", "revoked_on": MONDAY}, "吊销或注销要写明理由，日期不能早于有效期起",
    ),
    "permits_of_one_scope_do_not_overlap": (
        Permit, {"number": "丙"}, "同一教学点、同一领域的许可在有效期上重叠，请先注销或等原许可到期",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_the_database_refuses_and_the_message_says_why(district: District, institution: Institution, operator: User, name: str) -> None:
    model, values, message = BROKEN[name]
    bureau = district.bureau.employer
    StepDeadline.objects.create(bureau=bureau, state="submitted", working_days=5)
    first = make_application(operator, papers=False)
    Application.objects.filter(pk=first.pk).update(state="submitted")
    permit = make_permit(institution, make_premises(institution), district.bureau)
    given: dict[type[models.Model], dict[str, Any]] = {
        StepDeadline: {"bureau": bureau},
        Application: {
            name: getattr(first, name) for name in ("applicant", "kind", "category", "field", "audience", "department", "created_by")
        },
        ApplicationEvent: {"application": first},
        ApplicationFile: {
            "application": first,
            "label": "章程",
            "name": "a.pdf",
            "content_type": "x",
            "content": b"x",
            "added_by": operator,
        },
        Permit: {each.name: getattr(permit, each.name) for each in Permit._meta.concrete_fields if each.name not in ("id", "number")},
    }
    record = model(**(given[model] | values))
    with pytest.raises(ValidationError) as told:
        record.validate_constraints()
    assert message in told.value.messages
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        record.save()


def test_an_organisation_may_be_a_department(district: District) -> None:
    office = district.bureau.employer
    office.department = "weather"
    with pytest.raises(ValidationError):
        office.full_clean()
