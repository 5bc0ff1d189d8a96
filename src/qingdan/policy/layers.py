"""Layers: nation, province, city, district, school, each naming only what it changes of the one above."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, model_validator

from qingdan.policy.sources import Schema, Source

LAYER_KINDS: dict[str, str] = {"nation": "国家", "province": "省级", "city": "市级", "district": "区县", "school": "学校"}

#: What every place calls its grades, before a layer adds its own words.
_DIGITS = "一二三四五六七八九"
COMMON_GRADE_NAMES: dict[str, int] = {
    **{f"{digit}年级": grade for grade, digit in enumerate(_DIGITS, start=1)},
    **{f"小{digit}": grade for grade, digit in enumerate(_DIGITS[:6], start=1)},
    **{f"初{digit}": 6 + grade for grade, digit in enumerate(_DIGITS[:3], start=1)},
    **{f"高{digit}": 9 + grade for grade, digit in enumerate(_DIGITS[:3], start=1)},
    **{f"高中{digit}年级": 9 + grade for grade, digit in enumerate(_DIGITS[:3], start=1)},
    **{f"初中{digit}年级": 6 + grade for grade, digit in enumerate(_DIGITS[:3], start=1)},
}


class Span(Schema):
    """A run of days, both ends included."""

    name: str
    first: datetime.date = Field(alias="from")
    last: datetime.date = Field(alias="until")
    fictional: bool = False

    @model_validator(mode="after")
    def _runs_forward(self) -> Span:
        if self.last < self.first:
            raise ValueError("until 早于 from")
        return self


class YearSpan(Schema):
    """A run of days that returns every year, written ``MM-DD``, both ends included; may run over New Year."""

    first: str = Field(alias="from", pattern=r"^\d{2}-\d{2}$")
    last: str = Field(alias="until", pattern=r"^\d{2}-\d{2}$")

    def holds(self, day: datetime.date) -> bool:
        """Whether a day lies in the span."""
        stamp = f"{day:%m-%d}"
        if self.first <= self.last:
            return self.first <= stamp <= self.last
        return stamp >= self.first or stamp <= self.last


class CalendarFile(Schema):
    """A layer's own school calendar. Statutory holidays and make-up workdays come from the national calendar."""

    terms: list[Span] = []
    vacations: list[Span] = []
    #: The parts of a year in which a winter or summer vacation may lie; outside them a day is a term day without more.
    vacation_windows: list[YearSpan] = []
    seasons: dict[str, list[YearSpan]] = {}
    #: Corrections to the national calendar, or what it does not know yet: holidays, workdays, plain days of rest.
    days_off: list[Span] = []
    days_on: list[Span] = []
    days_of_rest: list[Span] = []


class GradeSystem(Schema):
    """Which grades make up each stage, and what this place calls them besides the common names."""

    stages: dict[str, list[int]]
    names: dict[int, list[str]] = {}

    @model_validator(mode="after")
    def _grades_are_clear(self) -> GradeSystem:
        grades = [grade for members in self.stages.values() for grade in members]
        if len(grades) != len(set(grades)):
            raise ValueError("同一年级不能属于两个学段")
        if any(not 1 <= grade <= 12 for grade in grades):
            raise ValueError("年级只能是 1 至 12")
        return self


class LayerFile(Schema):
    """The shape of ``<layer>/layer.yaml``."""

    code: str
    name: str
    parent: str | None = None
    kind: Literal["nation", "province", "city", "district", "school"]
    #: GB/T 2260 division code, where it has one.
    region: str | None = Field(default=None, pattern=r"^\d{6}$")
    grades: GradeSystem | None = None
    calendar: CalendarFile | None = None
    #: What every record of this place is, unless it says otherwise: column -> value (``locality: country``).
    attributes: dict[str, str | bool | int] = {}
    fictional: bool = False
    about: str | None = None


@dataclass(frozen=True)
class Layer:
    """A place of the law with its ancestors' words already looked up."""

    code: str
    name: str
    parent: str | None
    kind: str
    region: str | None
    #: From the layer itself up to the nation.
    chain: tuple[str, ...]
    #: The layer in the chain whose grade system applies, and the system.
    grades_from: str
    grades: GradeSystem
    #: Calendars of the chain, nearest first, with the layer that wrote each.
    calendars: tuple[tuple[str, CalendarFile], ...]
    attributes: dict[str, str | bool | int]
    fictional: bool
    about: str | None
    source: Source = field(repr=False, compare=False)

    @property
    def calendar_code(self) -> str:
        """Names the calendar that applies: layers that add nothing to it share their parent's."""
        return self.calendars[0][0] if self.calendars else ""

    @property
    def grade_names(self) -> dict[str, int]:
        """Every word for a grade in this place -> the grade."""
        names = dict(COMMON_GRADE_NAMES)
        for grade, own in self.grades.names.items():
            names.update(dict.fromkeys(own, grade))
        return names
