"""The vocabulary of facts: what may be recorded, in which type and unit, and what people call it.

One file a fact kind under ``policies/facts/``. A kind is *recorded* (a row of a form or workbook) or *derived* (one
SELECT over another kind, such as a class's homework summed by day). Columns that follow from others (the stage of a
grade, the kind of a day) are *computed* once, before any rule looks at them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from pydantic import Field, field_validator, model_validator

from qingdan.policy.sources import Schema, Source
from qingdan.policy.units import CLOCK, DATE, NUMBER, Unit

#: Columns that every kind has without saying so.
PLACE = "place"


class Column(Schema):
    """One column of a fact kind."""

    label: str
    #: Engines store money as integer fen, a clock as minutes since midnight, a grade as 1 to 12, a class as 三（2）班 and a
    #: category by its code.
    type: Literal["text", "integer", "money", "clock", "date", "boolean", "category", "grade", "class"]
    unit: str | None = None
    #: Header words seen in real workbooks, besides the label.
    headers: list[str] = []
    #: Name of a category under ``facts/categories/``.
    of: str | None = None
    #: Words of a yes/no column that mean yes or no besides 是/否/有/无/√/×.
    yes: list[str] = []
    no: list[str] = []
    #: Another column from whose text a spreadsheet's reader takes this value when it is missing (grade from class).
    read_from: str | None = None
    #: An expression over the kind's other columns; used where the record itself does not say.
    compute: str | None = None
    #: May stand once above the table (``学校：…``) instead of in a column.
    in_title: bool = False
    #: An empty cell repeats the one above (merged or left out by the clerk).
    repeats: bool = False
    about: str | None = None

    @property
    def unit_of_values(self) -> Unit:
        """The unit in which rules see the column's values."""
        if self.type == "money":
            return Unit.parse(self.unit or "fen")
        if self.type == "clock":
            return CLOCK
        if self.type == "date":
            return DATE
        if self.type == "grade":
            return Unit.parse("grade")
        return Unit.parse(self.unit) if self.unit else NUMBER

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
    def _category_is_named(self) -> Column:
        if (self.type == "category") != (self.of is not None):
            raise ValueError("类型为 category 的列要用 of 指明类别，其他类型不用")
        if self.type == "integer" and self.unit is None:
            raise ValueError("整数列要写单位 unit（无量纲写 1）")
        return self


class Derivation(Schema):
    """How a derived kind comes about: one SELECT with GROUP BY over one other kind (``place`` is added by itself)."""

    source: str = Field(alias="from")
    select: str


class FactKindFile(Schema):
    """The shape of ``facts/<kind>.yaml``."""

    kind: str
    label: str
    about: str
    #: How one record is called in a finding, with columns in braces.
    subject: str
    #: The column whose day decides which law applies.
    date: str
    key: list[str] = Field(min_length=1)
    #: Columns that a table must have for it to be taken as this kind (any one column of an inner list will do).
    recognise: list[str | list[str]] = []
    columns: dict[str, Column]
    derived: Derivation | None = None


class CategoryFile(Schema):
    """The shape of ``facts/categories/<theme>.yaml``: category -> code -> names, the first being the label."""

    categories: dict[str, dict[str, list[str]]]


#: How a table says to which place its records belong: a layer's code or name, once a record or once above the table.
PLACE_COLUMN = Column(
    label="地区代码", type="text", headers=["地区", "层级代码", "区县代码", "行政区", "所属地区"], in_title=True, repeats=True
)


@dataclass(frozen=True)
class Category:
    """A closed set of codes with Chinese names."""

    name: str
    names: dict[str, list[str]]

    def label(self, code: str) -> str:
        """The Chinese label of a code; the code itself when it is not one of ours."""
        return self.names[code][0] if code in self.names else code

    @cached_property
    def codes_by_name(self) -> dict[str, str]:
        """Every known name (and each code itself) -> code."""
        found = {code: code for code in self.names}
        for code, names in self.names.items():
            found.update(dict.fromkeys(names, code))
        return found


@dataclass(frozen=True)
class FactKind:
    """One kind of recorded or derived fact."""

    name: str
    label: str
    about: str
    subject: str
    date: str
    key: tuple[str, ...]
    recognise: tuple[tuple[str, ...], ...]
    columns: dict[str, Column]
    derived: Derivation | None
    source: Source = field(repr=False, compare=False)

    @property
    def is_derived(self) -> bool:
        """Whether the kind is a SELECT over another kind, not something people record."""
        return self.derived is not None


@dataclass(frozen=True)
class Vocabulary:
    """All fact kinds and categories of a pack."""

    kinds: dict[str, FactKind]
    categories: dict[str, Category]

    @property
    def recorded_kinds(self) -> list[FactKind]:
        """The kinds that a form or a workbook can hold."""
        return [kind for kind in self.kinds.values() if not kind.is_derived]

    def derived_from(self, name: str) -> list[FactKind]:
        """The kinds derived from a kind, directly."""
        return [kind for kind in self.kinds.values() if kind.derived and kind.derived.source == name]

    def category_of(self, column: Column) -> Category:
        """The category that a column of type ``category`` draws its codes from."""
        assert column.of is not None
        return self.categories[column.of]


_FIELD = re.compile(r"\{([A-Za-z_][\w.]*)\}")


_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


def fields_of(template: str) -> list[str]:
    """The names in braces of a sentence template, in order."""
    return _FIELD.findall(template)


def fill(template: str, values: dict[str, str]) -> str:
    """A template with its braces filled in; a part in square brackets is left out when a name in it has no value."""

    def kept(match: re.Match[str]) -> str:
        return match[1] if all(values.get(name) for name in fields_of(match[1])) else ""

    return _FIELD.sub(lambda match: values.get(match[1]) or "（未填）", _OPTIONAL.sub(kept, template))
