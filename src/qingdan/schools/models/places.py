"""Schools, subjects, and the classes of each school year."""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from qingdan.accounts.models import Organisation, User
from qingdan.places.models import Region, SchoolYear
from qingdan.policy.units import GRADE_MAX, grade_name
from qingdan.schools.enums import Locality, SchoolKind


def class_name(grade: int, number: int) -> str:
    """``三（2）班``, ``初一（3）班``."""
    return f"{grade_name(grade).removesuffix('年级')}（{number}）班"


class SchoolQuerySet(models.QuerySet["School"]):
    """Questions about schools."""

    def visible_to(self, user: User) -> SchoolQuerySet:
        """A bureau: those of its region; staff: their own; a parent: those of the children."""
        if user.is_bureau:
            return self.filter(organisation__in=Organisation.objects.overseen_by(user.employer))
        if user.is_of_school:
            return self.filter(organisation=user.employer)
        if user.is_parent:
            return self.filter(pk__in=School.objects.filter(pupils__guardians__user=user).values("pk"))
        return self.none()

    def matching(self, text: str) -> SchoolQuerySet:
        """Those with a word in the name, or with these sounds or initials."""
        return self.filter(organisation__in=Organisation.objects.matching(text)) if text else self


class School(models.Model):
    """What an organisation of kind school is besides: its region, grades and kind."""

    organisation = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, primary_key=True, related_name="school", verbose_name="单位"
    )
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="schools", verbose_name="地区")
    kind = models.CharField("类型", max_length=20, choices=SchoolKind.choices)
    first_grade = models.PositiveSmallIntegerField("最低年级")
    last_grade = models.PositiveSmallIntegerField("最高年级")
    locality = models.CharField("城乡", max_length=20, choices=Locality.choices, default=Locality.TOWN)
    address = models.CharField("地址", max_length=100, blank=True)

    objects = SchoolQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学校"
        ordering: ClassVar = ["organisation__pinyin", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="school_kind_is_known", condition=Q(kind__in=SchoolKind.values), violation_error_message="没有这种学校类型"
            ),
            models.CheckConstraint(
                name="school_grades_run_upward",
                condition=Q(first_grade__gte=1, last_grade__lte=GRADE_MAX, last_grade__gte=F("first_grade")),
                violation_error_message="年级要在一至十二之间，最高年级不低于最低年级",
            ),
        ]

    def __str__(self) -> str:
        return self.organisation.name

    @property
    def name(self) -> str:
        """The organisation's name."""
        return self.organisation.name

    @property
    def grades(self) -> range:
        """The grades it has."""
        return range(self.first_grade, self.last_grade + 1)


class Subject(models.Model):
    """A subject of the curriculum; the same for all schools."""

    code = models.SlugField("代码", max_length=30, unique=True)
    name = models.CharField("名称", max_length=30, unique=True)
    position = models.PositiveSmallIntegerField("顺序", default=100)

    class Meta:
        verbose_name = verbose_name_plural = "学科"
        ordering: ClassVar = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class SchoolClassQuerySet(models.QuerySet["SchoolClass"]):
    """Questions about classes."""

    def visible_to(self, user: User) -> SchoolClassQuerySet:
        """A bureau: its region's; staff: the own school's; a parent: those the children were ever in."""
        if user.is_bureau:
            return self.filter(school__organisation__in=Organisation.objects.overseen_by(user.employer))
        if user.is_of_school:
            return self.filter(school_id=user.organisation_id)
        if user.is_parent:
            return self.filter(pk__in=SchoolClass.objects.filter(enrolments__pupil__guardians__user=user).values("pk"))
        return self.none()

    def named_to(self, user: User) -> SchoolClassQuerySet:
        """Those whose pupils a user may see by name: leaders of the school all, class teachers their own; a bureau none."""
        if user.is_school_leader:
            return self.filter(school_id=user.organisation_id)
        return self.filter(school_id=user.organisation_id, class_teacher=user) if user.is_teacher else self.none()

    def current(self, day: datetime.date) -> SchoolClassQuerySet:
        """Those of the school year that a day lies in."""
        return self.filter(school_year__starts_on__lte=day, school_year__ends_on__gte=day)

    def taught_by(self, user: User, day: datetime.date) -> SchoolClassQuerySet:
        """Those in which a user teaches some subject on a day."""
        return self.filter(
            Q(assignments__ends_on=None) | Q(assignments__ends_on__gte=day),
            assignments__teacher=user,
            assignments__starts_on__lte=day,
        ).distinct()


class SchoolClass(models.Model):
    """A class of one school year. Next year it is another class, which names this one as the one it continues."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="classes", verbose_name="学校")
    school_year = models.ForeignKey(SchoolYear, on_delete=models.PROTECT, related_name="classes", verbose_name="学年")
    grade = models.PositiveSmallIntegerField("年级")
    number = models.PositiveSmallIntegerField("班号")
    #: As it was called then: ``三（2）班``. Kept, because records of past years go on naming it.
    name = models.CharField("班级", max_length=30)
    class_teacher = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="led_classes", verbose_name="班主任"
    )
    continues = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="continued_by", verbose_name="由哪个班升上来"
    )

    objects = SchoolClassQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "班级"
        ordering: ClassVar = ["grade", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="class_once_per_year",
                fields=["school", "school_year", "grade", "number"],
                violation_error_message="本学年这个年级已有同号的班",
            ),
            models.CheckConstraint(
                name="class_grade_and_number_in_range",
                condition=Q(grade__gte=1, grade__lte=GRADE_MAX, number__gte=1, number__lte=60),
                violation_error_message="年级要在一至十二之间，班号要在 1 至 60 之间",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def grade_name(self) -> str:
        """``三年级``."""
        return grade_name(self.grade)
