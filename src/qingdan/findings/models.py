"""Findings of the running system: the same rule on the same fact is one finding, however often it is found.

The audit opens a finding, marks it gone when the fact complies again, and reopens it when it recurs. The school answers, the bureau
decides. Every act stays, with who, when and why.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from qingdan.accounts.models import Organisation, User
from qingdan.findings.counting import Count
from qingdan.findings.enums import (
    PENDING,
    UNDER_WAY,
    WITHOUT_REASON,
    FindingAct,
    FindingDay,
    FindingStatus,
    RunStatus,
)
from qingdan.institutions.models import Institution
from qingdan.policy.packs import default_pack

#: How often an audit may be interrupted before it is given up.
ATTEMPTS_MAX = 5


class AuditRunQuerySet(models.QuerySet["AuditRun"]):
    """Questions about audits."""

    def visible_to(self, user: User) -> AuditRunQuerySet:
        """A bureau sees them; they are of the whole installation."""
        return self.all() if user.is_bureau else self.none()

    def under_way(self) -> AuditRunQuerySet:
        """Those that wait or run."""
        return self.filter(status__in=UNDER_WAY)

    def done(self) -> AuditRunQuerySet:
        """Those that went through everything."""
        return self.filter(status=RunStatus.DONE)


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
    #: ``[{kind, label, facts, breaches, by_day_kind: [{day_kind, label, facts, breaches}],
    #: undetermined: [{rule, title, count, missing: [label]}]}]``; days are told apart where a fact is of one day.
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
            models.CheckConstraint(
                name="run_at_an_end_has_a_time",
                condition=~Q(status__in=[RunStatus.DONE, RunStatus.FAILED]) | Q(ended_at__isnull=False),
                violation_error_message="已结束的体检要有结束时间",
            ),
            models.CheckConstraint(
                name="run_failure_has_a_reason",
                condition=~Q(status=RunStatus.FAILED) | ~Q(problem=""),
                violation_error_message="未完成的体检要写明原因",
            ),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.queued_at):%Y-%m-%d %H:%M}"

    @property
    def is_under_way(self) -> bool:
        """Whether it waits or runs."""
        return self.status in UNDER_WAY

    @property
    def percent(self) -> int:
        """How far it is, of 100."""
        return round(100 * self.progress_done / self.progress_whole) if self.progress_whole else 0

    @property
    def duration(self) -> datetime.timedelta | None:
        """How long the last attempt took."""
        return self.ended_at - self.started_at if self.ended_at and self.started_at else None

    def take_up(self) -> bool:
        """Begin (or, after an interruption, begin anew); False when it is at an end."""
        taken = AuditRun.objects.filter(pk=self.pk, status__in=UNDER_WAY).update(
            status=RunStatus.RUNNING,
            attempt=F("attempt") + 1,
            started_at=timezone.now(),
            progress_what="准备",
            progress_done=0,
            progress_whole=0,
        )
        if taken:
            self.refresh_from_db()
        return bool(taken)

    def tell_progress(self, what: str, done: int, whole: int) -> None:
        """Keep how far the present attempt is."""
        AuditRun.objects.filter(pk=self.pk, attempt=self.attempt, status=RunStatus.RUNNING).update(
            progress_what=what[:200], progress_done=max(0, min(done, whole)), progress_whole=max(0, whole)
        )

    def fail(self, problem: str) -> None:
        """End the present attempt with a reason; an older attempt changes nothing any more."""
        AuditRun.objects.filter(pk=self.pk, attempt=self.attempt, status=RunStatus.RUNNING).update(
            status=RunStatus.FAILED, problem=problem[:300], progress_what="", ended_at=timezone.now()
        )


class FindingQuerySet(models.QuerySet["Finding"]):
    """Questions about findings."""

    def visible_to(self, user: User) -> FindingQuerySet:
        """A bureau: its region's; another department: those of its institutions; school leaders and institutions: their own."""
        if user.is_bureau:
            return self.filter(organisation__in=Organisation.objects.overseen_by(user.employer))
        if user.is_officer:
            return self.filter(organisation__in=Institution.objects.visible_to(user).values("pk"))
        if user.is_teacher or user.organisation_id is None:
            return self.none()
        return self.filter(organisation_id=user.organisation_id)

    def pending(self) -> FindingQuerySet:
        """Those on which somebody has still to act."""
        return self.filter(status__in=PENDING)

    def matching(
        self,
        *,
        status: Sequence[str] = (),
        rule: str = "",
        organisation: int | None = None,
        kind: str = "",
        day_kind: str = "",
        field: str = "",
        first: datetime.date | None = None,
        last: datetime.date | None = None,
        text: str = "",
    ) -> FindingQuerySet:
        """Those that fit every filter given; ``field`` is what the institution teaches."""
        exact = {
            "rule_id": rule,
            "organisation_id": organisation,
            "kind": kind,
            "day_kind": day_kind,
            "organisation__institution__field": field,
            "date__gte": first,
            "date__lte": last,
        }
        found = self.filter(**{name: value for name, value in exact.items() if value})
        if status:
            found = found.filter(status__in=status)
        for word in text.split():
            found = found.filter(
                Q(sentence__icontains=word)
                | Q(subject__icontains=word)
                | Q(title__icontains=word)
                | Q(organisation__in=Organisation.objects.matching(word))
            )
        return found

    def by_status(self) -> dict[str, int]:
        """Status -> how many."""
        return dict(self.order_by().values_list("status").annotate(models.Count("pk")))

    def counts(self) -> list[Count]:
        """How many there are, by everything that pages tell apart; answered from an index alone."""
        names = ("organisation_id", "kind", "rule_id", "day_kind", "status")
        return [Count(*row) for row in self.order_by().values_list(*names).annotate(number=models.Count("pk"))]


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
    #: Of a fact of one day; a week has none.
    day_kind = models.CharField("日期类型", max_length=10, choices=FindingDay.choices, blank=True, default="")
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
            models.Index(fields=["-date", "-id"], name="oversight_finding_by_day"),
            # Counts and orders are read from here, without the long texts of the rows.
            models.Index(
                fields=["organisation", "rule_id", "kind", "day_kind", "status", "date", "found_at", "id"], name="oversight_finding_facets"
            ),
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
            models.CheckConstraint(
                name="oversight_finding_day_kind_is_known",
                condition=Q(day_kind__in=["", *FindingDay.values]),
                violation_error_message="没有这种日期类型",
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def is_pending(self) -> bool:
        """Whether somebody has still to act."""
        return self.status in PENDING

    @property
    def root_kind(self) -> str:
        """The recorded kind whose record ``row_id`` numbers: a sum goes by the first record it sums up."""
        kinds = default_pack().vocabulary.kinds
        kind = kinds.get(self.kind)
        while kind is not None and kind.derived is not None:
            kind = kinds.get(kind.derived.source)
        return kind.name if kind is not None else ""

    @property
    def kind_label(self) -> str:
        """The fact kind in Chinese; its code when the pack no longer has it."""
        kind = default_pack().vocabulary.kinds.get(self.kind)
        return kind.label if kind is not None else self.kind

    @property
    def days_open(self) -> int:
        """For how many days it has been known."""
        return (timezone.now() - self.found_at).days

    @property
    def all_cites(self) -> list[dict[str, str]]:
        """The clauses, each with whether the library still has it as ``is_known``."""
        clauses = default_pack().clauses
        return [{**each, "is_known": "1" if each["clause"] in clauses else ""} for each in self.cites]


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
                condition=Q(act__in=WITHOUT_REASON) | ~Q(reason=""),
                violation_error_message="请写明情况或理由",
            ),
            models.CheckConstraint(
                name="finding_act_is_known", condition=Q(act__in=FindingAct.values), violation_error_message="没有这种办理事项"
            ),
        ]

    def __str__(self) -> str:
        return self.get_act_display()
