"""The register: every piece of homework of a class on a day, one row for each tier.

What does not comply does not go out: it is held until the year group has settled it. That only what was judged is ``out`` is kept by
``homework.actions.register``, which takes a lock for class and day, writes, judges the whole day and commits or takes back.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from typing import ClassVar

import pghistory
from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.homework.enums import DoneBy, HomeworkForm, HomeworkPlace, HomeworkStatus, HomeworkTier, MarkedBy
from qingdan.homework.models.designs import Design
from qingdan.schools.models import GradeLead, SchoolClass, Subject

#: A typing error, not a policy: no piece of homework takes ten hours.
MINUTES_MAX = 600


class HomeworkQuerySet(models.QuerySet["Homework"]):
    """Questions about homework."""

    def visible_to(self, user: User) -> HomeworkQuerySet:
        """A bureau and parents: what went out in classes they may see; staff: all of the own school."""
        classes = SchoolClass.objects.visible_to(user)
        found = self.filter(school_class__in=classes)
        return found if user.is_of_school else found.out()

    def editable_by(self, user: User) -> HomeworkQuerySet:
        """A teacher's own, and what he may settle."""
        if not user.is_of_school:
            return self.none()
        return self.filter(Q(teacher=user) | Q(pk__in=Homework.objects.coordinated_by(user).order_by().values("pk")))

    def coordinated_by(self, user: User) -> HomeworkQuerySet:
        """What a user settles for the year group: that of the grades he leads; a leader's whole school."""
        own = self.filter(school_class__school_id=user.organisation_id)
        if user.is_school_leader:
            return own
        if not user.is_teacher:
            return self.none()
        led = GradeLead.objects.filter(
            user=user,
            school_id=models.OuterRef("school_class__school_id"),
            school_year_id=models.OuterRef("school_class__school_year_id"),
            grade=models.OuterRef("school_class__grade"),
        )
        return own.filter(models.Exists(led))

    def out(self) -> HomeworkQuerySet:
        """Those that pupils have."""
        return self.filter(status=HomeworkStatus.OUT)

    def held(self) -> HomeworkQuerySet:
        """Those that wait for the year group."""
        return self.filter(status=HomeworkStatus.HELD)

    def of_grade(self, school_id: int, grade: int, first: datetime.date, last: datetime.date) -> HomeworkQuerySet:
        """A grade's homework of some days."""
        return self.filter(school_class__school_id=school_id, school_class__grade=grade, on_date__range=(first, last))


# What was before each change is kept; what came after is the next one, or the record itself.
@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent())
class Homework(models.Model):
    """One tier of one subject's homework for a class, given on a school day."""

    school_class = models.ForeignKey(SchoolClass, on_delete=models.PROTECT, related_name="homework", verbose_name="班级")
    on_date = models.DateField("布置日期")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="homework", verbose_name="学科")
    teacher = models.ForeignKey(User, on_delete=models.PROTECT, related_name="homework", verbose_name="任课教师")
    tier = models.CharField("层次", max_length=20, choices=HomeworkTier.choices, default=HomeworkTier.BASIC)
    unit = models.CharField("单元", max_length=60, blank=True)
    content = models.CharField("内容", max_length=500)
    requirements = models.CharField("完成要求", max_length=300, blank=True)
    intent = models.CharField("设计意图", max_length=300, blank=True)
    form = models.CharField("类型", max_length=20, choices=HomeworkForm.choices, default=HomeworkForm.WRITTEN)
    done_at = models.CharField("完成地点", max_length=20, choices=HomeworkPlace.choices, default=HomeworkPlace.HOME)
    homework_minutes = models.PositiveSmallIntegerField("预计时长（分钟）")
    marked_by = models.CharField("批改方式", max_length=20, choices=MarkedBy.choices, default=MarkedBy.TEACHER)
    done_by = models.CharField("完成人", max_length=20, choices=DoneBy.choices, default=DoneBy.PUPIL)
    needs_parent = models.BooleanField("没有家长做不成", default=False)
    is_optional = models.BooleanField("选做", default=False)
    is_assigned_in_class = models.BooleanField("当堂布置", default=True)
    design = models.ForeignKey(Design, on_delete=models.SET_NULL, null=True, blank=True, related_name="homework", verbose_name="作业设计")

    status = models.CharField("状态", max_length=20, choices=HomeworkStatus.choices, default=HomeworkStatus.HELD)
    #: Rows saved by one press of the button; pressing twice saves once.
    batch = models.UUIDField("批次", default=uuid.uuid4)
    #: Why it was held: the breaches as they were told, ``[{rule, title, sentence, cites: [{clause, text}]}]``.
    objections = models.JSONField("未能布置的原因", default=list, blank=True)
    settled_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="settled_homework", verbose_name="统筹人"
    )
    settled_at = models.DateTimeField("统筹时间", null=True, blank=True)
    settlement = models.CharField("统筹意见", max_length=200, blank=True)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)
    sent_at = models.DateTimeField("布置时间", null=True, blank=True)

    objects = HomeworkQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "作业"
        ordering: ClassVar = ["on_date", "school_class", "subject__position", "tier", "pk"]
        indexes: ClassVar = [
            # With what the weeks of a school are counted by, so that counting a year of them reads no row.
            models.Index(fields=["school_class", "on_date"], include=["id", "status", "sent_at"], name="homework_of_class_and_day"),
            models.Index(fields=["teacher", "on_date"], name="homework_of_teacher"),
            models.Index(fields=["on_date"], name="homework_of_day", condition=Q(status=HomeworkStatus.OUT)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="homework_minutes_in_range",
                condition=Q(homework_minutes__gte=0, homework_minutes__lte=MINUTES_MAX),
                violation_error_message=f"预计时长要在 0 至 {MINUTES_MAX} 分钟之间",
            ),
            models.CheckConstraint(name="homework_has_content", condition=~Q(content=""), violation_error_message="请写明作业内容"),
            models.CheckConstraint(
                name="homework_status_is_known",
                condition=Q(status__in=HomeworkStatus.values),
                violation_error_message="作业只能是已布置、待统筹、已退回或已撤回",
            ),
            models.CheckConstraint(
                name="homework_out_has_a_time",
                condition=~Q(status=HomeworkStatus.OUT) | Q(sent_at__isnull=False),
                violation_error_message="已布置的作业要有布置时间",
            ),
            models.CheckConstraint(
                name="homework_return_has_a_reason",
                condition=~Q(status=HomeworkStatus.RETURNED) | (~Q(settlement="") & Q(settled_by__isnull=False)),
                violation_error_message="退回作业要写明理由",
            ),
            models.UniqueConstraint(
                name="homework_once_per_batch",
                fields=["batch", "school_class", "tier"],
                violation_error_message="这份作业已经保存过，不必重复提交",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_class} {self.on_date} {self.subject} {self.content}"

    @property
    def is_written_at_home(self) -> bool:
        """Whether it counts as written homework at home."""
        return self.form == HomeworkForm.WRITTEN and self.done_at == HomeworkPlace.HOME

    @property
    def version(self) -> str:
        """A fingerprint of what somebody saw who is about to act on it: another one as soon as anything of it has changed."""
        seen = [self.status, self.on_date, self.homework_minutes, self.form, self.done_at, self.content, self.is_optional, self.settled_at]
        return hashlib.sha256("|".join(map(str, seen)).encode()).hexdigest()[:16]
