"""How far the demonstration has been loaded."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from qingdan.places.models import Region


class Demonstration(models.Model):
    """The one row that says which district was loaded, how large, and up to which day its homework goes."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="+", verbose_name="地区")
    #: Of what the loader makes; another one is loaded anew.
    version = models.PositiveSmallIntegerField("装入程序的版本")
    school_count = models.PositiveSmallIntegerField("学校数")
    first_day = models.DateField("最早的作业日期")
    #: Every class has its homework up to this day.
    last_day = models.DateField("最近的作业日期")
    #: For which "today" the unsettled class, the unpublished week and the asked family stand ready.
    arranged_for = models.DateField("当日情形")
    loaded_at = models.DateTimeField("装入时间", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "演示数据"
        constraints: ClassVar = [
            models.CheckConstraint(name="demonstration_is_one", condition=Q(id=1), violation_error_message="演示数据只有一份"),
            models.CheckConstraint(
                name="demonstration_runs_forward",
                condition=Q(last_day__gte=F("first_day")),
                violation_error_message="演示数据的最近一天不能早于最早一天",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region} {self.first_day} 至 {self.last_day}"
