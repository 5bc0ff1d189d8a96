"""From a workbook to the lines of a register. Columns are known by the headers that the policy pack has for the fact kind
``institution``, and by those of the things that the law does not ask for (address, term of the permit).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from django.core.exceptions import ValidationError

from qingdan.institutions.enums import RegistrationKind, TrainingCategory, TrainingField
from qingdan.institutions.imports.sheets import ListReader, header_word
from qingdan.institutions.models.registry import validate_credit_code
from qingdan.policy.vocabulary import Vocabulary
from qingdan.workbooks.dates import DateContext, date, span_in
from qingdan.workbooks.model import Unread
from qingdan.workbooks.text import PLACEHOLDERS, squeeze, tidy
from qingdan.workbooks.words import Choices, YesNo
from qingdan.workbooks.words import text as text_of_cell

#: Column of the register -> column of the fact kind ``institution`` whose headers it takes over.
_OF_PACK = {
    "name": "institution", "credit_code": "credit_code", "category": "category", "field": "field", "audience": "audience",
    "department": "department", "approval_basis": "approval_basis", "runs_online": "runs_online", "permit_number": "permit_number",
}  # fmt: skip
#: Label and other headers of what the fact kind does not have.
_OWN: dict[str, tuple[str, ...]] = {
    "legal_person": ("法定代表人", "法人代表", "法人", "负责人"),
    "registration": ("登记性质", "机构性质", "法人属性", "法人类型", "登记类型", "营利属性"),
    "registered_on": ("登记日期", "成立日期", "设立日期", "注册日期"),
    "permit_span": ("有效期", "许可证有效期", "有效期限"),
    "permit_starts_on": ("有效期起", "有效期自", "许可证有效期起", "发证日期"),
    "permit_ends_on": ("有效期止", "有效期至", "许可证有效期止", "到期日期"),
    "premises": ("教学点", "教学点名称", "校区", "校区名称"),
    "address": ("地址", "办学地址", "教学点地址", "详细地址", "机构地址"),
    "area_m2": ("面积", "面积(平方米)", "建筑面积", "办学面积", "场地面积"),
    "street": ("街道", "所属街道", "镇街", "街道(镇)", "所在街道"),
    "website": ("网站", "网址", "官网"),
}
#: The columns in which a register is written out, in order.
EXPORTED = (
    "name", "credit_code", "legal_person", "registration", "category", "field", "audience", "department", "approval_basis",
    "runs_online", "registered_on", "street", "website", "permit_number", "permit_starts_on", "permit_ends_on", "premises", "address",
    "area_m2",
)  # fmt: skip
_LENGTHS = {"name": 100, "legal_person": 50, "permit_number": 40, "premises": 60, "address": 120, "street": 60, "website": 200}


def labels(vocabulary: Vocabulary) -> dict[str, str]:
    """Column -> what it is called in Chinese."""
    columns = vocabulary.kinds["institution"].columns
    return {name: columns[source].label for name, source in _OF_PACK.items()} | {name: words[0] for name, words in _OWN.items()}


def registration_of(value: object) -> str | None:
    """As what it is registered, from the many ways to say it; raise Unread for none of them."""
    word = squeeze(text_of_cell(value) or "")
    if word in PLACEHOLDERS:
        return None
    if "非营利" in word or "非企业" in word or word == "民非":
        return RegistrationKind.NON_PROFIT.value
    if "事业" in word:
        return RegistrationKind.PUBLIC.value
    if "营利" in word or "企业" in word or "公司" in word:
        return RegistrationKind.COMPANY.value
    raise Unread("不在可选的名称之内；请写其中一个：民办非企业单位（非营利性）、企业（营利性）、事业单位")


def _area(value: object) -> int | None:
    word = re.sub(r"(平方米|平米|㎡|m2|m²)$", "", squeeze(text_of_cell(value) or "").lower())
    if word in PLACEHOLDERS:
        return None
    if not re.fullmatch(r"\d{1,7}(\.\d+)?", word) or float(word) < 1:
        raise Unread("不是面积；请写平方米数，如 300")
    return round(float(word))


def _credit_code(value: object) -> str:
    return squeeze(text_of_cell(value) or "").upper()


class RegisterReader(ListReader):
    """Reads institutions."""

    what: ClassVar = "名册"
    required: ClassVar = ("name", "credit_code")
    lengths: ClassVar = _LENGTHS

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.labels = labels(vocabulary)
        columns = vocabulary.kinds["institution"].columns
        words = [(word, name) for name, options in _OWN.items() for word in options]
        words += [(word, name) for name, source in _OF_PACK.items() for word in [columns[source].label, *columns[source].headers]]
        # What a column is called first of all counts before what another is called besides.
        own = {header_word(label): name for name, label in self.labels.items()}
        self.names = {header_word(word): name for word, name in reversed(words)} | own
        day = partial(date, context=DateContext())
        online = columns["runs_online"]
        self.readers = {
            **{
                name: Choices(vocabulary.categories[str(columns[name].of)])
                for name in ("category", "field", "audience", "department", "approval_basis")
            },
            "credit_code": _credit_code,
            "runs_online": YesNo(online.yes, online.no),
            "registration": registration_of,
            "area_m2": _area,
            **dict.fromkeys(("registered_on", "permit_starts_on", "permit_ends_on"), day),
        }

    def complete(self, values: dict[str, Any], problems: list[str]) -> list[str]:
        """The term as two days, the field that follows from the category, and what is missing."""
        self._span(values, problems)
        if values.get("category") == TrainingCategory.ACADEMIC:
            values["field"] = values.get("field") or TrainingField.ACADEMIC.value
        return list(_missing(values, problems))

    def _span(self, values: dict[str, Any], problems: list[str]) -> None:
        """A term written in one cell, as its two days."""
        if (text := values.pop("permit_span", None)) is None:
            return
        found = span_in(squeeze(tidy(str(text))))
        if found is None:
            problems.append(f"有效期“{text}”看不出起止；请写成 2025-09-01至2028-08-31")
        else:
            values["permit_starts_on"], values["permit_ends_on"] = (each.isoformat() for each in found)


def _missing(values: Mapping[str, Any], problems: list[str]) -> Iterator[str]:
    if not values.get("name") and not any(each.startswith("机构名称") for each in problems):
        yield "缺机构名称；请补上"
    if not values.get("credit_code"):
        yield "缺统一社会信用代码；请补上"
        return
    try:
        validate_credit_code(values["credit_code"])
    except ValidationError as error:
        yield error.messages[0]
