"""The school's own library of homework designs: written by teachers, reviewed by the teaching-research group, used with one tap."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.homework.enums import DesignOrigin, DesignStatus, HomeworkForm, HomeworkPlace, HomeworkTier
from qingdan.schools.models import School, Subject, SubjectLead


class DesignQuerySet(models.QuerySet["Design"]):
    """Questions about designs."""

    def visible_to(self, user: User) -> DesignQuerySet:
        """Staff: what the school's library has, one's own, and what one is to review; a bureau: what its schools' libraries have."""
        if user.is_bureau:
            return self.published().filter(school__in=School.objects.visible_to(user))
        if not user.is_of_school:
            return self.none()
        own = self.filter(school_id=user.organisation_id)
        return own if user.is_school_leader else own.filter(Q(status=DesignStatus.PUBLISHED) | Q(author=user)) | own.to_review(user)

    def published(self) -> DesignQuerySet:
        """Those in the library."""
        return self.filter(status=DesignStatus.PUBLISHED)

    def to_review(self, user: User) -> DesignQuerySet:
        """Those that wait for a user as head of the subject's group; nobody reviews what he wrote."""
        led = SubjectLead.objects.filter(user=user, school_id=models.OuterRef("school_id"), subject_id=models.OuterRef("subject_id"))
        return self.filter(models.Exists(led), status=DesignStatus.SUBMITTED).exclude(author=user)


class Design(models.Model):
    """One design of homework: draft → submitted → published, or returned with a reason."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="designs", verbose_name="学校")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="designs", verbose_name="学科")
    grade = models.PositiveSmallIntegerField("年级")
    unit = models.CharField("单元", max_length=60)
    title = models.CharField("名称", max_length=80)
    content = models.CharField("作业内容", max_length=500)
    requirements = models.CharField("完成要求", max_length=300, blank=True)
    intent = models.CharField("设计意图", max_length=300)
    tier = models.CharField("层次", max_length=20, choices=HomeworkTier.choices)
    form = models.CharField("类型", max_length=20, choices=HomeworkForm.choices)
    done_at = models.CharField("完成地点", max_length=20, choices=HomeworkPlace.choices, default=HomeworkPlace.HOME)
    homework_minutes = models.PositiveSmallIntegerField("预计时长（分钟）")
    origin = models.CharField("来源", max_length=20, choices=DesignOrigin.choices)
    #: What it was chosen or adapted from.
    source = models.CharField("出处", max_length=200, blank=True)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="designs", verbose_name="设计者")
    status = models.CharField("状态", max_length=20, choices=DesignStatus.choices, default=DesignStatus.DRAFT)
    created_at = models.DateTimeField("建立时间", auto_now_add=True)
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    reviewed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="reviewed_designs", verbose_name="审核人"
    )
    reviewed_at = models.DateTimeField("审核时间", null=True, blank=True)
    review_note = models.CharField("审核意见", max_length=300, blank=True)

    objects = DesignQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "作业设计"
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [models.Index(fields=["school", "subject", "grade", "status"], name="design_on_the_shelf")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="design_minutes_in_range",
                condition=Q(homework_minutes__gte=1, homework_minutes__lte=600),
                violation_error_message="预计时长要在 1 至 600 分钟之间",
            ),
            models.CheckConstraint(
                name="design_names_its_source",
                condition=Q(origin=DesignOrigin.OWN) | ~Q(source=""),
                violation_error_message="选编、改编的作业要写明出处",
            ),
            models.CheckConstraint(
                name="design_review_is_signed",
                condition=~Q(status__in=[DesignStatus.PUBLISHED, DesignStatus.RETURNED])
                | Q(reviewed_by__isnull=False, reviewed_at__isnull=False),
                violation_error_message="审核要有审核人和时间",
            ),
            models.CheckConstraint(
                name="design_return_has_a_reason",
                condition=~Q(status=DesignStatus.RETURNED, review_note=""),
                violation_error_message="退回作业设计要写明理由",
            ),
            models.CheckConstraint(
                name="design_is_reviewed_by_another",
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=models.F("author")),
                violation_error_message="不能审核自己的设计",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class DesignFile(models.Model):
    """A file that belongs to a design."""

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="files", verbose_name="作业设计")
    name = models.CharField("文件名", max_length=150)
    content_type = models.CharField("类型", max_length=100)
    size_bytes = models.PositiveIntegerField("大小")
    content = models.BinaryField("内容")

    class Meta:
        verbose_name = verbose_name_plural = "附件"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="design_file_name_once", fields=["design", "name"], violation_error_message="已有同名的附件"),
            models.CheckConstraint(name="design_file_is_not_empty", condition=Q(size_bytes__gt=0), violation_error_message="文件是空的"),
        ]

    def __str__(self) -> str:
        return self.name


class DesignRating(models.Model):
    """What a teacher says of a design after using it."""

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="ratings", verbose_name="作业设计")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="design_ratings", verbose_name="评价人")
    stars = models.PositiveSmallIntegerField("星级")
    comment = models.CharField("评语", max_length=200, blank=True)
    rated_at = models.DateTimeField("时间", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "使用评价"
        ordering: ClassVar = ["-rated_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="design_rated_once_per_user", fields=["design", "user"], violation_error_message="您已评价过这份设计"
            ),
            models.CheckConstraint(
                name="design_stars_one_to_five", condition=Q(stars__gte=1, stars__lte=5), violation_error_message="星级是一至五"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.design} {self.stars}"
