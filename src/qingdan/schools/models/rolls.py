"""Rolls handed in as workbooks: first a preview of every row, then all at once, then, if need be, back again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.schools.enums import RollAct, RollKind, RollStatus
from qingdan.schools.models.places import School


class WorkbookImport(models.Model):
    """A workbook that was taken in: previewed, applied, perhaps undone. Whose it is, each import says itself."""

    file_name = models.CharField("文件名", max_length=150)
    status = models.CharField("状态", max_length=10, choices=RollStatus.choices, default=RollStatus.PREVIEWED)
    #: Columns of the workbook that were not read, as it calls them: nothing more of a person is kept than serves.
    ignored_columns = models.JSONField("没有读入的列", default=list, blank=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="上传人")
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)
    applied_at = models.DateTimeField("导入时间", null=True, blank=True)
    undone_at = models.DateTimeField("撤销时间", null=True, blank=True)
    #: What was there before, to put it back (``places.journal``).
    journal = models.JSONField("变更记录", default=list, blank=True)

    class Meta:
        abstract = True
        ordering: ClassVar = ["-uploaded_at"]

    def __str__(self) -> str:
        return self.file_name

    @staticmethod
    def times_fit_status(name: str) -> models.CheckConstraint:
        """The constraint by which an import's times follow its status, under a name of its own."""
        return models.CheckConstraint(
            name=name,
            condition=Q(status=RollStatus.PREVIEWED, applied_at=None, undone_at=None)
            | Q(status=RollStatus.APPLIED, applied_at__isnull=False, undone_at=None)
            | Q(status=RollStatus.UNDONE, applied_at__isnull=False, undone_at__isnull=False),
            violation_error_message="名册导入的状态与时间不符",
        )


class WorkbookRow(models.Model):
    """One row as it was read, and what it will do or why it is refused."""

    sheet = models.CharField("表", max_length=150, blank=True)
    row = models.PositiveIntegerField("行")
    act = models.CharField("处理", max_length=10, choices=RollAct.choices)
    #: Column -> value as read.
    values = models.JSONField("内容")
    #: What changes, or why it is refused, in Chinese.
    what = models.TextField("说明", blank=True)

    class Meta:
        abstract = True
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.sheet} 第 {self.row} 行"

    @staticmethod
    def refusal_has_a_reason(name: str) -> models.CheckConstraint:
        """The constraint by which a refused row says why, under a name of its own."""
        return models.CheckConstraint(name=name, condition=~Q(act=RollAct.REFUSE, what=""), violation_error_message="拒收的行要写明原因")


class RollImportQuerySet(models.QuerySet["RollImport"]):
    """Questions about imports."""

    def visible_to(self, user: User) -> RollImportQuerySet:
        """School leaders: those of the own school."""
        return self.filter(school_id=user.organisation_id) if user.is_school_leader else self.none()


class RollImport(WorkbookImport):
    """One workbook with pupils or staff of a school."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="roll_imports", verbose_name="学校")
    kind = models.CharField("内容", max_length=10, choices=RollKind.choices)
    #: Whether classes that the roll names and the school does not have are made.
    creates_classes = models.BooleanField("新建名册里的班级", default=False)
    #: From which day classes and assignments of the roll hold.
    effective_on = models.DateField("生效日期")

    objects = RollImportQuerySet.as_manager()

    class Meta(WorkbookImport.Meta):
        verbose_name = verbose_name_plural = "名册导入"
        constraints: ClassVar = [WorkbookImport.times_fit_status("roll_status_is_known")]


class RollRow(WorkbookRow):
    """One row of a roll."""

    roll = models.ForeignKey(RollImport, on_delete=models.CASCADE, related_name="rows", verbose_name="名册")

    class Meta(WorkbookRow.Meta):
        verbose_name = verbose_name_plural = "名册行"
        constraints: ClassVar = [WorkbookRow.refusal_has_a_reason("refused_row_has_a_reason")]
