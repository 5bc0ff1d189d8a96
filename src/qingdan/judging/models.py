"""Which law stands in the database."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class InstalledLaw(models.Model):
    """The one row that says which state of pack and calendars the tables ``policy_*`` and ``limits_*`` were written from."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    #: Of the pack, for ``limits_*``; of the pack with the bureaus' calendars, for ``policy_*``.
    limits = models.CharField("限值的指纹", max_length=64, default="")
    places = models.CharField("地点与校历的指纹", max_length=64, default="")
    installed_at = models.DateTimeField("装入时间", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "已装入的政策"
        constraints: ClassVar = [
            models.CheckConstraint(name="installed_law_is_one", condition=Q(id=1), violation_error_message="政策只装入一份"),
        ]

    def __str__(self) -> str:
        return self.limits[:12]
