"""The institution that runs away: its people leave, its rooms stay dark, families complain, and the officers write it down."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from qingdan.demo.calendar import at
from qingdan.demo.copying import copy_records
from qingdan.demo.prepaid.lives import Life
from qingdan.demo.prepaid.plan import DAY, NO_LESSONS_FOR, House
from qingdan.demo.prepaid.statements import PAUSED
from qingdan.escrow.enums import RiskStepKind
from qingdan.escrow.models import Complaint, CustodyAgreement, RiskStep
from qingdan.institutions.enums import SessionState
from qingdan.institutions.models import Session, Staff

#: So many days ago each of those who left had the last day.
_LEFT = (26, 19, 13)
_COMPLAINTS = (
    (15, "连续两次到了门口才知道停课，没有任何通知"),
    (12, "申请退费一直没有答复，电话没有人接"),
    (10, "机构群里说教师集体请假，课停了两周"),
    (8, "退费说已经同意，钱一直没有到账"),
    (4, "教学点锁着门，前台联系不上"),
    (2, "又有家长说交了钱找不到人，请主管部门尽快处理"),
)
_STEPS = (
    (12, RiskStepKind.TALK, "约谈负责人：称教师短缺，承诺一周内恢复上课、逐户答复退费"),
    (9, RiskStepKind.PLAN, "一机构一方案：核清未消课合同和应退金额；向监管银行查明两笔支出去向；停收预收费；逾期退费逐户办结"),
    (PAUSED, RiskStepKind.PAUSED, "监管账户余额低于应有，停课一周以上，暂停向机构划拨"),
    (1, RiskStepKind.VISIT, "上门核查：教学点已关门，人去楼空，负责人电话关机；通知家长登记，移交公安、市场监管部门"),
)


def let_run(house: House, lives: Sequence[Life], day: datetime.date) -> None:
    """All that is seen of it besides contracts and the bank."""
    teaching = Staff.objects.filter(institution=house.institution, employed_until=None).order_by("-pk")
    for person, back in zip(teaching, _LEFT, strict=False):
        person.employed_until = max(day - back * DAY, person.employed_from)
        person.save(update_fields=["employed_until"])
    Session.objects.filter(institution=house.institution, on_date__gte=day - NO_LESSONS_FOR * DAY, on_date__lt=day).update(
        state=SessionState.CANCELLED
    )
    CustodyAgreement.objects.filter(pk=house.agreement.pk).update(is_release_paused=True)
    steps = []
    for back, kind, text in _STEPS:
        done_at = at(day - back * DAY, 16) if kind != RiskStepKind.PLAN else None
        due_on = day + 3 * DAY if kind == RiskStepKind.PLAN else None
        responsible = "示范科员" if kind == RiskStepKind.PLAN else ""
        steps.append(
            RiskStep(
                institution=house.institution.organisation, kind=kind, text=text, responsible=responsible, due_on=due_on, done_at=done_at,
                made_by=house.officer, made_at=at(day - back * DAY, 16),
            )
        )  # fmt: skip
    copy_records(RiskStep, steps)
    paid = [life for life in lives if life.house is house and life.contract.paid_on is not None]
    rows = [
        Complaint(contract=life.contract, made_by=life.contract.guardian, made_at=at(day - back * DAY, 20), text=text)
        for life, (back, text) in zip(paid[-len(_COMPLAINTS) :], _COMPLAINTS, strict=False)
    ]
    rows += _ordinary(lives, day)
    copy_records(Complaint, rows)


def _ordinary(lives: Sequence[Life], day: datetime.date) -> list[Complaint]:
    """Elsewhere somebody complains now and then, and is answered."""
    found = []
    for number, life in enumerate(each for each in lives if not each.house.is_runaway and each.contract.paid_on is not None):
        if number % 97 != 11:
            continue
        made_on = day - (6 + number % 30) * DAY
        if life.contract.signed_on is None or made_on <= life.contract.signed_on:
            continue
        complaint = Complaint(
            contract=life.contract, made_by=life.contract.guardian, made_at=at(made_on, 20), text="教室太挤，冷气坏了两周没有修"
        )  # fmt: skip
        if number % 2:
            complaint.answered_by, complaint.answered_at = life.house.officer, at(made_on + 3 * DAY, 10)
            complaint.answer = "已到现场核实，机构当天修好，并减少班额"
        found.append(complaint)
    return found
