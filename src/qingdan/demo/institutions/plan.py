"""Which institutions there are: first those with something to show, so that a small district has them too, then ordinary ones."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from qingdan.demo.plan import (
    INSTITUTION,
    INSTITUTION_SHANGHAI,
    INSTITUTION_XINJIANG,
    REGION_CODE,
    SHANGHAI_CODE,
    XINJIANG_CODE,
    seeded,
)
from qingdan.institutions.enums import (
    DEPARTMENT_OF_FIELD,
    CompetentDepartment,
    RegistrationKind,
    TrainingAudience,
    TrainingCategory,
    TrainingField,
)

#: All of them in the whole district; a smaller one has fewer for each school, but never too few to show anything.
WHOLE, PER_SCHOOL, LEAST = 120, 5, 20
STREETS = ("清河街道", "东湖街道", "北苑街道", "石桥街道", "云山街道", "临江街道")


class Plant(StrEnum):
    """What is special about an institution, mostly wrong."""

    CLOSED_PREMISES = "closed_premises"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNLICENSED = "unlicensed"
    FILED_ONLY = "filed_only"
    NO_REAL_NAME = "no_real_name"
    NOT_INSPECTED = "not_inspected"
    LISTED = "listed"
    FOREIGN = "foreign"
    BY_AGREEMENT = "by_agreement"
    SERVING_TEACHER = "serving_teacher"
    STAFF_ABROAD = "staff_abroad"
    UNCHECKED_STAFF = "unchecked_staff"
    NO_CERTIFICATE = "no_certificate"
    DISGUISED = "disguised"
    EXAM_COURSE = "exam_course"
    LATE_CLASS = "late_class"
    REST_DAY_CLASS = "rest_day_class"
    LONG_LESSON = "long_lesson"
    UNDER_SIX = "under_six"
    ACADEMIC_AD = "academic_ad"
    FALSE_AD = "false_ad"
    CONTEST = "contest"
    WHITE = "white"
    BLACK = "black"


@dataclass(frozen=True)
class InstitutionPlan:
    """An institution before it is loaded."""

    number: int
    name: str
    field: TrainingField
    registration: RegistrationKind = RegistrationKind.COMPANY
    audience: TrainingAudience = TrainingAudience.COMPULSORY
    region_code: str = REGION_CODE
    is_online: bool = False
    premises: int = 1
    #: It gave up on this day.
    closed_on: datetime.date | None = None
    #: An academic one that became what it is on this day.
    converted_on: datetime.date | None = None
    plants: frozenset[Plant] = frozenset()

    @property
    def category(self) -> TrainingCategory:
        """Of its field."""
        return TrainingCategory.ACADEMIC if self.field == TrainingField.ACADEMIC else TrainingCategory.NON_ACADEMIC

    @property
    def department(self) -> CompetentDepartment:
        """In charge of its field."""
        return DEPARTMENT_OF_FIELD.get(self.field, CompetentDepartment.EDUCATION)

    @property
    def teaches(self) -> bool:
        """Whether it has people, courses and a timetable."""
        return self.closed_on is None and not self.plants & {Plant.REVOKED, Plant.UNLICENSED}

    @property
    def street(self) -> str:
        """Where it is."""
        return STREETS[self.number % len(STREETS)] if self.region_code == REGION_CODE else "示例街道"

    def has(self, plant: Plant) -> bool:
        """Whether this is special about it."""
        return plant in self.plants


_A, _C, _S, _K, _O = TrainingField.ACADEMIC, TrainingField.CULTURE, TrainingField.SPORTS, TrainingField.SCIENCE, TrainingField.OTHER
_NON_PROFIT, _COMPANY, _PUBLIC = RegistrationKind.NON_PROFIT, RegistrationKind.COMPANY, RegistrationKind.PUBLIC
_PRESCHOOL, _SENIOR = TrainingAudience.PRESCHOOL, TrainingAudience.SENIOR
_P = Plant


def _special(
    number: int, name: str, of: TrainingField, registration: RegistrationKind, *plants: Plant, **values: object
) -> InstitutionPlan:
    given: dict[str, object] = {"plants": frozenset(plants), **values}
    return InstitutionPlan(number, name if name.endswith("虚构）") else f"{name}（虚构）", of, registration, **given)  # type: ignore[arg-type]


def _on(year: int, month: int, day: int) -> dict[str, object]:
    return {"closed_on": datetime.date(year, month, day)}


SPECIAL = (
    _special(1, INSTITUTION, _A, _NON_PROFIT, _P.CLOSED_PREMISES, _P.LATE_CLASS, _P.NO_CERTIFICATE, premises=2),
    _special(2, "晨星艺术中心", _C, _COMPANY, _P.DISGUISED, _P.EXPIRING),
    _special(3, "飞跃体育俱乐部", _S, _COMPANY, _P.EXPIRING, _P.FALSE_AD, _P.WHITE, premises=2),
    _special(4, "示范区少年科技站", _K, _PUBLIC, _P.WHITE, premises=2),
    _special(5, "知行网络课堂", _A, _NON_PROFIT, _P.LONG_LESSON, _P.UNDER_SIX, _P.FILED_ONLY, is_online=True, premises=0),
    _special(6, "博雅学科辅导学校", _A, _NON_PROFIT, _P.REST_DAY_CLASS, _P.SERVING_TEACHER, _P.ACADEMIC_AD),
    _special(7, "宏图学科培训学校", _A, _COMPANY, _P.LISTED, _P.CONTEST),
    _special(8, "远帆学科培训学校", _A, _NON_PROFIT, _P.FOREIGN, _P.BY_AGREEMENT, _P.STAFF_ABROAD),
    _special(9, "春笋舞蹈培训中心", _C, _COMPANY, _P.REVOKED, _P.BLACK),
    _special(10, "青竹书画培训中心", _C, _NON_PROFIT, _P.EXPIRED, _P.UNCHECKED_STAFF),
    _special(11, "旭日学科培训学校", _A, _COMPANY, **_on(2021, 12, 20)),
    _special(12, "金桥文化培训学校", _C, _NON_PROFIT, converted_on=datetime.date(2022, 3, 1), premises=1),
    _special(13, "小脚丫艺术启蒙馆", _C, _COMPANY, _P.DISGUISED, audience=_PRESCHOOL),
    _special(14, "北斗高中学科培训学校", _A, _NON_PROFIT, audience=_SENIOR),
    _special(15, "疾风篮球训练营", _S, _COMPANY, _P.UNLICENSED),
    _special(16, "云朵编程", _K, _COMPANY, _P.DISGUISED, _P.EXAM_COURSE, is_online=True, premises=0),
    _special(17, "松涛棋院", _O, _NON_PROFIT, _P.NO_REAL_NAME, _P.NOT_INSPECTED),
    _special(18, "启蒙思维培训学校", _A, _COMPANY, **_on(2022, 5, 31)),
    _special(19, "蓝鲸游泳馆", _S, _COMPANY, _P.WHITE, _P.UNCHECKED_STAFF),
    _special(20, "示范区青少年活动站", _O, _PUBLIC, premises=2),
)

#: Two of each: what the small regions have besides the institution with an account.
SMALL = tuple(
    plan
    for first, code, account in ((201, SHANGHAI_CODE, INSTITUTION_SHANGHAI), (301, XINJIANG_CODE, INSTITUTION_XINJIANG))
    for word in ("沪" if code == SHANGHAI_CODE else "疆",)
    for plan in (
        _special(first, account, _A, _NON_PROFIT, is_online=True, region_code=code),
        _special(first + 1, f"{word}江画室", _C, _COMPANY, region_code=code),
        _special(first + 2, f"{word}月少儿体育馆", _S, _COMPANY, region_code=code),
        _special(first + 3, f"{word}星学科培训学校", _A, _NON_PROFIT, _P.NO_CERTIFICATE, _P.LISTED, region_code=code),
    )
)

_WORDS = (
    "白鹭", "彩虹", "翠竹", "大雁", "枫叶", "谷雨", "海燕", "禾苗", "红杉", "蝴蝶", "花径", "幻方", "极光", "吉祥草", "金穗", "橘灯",
    "葵园", "蓝梦", "凌霄", "麦田", "牧笛", "暖阳", "蒲公英", "七巧", "晴川", "秋水", "榕树", "三叶", "拾光", "水滴", "四季", "天鹅",
    "童谣", "望月", "溪石", "向日", "小舟", "新芽", "杏林", "雪松",
)  # fmt: skip
_ORDINARY: tuple[tuple[TrainingField, tuple[str, ...]], ...] = (
    (_C, ("美术教室", "舞蹈中心", "书法社", "琴行", "戏剧社")),
    (_S, ("足球俱乐部", "跆拳道馆", "乒乓球馆", "体能馆", "羽毛球馆")),
    (_C, ("艺术中心", "合唱团", "陶艺坊", "古筝馆")),
    (_K, ("机器人工坊", "编程教室", "航模社", "科学实验室")),
    (_S, ("游泳馆", "轮滑社", "武术馆")),
    (_O, ("棋社", "生活实践馆")),
)
#: How many of the ordinary ones were academic once: closed, or changed over.
_CLOSED_ACADEMIC, _CONVERTED = 20, 8
_POLICY_YEAR = 2021


def institution_plans(schools: int, whole: int) -> tuple[InstitutionPlan, ...]:
    """The institutions of the district for so many schools of ``whole``, and those of the small regions."""
    count = WHOLE if schools >= whole else max(LEAST, PER_SCHOOL * schools)
    return (*SPECIAL, *(_ordinary(number) for number in range(len(SPECIAL) + 1, count + 1)), *SMALL)


def _ordinary(number: int) -> InstitutionPlan:
    """One of the many. The academic ones that are no more come first: they are what the measures since 2021 have brought about."""
    index, chance = number - len(SPECIAL) - 1, seeded("institution", number)
    word = _WORDS[index % len(_WORDS)]
    if index % 3 == 0 and index < 3 * _CLOSED_ACADEMIC:
        place = index // 3
        day = datetime.date(_POLICY_YEAR, 9, 15) + datetime.timedelta(days=40 * place + int(chance.random() * 20))
        registration = _COMPANY if place % 2 else _NON_PROFIT
        return _special(number, f"{word}学科培训学校", _A, registration, closed_on=day)
    of, kinds = _ORDINARY[index % len(_ORDINARY)]
    name = f"{word}{kinds[(index // len(_ORDINARY)) % len(kinds)]}"
    converted = None
    if index % 3 == 1 and index < 3 * _CONVERTED:
        converted = datetime.date(_POLICY_YEAR, 11, 1) + datetime.timedelta(days=70 * (index // 3))
    closed = datetime.date(2023, 3, 1) + datetime.timedelta(days=12 * index) if index % 23 == 20 else None
    plants = () if closed else tuple(_plants_of(index))
    registration = _NON_PROFIT if chance.random() < 0.3 else _COMPANY
    audience = _PRESCHOOL if index % 17 == 8 and converted is None else TrainingAudience.COMPULSORY
    premises = 2 if index % 11 == 7 else 1
    return _special(
        number, name, of, registration, *plants, converted_on=converted, closed_on=closed, audience=audience, premises=premises
    )  # fmt: skip


def _plants_of(index: int) -> Iterator[Plant]:
    """What is special about an ordinary one; most have nothing."""
    for plant, every, offset in (
        (_P.WHITE, 9, 4), (_P.EXPIRING, 19, 7), (_P.DISGUISED, 26, 10), (_P.UNCHECKED_STAFF, 41, 13), (_P.NOT_INSPECTED, 47, 17),
        (_P.FALSE_AD, 43, 23), (_P.REVOKED, 61, 31), (_P.EXPIRED, 59, 35), (_P.BLACK, 61, 31), (_P.SERVING_TEACHER, 83, 37),
    ):  # fmt: skip
        if index % every == offset:
            yield plant
