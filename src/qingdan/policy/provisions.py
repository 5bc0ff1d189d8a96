"""Provisions: parameters, one rule and its worked cases, beside the clauses they come from."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from qingdan.policy.sources import Schema, Source
from qingdan.policy.units import CLOCK, DATE, Unit

#: What stands for every cell that is not named.
OTHERWISE = "otherwise"
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")
_BAND = re.compile(r"(?P<open>[\[(])\s*(?P<low>-?\d*)\s*,\s*(?P<high>-?\d*)\s*(?P<close>[\])])\Z")

Figure = int | datetime.date
Cell = tuple[str, ...]


class Verdict(StrEnum):
    """The three answers of a rule; SQL's true, false and null."""

    COMPLIANT = "compliant"
    BREACH = "breach"
    UNDETERMINED = "undetermined"

    @property
    def label(self) -> str:
        """The Chinese word for the verdict."""
        return {"compliant": "合规", "breach": "违规", "undetermined": "待定"}[self.value]


@dataclass(frozen=True)
class Band:
    """A run of whole numbers; each edge is inside it or not; ``None`` is no edge."""

    low: int | None
    low_inside: bool
    high: int | None
    high_inside: bool

    @classmethod
    def parse(cls, text: str) -> Band | None:
        """Read ``(10,35]`` or ``[36,)``; None when the text is no band."""
        match = _BAND.match(text.strip())
        if match is None:
            return None
        return cls(
            int(match["low"]) if match["low"] else None,
            match["open"] == "[",
            int(match["high"]) if match["high"] else None,
            match["close"] == "]",
        )

    def holds(self, number: int) -> bool:
        """Whether a whole number lies in the band."""
        above = self.low is None or number > self.low or (self.low_inside and number == self.low)
        below = self.high is None or number < self.high or (self.high_inside and number == self.high)
        return above and below

    def overlaps(self, other: Band) -> bool:
        """Whether some whole number lies in both bands."""
        lows = [low + (not inside) for low, inside in ((self.low, self.low_inside), (other.low, other.low_inside)) if low is not None]
        highs = [
            high - (not inside) for high, inside in ((self.high, self.high_inside), (other.high, other.high_inside)) if high is not None
        ]
        return not lows or not highs or max(lows) <= min(highs)


class DatedValue(Schema):
    """A figure, or a figure for each case, from one day on (and until another, that day no longer included)."""

    since: datetime.date = Field(alias="from")
    until: datetime.date | None = None
    value: Any
    cites: list[str] = []

    @model_validator(mode="after")
    def _runs_forward(self) -> DatedValue:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until 不晚于 from")
        return self


class ParameterFile(Schema):
    """A figure of the law: declared once, and overridden by lower layers under the same name."""

    label: str | None = None
    unit: str | None = None
    #: The columns whose values choose the figure, in order.
    by: list[str] = []
    tighter: Literal["lower", "higher", "neither"] | None = None
    #: Said by a lower layer that changes a figure of one above.
    overrides: Literal[True] | None = None
    values: list[DatedValue] = []

    @field_validator("unit")
    @classmethod
    def _unit_is_known(cls, unit: str | None) -> str | None:
        if unit is not None:
            try:
                Unit.parse(unit)
            except ValueError as error:
                raise ValueError(f"不认识的单位“{error}”") from None
        return unit

    @model_validator(mode="after")
    def _is_declared_or_overrides(self) -> ParameterFile:
        if self.overrides:
            if self.unit or self.tighter or self.by or self.label:
                raise ValueError("改写上级参数时只写 overrides 和 values；单位、分类等由上级声明")
            if not self.values:
                raise ValueError("改写上级参数时要写 values")
        elif self.unit is None or self.tighter is None or self.label is None:
            raise ValueError("声明参数要写 label、unit、tighter；若是改写上级参数，请写 overrides: true")
        return self


class RuleFile(Schema):
    """When the rule applies, and what it then requires; both are expressions over columns and parameters."""

    when: str | None = None
    require: str
    since: datetime.date | None = Field(default=None, alias="from")
    until: datetime.date | None = None


class Case(Schema):
    """A worked case: these facts on this day at this place get this verdict. ``not_applicable`` counts as compliant."""

    what: str
    facts: dict[str, Any]
    verdict: Literal["compliant", "breach", "undetermined"]
    on: datetime.date | None = None
    at: str | None = None


class ProvisionFile(Schema):
    """The shape of ``<layer>/<subject>/<provision>.yaml``."""

    id: str
    title: str
    cites: list[str] = Field(min_length=1)
    facts: str | None = None
    parameters: dict[str, ParameterFile] = {}
    rule: RuleFile | None = None
    #: Id of the rule of a layer above that this rule takes the place of.
    replaces: str | None = None
    #: Id of a rule of a layer above that does not apply here.
    switches_off: str | None = None
    since: datetime.date | None = Field(default=None, alias="from")
    #: The rule that the cases are for, where this provision only changes figures.
    judges: str | None = None
    says: str | None = None
    remedy: str | None = None
    why: str | None = None
    cases: list[Case] = []

    @model_validator(mode="after")
    def _says_what_it_is(self) -> ProvisionFile:
        if self.rule is not None:
            missing = [key for key in ("facts", "says", "remedy") if getattr(self, key) is None]
            if missing:
                raise ValueError(f"有规则（rule）就要写 {'、'.join(missing)}")
            if not self.cases:
                raise ValueError("有规则（rule）就要有案例（cases）")
        elif not self.parameters and not self.switches_off:
            raise ValueError("既没有规则，也没有参数，也没有停用上级规则：这个文件什么也没说")
        if self.cases and self.rule is None and self.judges is None:
            raise ValueError("只改参数的文件，案例要用 judges 指明是哪条规则的案例")
        if self.replaces and self.rule is None:
            raise ValueError("replaces 要有代替它的规则（rule）；只是停用请写 switches_off")
        return self


class Restatement(Schema):
    """One entry of ``<layer>/restated.yaml``: clauses of this layer that say again what a rule of a layer above already judges."""

    rule: str
    cites: list[str] = Field(min_length=1)


@dataclass(frozen=True)
class Rule:
    """One rule of one layer: facts of one kind, a condition, a requirement, and how a breach is told and mended."""

    id: str
    title: str
    layer: str
    subject: str
    facts: str
    cites: tuple[str, ...]
    when: str | None
    require: str
    since: datetime.date
    until: datetime.date | None
    replaces: str | None
    says: str
    remedy: str
    why: str | None
    cases: tuple[Case, ...]
    source: Source = field(repr=False, compare=False)


@dataclass(frozen=True)
class SwitchOff:
    """A layer's word that a rule of a layer above does not apply there."""

    rule: str
    layer: str
    since: datetime.date
    until: datetime.date | None
    cites: tuple[str, ...]
    title: str

    def in_force(self, on: datetime.date) -> bool:
        """Whether the rule is off on a day."""
        return self.since <= on and (self.until is None or on < self.until)


@dataclass(frozen=True)
class Parameter:
    """A figure of the law as declared: its unit, what it depends on, and which way is stricter."""

    name: str
    label: str
    unit: Unit
    by: tuple[str, ...]
    tighter: str
    layer: str
    source: Source = field(repr=False, compare=False)

    @property
    def is_clock(self) -> bool:
        """Whether the figure is a time of day, kept as minutes since midnight."""
        return self.unit == CLOCK

    @property
    def is_date(self) -> bool:
        """Whether the figure is a day."""
        return self.unit == DATE


@dataclass(frozen=True, slots=True)
class Statement:
    """One layer's figure for one cell of a parameter, from one day until (not including) another."""

    parameter: str
    layer: str
    cell: Cell
    since: datetime.date
    until: datetime.date | None
    value: Figure
    cites: tuple[str, ...]
    provision: str
    source: Source = field(repr=False, compare=False)
    path: tuple[str | int, ...] = field(default=(), repr=False, compare=False)

    def in_force(self, on: datetime.date) -> bool:
        """Whether the figure is the layer's word on a day."""
        return self.since <= on and (self.until is None or on < self.until)


def read_figure(raw: Any, unit: Unit) -> Figure:
    """A YAML scalar as a figure of a unit; raise ValueError, in Chinese, when it is none."""
    if unit == CLOCK:
        match = _CLOCK.match(raw) if isinstance(raw, str) else None
        if match is None or int(match[1]) * 60 + int(match[2]) > 24 * 60:
            raise ValueError(f'时刻要写成 "20:30"，却是 {raw!r}')
        return int(match[1]) * 60 + int(match[2])
    if unit == DATE:
        if not isinstance(raw, datetime.date):
            raise ValueError(f"应当是日期（如 2021-07-24），却是 {raw!r}")
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError(f"应当是整数（金额以分为单位），却是 {raw!r}")
    return raw


def cells_of(value: Any, by: tuple[str, ...]) -> list[tuple[Cell, Any]]:
    """The figures of a value, one a cell: nested mappings in the order of ``by``; raise ValueError when the nesting differs."""
    if not by:
        if isinstance(value, dict | list):
            raise ValueError("该参数没有 by，值应当是一个数")
        return [((), value)]
    if not isinstance(value, dict):
        raise ValueError(f"该参数按 {by[0]} 区分，值应当是“{by[0]}: 数”的映射")
    found: list[tuple[Cell, Any]] = []
    for key, inner in value.items():
        found.extend(((str(key), *rest), figure) for rest, figure in cells_of(inner, by[1:]))
    return found
