"""Lists handed in as workbooks, a district's institutions and an institution's people: a preview of every row, then all at once,
then, if need be, back again.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from qingdan.accounts.models import User
from qingdan.institutions.models.registry import Institution
from qingdan.places.models import Region
from qingdan.schools.models.rolls import WorkbookImport, WorkbookRow


class RegisterImportQuerySet(models.QuerySet["RegisterImport"]):
    """Questions about imports."""

    def visible_to(self, user: User) -> RegisterImportQuerySet:
        """A bureau: those of its regions."""
        return self.filter(region__in=Region.objects.visible_to(user)) if user.is_bureau else self.none()


class RegisterImport(WorkbookImport):
    """One workbook with institutions."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="register_imports", verbose_name="地区")

    objects = RegisterImportQuerySet.as_manager()

    class Meta(WorkbookImport.Meta):
        verbose_name = verbose_name_plural = "机构名册导入"
        constraints: ClassVar = [WorkbookImport.times_fit_status("register_import_status_fits_its_times")]


class RegisterRow(WorkbookRow):
    """One row of a list of institutions."""

    register = models.ForeignKey(RegisterImport, on_delete=models.CASCADE, related_name="rows", verbose_name="名册")

    class Meta(WorkbookRow.Meta):
        verbose_name = verbose_name_plural = "机构名册行"
        constraints: ClassVar = [WorkbookRow.refusal_has_a_reason("register_row_refused_has_a_reason")]


class StaffImportQuerySet(models.QuerySet["StaffImport"]):
    """Questions about imports."""

    def visible_to(self, user: User) -> StaffImportQuerySet:
        """An institution: its own. Nobody else, for a preview names people whom the institution may never employ."""
        return self.none() if user.is_officer else self.filter(institution__in=Institution.objects.visible_to(user))


class StaffImport(WorkbookImport):
    """One workbook with the people who work for an institution."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="staff_imports", verbose_name="机构")

    objects = StaffImportQuerySet.as_manager()

    class Meta(WorkbookImport.Meta):
        verbose_name = verbose_name_plural = "从业人员导入"
        constraints: ClassVar = [WorkbookImport.times_fit_status("staff_import_status_fits_its_times")]


class StaffRow(WorkbookRow):
    """One row of a list of people; of a number it holds digest and mask only."""

    register = models.ForeignKey(StaffImport, on_delete=models.CASCADE, related_name="rows", verbose_name="名册")

    class Meta(WorkbookRow.Meta):
        verbose_name = verbose_name_plural = "从业人员名册行"
        constraints: ClassVar = [WorkbookRow.refusal_has_a_reason("staff_row_refused_has_a_reason")]
