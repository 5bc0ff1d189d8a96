"""Courses and their materials, filed before they are taught."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from qingdan.accounts.models import User
from qingdan.institutions.enums import CourseState, TrainingAudience, TrainingCategory, TrainingField, TrainingMode
from qingdan.institutions.models.permits import Permit
from qingdan.institutions.models.registry import Institution


class CourseQuerySet(models.QuerySet["Course"]):
    """Questions about courses."""

    def visible_to(self, user: User) -> CourseQuerySet:
        """Those of the institutions that a user may see; a bureau no drafts."""
        found = self.filter(institution__in=Institution.objects.visible_to(user))
        return found.exclude(state=CourseState.DRAFT) if user.is_officer else found

    def filed(self) -> CourseQuerySet:
        """Those that the public may see."""
        return self.filter(state=CourseState.FILED)


class Course(models.Model):
    """One course as it is filed: draft → submitted → filed, or returned with a reason."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="courses", verbose_name="机构")
    permit = models.ForeignKey(Permit, on_delete=models.PROTECT, null=True, blank=True, related_name="courses", verbose_name="所依许可")
    name = models.CharField("课程名称", max_length=80)
    category = models.CharField("类别", max_length=20, choices=TrainingCategory.choices)
    field = models.CharField("领域", max_length=20, choices=TrainingField.choices)
    subject = models.CharField("学科或项目", max_length=40)
    audience = models.CharField("招生对象", max_length=30, choices=TrainingAudience.choices)
    first_grade = models.PositiveSmallIntegerField("最低年级", null=True, blank=True)
    last_grade = models.PositiveSmallIntegerField("最高年级", null=True, blank=True)
    #: Preschool classes, bridging classes, "thinking" classes: what preschool children are taught academically (S0.12).
    is_collective_preschool = models.BooleanField("学前班、幼小衔接、思维训练等名义", default=False)
    youngest_age = models.PositiveSmallIntegerField("最小年龄")
    mode = models.CharField("方式", max_length=20, choices=TrainingMode.choices)
    class_size = models.PositiveSmallIntegerField("班额")
    lesson_count = models.PositiveSmallIntegerField("课时数")
    lesson_minutes = models.PositiveSmallIntegerField("每课时分钟")
    gap_minutes = models.PositiveSmallIntegerField("课间休息分钟", null=True, blank=True)
    lesson_price_fen = models.PositiveIntegerField("每课时价格（分）")
    goal = models.CharField("培训目标", max_length=300)
    syllabus = models.TextField("内容与进度")
    #: Word by word, what the classification aid saw when it was submitted: ``[{word, weight, where, cites}]``.
    evidence = models.JSONField("分类依据", default=list, blank=True)
    is_beyond_standard = models.BooleanField("超标", default=False)
    is_ahead_of_progress = models.BooleanField("超前", default=False)
    is_overseas_curriculum = models.BooleanField("境外教育课程", default=False)
    is_exam_oriented = models.BooleanField("应试性", default=False)
    offers_photo_search = models.BooleanField("拍照搜题", default=False)
    is_vulgar_or_unlawful = models.BooleanField("低俗或违法内容", default=False)
    uses_pirated_material = models.BooleanField("盗版侵权材料", default=False)
    starts_on = models.DateField("开课日期")
    ends_on = models.DateField("结课日期")
    state = models.CharField("状态", max_length=20, choices=CourseState.choices, default=CourseState.DRAFT)
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="审核人")
    reviewed_at = models.DateTimeField("审核时间", null=True, blank=True)
    review_note = models.CharField("审核意见", max_length=500, blank=True)

    objects = CourseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "培训课程"
        ordering: ClassVar = ["institution", "name"]
        indexes: ClassVar = [models.Index(fields=["state", "submitted_at"], name="course_to_review")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="course_name_once",
                fields=["institution", "name", "starts_on"],
                violation_error_message="本机构已有同名、同日开课的课程",
            ),
            models.CheckConstraint(
                name="course_runs_forward", condition=Q(ends_on__gte=F("starts_on")), violation_error_message="结课日期不能早于开课日期"
            ),
            models.CheckConstraint(
                name="course_counts_are_positive",
                condition=Q(lesson_count__gte=1, lesson_minutes__gte=1, lesson_minutes__lte=240, class_size__gte=1, class_size__lte=200),
                violation_error_message="课时数、每课时分钟（至多 240）、班额（至多 200）要大于零",
            ),
            models.CheckConstraint(
                name="course_grades_run_upward",
                condition=Q(first_grade=None, last_grade=None)
                # A comparison with nothing is neither true nor false, and what is not false passes: both have to be there.
                | Q(
                    first_grade__isnull=False,
                    last_grade__isnull=False,
                    first_grade__gte=1,
                    last_grade__lte=12,
                    last_grade__gte=F("first_grade"),
                ),
                violation_error_message="年级要在一至十二之间，最高不低于最低",
            ),
            models.CheckConstraint(
                name="course_return_has_a_reason",
                condition=~Q(state=CourseState.RETURNED, review_note=""),
                violation_error_message="退回课程要写明理由",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CourseFile(models.Model):
    """A material of a course: textbook, handout, plan."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="files", verbose_name="课程")
    label = models.CharField("材料名称", max_length=80)
    name = models.CharField("文件名", max_length=150)
    content_type = models.CharField("类型", max_length=100)
    size_bytes = models.PositiveIntegerField("大小")
    content = models.BinaryField("内容")

    class Meta:
        verbose_name = verbose_name_plural = "培训材料"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="course_file_name_once", fields=["course", "name"], violation_error_message="已有同名的材料"),
            models.CheckConstraint(name="course_file_is_not_empty", condition=Q(size_bytes__gt=0), violation_error_message="文件是空的"),
        ]

    def __str__(self) -> str:
        return self.name
