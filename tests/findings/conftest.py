"""A small district on a fixed day."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable

import pytest
from django.utils import timezone

from qingdan.findings.auditing import run_audit, start_audit
from qingdan.findings.enums import RunStatus
from qingdan.findings.models import AuditRun, Finding
from qingdan.homework.models import Homework
from qingdan.policy.packs import default_pack
from tests.district import MONDAY, TUESDAY, District, SmallSchool, homework, make_district


@pytest.fixture(autouse=True)
def school_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today is MONDAY, wherever the house asks."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY)


@pytest.fixture
def district(db: None) -> District:
    """A bureau and two schools."""
    return make_district()


def record(school: SmallSchool, day: datetime.date = TUESDAY, minutes: int = 70, name: str = "数学", **values: object) -> Homework:
    """Homework that went out before anybody looked: written straight into the table."""
    item = homework(school.class_32, school.teacher, name, minutes, on_date=day, status="out", sent_at=timezone.now(), **values)
    item.save()
    return item


Audit = Callable[[], AuditRun]


@pytest.fixture
def audit(db: None) -> Audit:
    """Queue an audit and do it at once."""

    def act() -> AuditRun:
        run = start_audit()
        run_audit(run.pk)
        run.refresh_from_db()
        assert run.status == RunStatus.DONE, run.problem
        return run

    return act


_numbers = itertools.count(1)


def finding_of(school: SmallSchool, **values: object) -> Finding:
    """A finding as an audit would leave it."""
    number = next(_numbers)
    run = AuditRun.objects.filter(status=RunStatus.DONE).first()
    if run is None:
        run = AuditRun.objects.create(status=RunStatus.DONE, started_at=timezone.now(), ended_at=timezone.now())
    clause = next(iter(default_pack().rules["homework.daily-total"].cites))
    given: dict[str, object] = {
        "organisation": school.school.organisation,
        "rule_id": "homework.daily-total",
        "title": "每日书面家庭作业总量",
        "kind": "class_day",
        "fact_key": f"class_day:{number}",
        "row_id": number,
        "place": "demo-district",
        "subject": "三（2）班",
        "date": TUESDAY,
        "day_kind": "workday",
        "sentence": f"三（2）班 11月17日 书面家庭作业合计 {60 + number} 分钟，超过本地上限 60 分钟",
        "remedy": "由年级组统筹",
        "observed": [{"label": "已知的书面家庭作业合计", "text": f"{60 + number} 分钟"}],
        "limits": [
            {
                "label": "每日书面家庭作业上限",
                "text": "60 分钟",
                "layer": "cn",
                "layer_name": "全国",
                "since": "2021-07-24",
                "cites": [{"clause": clause, "text": "国家规定"}],
            }
        ],
        "cites": [{"clause": clause, "text": "国家规定"}],
        "last_run": run,
    }
    return Finding.objects.create(**(given | values))
