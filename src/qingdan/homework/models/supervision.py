"""Supervision: classes drawn at random, checked on the spot against what was published; totals reviewed every month."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from qingdan.accounts.models import Organisation, User
from qingdan.draws.models import Draw
from qingdan.homework.enums import Fault
from qingdan.homework.models.register import MINUTES_MAX, Homework
from qingdan.schools.models import School, SchoolClass


class SpotCheckQuerySet(models.QuerySet["SpotCheck"]):
    """Questions about spot checks."""

    def visible_to(self, user: User) -> SpotCheckQuerySet:
        """A bureau's own."""
        return self.filter(bureau_id=user.organisation_id) if user.is_bureau else self.none()


class SpotCheck(models.Model):
    """A round of checks: which classes were drawn, from which, with which seed."""

    bureau = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="spot_checks", verbose_name="检查单位")
    title = models.CharField("名称", max_length=80)
    #: The week whose published homework is checked.
    week_from = models.DateField("检查周")
    draw = models.OneToOneField(Draw, on_delete=models.PROTECT, related_name="spot_check", verbose_name="抽取")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="发起人")
    created_at = models.DateTimeField("发起时间", auto_now_add=True)

    objects = SpotCheckQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "随机抽查"
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="spot_check_week_begins_on_monday", condition=Q(week_from__iso_week_day=1), violation_error_message="检查周从周一开始"
            ),
            models.CheckConstraint(name="spot_check_has_a_title", condition=~Q(title=""), violation_error_message="请给这次抽查起个名称"),
        ]

    def __str__(self) -> str:
        return self.title


class CheckedClassQuerySet(models.QuerySet["CheckedClass"]):
    """Questions about drawn classes."""

    def visible_to(self, user: User) -> CheckedClassQuerySet:
        """A bureau: its own checks; a school: results about its own classes once they are in."""
        if user.is_bureau:
            return self.filter(spot_check__bureau_id=user.organisation_id)
        if user.is_school_leader:
            return self.filter(school_class__school_id=user.organisation_id).exclude(checked_at=None)
        return self.none()


class CheckedClass(models.Model):
    """One class of a round, with the result once somebody has been there."""

    spot_check = models.ForeignKey(SpotCheck, on_delete=models.CASCADE, related_name="classes", verbose_name="抽查")
    school_class = models.ForeignKey(SchoolClass, on_delete=models.PROTECT, related_name="checks", verbose_name="班级")
    checked_on = models.DateField("检查日期", null=True, blank=True)
    checked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="检查人")
    checked_at = models.DateTimeField("记录时间", null=True, blank=True)
    #: Whether what pupils were really given is what was published.
    is_as_published = models.BooleanField("与公示一致", null=True, blank=True)
    note = models.CharField("说明", max_length=500, blank=True)

    objects = CheckedClassQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "抽查班级"
        ordering: ClassVar = ["school_class__school__organisation__pinyin", "school_class__grade", "school_class__number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="class_once_per_spot_check", fields=["spot_check", "school_class"], violation_error_message="这个班已在本次抽查中"
            ),
            models.CheckConstraint(
                name="check_result_is_signed",
                condition=Q(checked_at=None, is_as_published=None)
                | Q(checked_at__isnull=False, checked_by__isnull=False, checked_on__isnull=False, is_as_published__isnull=False),
                violation_error_message="检查结果要有检查人、日期，并写明是否与公示一致",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spot_check} {self.school_class}"


class CheckedHomework(models.Model):
    """What was found about one piece of homework, or about one that was never published."""

    checked_class = models.ForeignKey(CheckedClass, on_delete=models.CASCADE, related_name="items", verbose_name="抽查班级")
    #: Empty for homework that pupils had although it was not in the register.
    homework = models.ForeignKey(Homework, on_delete=models.PROTECT, null=True, blank=True, related_name="checks", verbose_name="作业")
    content = models.CharField("内容", max_length=500)
    is_as_published = models.BooleanField("与公示一致", default=True)
    seen_minutes = models.PositiveSmallIntegerField("估计实际需时（分钟）", null=True, blank=True)
    is_careless = models.BooleanField("批改敷衍", null=True, blank=True)
    has_feedback = models.BooleanField("有反馈", null=True, blank=True)
    faults = ArrayField(models.CharField(max_length=30, choices=Fault.choices), verbose_name="问题", default=list, blank=True)
    note = models.CharField("说明", max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "抽查的作业"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="homework_once_per_check", fields=["checked_class", "homework"], violation_error_message="这项作业已在本次检查中"
            ),
            models.CheckConstraint(
                name="seen_minutes_in_range",
                condition=Q(seen_minutes=None) | Q(seen_minutes__lte=MINUTES_MAX),
                violation_error_message=f"需时要在 0 至 {MINUTES_MAX} 分钟之间",
            ),
        ]

    def __str__(self) -> str:
        return self.content


class MonthlyReview(models.Model):
    """A school's totals of one month as they were when the bureau reviewed them, with its judgement."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="monthly_reviews", verbose_name="学校")
    #: The first of the month.
    month = models.DateField("月份")
    #: ``{days, classes, average_minutes, over_limit_days, published_on_time, weeks, reports, average_reported_minutes, checks, faults}``.
    totals = models.JSONField("总量")
    opinion = models.CharField("评议意见", max_length=500, blank=True)
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="评议人")
    reviewed_at = models.DateTimeField("评议时间", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "月度评议"
        ordering: ClassVar = ["-month"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="review_once_per_month", fields=["school", "month"], violation_error_message="本月已评议过这所学校"
            ),
            models.CheckConstraint(
                name="review_month_begins_on_first", condition=Q(month__day=1), violation_error_message="月份以当月一日表示"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.month:%Y-%m}"
