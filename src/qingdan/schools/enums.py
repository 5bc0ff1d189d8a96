"""Closed sets of the schools app."""

from __future__ import annotations

from django.db.models import TextChoices


class SchoolKind(TextChoices):
    """Which grades a school has."""

    PRIMARY = "primary", "小学"
    JUNIOR = "junior", "初中"
    NINE_YEAR = "nine_year", "九年一贯制学校"


#: First and last grade of each kind where a school says nothing else.
GRADES_OF_KIND: dict[str, tuple[int, int]] = {
    SchoolKind.PRIMARY: (1, 6),
    SchoolKind.JUNIOR: (7, 9),
    SchoolKind.NINE_YEAR: (1, 9),
}


class Locality(TextChoices):
    """Town or country."""

    TOWN = "town", "城镇"
    COUNTRY = "country", "乡村"


class Relation(TextChoices):
    """How a guardian is related to a pupil."""

    MOTHER = "mother", "母亲"
    FATHER = "father", "父亲"
    OTHER = "other", "其他监护人"


class RollKind(TextChoices):
    """What a roll lists."""

    PUPILS = "pupils", "学生名册"
    STAFF = "staff", "教师任课表"


class RollStatus(TextChoices):
    """Where an import stands."""

    PREVIEWED = "previewed", "待确认"
    APPLIED = "applied", "已导入"
    UNDONE = "undone", "已撤销"


class RollAct(TextChoices):
    """What a row of a roll does."""

    ADD = "add", "新增"
    CHANGE = "change", "变更"
    SAME = "same", "不变"
    REFUSE = "refuse", "拒收"


class JoinKind(TextChoices):
    """For whom a one-time code is."""

    GUARDIAN = "guardian", "家长"
    STAFF = "staff", "单位人员"
