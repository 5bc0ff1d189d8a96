"""What is kept of homework."""

from qingdan.homework.models.completion import FamilyReport, Marking, SchoolFinish, SubjectMinutes
from qingdan.homework.models.designs import Design, DesignFile, DesignRating, DesignStep
from qingdan.homework.models.disclosure import Disclosure
from qingdan.homework.models.register import Homework
from qingdan.homework.models.supervision import CheckedClass, CheckedHomework, MonthlyReview, SpotCheck

__all__ = [
    "CheckedClass",
    "CheckedHomework",
    "Design",
    "DesignFile",
    "DesignRating",
    "DesignStep",
    "Disclosure",
    "FamilyReport",
    "Homework",
    "Marking",
    "MonthlyReview",
    "SchoolFinish",
    "SpotCheck",
    "SubjectMinutes",
]
