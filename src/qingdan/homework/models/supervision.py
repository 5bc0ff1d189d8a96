"""Supervision: classes drawn at random, checked on the spot against what was published; totals reviewed every month."""

from __future__ import annotations

import datetime
import hashlib
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from qingdan.accounts.models import Organisation, User
from qingdan.draws.models import Draw
from qingdan.homework.enums import Fault
from qingdan.homework.models.register import MINUTES_MAX, Homework
from qingdan.places.calendar import today
from qingdan.schools.models import School, SchoolClass


class SpotCheckQuerySet(models.QuerySet["SpotCheck"]):
    """Questions about spot checks."""

    def visible_to(self, user: User) -> SpotCheckQuerySet:
        """A bureau's own."""
        return self.filter(bureau_id=user.organisation_id) if user.is_bureau else self.none()

    def with_progress(self) -> SpotCheckQuerySet:
        """With how many classes each has (``drawn``), how many are done, and in how many of these something was not as published."""
        return self.annotate(
            drawn=Count("classes"),
            done=Count("classes", filter=Q(classes__checked_at__isnull=False)),
            differing=Count("classes", filter=Q(classes__is_as_published=False)),
        )


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

    @property
    def week_until(self) -> datetime.date:
        """The Sunday of the week that is checked."""
        return self.week_from + datetime.timedelta(days=6)


class CheckedClassQuerySet(models.QuerySet["CheckedClass"]):
    """Questions about drawn classes."""

    def visible_to(self, user: User) -> CheckedClassQuerySet:
        """A bureau: its own checks; a school: results about its own classes once they are in."""
        if user.is_bureau:
            return self.filter(spot_check__bureau_id=user.organisation_id)
        if user.is_school_leader:
            return self.filter(school_class__school_id=user.organisation_id).signed()
        return self.none()

    def signed(self) -> CheckedClassQuerySet:
        """Those whose result is in."""
        return self.exclude(checked_at=None)

    def with_places(self) -> CheckedClassQuerySet:
        """With everything a list shows of each, in one query."""
        return self.select_related("spot_check__bureau", "school_class__school__organisation", "school_class__school_year", "checked_by")


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

    @property
    def is_signed(self) -> bool:
        """Whether the result is in."""
        return self.checked_at is not None

    def refuse_if_signed(self) -> None:
        """Raise ValidationError when somebody has completed the check: nothing is overwritten in silence."""
        if self.checked_at is not None:
            at = timezone.localtime(self.checked_at)
            raise ValidationError(f"{self.checked_by}已在 {at:%m-%d %H:%M} 完成这个班的检查，刚才的改动没有保存；请刷新看结果")

    def sign(self, *, by: User, is_as_published: bool, note: str = "") -> None:
        """Complete the check in somebody's name; from now on the school sees the result and the law judges it."""
        self.refuse_if_signed()
        self.checked_by, self.checked_on, self.checked_at = by, today(), timezone.now()
        self.is_as_published, self.note = is_as_published, note.strip()
        self.full_clean(exclude=["spot_check", "school_class", "checked_by"])
        self.save()

    def can_be_taken_back_by(self, user: User) -> bool:
        """Whether a signature may still be taken back: by who gave it, on the same day, before the night's audit."""
        return self.checked_at is not None and self.checked_by_id == user.pk and self.checked_on == today()

    def take_back(self, *, by: User) -> None:
        """Open a completed check again; raise ValidationError when it is too late or somebody else's."""
        if not self.can_be_taken_back_by(by):
            raise ValidationError("只有检查人本人当天可以撤回签名；之后要改，请在说明里另行记录或重新抽查")
        self.checked_by = self.checked_on = self.checked_at = self.is_as_published = None
        self.save()


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

    @property
    def key(self) -> str:
        """What names it on the inspector's page: ``h12`` for homework of the register, ``i5`` for what was found besides."""
        return f"h{self.homework_id}" if self.homework_id else f"i{self.pk}"

    @property
    def token(self) -> str:
        """Changes with the result, so that who saves shows which state was looked at."""
        if self.pk is None:
            return "new"
        parts = (self.content, self.is_as_published, self.seen_minutes, self.is_careless, self.has_feedback, sorted(self.faults), self.note)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @property
    def fault_labels(self) -> list[str]:
        """The faults in words."""
        return [Fault(fault).label for fault in self.faults]


class MonthlyReviewQuerySet(models.QuerySet["MonthlyReview"]):
    """Questions about monthly reviews."""

    def visible_to(self, user: User) -> MonthlyReviewQuerySet:
        """A bureau: of its region's schools; a school leader: of the own school."""
        if user.is_bureau or user.is_school_leader:
            return self.filter(school__in=School.objects.visible_to(user))
        return self.none()


class MonthlyReview(models.Model):
    """A school's totals of one month as they were when the bureau reviewed them, with its judgement."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="monthly_reviews", verbose_name="学校")
    #: The first of the month.
    month = models.DateField("月份")
    #: As ``homework.charts.results.SchoolResult.as_json`` writes them: ``{days, classes, class_days, average_minutes,
    #: average_minutes_by_stage, over_limit_days, published_on_time, weeks, reports, average_reported_minutes, checks, differing, faults}``.
    totals = models.JSONField("总量")
    opinion = models.CharField("评议意见", max_length=500, blank=True)
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="评议人")
    reviewed_at = models.DateTimeField("评议时间", auto_now=True)

    objects = MonthlyReviewQuerySet.as_manager()

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
