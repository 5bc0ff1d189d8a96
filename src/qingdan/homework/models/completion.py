"""How long homework really takes: finished at school, reported by families, marked and given back."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Sequence
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.draws.models import Draw
from qingdan.homework.enums import HomeworkStatus, SleepAnswer
from qingdan.homework.models.register import MINUTES_MAX, Homework
from qingdan.schools.models import Pupil, SchoolClass, Subject

log = logging.getLogger(__name__)
#: Groups smaller than this are never shown: a family could be recognised.
SMALLEST_GROUP = 3


class SchoolFinishQuerySet(models.QuerySet["SchoolFinish"]):
    """Questions about what was finished at school."""

    def visible_to(self, user: User) -> SchoolFinishQuerySet:
        """What staff may see of classes they may see; families are told nothing of it."""
        return self.none() if user.is_parent else self.filter(school_class__in=SchoolClass.objects.visible_to(user))


class SchoolFinish(models.Model):
    """The class teacher's word on how much of a day's written homework was finished at school."""

    school_class = models.ForeignKey(SchoolClass, on_delete=models.PROTECT, related_name="finishes", verbose_name="班级")
    on_date = models.DateField("日期")
    finished_percent = models.PositiveSmallIntegerField("校内完成比例")
    reported_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="填报人")
    reported_at = models.DateTimeField("填报时间", auto_now=True)

    objects = SchoolFinishQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "校内完成"
        ordering: ClassVar = ["-on_date"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="finish_once_per_day", fields=["school_class", "on_date"], violation_error_message="当天已填报过"),
            models.CheckConstraint(
                name="finish_is_a_percentage",
                condition=Q(finished_percent__gte=0, finished_percent__lte=100),
                violation_error_message="校内完成比例要在 0 至 100 之间",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_class} {self.on_date} {self.finished_percent}%"


class FamilyReportQuerySet(models.QuerySet["FamilyReport"]):
    """Questions about what families were asked and said."""

    def visible_to(self, user: User) -> FamilyReportQuerySet:
        """Only the families' own: everybody else sees averages."""
        return self.filter(pupil__guardians__user=user) if user.is_parent else self.none()

    def answered(self) -> FamilyReportQuerySet:
        """Those with an answer."""
        return self.exclude(answered_at=None)

    def changeable(self, day: datetime.date) -> FamilyReportQuerySet:
        """Those that can be answered, changed or taken back on a day: of that day or the one before."""
        return self.filter(on_date__range=(day - datetime.timedelta(days=1), day))

    def open(self, day: datetime.date) -> FamilyReportQuerySet:
        """Those still to be answered on a day."""
        return self.changeable(day).filter(answered_at=None)


class FamilyReport(models.Model):
    """One family drawn on a day, and what it says. Asked at random, never the same family day after day."""

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="+", verbose_name="抽取")
    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="family_reports", verbose_name="学生")
    #: The class of that day: a later transfer changes nothing.
    school_class = models.ForeignKey(SchoolClass, on_delete=models.PROTECT, related_name="family_reports", verbose_name="班级")
    on_date = models.DateField("日期")
    #: Written homework at home, as long as it really took.
    homework_minutes = models.PositiveSmallIntegerField("实际用时（分钟）", null=True, blank=True)
    sleep = models.CharField("睡眠", max_length=20, choices=SleepAnswer.choices, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="填报人")
    answered_at = models.DateTimeField("填报时间", null=True, blank=True)

    objects = FamilyReportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "家庭反馈"
        ordering: ClassVar = ["-on_date", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["school_class", "on_date"], name="family_report_of_class"),
            models.Index(fields=["on_date"], name="family_report_of_day"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="family_asked_once_a_day", fields=["pupil", "on_date"], violation_error_message="当天已请这个家庭反馈"
            ),
            models.CheckConstraint(
                name="family_answer_is_whole",
                condition=Q(answered_at=None, homework_minutes=None, sleep="")
                | (Q(answered_at__isnull=False, homework_minutes__isnull=False) & ~Q(sleep="")),
                violation_error_message="请选择用时和睡眠情况两项",
            ),
            models.CheckConstraint(
                name="family_minutes_in_range",
                condition=Q(homework_minutes=None) | Q(homework_minutes__lte=MINUTES_MAX),
                violation_error_message=f"用时要在 0 至 {MINUTES_MAX} 分钟之间",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_class} {self.on_date}"

    @property
    def last_day(self) -> datetime.date:
        """The last day on which it can be answered, changed or taken back."""
        return self.on_date + datetime.timedelta(days=1)

    def answer(self, *, by: User, homework_minutes: int, sleep: str, day: datetime.date) -> None:
        """Keep what a family says, in place of what it said before; raise ValidationError where it cannot be."""
        self._refuse_late(day)
        self.homework_minutes, self.sleep = homework_minutes, sleep
        self.answered_by, self.answered_at = by, timezone.now()
        self.full_clean(exclude=["draw", "pupil", "school_class", "answered_by"], validate_unique=False)
        self.save(update_fields=["homework_minutes", "sleep", "answered_by", "answered_at"])
        log.info("family_report.answered report=%s by=%s", self.pk, by.pk)

    @transaction.atomic
    def take_back(self, *, by: User, day: datetime.date) -> None:
        """Forget the answer, as if nothing had been said."""
        self._refuse_late(day)
        self.homework_minutes, self.sleep, self.answered_by, self.answered_at = None, "", None, None
        self.save(update_fields=["homework_minutes", "sleep", "answered_by", "answered_at"])
        self.subjects.all().delete()
        log.info("family_report.taken_back report=%s by=%s", self.pk, by.pk)

    def _refuse_late(self, day: datetime.date) -> None:
        if day > self.last_day:
            raise ValidationError(f"{self.on_date:%m月%d日}的反馈到{self.last_day:%m月%d日}为止，已经不能再填或改了")


class SubjectMinutes(models.Model):
    """How long one subject took, where a family says so."""

    report = models.ForeignKey(FamilyReport, on_delete=models.CASCADE, related_name="subjects", verbose_name="反馈")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+", verbose_name="学科")
    homework_minutes = models.PositiveSmallIntegerField("实际用时（分钟）")

    class Meta:
        verbose_name = verbose_name_plural = "分学科用时"
        constraints: ClassVar = [
            models.UniqueConstraint(name="subject_minutes_once", fields=["report", "subject"], violation_error_message="这门学科已填过"),
            models.CheckConstraint(
                name="subject_minutes_in_range",
                condition=Q(homework_minutes__lte=MINUTES_MAX),
                violation_error_message=f"用时要在 0 至 {MINUTES_MAX} 分钟之间",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.homework_minutes}"


class MarkingQuerySet(models.QuerySet["Marking"]):
    """Questions about marking."""

    def visible_to(self, user: User) -> MarkingQuerySet:
        """A teacher's own homework's."""
        return self.filter(homework__teacher=user) if user.is_of_school else self.none()

    def record(self, items: Sequence[Homework], *, by: User, **values: object) -> None:
        """Keep for each piece of homework how it was marked, in place of what was kept before; all or none."""
        if any(item.status != HomeworkStatus.OUT for item in items):
            raise ValidationError("只有已布置的作业才有批改可记")
        with transaction.atomic():
            for item in items:
                marking = self.model(homework=item, recorded_by=by, **values)
                marking.full_clean(exclude=["homework", "recorded_by"], validate_unique=False)
                self.update_or_create(homework=item, defaults={"recorded_by": by, **values})
        log.info("marking.recorded by=%s homework=%s", by.pk, [item.pk for item in items])


class Marking(models.Model):
    """That a piece of homework was marked and given back."""

    homework = models.OneToOneField(Homework, on_delete=models.CASCADE, related_name="marking", verbose_name="作业")
    marked_on = models.DateField("批改日期")
    is_marked_in_full = models.BooleanField("全批全改", default=True)
    #: 面批: gone through with the pupil face to face.
    face_to_face_count = models.PositiveSmallIntegerField("面批人数", default=0)
    is_discussed_in_class = models.BooleanField("课堂讲评", default=False)
    feedback = models.CharField("反馈", max_length=300, blank=True)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="记录人")
    recorded_at = models.DateTimeField("记录时间", auto_now=True)

    objects = MarkingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "批改记录"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="marking_face_to_face_in_range",
                condition=Q(face_to_face_count__lte=100),
                violation_error_message="面批人数不能超过 100",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.homework} {self.marked_on}"

    def take_back(self, *, by: User) -> None:
        """Forget it; it can be recorded anew."""
        log.info("marking.taken_back homework=%s by=%s", self.homework_id, by.pk)
        self.delete()
