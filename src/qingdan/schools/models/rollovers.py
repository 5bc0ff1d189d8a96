"""The turn of the school year: classes go up a grade, the last grade graduates."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.places.models import SchoolYear
from qingdan.schools.models.places import School


class YearRolloverQuerySet(models.QuerySet["YearRollover"]):
    """Questions about rollovers."""

    def visible_to(self, user: User) -> YearRolloverQuerySet:
        """School leaders: those of the own school."""
        return self.filter(school_id=user.organisation_id) if user.is_school_leader else self.none()

    def in_force(self) -> YearRolloverQuerySet:
        """Those not taken back."""
        return self.filter(undone_at=None)


class YearRollover(models.Model):
    """A school has gone from one school year to the next, and perhaps back."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="rollovers", verbose_name="学校")
    from_year = models.ForeignKey(SchoolYear, on_delete=models.PROTECT, related_name="+", verbose_name="原学年")
    to_year = models.ForeignKey(SchoolYear, on_delete=models.PROTECT, related_name="+", verbose_name="新学年")
    applied_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="经办人")
    applied_at = models.DateTimeField("升级时间", auto_now_add=True)
    undone_at = models.DateTimeField("撤销时间", null=True, blank=True)
    #: As ``places.journal`` writes it.
    journal = models.JSONField("变更记录", default=list, blank=True)

    objects = YearRolloverQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学年升级"
        ordering: ClassVar = ["-applied_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="rollover_once_per_year",
                fields=["school", "to_year"],
                condition=Q(undone_at=None),
                violation_error_message="本校已升到这个学年；要重做请先撤销",
            ),
            models.CheckConstraint(
                name="rollover_goes_to_another_year",
                condition=~Q(from_year=models.F("to_year")),
                violation_error_message="新学年不能就是原学年",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.to_year}"
