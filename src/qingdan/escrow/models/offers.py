"""What other parts of the house know of institutions, courses and sessions, read through their fact views.

Nothing here is written: the views are made by ``judging.facts`` from what the institutions app keeps.
"""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.db import models

from qingdan.accounts.models import Organisation


class OfferedCourseQuerySet(models.QuerySet["OfferedCourse"]):
    """Questions about courses on offer."""

    def open_on(self, day: datetime.date) -> OfferedCourseQuerySet:
        """Filed ones that have not ended by a day."""
        return self.filter(is_filed=True, ends_on__gte=day)


class OfferedCourse(models.Model):
    """A submitted or filed course of an institution."""

    number = models.BigIntegerField(primary_key=True, db_column="row_id")
    institution = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, db_column="organisation_id", related_name="offered_courses")
    name = models.TextField(db_column="course")
    category = models.TextField()
    grade = models.BigIntegerField(null=True)
    is_filed = models.BooleanField()
    is_within_permit = models.BooleanField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    lesson_count = models.IntegerField()
    lesson_minutes = models.IntegerField()
    class_size = models.IntegerField()
    youngest_age = models.IntegerField()
    lesson_price_fen = models.IntegerField()

    objects = OfferedCourseQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "facts_training_course"
        ordering: ClassVar = ["name", "number"]

    def __str__(self) -> str:
        return self.name


class PlannedSession(models.Model):
    """A dated lesson of a course, as planned."""

    number = models.BigIntegerField(primary_key=True, db_column="row_id")
    institution = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, db_column="organisation_id", related_name="planned_sessions")
    course_number = models.BigIntegerField(db_column="course_id")
    course = models.TextField()
    on_date = models.DateField()
    #: Minutes after midnight.
    starts_at = models.BigIntegerField()
    ends_at = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "facts_training_session"
        ordering: ClassVar = ["on_date", "starts_at", "number"]

    def __str__(self) -> str:
        return f"{self.course} {self.on_date}"


class RegisteredInstitution(models.Model):
    """An institution that has not been closed, as the registry has it today."""

    institution = models.OneToOneField(
        Organisation, on_delete=models.DO_NOTHING, primary_key=True, db_column="row_id", related_name="registered"
    )
    category = models.TextField()
    department = models.TextField()
    #: A permit is in force today.
    has_permit = models.BooleanField()
    staff_count = models.BigIntegerField()
    staff_left_in_90_days = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "facts_institution"
        ordering: ClassVar = ["institution"]

    def __str__(self) -> str:
        return str(self.institution)
