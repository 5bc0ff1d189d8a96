"""Closed sets of the places app."""

from __future__ import annotations

from django.db.models import TextChoices


class DayOverride(TextChoices):
    """What a day is by the bureau's word, against the national calendar or before that knows the year."""

    WORKDAY = "workday", "上班上学"
    HOLIDAY = "holiday", "放假"
    REST_DAY = "rest_day", "休息日"


class VacationSeason(TextChoices):
    """Which of the two long vacations."""

    WINTER = "winter", "寒假"
    SUMMER = "summer", "暑假"


class SchoolDayKind(TextChoices):
    """What a day is for a school."""

    SCHOOL_DAY = "school_day", "上学"
    REST_DAY = "rest_day", "休息日"
    HOLIDAY = "holiday", "法定节假日"
    VACATION = "vacation", "寒暑假"
    OUTSIDE_TERM = "outside_term", "不在学期内"
    UNKNOWN = "unknown", "未定"
