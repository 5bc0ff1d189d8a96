"""What was published: frozen, hashed, never changed. A correction is a new version that names the one before."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.places.models import SchoolYear
from qingdan.policy.units import grade_name
from qingdan.schools.models import School

#: Told to whoever was slower.
VERSION_TAKEN = "这一周的公示刚刚由别人发布了，请刷新后再看"


def snapshot_sha256(snapshot: Any, previous: str) -> str:
    """The hash of a snapshot: of its canonical JSON (sorted keys, no spaces, UTF-8) after the hash of the version before."""
    text = json.dumps(snapshot, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}{text}".encode()).hexdigest()


#: How many pieces of homework a snapshot holds.
_ITEM_COUNT = models.Func(
    "snapshot",
    template="jsonb_array_length(jsonb_path_query_array(%(expressions)s, '$.classes[*].days[*].items[*]'))",
    output_field=models.IntegerField(),
)


class DisclosureQuerySet(models.QuerySet["Disclosure"]):
    """Questions about disclosures, which anybody may read."""

    def newest(self) -> DisclosureQuerySet:
        """Of each grade and week the newest version."""
        newer = Disclosure.objects.filter(
            school_id=models.OuterRef("school_id"),
            grade=models.OuterRef("grade"),
            week_from=models.OuterRef("week_from"),
            version__gt=models.OuterRef("version"),
        )
        return self.filter(~models.Exists(newer))


class Disclosure(models.Model):
    """One version of a grade's published week."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="disclosures", verbose_name="学校")
    school_year = models.ForeignKey(SchoolYear, on_delete=models.PROTECT, related_name="+", verbose_name="学年")
    grade = models.PositiveSmallIntegerField("年级")
    week_from = models.DateField("周一")
    version = models.PositiveSmallIntegerField("版次", default=1)
    #: ``{school, grade, grade_name, week_from, week_until, requirements, intent, classes: [{name, days: [{date, total_home_written,
    #: items: [{subject, tier, form, done_at, minutes, content, requirements, is_optional}]}]}], limits: [...]}``; no teacher's name.
    snapshot = models.JSONField("内容")
    #: Reckoned by the database, so that lists need not open snapshots.
    item_count = models.GeneratedField(verbose_name="作业项数", expression=_ITEM_COUNT, output_field=models.IntegerField(), db_persist=True)
    sha256 = models.CharField("指纹", max_length=64)
    correction = models.CharField("更正说明", max_length=300, blank=True)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="发布人")
    published_at = models.DateTimeField("发布时间")

    objects = DisclosureQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "作业公示"
        ordering: ClassVar = ["-week_from", "grade", "-version"]
        triggers: ClassVar = [
            pgtrigger.Protect(name="published_stays", operation=pgtrigger.Update | pgtrigger.Delete),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="disclosure_version_once",
                fields=["school", "grade", "week_from", "version"],
                violation_error_message=VERSION_TAKEN,
            ),
            models.CheckConstraint(
                name="disclosure_week_begins_on_monday",
                condition=Q(week_from__iso_week_day=1),
                violation_error_message="公示周从周一开始",
            ),
            models.CheckConstraint(
                name="disclosure_correction_is_explained",
                condition=Q(version=1) | ~Q(correction=""),
                violation_error_message="更正公示要写明更正了什么",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school} {grade_name(self.grade)} {self.week_from}"

    @property
    def grade_name(self) -> str:
        """``三年级``."""
        return grade_name(self.grade)

    def is_intact(self) -> bool:
        """Whether the content is still what was hashed when it was published."""
        before = Disclosure.objects.filter(school=self.school_id, grade=self.grade, week_from=self.week_from, version=self.version - 1)
        return self.sha256 == snapshot_sha256(self.snapshot, next((each.sha256 for each in before), ""))
