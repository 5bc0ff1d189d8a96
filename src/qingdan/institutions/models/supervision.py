"""Yearly inspections, advertisements and activities: what supervision sees and records."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from qingdan.accounts.models import Organisation, User
from qingdan.institutions.enums import (
    ActivityKind,
    ActivityRole,
    AdMedium,
    InspectionState,
    TrainingAudience,
    TrainingCategory,
)
from qingdan.institutions.models.registry import Institution

_CHECKED = (InspectionState.PASSED, InspectionState.TO_CORRECT, InspectionState.FAILED)
_IS_TO_CHECK = Q(state=InspectionState.REPORTED) | Q(state=InspectionState.TO_CORRECT, corrected_at__isnull=False)


def _is_late(day: datetime.date) -> Q:
    return Q(state=InspectionState.WAITING, campaign__report_until__lt=day)


class InspectionCampaignQuerySet(models.QuerySet["InspectionCampaign"]):
    """Questions about campaigns."""

    def visible_to(self, user: User) -> InspectionCampaignQuerySet:
        """For officers: those of the own office, and those in which an institution is that the user may see."""
        if not user.is_officer:
            return self.none()
        seen = Inspection.objects.visible_to(user).filter(campaign=OuterRef("pk"))
        return self.filter(Q(bureau=user.employer) | Exists(seen))


class InspectionCampaign(models.Model):
    """A year's inspection: who is inspected, by when."""

    bureau = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="inspection_campaigns", verbose_name="组织单位")
    title = models.CharField("名称", max_length=80)
    year = models.PositiveSmallIntegerField("年度")
    #: Empty for all.
    category = models.CharField("类别", max_length=20, choices=TrainingCategory.choices, blank=True)
    report_until = models.DateField("自查截止")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="发起人")
    created_at = models.DateTimeField("发起时间", auto_now_add=True)

    objects = InspectionCampaignQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "年检"
        ordering: ClassVar = ["-year", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="campaign_once_a_year", fields=["bureau", "year", "category"], violation_error_message="本年度这个类别的年检已经发起"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class InspectionQuerySet(models.QuerySet["Inspection"]):
    """Questions about inspections."""

    def visible_to(self, user: User) -> InspectionQuerySet:
        """Those of the institutions that a user may see."""
        return self.filter(institution__in=Institution.objects.visible_to(user))

    def concluded(self) -> InspectionQuerySet:
        """Those with a result, for the public: passed, to correct or failed, the newest year first."""
        found = self.filter(state__in=_CHECKED).select_related("campaign", "institution__organisation")
        return found.order_by("-campaign__year", "-inspected_on", "institution__organisation__pinyin", "pk")

    def late(self, day: datetime.date) -> InspectionQuerySet:
        """Those whose institution has not reported by the day it was asked to."""
        return self.filter(_is_late(day))

    def to_check(self) -> InspectionQuerySet:
        """Those that wait for an officer: reported, or said to be corrected."""
        return self.filter(_IS_TO_CHECK)

    def tallied(self, day: datetime.date) -> dict[str, int]:
        """How many of them wait for an officer, are late, and are to correct something; one query for all three."""
        return self.order_by().aggregate(
            to_check=Count("pk", filter=_IS_TO_CHECK),
            late=Count("pk", filter=_is_late(day)),
            to_correct=Count("pk", filter=Q(state=InspectionState.TO_CORRECT)),
        )

    def of_institution(self) -> InspectionQuerySet:
        """Those that wait for the institution: a report, or a correction."""
        return self.filter(Q(state=InspectionState.WAITING) | Q(state=InspectionState.TO_CORRECT, corrected_at=None))


class Inspection(models.Model):
    """One institution in a campaign: waiting → reported → passed, to correct by a day, or failed."""

    campaign = models.ForeignKey(InspectionCampaign, on_delete=models.PROTECT, related_name="inspections", verbose_name="年检")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="inspections", verbose_name="机构")
    state = models.CharField("状态", max_length=20, choices=InspectionState.choices, default=InspectionState.WAITING)
    reported_at = models.DateTimeField("自查提交时间", null=True, blank=True)
    inspected_on = models.DateField("核查日期", null=True, blank=True)
    inspected_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="核查人")
    correct_until = models.DateField("整改期限", null=True, blank=True)
    conclusion = models.CharField("结论说明", max_length=500, blank=True)
    #: When the institution said that it has corrected what was found; empty again after each check.
    corrected_at = models.DateTimeField("报告整改完成时间", null=True, blank=True)
    correction_note = models.CharField("整改说明", max_length=300, blank=True)

    objects = InspectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "机构年检"
        ordering: ClassVar = ["institution__organisation__pinyin"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="inspection_once_per_campaign", fields=["campaign", "institution"], violation_error_message="这家机构已在本次年检中"
            ),
            models.CheckConstraint(
                name="inspection_correction_has_a_day",
                condition=~Q(state=InspectionState.TO_CORRECT) | Q(correct_until__isnull=False),
                violation_error_message="限期整改要写明期限",
            ),
            models.CheckConstraint(
                name="inspection_result_is_signed",
                condition=~Q(state__in=[InspectionState.PASSED, InspectionState.TO_CORRECT, InspectionState.FAILED])
                | Q(inspected_on__isnull=False, inspected_by__isnull=False),
                violation_error_message="年检结论要有核查人和日期",
            ),
            models.CheckConstraint(
                name="inspection_corrects_what_was_found",
                condition=Q(corrected_at=None) | Q(state=InspectionState.TO_CORRECT),
                violation_error_message="只有限期整改的年检才报告整改完成",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.institution}"

    @property
    def is_with_institution(self) -> bool:
        """Whether the institution has to answer now: the report, or a correction that it has not yet reported."""
        return self.state == InspectionState.WAITING or (self.state == InspectionState.TO_CORRECT and self.corrected_at is None)

    @property
    def is_checked(self) -> bool:
        """Whether it has a result."""
        return self.state in _CHECKED


class InspectionItem(models.Model):
    """One requirement of the list, derived from a rule of the pack that holds for the institution's category."""

    inspection = models.ForeignKey(Inspection, on_delete=models.CASCADE, related_name="items", verbose_name="机构年检")
    rule_id = models.CharField("规则", max_length=120)
    title = models.CharField("项目", max_length=200)
    #: ``[{clause, text}]``
    cites = models.JSONField("依据")
    #: What the system itself knew when the list was made: breaches of the rule by this institution. Empty until it has counted.
    known_breaches = models.PositiveIntegerField("系统已知的问题数", null=True, blank=True)
    self_answer = models.BooleanField("自查符合", null=True, blank=True)
    self_note = models.CharField("自查说明", max_length=300, blank=True)
    is_met = models.BooleanField("核查符合", null=True, blank=True)
    note = models.CharField("核查说明", max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "年检项目"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="inspection_item_once", fields=["inspection", "rule_id"], violation_error_message="这一项已在清单里"
            ),
            models.CheckConstraint(
                name="inspection_item_failed_is_explained",
                condition=~Q(is_met=False, note=""),
                violation_error_message="核查不符合的项目要写明情况",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class InspectionEvidence(models.Model):
    """A file with which an institution shows that it meets a requirement."""

    item = models.ForeignKey(InspectionItem, on_delete=models.CASCADE, related_name="evidence", verbose_name="年检项目")
    name = models.CharField("文件名", max_length=150)
    content_type = models.CharField("类型", max_length=100)
    size_bytes = models.PositiveIntegerField("大小")
    content = models.BinaryField("内容")

    class Meta:
        verbose_name = verbose_name_plural = "年检证据"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="inspection_evidence_is_not_empty", condition=Q(size_bytes__gt=0), violation_error_message="文件是空的"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SeenQuerySet(models.QuerySet[Any]):
    """Questions about what was seen of institutions."""

    def visible_to(self, user: User) -> SeenQuerySet:
        """That of the institutions that a user may see; to an institution what was withdrawn was never there."""
        found = self.filter(institution__in=Institution.objects.visible_to(user))
        return found if user.is_officer else found.standing()

    def standing(self) -> SeenQuerySet:
        """What has not been withdrawn."""
        return self.filter(withdrawn_at=None)


class Seen(models.Model):
    """What was seen of an institution, as the law judged it that day; a mistaken record is withdrawn, never deleted."""

    #: Breaches in the words of the law of the day of recording: ``[{rule_id, title, sentence, remedy, cites: [{clause, text}]}]``.
    objections = models.JSONField("不合规定之处", default=list, blank=True)
    recorded_at = models.DateTimeField("记录时间", default=timezone.now)
    withdrawn_at = models.DateTimeField("撤销时间", null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="撤销人")
    withdrawal_reason = models.CharField("撤销理由", max_length=300, blank=True)

    objects = SeenQuerySet.as_manager()

    class Meta:
        abstract = True


_IS_STANDING = Q(withdrawn_at=None, withdrawn_by=None, withdrawal_reason="")
_IS_WITHDRAWN = Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawal_reason="")
_EXPLAIN_WITHDRAWAL = "撤销记录要写明理由"


class Advertisement(Seen):
    """One advertisement that was seen."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="advertisements", verbose_name="机构")
    category = models.CharField("类别", max_length=20, choices=TrainingCategory.choices)
    found_on = models.DateField("发现日期")
    medium = models.CharField("载体", max_length=30, choices=AdMedium.choices)
    location = models.CharField("具体位置", max_length=120)
    text = models.CharField("内容", max_length=500)
    is_false = models.BooleanField("虚假", default=False)
    exaggerates_effect = models.BooleanField("夸大效果", default=False)
    misleads_consumers = models.BooleanField("误导消费", default=False)
    misleads_views = models.BooleanField("误导教育观念", default=False)
    causes_anxiety = models.BooleanField("制造焦虑", default=False)
    photo_name = models.CharField("照片", max_length=150, blank=True)
    photo_type = models.CharField("照片类型", max_length=100, blank=True)
    photo = models.BinaryField("照片内容", null=True, blank=True)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="记录人")

    class Meta:
        verbose_name = verbose_name_plural = "培训广告"
        ordering: ClassVar = ["-found_on", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="advertisement_has_place_and_text",
                condition=~Q(location="") & ~Q(text=""),
                violation_error_message="请写明广告的位置和内容",
            ),
            models.CheckConstraint(
                name="advertisement_withdrawal_is_explained",
                condition=_IS_STANDING | _IS_WITHDRAWN,
                violation_error_message=_EXPLAIN_WITHDRAWAL,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.found_on}"


class Activity(Seen):
    """A competition, test, ranking or publicity with results (R11)."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="activities", verbose_name="机构")
    name = models.CharField("活动名称", max_length=120)
    held_on = models.DateField("日期")
    kind = models.CharField("类型", max_length=20, choices=ActivityKind.choices)
    category = models.CharField("内容类别", max_length=20, choices=TrainingCategory.choices)
    role = models.CharField("机构角色", max_length=20, choices=ActivityRole.choices)
    audience = models.CharField("参加对象", max_length=30, choices=TrainingAudience.choices)
    is_approved = models.BooleanField("经主管部门同意", default=False)
    is_for_ranking = models.BooleanField("以排名为目的", default=False)
    is_across_districts = models.BooleanField("跨区", default=False)
    is_across_institutions = models.BooleanField("跨机构", default=False)
    is_large_scale = models.BooleanField("大规模", default=False)
    publishes_results = models.BooleanField("对外公开培训结果", default=False)
    advertises_certificates = models.BooleanField("宣传等级证书", default=False)
    advertises_scores = models.BooleanField("宣传分数排名", default=False)
    advertises_admissions = models.BooleanField("宣传名校录取", default=False)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="记录人")

    class Meta:
        verbose_name = verbose_name_plural = "竞赛与结果宣传"
        ordering: ClassVar = ["-held_on", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(name="activity_has_a_name", condition=~Q(name=""), violation_error_message="请写明活动名称"),
            models.CheckConstraint(
                name="activity_withdrawal_is_explained",
                condition=_IS_STANDING | _IS_WITHDRAWN,
                violation_error_message=_EXPLAIN_WITHDRAWAL,
            ),
        ]

    def __str__(self) -> str:
        return self.name
