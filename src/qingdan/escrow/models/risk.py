"""Warnings before an institution runs away: a score whose every part is shown, and what is done about it (S0.9③, S1 三2, S4)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import Organisation, User
from qingdan.escrow.enums import RiskLevel, RiskStepKind
from qingdan.escrow.models.scope import supervised


class RiskScoreQuerySet(models.QuerySet["RiskScore"]):
    """Questions about scores."""

    def visible_to(self, user: User) -> RiskScoreQuerySet:
        """Officers only: those of their region and department. Nobody else learns of a score."""
        return self.filter(supervised(user)) if user.is_officer else self.none()

    def latest(self) -> RiskScoreQuerySet:  # type: ignore[override]
        """The newest of each institution."""
        return self.order_by("institution_id", "-on_date").distinct("institution_id")

    def of_newest_day(self) -> RiskScoreQuerySet:
        """Those of the last day that was reckoned: an institution that is over has none there."""
        newest = self.order_by("-on_date").values_list("on_date", flat=True).first()
        return self.none() if newest is None else self.filter(on_date=newest)


class RiskScore(models.Model):
    """An institution's score on a day, from 0 (calm) to 100."""

    institution = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="risk_scores", verbose_name="机构")
    on_date = models.DateField("日期")
    score = models.PositiveSmallIntegerField("分值")
    level = models.CharField("级别", max_length=20, choices=RiskLevel.choices)
    #: ``[{kind, label, points, points_most, text, numbers: {name: number}}]``; the points sum to the score.
    parts = models.JSONField("构成")
    #: If the doors closed today: what families are owed, and how much of it nothing covers.
    owed_fen = models.BigIntegerField("未消课预收费（分）")
    uncovered_fen = models.BigIntegerField("无保障金额（分）")

    objects = RiskScoreQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "风险分值"
        ordering: ClassVar = ["-on_date", "-score"]
        indexes: ClassVar = [models.Index(fields=["institution", "-on_date"], name="risk_of_institution")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="risk_score_once_a_day", fields=["institution", "on_date"], violation_error_message="这一天已经算过"
            ),
            models.CheckConstraint(
                name="risk_score_is_of_hundred",
                condition=Q(score__lte=100, owed_fen__gte=0, uncovered_fen__gte=0, uncovered_fen__lte=models.F("owed_fen")),
                violation_error_message="分值在 0 到 100 之间，无保障金额不超过未消课预收费",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.on_date} {self.score}"


class RiskStepQuerySet(models.QuerySet["RiskStep"]):
    """Questions about steps."""

    def visible_to(self, user: User) -> RiskStepQuerySet:
        """Officers only: those of their region and department."""
        return self.filter(supervised(user)) if user.is_officer else self.none()

    def open(self) -> RiskStepQuerySet:
        """Those that are still to be done."""
        return self.filter(done_at=None, due_on__isnull=False)


class RiskStep(models.Model):
    """An entry in an institution's risk file (一机构一方案)."""

    institution = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="risk_steps", verbose_name="机构")
    kind = models.CharField("事项", max_length=20, choices=RiskStepKind.choices)
    text = models.TextField("内容")
    #: Who answers for it, and by when.
    responsible = models.CharField("责任人", max_length=50, blank=True)
    due_on = models.DateField("期限", null=True, blank=True)
    done_at = models.DateTimeField("完成时间", null=True, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="记录人")
    made_at = models.DateTimeField("记录时间", auto_now_add=True)

    objects = RiskStepQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "风险档案"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(name="risk_step_has_a_text", condition=~Q(text=""), violation_error_message="请写明内容"),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_kind_display()}"
