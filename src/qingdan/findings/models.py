"""Findings of the running system: the same rule on the same fact is one finding, however often it is found.

The audit opens a finding, marks it gone when the fact complies again, and reopens it when it recurs. The school answers, the bureau
decides. Every act stays, with who, when and why.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from qingdan.accounts.models import Organisation, User
from qingdan.findings.enums import PENDING, FindingAct, FindingStatus, RunStatus


class AuditRunQuerySet(models.QuerySet["AuditRun"]):
    """Questions about audits."""

    def visible_to(self, user: User) -> AuditRunQuerySet:
        """A bureau sees them; they are of the whole installation."""
        return self.all() if user.is_bureau else self.none()


class AuditRun(models.Model):
    """One audit over everything recorded."""

    status = models.CharField("状态", max_length=10, choices=RunStatus.choices, default=RunStatus.WAITING)
    #: Empty for the one at night.
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="发起人")
    queued_at = models.DateTimeField("排队时间", auto_now_add=True)
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)
    attempt = models.PositiveIntegerField("第几次", default=0)
    progress_what = models.CharField("正在做", max_length=200, blank=True)
    progress_done = models.PositiveIntegerField("已做", default=0)
    progress_whole = models.PositiveIntegerField("共", default=0)
    #: ``[{kind, label, facts, by_day_kind: {workday: n, …}, breaches, undetermined: [{rule, title, count, missing: [label]}]}]``
    summary = models.JSONField("结果", default=list, blank=True)
    opened = models.PositiveIntegerField("新增", default=0)
    reopened = models.PositiveIntegerField("再现", default=0)
    vanished = models.PositiveIntegerField("消除", default=0)
    problem = models.CharField("未完成的原因", max_length=300, blank=True)

    objects = AuditRunQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "全面体检"
        ordering: ClassVar = ["-queued_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="run_status_is_known", condition=Q(status__in=RunStatus.values), violation_error_message="没有这种状态"
            ),
            models.UniqueConstraint(
                name="run_one_at_a_time",
                fields=["status"],
                condition=Q(status__in=[RunStatus.WAITING]),
                violation_error_message="已有一次体检在排队，请等它开始",
            ),
            models.CheckConstraint(
                name="run_progress_within_whole",
                condition=Q(progress_done__lte=F("progress_whole")),
                violation_error_message="进度不能超过总量",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.queued_at:%Y-%m-%d %H:%M}"


class FindingQuerySet(models.QuerySet["Finding"]):
    """Questions about findings."""

    def visible_to(self, user: User) -> FindingQuerySet:
        """A bureau: its region's; school leaders and institutions: their own."""
        if user.is_bureau:
            return self.filter(organisation__in=Organisation.objects.overseen_by(user.employer))
        if user.is_teacher or user.organisation_id is None:
            return self.none()
        return self.filter(organisation_id=user.organisation_id)

    def pending(self) -> FindingQuerySet:
        """Those on which somebody has still to act."""
        return self.filter(status__in=PENDING)


class Finding(models.Model):
    """One rule broken by one fact of an organisation, with everything needed to understand it."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="findings", verbose_name="单位")
    rule_id = models.CharField("规则", max_length=120)
    title = models.CharField("规则标题", max_length=200)
    kind = models.CharField("事实种类", max_length=60)
    #: What makes the fact the same tomorrow.
    fact_key = models.CharField("事实", max_length=300)
    #: The record, or the first of those summed up.
    row_id = models.BigIntegerField("记录号")
    place = models.CharField("适用的层", max_length=60)
    subject = models.CharField("对象", max_length=300, blank=True)
    date = models.DateField("日期", null=True, blank=True)
    sentence = models.TextField("说明")
    remedy = models.TextField("整改建议", blank=True)
    #: ``[{label, text}]``
    observed = models.JSONField("所见", default=list)
    #: ``[{label, text, layer, layer_name, since, cites: [{clause, text}]}]``
    limits = models.JSONField("限值", default=list)
    #: ``[{clause, text}]``
    cites = models.JSONField("依据")

    status = models.CharField("状态", max_length=10, choices=FindingStatus.choices, default=FindingStatus.OPEN)
    found_at = models.DateTimeField("首次发现", auto_now_add=True)
    last_run = models.ForeignKey(AuditRun, on_delete=models.PROTECT, related_name="findings", verbose_name="最近一次体检")
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    decided_at = models.DateTimeField("处理时间", null=True, blank=True)
    times_reopened = models.PositiveSmallIntegerField("再现次数", default=0)

    objects = FindingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "问题"
        ordering: ClassVar = ["-date", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["organisation", "status", "-date"], name="oversight_finding_of_owner"),
            models.Index(fields=["status", "-date"], name="oversight_finding_by_state"),
            models.Index(fields=["rule_id"], name="oversight_finding_by_rule"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="finding_once_per_rule_and_fact",
                fields=["rule_id", "fact_key", "organisation"],
                violation_error_message="同一规则、同一事实只记一个问题",
            ),
            models.CheckConstraint(
                name="oversight_finding_status_is_known",
                condition=Q(status__in=FindingStatus.values),
                violation_error_message="没有这种状态",
            ),
            models.CheckConstraint(
                name="oversight_finding_has_reason_and_clause",
                condition=~Q(sentence="") & ~Q(cites=[]),
                violation_error_message="没有说明或没有依据条款的问题不能成立",
            ),
        ]

    def __str__(self) -> str:
        return self.sentence


class FindingEvent(models.Model):
    """One act on a finding."""

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="events", verbose_name="问题")
    act = models.CharField("事项", max_length=20, choices=FindingAct.choices)
    #: Empty for the audit itself.
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="经办人")
    at = models.DateTimeField("时间", auto_now_add=True)
    reason = models.CharField("说明", max_length=500, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "办理记录"
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="finding_answer_has_a_reason",
                condition=~Q(act__in=[FindingAct.CORRECT, FindingAct.DISPUTE, FindingAct.UPHOLD, FindingAct.ACCEPT, FindingAct.SEND_BACK])
                | ~Q(reason=""),
                violation_error_message="请写明情况或理由",
            ),
        ]

    def __str__(self) -> str:
        return self.get_act_display()
