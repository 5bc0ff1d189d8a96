"""Who teaches what, pupils with the least that serves, and their guardians."""

from __future__ import annotations

import datetime
from typing import ClassVar

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from qingdan.accounts.models import User
from qingdan.places.models import OnePoint, SchoolYear, days, refuse_reversed
from qingdan.schools.enums import Relation
from qingdan.schools.models.places import School, SchoolClass, Subject


class TeachingAssignmentQuerySet(models.QuerySet["TeachingAssignment"]):
    """Questions about who teaches what."""

    def in_force(self, day: datetime.date) -> TeachingAssignmentQuerySet:
        """Those of a day."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day)

    def of_teacher(self, user: User, day: datetime.date) -> TeachingAssignmentQuerySet:
        """What a teacher teaches on a day."""
        return self.in_force(day).filter(teacher=user)


@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class TeachingAssignment(models.Model):
    """A teacher teaches a subject in a class, from a day on."""

    teacher = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments", verbose_name="教师")
    school_class = models.ForeignKey(SchoolClass, on_delete=models.PROTECT, related_name="assignments", verbose_name="班级")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="assignments", verbose_name="学科")
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期", null=True, blank=True)

    objects = TeachingAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "任课"
        ordering: ClassVar = ["school_class__grade", "school_class__number", "subject__position"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="assignment_runs_forward",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                violation_error_message="任课的结束日期不能早于开始日期",
            ),
            ExclusionConstraint(
                name="assignment_once_at_a_time",
                expressions=[
                    (OnePoint("teacher_id"), RangeOperators.OVERLAPS),
                    (OnePoint("school_class_id"), RangeOperators.OVERLAPS),
                    (OnePoint("subject_id"), RangeOperators.OVERLAPS),
                    (days(), RangeOperators.OVERLAPS),
                ],
                violation_error_message="这位教师在这个班的这门学科已有同期的任课",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_class} {self.subject} {self.teacher}"

    def clean(self) -> None:
        """Refuse an assignment that runs backward."""
        super().clean()
        refuse_reversed(self, "任课的结束日期不能早于开始日期")


class GradeLead(models.Model):
    """The head of a year group (年级组长) in a school year."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="grade_leads", verbose_name="学校")
    school_year = models.ForeignKey(SchoolYear, on_delete=models.PROTECT, related_name="grade_leads", verbose_name="学年")
    grade = models.PositiveSmallIntegerField("年级")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="led_grades", verbose_name="年级组长")

    class Meta:
        verbose_name = verbose_name_plural = "年级组长"
        ordering: ClassVar = ["grade"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="grade_lead_once",
                fields=["school", "school_year", "grade", "user"],
                violation_error_message="这位教师已是这个年级的组长",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grade} {self.user}"


class SubjectLead(models.Model):
    """The head of a subject's teaching-research group (教研组长) in a school: reviews designs of homework."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="subject_leads", verbose_name="学校")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="leads", verbose_name="学科")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="led_subjects", verbose_name="教研组长")

    class Meta:
        verbose_name = verbose_name_plural = "教研组长"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="subject_lead_once", fields=["school", "subject", "user"], violation_error_message="这位教师已是这门学科的教研组长"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.user}"


class PupilQuerySet(models.QuerySet["Pupil"]):
    """Questions about pupils."""

    def visible_to(self, user: User) -> PupilQuerySet:
        """Leaders: the school's; teachers: those of classes they lead; parents: their children; a bureau sees no names of pupils."""
        if user.is_school_leader:
            return self.filter(school_id=user.organisation_id)
        if user.is_teacher:
            return self.filter(pk__in=Pupil.objects.filter(enrolments__school_class__class_teacher=user).values("pk"))
        if user.is_parent:
            return self.filter(guardians__user=user)
        return self.none()


class Pupil(models.Model):
    """A pupil: the school's own number and a name, nothing more."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="pupils", verbose_name="学校")
    number = models.CharField("校内学号", max_length=30)
    name = models.CharField("姓名", max_length=50)

    objects = PupilQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学生"
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="pupil_number_once_per_school", fields=["school", "number"], violation_error_message="本校已有学生用这个学号"
            ),
            models.CheckConstraint(
                name="pupil_has_number_and_name",
                condition=~Q(number="") & ~Q(name=""),
                violation_error_message="学生要有学号和姓名",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    """Questions about who is in which class."""

    def in_force(self, day: datetime.date) -> EnrolmentQuerySet:
        """Those of a day."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day)


@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Enrolment(models.Model):
    """A pupil is in a class from a day on; a transfer in mid-term ends one and begins another."""

    pupil = models.ForeignKey(Pupil, on_delete=models.PROTECT, related_name="enrolments", verbose_name="学生")
    school_class = models.ForeignKey(SchoolClass, on_delete=models.PROTECT, related_name="enrolments", verbose_name="班级")
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期", null=True, blank=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "在班"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="enrolment_runs_forward",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                violation_error_message="离班日期不能早于入班日期",
            ),
            ExclusionConstraint(
                name="enrolments_do_not_overlap",
                expressions=[(OnePoint("pupil_id"), RangeOperators.OVERLAPS), (days(), RangeOperators.OVERLAPS)],
                violation_error_message="同一学生同一天只能在一个班",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pupil} {self.school_class}"

    def clean(self) -> None:
        """Refuse an enrolment that runs backward."""
        super().clean()
        refuse_reversed(self, "离班日期不能早于入班日期")


class Guardian(models.Model):
    """A parent's account is tied to a child."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="children", verbose_name="家长")
    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="guardians", verbose_name="学生")
    relation = models.CharField("关系", max_length=10, choices=Relation.choices, default=Relation.OTHER)
    since = models.DateTimeField("加入时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "监护人"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="guardian_once_per_child", fields=["user", "pupil"], violation_error_message="您已经关联了这个孩子"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.pupil}"
