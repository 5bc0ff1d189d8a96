"""Documents and their clauses, duties and indicators: what the law says, before anything is judged by it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from qingdan.policy.sources import Schema, Source


class Status(StrEnum):
    """How far a document binds."""

    DRAFT = "draft"
    TRIAL = "trial"
    IN_FORCE = "in_force"
    REPLACED = "replaced"

    @property
    def label(self) -> str:
        """The Chinese word for the status."""
        return {"draft": "征求意见", "trial": "试行", "in_force": "现行", "replaced": "已废止"}[self.value]


ADDRESSEES: dict[str, str] = {
    "party_government": "党委政府",
    "education_bureau": "教育行政部门",
    "other_department": "其他部门",
    "school": "学校",
    "principal": "校长",
    "teacher": "教师",
    "research_group": "教研组织",
    "pupil": "学生",
    "parent": "家长",
    "institution": "校外培训机构",
    "provider": "进校服务机构",
    "listed_company": "上市公司",
    "foreign_capital": "外资",
    "bank": "银行",
    "police": "公安",
    "market_regulator": "市场监管部门",
    "media": "媒体",
    "community": "社区",
    "public_venue": "公共场馆",
    "university": "高校",
    "everyone": "社会各界",
}
MODALITIES: dict[str, str] = {"must": "应当", "must_not": "不得", "should": "鼓励", "may": "可以", "states": "说明"}
SCREENS: dict[str, str] = {"library": "政策库", "audit": "表格体检"}
PERIODS: dict[str, str] = {
    "day": "每日",
    "week": "每周",
    "month": "每月",
    "term": "每学期",
    "year": "每年",
    "once": "一次",
    "standing": "常设",
}


class Carrier(Schema):
    """One thing that carries a clause out, besides the rules that cite it. Exactly one key is given."""

    duty: str | None = None
    indicator: str | None = None
    screen: str | None = None
    planned: str | None = None
    goal: Literal[True] | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Carrier:
        if len(self.model_fields_set) != 1:
            raise ValueError("每项只写 duty、indicator、screen、planned、goal 中的一个")
        return self

    @property
    def sort(self) -> str:
        """Which of the five it is."""
        return next(iter(self.model_fields_set))

    @property
    def name(self) -> str:
        """What it names; empty for a goal."""
        value = getattr(self, self.sort)
        return "" if value is True else str(value)


class Clause(Schema):
    """One thing a document asks, forbids, permits or states, in our own words."""

    id: str
    locator: str
    summary: str
    modality: Literal["must", "must_not", "should", "may", "states"]
    addressee: list[str] = Field(min_length=1)
    carried_out_by: list[Carrier] = Field(min_length=1)


class DocumentFile(Schema):
    """The shape of ``<layer>/documents/<doc>.yaml``."""

    id: str
    title: str
    short: str
    issuer: str
    number: str | None = None
    status: Literal["draft", "trial", "in_force", "replaced"]
    in_force_from: datetime.date
    in_force_until: datetime.date | None = None
    #: Why these dates: what the document says of them.
    dated_by: str
    fictional: bool = False
    clauses: list[Clause] = Field(min_length=1)

    @model_validator(mode="after")
    def _replaced_ends(self) -> DocumentFile:
        if self.status == "replaced" and self.in_force_until is None:
            raise ValueError("已废止的文件要写 in_force_until（失效之日，当日起不再适用）")
        return self


class Duty(Schema):
    """An obligation that comes due, with the evidence that it was done."""

    id: str
    title: str
    cites: list[str] = Field(min_length=1)
    addressee: list[str] = Field(min_length=1)
    every: Literal["day", "week", "month", "term", "year", "once", "standing"]
    due: datetime.date | None = None
    evidence: str


class Indicator(Schema):
    """A number that is counted the same way wherever it is shown."""

    id: str
    title: str
    cites: list[str] = Field(min_length=1)
    unit: str
    formula: str


class Blank(Schema):
    """A blank of a template report with the fictional value that the demonstration district puts there."""

    id: str
    locator: str
    asks: str
    value: int | str
    unit: str | None = None
    fictional: Literal[True]
    cites: list[str] = []


@dataclass(frozen=True)
class Document:
    """A document with the layer it belongs to."""

    layer: str
    id: str
    title: str
    short: str
    issuer: str
    number: str | None
    status: Status
    in_force_from: datetime.date
    in_force_until: datetime.date | None
    dated_by: str
    fictional: bool
    clauses: tuple[Clause, ...]
    source: Source = field(repr=False, compare=False)

    def in_force(self, on: datetime.date) -> bool:
        """Whether the document binds on a day."""
        return self.binds and self.in_force_from <= on and (self.in_force_until is None or on < self.in_force_until)

    @property
    def binds(self) -> bool:
        """Whether anything is judged by it: a draft binds nobody."""
        return self.status is not Status.DRAFT
