"""Weekly plans and the dated sessions that they become. Two sessions never share a room or a teacher at one time."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from qingdan.accounts.models import User
from qingdan.institutions.enums import SessionState, Weekday
from qingdan.institutions.models.courses import Course
from qingdan.institutions.models.registry import Institution, Premises
from qingdan.institutions.models.staff import Staff
from qingdan.places.models import OnePoint

#: A session may end at midnight, not later.
DAY_MINUTES = 24 * 60


def clock_text(minutes: int) -> str:
    """Minutes since midnight as ``18:30``."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


class RoomQuerySet(models.QuerySet["Room"]):
    """Questions about rooms."""

    def visible_to(self, user: User) -> RoomQuerySet:
        """Those of the institutions that a user may see."""
        return self.filter(premises__institution__in=Institution.objects.visible_to(user))


class Room(models.Model):
    """A room of premises; online, a live channel counts as one."""

    premises = models.ForeignKey(Premises, on_delete=models.PROTECT, related_name="rooms", verbose_name="教学点")
    name = models.CharField("教室", max_length=40)
    seats = models.PositiveSmallIntegerField("座位")

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "教室"
        ordering: ClassVar = ["premises", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="room_name_once", fields=["premises", "name"], violation_error_message="这个教学点已有同名的教室"),
        ]

    def __str__(self) -> str:
        return self.name


class WeeklyPlanQuerySet(models.QuerySet["WeeklyPlan"]):
    """Questions about weekly plans."""

    def visible_to(self, user: User) -> WeeklyPlanQuerySet:
        """Those of the institutions that a user may see."""
        return self.filter(course__institution__in=Institution.objects.visible_to(user))


class WeeklyPlan(models.Model):
    """A course is taught on a weekday between two days; expanded to sessions over the calendar."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="plans", verbose_name="课程")
    weekday = models.CharField("星期", max_length=1, choices=Weekday.choices)
    #: Minutes since midnight.
    starts_at = models.PositiveSmallIntegerField("开始时间")
    ends_at = models.PositiveSmallIntegerField("结束时间")
    first_day = models.DateField("自")
    last_day = models.DateField("至")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="教室")
    teacher = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+", verbose_name="教师")

    objects = WeeklyPlanQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "每周安排"
        ordering: ClassVar = ["weekday", "starts_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="plan_times_run_forward",
                condition=Q(ends_at__gt=F("starts_at"), ends_at__lte=1440),
                violation_error_message="结束时间要晚于开始时间，都在同一天",
            ),
            models.CheckConstraint(
                name="plan_days_run_forward", condition=Q(last_day__gte=F("first_day")), violation_error_message="截止日期不能早于起始日期"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course} {self.get_weekday_display()}"

    @property
    def times(self) -> str:
        """``18:30–20:00``."""
        return f"{clock_text(self.starts_at)}–{clock_text(self.ends_at)}"


class _Moments(Func):
    """A session as minutes since 2000-01-01, half open: one may begin when the other ends."""

    function = "int8range"
    template = (
        "int8range(CAST(on_date - DATE '2000-01-01' AS bigint) * 1440 + starts_at,"
        " CAST(on_date - DATE '2000-01-01' AS bigint) * 1440 + ends_at, '[)')"
    )
    output_field = BigIntegerRangeField()


class SessionQuerySet(models.QuerySet["Session"]):
    """Questions about sessions."""

    def visible_to(self, user: User) -> SessionQuerySet:
        """Those of the institutions that a user may see."""
        return self.filter(institution__in=Institution.objects.visible_to(user))

    def with_names(self) -> SessionQuerySet:
        """With all that a page shows of a session; not in one query, since planning eight joins takes longer than running them."""
        return self.select_related("room__premises").prefetch_related("course", "teacher")

    def planned(self) -> SessionQuerySet:
        """Those that take place."""
        return self.filter(state=SessionState.PLANNED)


class Session(models.Model):
    """One dated lesson (or several lessons in a row) of a course."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="sessions", verbose_name="机构")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="sessions", verbose_name="课程")
    plan = models.ForeignKey(WeeklyPlan, on_delete=models.SET_NULL, null=True, blank=True, related_name="sessions", verbose_name="每周安排")
    on_date = models.DateField("上课日期")
    #: Minutes since midnight.
    starts_at = models.PositiveSmallIntegerField("开始时间")
    ends_at = models.PositiveSmallIntegerField("结束时间")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="sessions", verbose_name="教室")
    teacher = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="sessions", verbose_name="教师")
    state = models.CharField("状态", max_length=20, choices=SessionState.choices, default=SessionState.PLANNED)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "课次"
        ordering: ClassVar = ["on_date", "starts_at", "pk"]
        indexes: ClassVar = [models.Index(fields=["institution", "on_date"], name="session_of_institution")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="session_times_run_forward",
                condition=Q(ends_at__gt=F("starts_at"), ends_at__lte=1440),
                violation_error_message="结束时间要晚于开始时间，都在同一天",
            ),
            ExclusionConstraint(
                name="sessions_do_not_share_a_room",
                expressions=[(OnePoint("room_id"), RangeOperators.OVERLAPS), (_Moments(), RangeOperators.OVERLAPS)],
                condition=Q(state=SessionState.PLANNED, room__isnull=False),
                violation_error_message="这间教室在这个时间已有别的课",
            ),
            ExclusionConstraint(
                name="sessions_do_not_share_a_teacher",
                expressions=[(OnePoint("teacher_id"), RangeOperators.OVERLAPS), (_Moments(), RangeOperators.OVERLAPS)],
                condition=Q(state=SessionState.PLANNED),
                violation_error_message="这位教师在这个时间已有别的课",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course} {self.on_date}"

    @property
    def times(self) -> str:
        """``18:30–20:00``."""
        return f"{clock_text(self.starts_at)}–{clock_text(self.ends_at)}"

    @property
    def is_cancelled(self) -> bool:
        """Whether it does not take place."""
        return self.state == SessionState.CANCELLED

    def overlaps(self, other: Session) -> bool:
        """Whether both are at one time."""
        return self.on_date == other.on_date and self.starts_at < other.ends_at and other.starts_at < self.ends_at
