"""A district's list of institutions handed in as a workbook: a preview of every row, then all at once, then, if need be, back again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.places.models import Region
from qingdan.schools.enums import RollAct, RollStatus


class RegisterImportQuerySet(models.QuerySet["RegisterImport"]):
    """Questions about imports."""

    def visible_to(self, user: User) -> RegisterImportQuerySet:
        """A bureau: those of its regions."""
        return self.filter(region__in=Region.objects.visible_to(user)) if user.is_bureau else self.none()


class RegisterImport(models.Model):
    """One workbook with institutions: previewed, applied, perhaps undone."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="register_imports", verbose_name="地区")
    file_name = models.CharField("文件名", max_length=150)
    status = models.CharField("状态", max_length=10, choices=RollStatus.choices, default=RollStatus.PREVIEWED)
    #: Columns of the workbook that were not read, as it calls them.
    ignored_columns = models.JSONField("没有读入的列", default=list, blank=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="上传人")
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)
    applied_at = models.DateTimeField("导入时间", null=True, blank=True)
    undone_at = models.DateTimeField("撤销时间", null=True, blank=True)
    #: What was there before, to put it back (``places.journal``).
    journal = models.JSONField("变更记录", default=list, blank=True)

    objects = RegisterImportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "机构名册导入"
        ordering: ClassVar = ["-uploaded_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="register_import_status_fits_its_times",
                condition=Q(status=RollStatus.PREVIEWED, applied_at=None, undone_at=None)
                | Q(status=RollStatus.APPLIED, applied_at__isnull=False, undone_at=None)
                | Q(status=RollStatus.UNDONE, applied_at__isnull=False, undone_at__isnull=False),
                violation_error_message="名册导入的状态与时间不符",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class RegisterRow(models.Model):
    """One row as it was read, and what it will do or why it is refused."""

    register = models.ForeignKey(RegisterImport, on_delete=models.CASCADE, related_name="rows", verbose_name="名册")
    sheet = models.CharField("表", max_length=150, blank=True)
    row = models.PositiveIntegerField("行")
    act = models.CharField("处理", max_length=10, choices=RollAct.choices)
    #: Column -> value as read.
    values = models.JSONField("内容")
    #: What changes, or why it is refused, in Chinese.
    what = models.TextField("说明", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "机构名册行"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="register_row_refused_has_a_reason",
                condition=~Q(act=RollAct.REFUSE, what=""),
                violation_error_message="拒收的行要写明原因",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sheet} 第 {self.row} 行"
