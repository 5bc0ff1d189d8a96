"""The school's own library of homework designs: written by teachers, reviewed by the teaching-research group, used with one tap."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Aggregate, Avg, Count, OuterRef, Q, Subquery
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.homework.enums import DesignAct, DesignOrigin, DesignStatus, HomeworkForm, HomeworkPlace, HomeworkStatus, HomeworkTier
from qingdan.schools.models import School, Subject, SubjectLead

log = logging.getLogger(__name__)
#: The author may change a design as long as it is with him.
WITH_AUTHOR = (DesignStatus.DRAFT, DesignStatus.RETURNED)


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

    def with_use(self) -> DesignQuerySet:
        """With ``uses`` (how often it went out to a class), ``rating`` (mean of the stars, None without any) and ``rating_count``."""
        out = Count("homework", filter=Q(homework__status=HomeworkStatus.OUT))
        return self.annotate(
            uses=self._of_each(out),
            rating=self._of_each(Avg("ratings__stars")),
            rating_count=self._of_each(Count("ratings")),
        )

    @staticmethod
    def _of_each(aggregate: Aggregate) -> Subquery:
        """An aggregate by itself: two joins at once would count each other's rows."""
        return Subquery(Design.objects.order_by().filter(pk=OuterRef("pk")).annotate(found=aggregate).values("found"))


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

    @property
    def is_with_author(self) -> bool:
        """Whether its author may change it: a draft, or returned."""
        return self.status in WITH_AUTHOR

    def heads(self) -> models.QuerySet[User]:
        """Who may review it: the heads of the subject's research group, except the author."""
        led = User.objects.filter(led_subjects__school=self.school_id, led_subjects__subject=self.subject_id, is_active=True)
        return led.exclude(pk=self.author_id).distinct()

    def is_used_by(self, user: User) -> bool:
        """Whether a teacher has given it out; only then can it be rated."""
        return self.homework.filter(teacher=user, status=HomeworkStatus.OUT).exists()

    @transaction.atomic
    def submit(self, by: User) -> None:
        """Hand it to the research group; raise ValidationError where it cannot be."""
        self._locked_in(WITH_AUTHOR, "只有草稿和被退回的设计能提交审核")
        if by.pk != self.author_id:
            raise ValidationError("只有设计者本人能提交审核")
        if not self.heads().exists():
            raise ValidationError(f"{self.subject}还没有（您以外的）教研组长，没有人能审核；请学校先设置教研组长，再来提交")
        self.status, self.submitted_at = DesignStatus.SUBMITTED, timezone.now()
        self._keep(DesignAct.SUBMITTED, by)

    @transaction.atomic
    def publish_by(self, by: User, note: str = "") -> None:
        """Put it into the library after review; raise ValidationError where it cannot be."""
        self._reviewable_by(by)
        self.status, self.reviewed_by, self.reviewed_at = DesignStatus.PUBLISHED, by, timezone.now()
        self.review_note = note.strip()[:300]
        self._keep(DesignAct.PUBLISHED, by, self.review_note)

    @transaction.atomic
    def return_by(self, by: User, reason: str) -> None:
        """Give it back to the author with a reason; raise ValidationError where it cannot be."""
        self._reviewable_by(by)
        if not reason.strip():
            raise ValidationError("退回要写明理由，让设计者知道怎么改")
        self.status, self.reviewed_by, self.reviewed_at = DesignStatus.RETURNED, by, timezone.now()
        self.review_note = reason.strip()[:300]
        self._keep(DesignAct.RETURNED, by, self.review_note)

    @transaction.atomic
    def withdraw(self, by: User, reason: str = "") -> None:
        """Take it out of the library, or back from review: a draft again. The author may, and for a published one a head (who says why)."""
        is_author = by.pk == self.author_id
        self._locked_in([DesignStatus.PUBLISHED, *([DesignStatus.SUBMITTED] if is_author else [])], "这份设计不在库中，不必撤下")
        if not is_author and not self.heads().filter(pk=by.pk).exists():
            raise ValidationError("只有设计者本人和教研组长能撤下")
        if not is_author and not reason.strip():
            raise ValidationError("撤下别人的设计要写明理由")
        self.status = DesignStatus.DRAFT
        self._keep(DesignAct.WITHDRAWN, by, reason.strip()[:300])

    def _reviewable_by(self, by: User) -> None:
        self._locked_in([DesignStatus.SUBMITTED], "这份设计不在待审状态，可能刚刚由别人审过")
        if by.pk == self.author_id:
            raise ValidationError("不能审核自己的设计")
        if not self.heads().filter(pk=by.pk).exists():
            raise ValidationError(f"只有{self.subject}教研组长能审核")

    def _locked_in(self, statuses: Sequence[str], refusal: str) -> None:
        """Hold the record and look at it as it is now, not as it was when the page was opened."""
        Design.objects.select_for_update().get(pk=self.pk)
        self.refresh_from_db(fields=["status", "author", "subject", "school"])
        if self.status not in statuses:
            raise ValidationError(f"{refusal}（现在是“{self.get_status_display()}”）")

    def _keep(self, act: DesignAct, by: User, note: str = "") -> None:
        self.save(update_fields=["status", "submitted_at", "reviewed_by", "reviewed_at", "review_note"])
        self.steps.create(act=act, by=by, note=note)
        log.info("design.%s design=%s by=%s", act, self.pk, by.pk)


class DesignStep(models.Model):
    """One step of a design's way through review: who did what when, and why."""

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="steps", verbose_name="作业设计")
    act = models.CharField("处理", max_length=20, choices=DesignAct.choices)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="处理人")
    at = models.DateTimeField("时间", auto_now_add=True)
    note = models.CharField("说明", max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "审核记录"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="design_step_return_has_a_reason",
                condition=~Q(act=DesignAct.RETURNED, note=""),
                violation_error_message="退回作业设计要写明理由",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.design} {self.get_act_display()}"


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
