"""Findings for programs: schools answer, the bureau decides, as on the pages."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from qingdan.accounts.api.doors import caller, reads, writes
from qingdan.accounts.api.pages import Page, Paging, page_of
from qingdan.accounts.api.problems import Refusal, Strict
from qingdan.accounts.enums import Scope
from qingdan.accounts.models import User
from qingdan.findings import actions
from qingdan.findings.enums import FindingAct, FindingStatus
from qingdan.findings.models import Finding

router = Router(tags=["问题"])


class Answer(StrEnum):
    """What a user may do to a finding."""

    CORRECT = FindingAct.CORRECT.value
    DISPUTE = FindingAct.DISPUTE.value
    CONFIRM = FindingAct.CONFIRM.value
    SEND_BACK = FindingAct.SEND_BACK.value
    UPHOLD = FindingAct.UPHOLD.value
    ACCEPT = FindingAct.ACCEPT.value


#: What the bureau decides; the others are the answers of whom it concerns.
DECISIONS = frozenset({Answer.CONFIRM, Answer.SEND_BACK, Answer.UPHOLD, Answer.ACCEPT})


class FindingShape(BaseModel):
    """一个问题"""

    id: int = Field(description="问题编号")
    organisation_id: int = Field(description="单位编号")
    organisation: str = Field(description="单位名称")
    rule: str = Field(description="规则编号")
    title: str = Field(description="规则标题")
    kind: str = Field(description="事实种类")
    subject: str = Field(description="对象，如哪个班")
    date: datetime.date | None = Field(description="事实的日期")
    sentence: str = Field(description="说明")
    status: FindingStatus = Field(
        description="状态：open 待答复，corrected 称已整改，disputed 有异议，settled 已办结，withdrawn 异议成立，gone 已消除"
    )
    found_at: datetime.datetime = Field(description="首次发现")
    answered_at: datetime.datetime | None = Field(description="答复时间")
    decided_at: datetime.datetime | None = Field(description="处理时间")
    times_reopened: int = Field(description="再现次数")

    @classmethod
    def values(cls, finding: Finding) -> dict[str, Any]:
        """The values of a finding, its organisation read with it."""
        names = (
            *("organisation_id", "title", "kind", "subject", "date", "sentence", "status"),
            *("found_at", "answered_at", "decided_at", "times_reopened"),
        )
        values = {name: getattr(finding, name) for name in names}
        return {"id": finding.pk, "organisation": finding.organisation.name, "rule": finding.rule_id, **values}


class EventShape(BaseModel):
    """办理记录"""

    act: FindingAct = Field(description="事项")
    label: str = Field(description="事项的中文名")
    by: str = Field(description="经办单位；体检自动记下的为空")
    at: datetime.datetime = Field(description="时间")
    reason: str = Field(description="说明")


class FindingWhole(FindingShape):
    """问题及其依据和办理记录"""

    remedy: str = Field(description="整改建议")
    observed: list[dict[str, Any]] = Field(description="所见")
    limits: list[dict[str, Any]] = Field(description="限值及其出处")
    cites: list[dict[str, Any]] = Field(description="依据的条款")
    events: list[EventShape] = Field(description="办理记录，早的在前")

    @classmethod
    def of(cls, finding: Finding) -> FindingWhole:
        """A finding with its events. Organisations are named, not persons."""
        events = [
            EventShape(
                act=FindingAct(event.act),
                label=event.get_act_display(),
                by=event.actor.organisation.name if event.actor and event.actor.organisation else "",
                at=event.at,
                reason=event.reason,
            )
            for event in finding.events.select_related("actor__organisation")
        ]
        names = ("remedy", "observed", "limits", "cites")
        return cls(**FindingShape.values(finding), events=events, **{name: getattr(finding, name) for name in names})


class FindingPage(Page):
    """问题列表"""

    items: list[FindingShape] = Field(description="本页的问题")


class FindingFilter(Paging):
    """问题的筛选"""

    status: FindingStatus | None = Field(None, description="状态")
    rule: str | None = Field(None, max_length=120, description="规则编号，如 homework.daily-total")
    organisation_id: int | None = Field(None, description="单位编号")
    since: datetime.date | None = Field(None, alias="from", description="事实的日期从这一天起")
    until: datetime.date | None = Field(None, alias="to", description="事实的日期到这一天止")


class Reply(Strict):
    """答复或处理"""

    act: Answer = Field(
        description="学校、机构：correct 已整改，dispute 有异议；教育局：confirm 确认整改，send_back 整改不到位，"
        "uphold 异议不成立，accept 异议成立"
    )
    reason: str = Field("", max_length=500, description="情况或理由；除 confirm 外必填")


@reads(router, "findings", scope=Scope.FINDINGS_READ, answers=FindingPage, name="findings", summary="列出问题")
def findings(request: HttpRequest, chosen: Query[FindingFilter]) -> FindingPage:
    """列出体检发现的问题，日期新的在前。学校、机构只看到自己的，教育局看到辖区全部。"""
    wanted = {
        "status": chosen.status,
        "rule_id": chosen.rule,
        "organisation_id": chosen.organisation_id,
        "date__gte": chosen.since,
        "date__lte": chosen.until,
    }
    found = Finding.objects.visible_to(caller(request)).filter(**{name: value for name, value in wanted.items() if value is not None})
    figures, page = page_of(found.select_related("organisation"), chosen)
    return FindingPage(items=[FindingShape(**FindingShape.values(each)) for each in page], **figures)


@reads(router, "findings/{int:finding_id}", scope=Scope.FINDINGS_READ, answers=FindingWhole, name="finding_one", summary="查看一个问题")
def finding_one(request: HttpRequest, finding_id: Path[int]) -> FindingWhole:
    """一个问题的说明、所见、限值、条款和全部办理记录。"""
    return FindingWhole.of(_visible(request, finding_id))


def _visible(request: HttpRequest, finding_id: int) -> Finding:
    found = Finding.objects.visible_to(caller(request)).select_related("organisation")
    return get_object_or_404(found, pk=finding_id)


_VERBS: dict[Answer, Callable[..., Finding]] = {
    Answer.CORRECT: actions.correct,
    Answer.DISPUTE: actions.dispute,
    Answer.CONFIRM: actions.confirm,
    Answer.SEND_BACK: actions.send_back,
    Answer.UPHOLD: actions.uphold,
    Answer.ACCEPT: actions.accept,
}


def _refuse_role(user: User, act: Answer) -> None:
    if (act in DECISIONS) != user.is_bureau:
        who = "教育局" if act in DECISIONS else "被查单位"
        raise Refusal("not_allowed", f"“{FindingAct(act.value).label}”由{who}办理，这把密钥的账户不能办")


@writes(
    router,
    "POST",
    "findings/{int:finding_id}/answers",
    scope=Scope.FINDINGS_WRITE,
    answers=FindingWhole,
    name="finding_answer",
    summary="答复或处理一个问题",
    status=201,
)
def finding_answer(request: HttpRequest, finding_id: Path[int], body: Reply) -> FindingWhole:
    """学校、机构答复（已整改、有异议），教育局处理（确认、退回、异议成立或不成立）。当前状态不允许的，应答 409 并说明现在是什么状态。"""
    user, finding = caller(request), _visible(request, finding_id)
    _refuse_role(user, body.act)
    _VERBS[body.act](finding, by=user, reason=body.reason)
    return FindingWhole.of(_visible(request, finding_id))
