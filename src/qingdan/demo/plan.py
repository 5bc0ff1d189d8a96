"""What the demonstration is made of: schools, their troubles, subjects, and the people with accounts. All of it is invented."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum

from qingdan.accounts.enums import CompetentDepartment, Role
from qingdan.schools.enums import GRADES_OF_KIND, Locality, SchoolKind

#: Counted up when what the loader makes changes.
VERSION = 3
REGION_CODE = "990101"
DISTRICT_LAYER = "demo-district"
#: Two small regions besides, each under a province's own law: code -> name and layer.
SHANGHAI_CODE, XINJIANG_CODE = "990201", "990301"
SMALL_REGIONS = {SHANGHAI_CODE: ("虚构沪区", "demo-shanghai"), XINJIANG_CODE: ("虚构疆区", "demo-xinjiang")}
FIRST_SCHOOL_LAYER = "demo-school"
BUREAU = "示范区教育局"
FIRST_SCHOOL = "示范区第一小学"
INSTITUTION = "启明学科培训学校（虚构）"
INSTITUTION_SHANGHAI = "沪梦学科培训学校（虚构）"
INSTITUTION_XINJIANG = "疆梦学科培训学校（虚构）"
#: Somebody who wants to found an institution: no registry knows him.
FOUNDER = "梧桐艺术中心（拟设，虚构）"
#: Known to everyone: only for a demonstration on one's own machine.
PASSWORD = "qingdan-demo"  # noqa: S105
_SEED = "qingdan-demo"

#: The class and grade of the story that the accounts tell.
STORY_GRADE, STORY_CLASS = 3, 2
#: How many minutes are left of that class's next school day before the demo teacher enters his own.
STORY_MINUTES_LEFT = 10


class Trouble(StrEnum):
    """What is wrong in a school."""

    OVER_LIMIT = "over_limit"
    LATE_DISCLOSURE = "late_disclosure"
    UNDERESTIMATED = "underestimated"


@dataclass(frozen=True)
class SchoolPlan:
    """A school before it is loaded."""

    name: str
    kind: SchoolKind
    classes_per_grade: int
    locality: Locality = Locality.TOWN
    trouble: Trouble | None = None

    @property
    def layer_code(self) -> str:
        """The layer of the law that applies."""
        return FIRST_SCHOOL_LAYER if self.name == FIRST_SCHOOL else DISTRICT_LAYER

    @property
    def grades(self) -> range:
        """The grades it has."""
        first, last = GRADES_OF_KIND[self.kind]
        return range(first, last + 1)


_PRIMARY, _JUNIOR, _NINE = SchoolKind.PRIMARY, SchoolKind.JUNIOR, SchoolKind.NINE_YEAR
_COUNTRY = Locality.COUNTRY
#: The first four hold the story and all troubles, so that a small district has them too.
SCHOOLS = (
    SchoolPlan(FIRST_SCHOOL, _PRIMARY, 4),
    SchoolPlan("示范区清河小学", _PRIMARY, 4, trouble=Trouble.OVER_LIMIT),
    SchoolPlan("示范区第二初级中学", _JUNIOR, 6, trouble=Trouble.LATE_DISCLOSURE),
    SchoolPlan("示范区石桥小学", _PRIMARY, 3, _COUNTRY, Trouble.UNDERESTIMATED),
    SchoolPlan("示范区云山学校", _NINE, 3),
    SchoolPlan("示范区第二小学", _PRIMARY, 4),
    SchoolPlan("示范区第三小学", _PRIMARY, 4),
    SchoolPlan("示范区第四小学", _PRIMARY, 3),
    SchoolPlan("示范区第五小学", _PRIMARY, 4),
    SchoolPlan("示范区第六小学", _PRIMARY, 3),
    SchoolPlan("示范区第七小学", _PRIMARY, 3),
    SchoolPlan("示范区第八小学", _PRIMARY, 4),
    SchoolPlan("示范区东湖小学", _PRIMARY, 4),
    SchoolPlan("示范区北苑小学", _PRIMARY, 3),
    SchoolPlan("示范区松林小学", _PRIMARY, 3),
    SchoolPlan("示范区育才小学", _PRIMARY, 4),
    SchoolPlan("示范区柳溪小学", _PRIMARY, 2, _COUNTRY),
    SchoolPlan("示范区南坪小学", _PRIMARY, 3, _COUNTRY),
    SchoolPlan("示范区第一初级中学", _JUNIOR, 6),
    SchoolPlan("示范区第三初级中学", _JUNIOR, 6),
    SchoolPlan("示范区城东初级中学", _JUNIOR, 6),
    SchoolPlan("示范区临江初级中学", _JUNIOR, 5),
    SchoolPlan("示范区青禾学校", _NINE, 3),
    SchoolPlan("示范区平川学校", _NINE, 3, _COUNTRY),
)


@dataclass(frozen=True)
class Account:
    """Somebody of the demonstration with whom one can sign in."""

    username: str
    display_name: str
    role: Role
    #: Empty for the parent.
    organisation: str
    region_code: str = REGION_CODE
    #: Of an officer of another department than education.
    department: str = ""

    @property
    def layer_code(self) -> str:
        """The law that applies to the organisation."""
        if self.organisation == FIRST_SCHOOL:
            return FIRST_SCHOOL_LAYER
        return SMALL_REGIONS[self.region_code][1] if self.region_code in SMALL_REGIONS else DISTRICT_LAYER


ACCOUNTS = (
    Account("demo-bureau", "示范科员", Role.BUREAU, BUREAU),
    Account("demo-school", "示范教务", Role.SCHOOL_LEADER, FIRST_SCHOOL),
    Account("demo-head", "示范年级组长", Role.TEACHER, FIRST_SCHOOL),
    Account("demo-teacher", "示范数学教师", Role.TEACHER, FIRST_SCHOOL),
    Account("demo-class-teacher", "示范班主任", Role.TEACHER, FIRST_SCHOOL),
    Account("demo-research", "示范教研组长", Role.TEACHER, FIRST_SCHOOL),
    Account("demo-parent", "示范家长", Role.PARENT, ""),
    Account("demo-institution", "示范机构负责人", Role.INSTITUTION, INSTITUTION),
    Account("demo-founder", "示范举办者", Role.INSTITUTION, FOUNDER),
    Account("demo-culture", "示范文旅科员", Role.DEPARTMENT, "示范区文化和旅游局", department=CompetentDepartment.CULTURE),
    Account("demo-sports", "示范体育科员", Role.DEPARTMENT, "示范区体育局", department=CompetentDepartment.SPORTS),
    Account("demo-science", "示范科技科员", Role.DEPARTMENT, "示范区科学技术局", department=CompetentDepartment.SCIENCE),
    Account("demo-bureau-sh", "示范沪区科员", Role.BUREAU, "虚构沪区教育局", SHANGHAI_CODE),
    Account("demo-bureau-xj", "示范疆区科员", Role.BUREAU, "虚构疆区教育局", XINJIANG_CODE),
    Account("demo-institution-sh", "示范沪区机构负责人", Role.INSTITUTION, INSTITUTION_SHANGHAI, SHANGHAI_CODE),
    Account("demo-institution-xj", "示范疆区机构负责人", Role.INSTITUTION, INSTITUTION_XINJIANG, XINJIANG_CODE),
)

#: What each grade is taught, as far as it gives homework or might.
MAIN = ("语文", "数学", "英语")
_PRIMARY_OTHERS = ("道德与法治", "科学", "音乐", "美术", "体育与健康", "劳动")
_OTHERS_OF_GRADE: dict[int, tuple[str, ...]] = {
    7: ("道德与法治", "历史", "地理", "生物学", "体育与健康"),
    8: ("道德与法治", "历史", "地理", "生物学", "物理", "体育与健康"),
    9: ("道德与法治", "历史", "物理", "化学", "体育与健康"),
}


def main_subjects(grade: int) -> tuple[str, ...]:
    """Those with homework on most days; no English in the first two grades."""
    return MAIN if grade >= 3 else MAIN[:2]


def other_subjects(grade: int) -> tuple[str, ...]:
    """The rest."""
    return _OTHERS_OF_GRADE.get(grade, _PRIMARY_OTHERS)


def stage_of(grade: int) -> str:
    """For which pupils a wording is: the templates know three kinds; the law's own stages are asked of the pack."""
    return "lower" if grade <= 2 else "upper" if grade <= 6 else "junior"


def seeded(*parts: object) -> random.Random:
    """Chance that is the same each time for the same things."""
    return random.Random("|".join([_SEED, *map(str, parts)]))  # noqa: S311 - not a secret


@dataclass
class ClassRoom:
    """A loaded class, with the keys that its records need."""

    id: int
    school_id: int
    plan: SchoolPlan
    grade: int
    number: int
    name: str
    class_teacher_id: int
    #: Subject name -> teacher.
    teachers: dict[str, int] = field(default_factory=dict)
    #: Pupil -> account of a guardian, for those whose guardian has one.
    guardians: dict[int, int] = field(default_factory=dict)

    @property
    def trouble(self) -> Trouble | None:
        """The school's."""
        return self.plan.trouble

    @property
    def is_of_story(self) -> bool:
        """Whether it is the class the accounts are about."""
        return self.plan.name == FIRST_SCHOOL and (self.grade, self.number) == (STORY_GRADE, STORY_CLASS)
