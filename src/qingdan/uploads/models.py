"""An upload, its files, and what judging them found.

An upload moves waiting → running → done or failed, and back to waiting when it is tried again. Judging may be
interrupted at any moment (a restart, a crash): the results are written in one transaction by the attempt that is
still the latest, so that a page shows either all of one attempt or nothing.

Findings are stored as they were told, with the words of the law of that day: a later change of the policy pack does not
change what an organisation was told.
"""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from qingdan.accounts.models import Organisation, User
from qingdan.uploads.enums import PENDING, FindingVerdict, UploadStatus

#: How often judging may be interrupted before it is given up.
ATTEMPTS_MAX = 5


class UploadQuerySet(models.QuerySet["Upload"]):
    """Questions about uploads."""

    def visible_to(self, user: User) -> UploadQuerySet:
        """The uploads of the user's own organisation, and of nobody else; deleted ones as long as they can be taken back."""
        oldest = timezone.now() - datetime.timedelta(days=settings.UPLOAD_UNDO_DAYS)
        return self.filter(Q(deleted_at=None) | Q(deleted_at__gt=oldest), organisation=user.organisation_id)

    def kept(self) -> UploadQuerySet:
        """Those not deleted."""
        return self.filter(deleted_at=None)

    def past_undo(self) -> UploadQuerySet:
        """Those deleted so long ago that they cannot be taken back."""
        return self.filter(deleted_at__lte=timezone.now() - datetime.timedelta(days=settings.UPLOAD_UNDO_DAYS))

    def matching(self, text: str) -> UploadQuerySet:
        """Those with a word in the name of a file."""
        return self.filter(Q(files__name__icontains=text)).distinct() if text else self


class Upload(models.Model):
    """Workbooks handed in together, to be judged by the law of one layer."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="uploads", verbose_name="单位")
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="uploads", verbose_name="上传人")
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)
    layer_code = models.CharField("适用政策的层", max_length=60)
    #: Of all files together: the same workbooks are not judged twice at once.
    sha256 = models.CharField("内容指纹", max_length=64)

    status = models.CharField("状态", max_length=20, choices=UploadStatus.choices, default=UploadStatus.WAITING)
    #: Counts up for ever: an attempt that was given up must never pass for a later one.
    attempt = models.PositiveIntegerField("第几次体检", default=0)
    attempts_allowed = models.PositiveIntegerField("最多到第几次", default=ATTEMPTS_MAX)
    progress_what = models.CharField("正在做", max_length=200, blank=True)
    progress_done = models.PositiveBigIntegerField("已做", default=0)
    progress_whole = models.PositiveBigIntegerField("共", default=0)
    problems = models.JSONField("未能体检的原因", default=list, blank=True)
    judged_at = models.DateTimeField("体检时间", null=True, blank=True)

    records = models.PositiveIntegerField("记录", default=0)
    compliant = models.PositiveIntegerField("合规", default=0)
    breach = models.PositiveIntegerField("违规", default=0)
    undetermined = models.PositiveIntegerField("待定", default=0)
    unreadable = models.PositiveIntegerField("未读", default=0)

    deleted_at = models.DateTimeField("删除时间", null=True, blank=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "上传"
        ordering: ClassVar = ["-uploaded_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["organisation", "-uploaded_at"], name="upload_by_organisation")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="upload_status_is_known",
                condition=Q(status__in=UploadStatus.values),
                violation_error_message="上传的状态只能是排队中、体检中、已完成或未能体检",
            ),
            models.UniqueConstraint(
                name="upload_pending_once",
                fields=["organisation", "sha256", "layer_code"],
                condition=Q(status__in=PENDING, deleted_at=None),
                violation_error_message="同样的表格正在按同一层政策体检，请等它完成，不必重复上传",
            ),
            models.CheckConstraint(
                name="upload_progress_within_whole",
                condition=Q(progress_done__lte=F("progress_whole")),
                violation_error_message="进度不能超过总量",
            ),
            models.CheckConstraint(
                name="upload_judged_when_done",
                condition=Q(status=UploadStatus.DONE, judged_at__isnull=False) | ~Q(status=UploadStatus.DONE),
                violation_error_message="已完成的体检要有完成时间",
            ),
            models.CheckConstraint(
                name="upload_failure_has_a_reason",
                condition=~Q(status=UploadStatus.FAILED, problems=[]),
                violation_error_message="未能体检要写明原因",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.uploaded_at:%Y-%m-%d %H:%M}"

    @property
    def is_pending(self) -> bool:
        """Whether it still waits or runs."""
        return self.status in PENDING

    @property
    def is_deleted(self) -> bool:
        """Whether it was deleted (and can still be taken back)."""
        return self.deleted_at is not None

    @property
    def undo_until(self) -> datetime.datetime | None:
        """Until when a deleted upload can be taken back."""
        return self.deleted_at and self.deleted_at + datetime.timedelta(days=settings.UPLOAD_UNDO_DAYS)

    def take_up(self) -> bool:
        """Begin (or, after an interruption, begin anew) to judge; False when it is at an end or deleted."""
        taken = (
            Upload.objects.kept()
            .filter(pk=self.pk, status__in=PENDING)
            .update(status=UploadStatus.RUNNING, attempt=F("attempt") + 1, progress_what="准备", progress_done=0, progress_whole=0)
        )
        if taken:
            self.refresh_from_db()
        return bool(taken)

    def tell_progress(self, what: str, done: int, whole: int) -> None:
        """Keep how far the present attempt is."""
        Upload.objects.filter(pk=self.pk, attempt=self.attempt, status=UploadStatus.RUNNING).update(
            progress_what=what[:200], progress_done=max(0, min(done, whole)), progress_whole=max(0, whole)
        )

    def fail(self, problems: list[str]) -> None:
        """End the present attempt without findings, with the reasons; an older attempt changes nothing any more."""
        Upload.objects.filter(pk=self.pk, attempt=self.attempt, status=UploadStatus.RUNNING).update(
            status=UploadStatus.FAILED, problems=problems, progress_what=""
        )

    def delete_softly(self) -> None:
        """Hide it; it can be taken back for some days, then it is gone with all its files."""
        self.deleted_at = timezone.now()
        self.save(update_fields=["deleted_at"])

    def restore(self) -> None:
        """Take back a deletion; raise ValidationError when the same workbooks have been handed in again and wait."""
        self.deleted_at = None
        self.validate_constraints()
        self.save(update_fields=["deleted_at"])


class UploadedFileManager(models.Manager["UploadedFile"]):
    """Leaves the content in the database until somebody asks for it: it may be 20 MB."""

    def get_queryset(self) -> models.QuerySet[UploadedFile]:
        """Files without their content."""
        return super().get_queryset().defer("content")


class UploadedFile(models.Model):
    """One workbook as it was handed in."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="files", verbose_name="上传")
    name = models.CharField("文件名", max_length=150)
    size_bytes = models.PositiveIntegerField("大小")
    content = models.BinaryField("内容")

    objects = UploadedFileManager()

    class Meta:
        verbose_name = verbose_name_plural = "文件"
        ordering: ClassVar = ["pk"]
        # Otherwise Django's own accessors would fetch the content with every row.
        base_manager_name = "objects"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="file_name_once_per_upload", fields=["upload", "name"], violation_error_message="一次上传里不能有两个同名文件"
            ),
            models.CheckConstraint(
                name="file_has_a_plain_name",
                condition=~Q(name="") & ~Q(name__contains="/") & ~Q(name__contains="\\"),
                violation_error_message="文件名不能为空，也不能含有斜杠",
            ),
            models.CheckConstraint(name="file_is_not_empty", condition=Q(size_bytes__gt=0), violation_error_message="文件是空的（0 字节）"),
        ]

    def __str__(self) -> str:
        return self.name


class UploadReport(models.Model):
    """The findings as a workbook, made once when judging ends."""

    upload = models.OneToOneField(Upload, on_delete=models.CASCADE, related_name="report", primary_key=True, verbose_name="上传")
    content = models.BinaryField("内容")

    class Meta:
        verbose_name = verbose_name_plural = "结果表格"

    def __str__(self) -> str:
        return f"上传 {self.upload_id} 的结果表格"


class FindingQuerySet(models.QuerySet["Finding"]):
    """Questions about findings."""

    def visible_to(self, user: User) -> FindingQuerySet:
        """The findings of uploads that the user may see."""
        return self.filter(upload__in=Upload.objects.visible_to(user))

    def matching(self, *, verdict: str = "", rule: str = "", file: str = "", sheet: str = "", text: str = "") -> FindingQuerySet:
        """Those that fit every filter given."""
        found = self
        if verdict:
            found = found.filter(verdict=verdict)
        if rule:
            found = found.filter(rule_id=rule)
        if file:
            found = found.filter(file=file, sheet=sheet)
        if text:
            found = found.filter(Q(sentence__icontains=text) | Q(subject__icontains=text) | Q(title__icontains=text))
        return found

    def by_rule(self) -> list[Any]:
        """Rules (id and title) with the number of findings of each verdict, those with most breaches first."""
        counted = (
            self.order_by()
            .values("rule_id", "title")
            .annotate(
                breach=models.Count("pk", filter=Q(verdict=FindingVerdict.BREACH)),
                undetermined=models.Count("pk", filter=Q(verdict=FindingVerdict.UNDETERMINED)),
            )
        )
        return list(counted.order_by("-breach", "-undetermined", "rule_id"))


class Finding(models.Model):
    """One rule's answer on one fact, other than compliant, with everything needed to understand it."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="findings", verbose_name="上传")
    position = models.PositiveIntegerField("序号")
    rule_id = models.CharField("规则", max_length=120)
    title = models.CharField("规则标题", max_length=200)
    verdict = models.CharField("结论", max_length=20, choices=FindingVerdict.choices)
    place = models.CharField("适用的层", max_length=60)
    subject = models.CharField("对象", max_length=300, blank=True)
    date = models.DateField("日期", null=True, blank=True)
    sentence = models.TextField("说明")
    remedy = models.TextField("整改建议", blank=True)
    #: Where the first of its records stands; what the page filters by.
    file = models.CharField("文件", max_length=150, blank=True)
    sheet = models.CharField("表", max_length=150, blank=True)
    #: ``[{file, sheet, rows}]``
    sources = models.JSONField("出处", default=list)
    #: ``[{label, text}]``
    observed = models.JSONField("所见", default=list)
    #: ``[{label, text, layer, layer_name, since, cites: [{clause, text}]}]``
    limits = models.JSONField("限值", default=list)
    #: ``[{clause, text}]``
    cites = models.JSONField("依据")

    objects = FindingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "判定"
        # Breaches come first by the alphabet's luck: breach, undetermined.
        ordering: ClassVar = ["verdict", "rule_id", "position"]
        indexes: ClassVar = [models.Index(fields=["upload", "verdict", "rule_id", "position"], name="finding_in_reading_order")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="finding_verdict_is_known",
                condition=Q(verdict__in=FindingVerdict.values),
                violation_error_message="结论只能是违规或待定；合规的记录不另列",
            ),
            models.CheckConstraint(
                name="finding_has_reason_and_clause",
                condition=~Q(sentence="") & ~Q(cites=[]),
                violation_error_message="没有说明或没有依据条款的判定不能成立",
            ),
            models.UniqueConstraint(
                name="finding_position_once", fields=["upload", "position"], violation_error_message="同一次体检里判定的序号不能重复"
            ),
        ]

    def __str__(self) -> str:
        return self.sentence


class UnreadItem(models.Model):
    """A cell, row, sheet or file that could not be read, with the reason."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="unread_items", verbose_name="上传")
    file = models.CharField("文件", max_length=150, blank=True)
    sheet = models.CharField("表", max_length=150, blank=True)
    row = models.PositiveIntegerField("行", null=True, blank=True)
    column = models.CharField("列", max_length=200, blank=True)
    value = models.TextField("原文", blank=True)
    reason = models.TextField("原因")

    class Meta:
        verbose_name = verbose_name_plural = "未读内容"
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.reason


class SkippedRegion(models.Model):
    """A part of a sheet that is no record: titles, notes, totals, signatures."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="skipped_regions", verbose_name="上传")
    file = models.CharField("文件", max_length=150, blank=True)
    sheet = models.CharField("表", max_length=150, blank=True)
    first_row = models.PositiveIntegerField("首行", null=True, blank=True)
    last_row = models.PositiveIntegerField("末行", null=True, blank=True)
    what = models.TextField("是什么")

    class Meta:
        verbose_name = verbose_name_plural = "略过内容"
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.what


class UnjudgedRule(models.Model):
    """A rule that a table cannot answer because it lacks columns."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="unjudged_rules", verbose_name="上传")
    rule_id = models.CharField("规则", max_length=120)
    title = models.CharField("规则标题", max_length=200)
    file = models.CharField("文件", max_length=150, blank=True)
    sheet = models.CharField("表", max_length=150, blank=True)
    #: Chinese labels.
    missing = models.JSONField("缺少的列", default=list)
    reason = models.TextField("原因")

    class Meta:
        verbose_name = verbose_name_plural = "未判定的规则"
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.title
