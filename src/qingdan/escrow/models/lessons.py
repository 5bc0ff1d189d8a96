"""Lessons given under a contract: recorded by the institution, confirmed or disputed by the guardian, then released."""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.escrow.enums import RELEASED_STATES, LessonState
from qingdan.escrow.models.contracts import Contract
from qingdan.ledger.models import Posting


class LessonQuerySet(models.QuerySet["Lesson"]):
    """Questions about lessons."""

    def visible_to(self, user: User) -> LessonQuerySet:
        """Those of the contracts that a user may see."""
        return self.filter(contract__in=Contract.objects.visible_to(user))

    def waiting(self) -> LessonQuerySet:
        """Those that a guardian has yet to confirm."""
        return self.filter(state=LessonState.RECORDED)

    def disputed(self) -> LessonQuerySet:
        """Those about which the two sides differ."""
        return self.filter(state=LessonState.DISPUTED)

    def presumed_by(self, day: datetime.date) -> LessonQuerySet:
        """Those whose time for an objection is over on a day."""
        return self.waiting().filter(silent_until__lt=day)


class Lesson(models.Model):
    """One attendance: recorded → confirmed (or presumed after silence, or upheld after a dispute) and released, or void."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="attendances", verbose_name="合同")
    #: ``row_id`` of the fact view ``facts_training_session``; empty for a lesson entered by hand.
    session_number = models.BigIntegerField("课次", null=True, blank=True)
    on_date = models.DateField("上课日期")
    #: Minutes after midnight.
    starts_at = models.PositiveSmallIntegerField("开始时间")
    lessons = models.PositiveSmallIntegerField("课时", default=1)
    state = models.CharField("状态", max_length=20, choices=LessonState.choices, default=LessonState.RECORDED)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="登记人")
    recorded_at = models.DateTimeField("登记时间", auto_now_add=True)
    #: The last day on which the guardian may object; empty where silence counts for nothing.
    silent_until = models.DateField("异议截止", null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="确认人")
    answered_at = models.DateTimeField("确认时间", null=True, blank=True)
    objection = models.CharField("异议", max_length=300, blank=True)
    #: What the institution says to it.
    reply = models.CharField("机构说明", max_length=300, blank=True)
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="核定人")
    settled_at = models.DateTimeField("核定时间", null=True, blank=True)
    settlement = models.CharField("核定说明", max_length=300, blank=True)
    #: The posting by which lesson and money went over.
    posting = models.OneToOneField(Posting, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="记账")

    objects = LessonQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "消课"
        ordering: ClassVar = ["-on_date", "-starts_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["state", "silent_until"], name="lesson_waiting")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="lesson_counts_are_positive",
                condition=Q(lessons__gte=1, starts_at__lt=1440),
                violation_error_message="课时要大于零，时间要在一天之内",
            ),
            models.UniqueConstraint(
                name="lesson_once_at_a_time",
                fields=["contract", "on_date", "starts_at"],
                condition=~Q(state=LessonState.VOID),
                violation_error_message="这次课已经登记过",
            ),
            models.CheckConstraint(
                name="lesson_released_has_a_posting",
                condition=Q(state__in=RELEASED_STATES, posting__isnull=False) | (~Q(state__in=RELEASED_STATES) & Q(posting=None)),
                violation_error_message="已确认的课要有记账，未确认的没有",
            ),
            models.CheckConstraint(
                name="lesson_dispute_has_a_reason",
                condition=~Q(state=LessonState.DISPUTED, objection=""),
                violation_error_message="提出异议请写明原因",
            ),
            models.CheckConstraint(
                name="lesson_settlement_is_explained",
                condition=~Q(state=LessonState.UPHELD) | (Q(settled_by__isnull=False) & ~Q(settlement="")),
                violation_error_message="核定异议要写明理由",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.on_date}"
