"""From a workbook to the people who work for an institution. Of a number only digest and mask go on from here."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from django.core.exceptions import ValidationError

from qingdan.accounts.identity import digest, masked
from qingdan.institutions.enums import StaffRole
from qingdan.institutions.imports.sheets import ListReader, header_word
from qingdan.institutions.models.staff import CHINESE
from qingdan.policy.vocabulary import Vocabulary
from qingdan.schools.rolls.reading import person_name
from qingdan.workbooks.dates import DateContext, date
from qingdan.workbooks.text import squeeze
from qingdan.workbooks.words import Choices, YesNo
from qingdan.workbooks.words import text as text_of_cell

_KIND = "institution_staff"
#: Columns that are the law's too, with its headers.
_OF_PACK = {"name": "person", "role": "role", "category": "category", "subject": "subject", "is_abroad": "is_abroad"}
#: Label and other headers; before those of the pack.
_WORDS: dict[str, tuple[str, ...]] = {
    "name": ("姓名", "员工姓名"),
    "identity_number": ("证件号", "身份证号", "身份证号码", "身份证", "证件号码", "公民身份号码", "护照号", "身份证号(外籍填护照号)"),
    "nationality": ("国籍", "国家", "国籍(地区)"),
    "role": ("岗位",),
    "category": ("任教类别",),
    "subject": ("任教学科或项目", "任教项目", "项目"),
    "certificate_number": ("教师资格证号", "教师资格证书号", "资格证号", "教师资格证编号", "资格证书编号"),
    "experience": ("教学经验", "从教经历", "教学经历", "工作经历"),
    "is_abroad": ("人在境外", "身在境外"),
    "employed_from": ("入职日期", "入职时间", "到岗日期", "聘用日期", "合同起始日期"),
    "employed_until": ("离职日期", "离职时间", "离岗日期", "最后工作日"),
}
#: The columns of the empty list, in order.
COLUMNS = tuple(_WORDS)
_CHINESE_WORDS = ("中国", "中国籍", "中华人民共和国", "汉族", "本国", "CN", "CHN")


def labels() -> dict[str, str]:
    """Column -> what it is called in Chinese."""
    return {name: words[0] for name, words in _WORDS.items()}


def _number(value: object) -> str:
    """The number as it stands there: no message may repeat it, so it is judged when the nationality is known."""
    return squeeze(text_of_cell(value) or "")


class StaffReader(ListReader):
    """Reads people."""

    what: ClassVar = "从业人员名册"
    required: ClassVar = ("name", "identity_number")
    lengths: ClassVar = {"name": 50, "nationality": 30, "subject": 40, "certificate_number": 40, "experience": 300}

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.labels = labels()
        columns = vocabulary.kinds[_KIND].columns
        of_pack = [(word, name) for name, of in _OF_PACK.items() for word in [columns[of].label, *columns[of].headers]]
        self.names = {header_word(word): name for word, name in of_pack}
        self.names |= {header_word(word): name for name, words in _WORDS.items() for word in words}
        abroad, day = columns["is_abroad"], partial(date, context=DateContext())
        self.readers = {
            "identity_number": _number,
            "role": Choices(vocabulary.categories[str(columns["role"].of)]),
            "category": Choices(vocabulary.categories[str(columns["category"].of)]),
            "is_abroad": YesNo(abroad.yes, abroad.no),
            "employed_from": day,
            "employed_until": day,
        }

    def complete(self, values: dict[str, Any], problems: list[str]) -> list[str]:
        """Digest and mask instead of the number, and what is missing."""
        missing = []
        if values.get("name"):
            values["name"] = person_name(values["name"])
        elif not any(each.startswith("姓名") for each in problems):
            missing.append("缺姓名；请补上")
        if values.get("nationality") in _CHINESE_WORDS:
            values["nationality"] = CHINESE
        is_foreign = (values.get("nationality") or CHINESE) != CHINESE
        number = values.pop("identity_number", None)
        if not number:
            return [*missing, "缺证件号；请补上，用来实名登记，系统只留加密指纹"]
        try:
            values["identity_digest"] = digest(number, is_foreign=is_foreign)
            values["masked_identity"] = masked(number)
        except ValidationError as error:
            missing.append(error.messages[0])
        if values.get("role") in (StaffRole.SUPPORT, StaffRole.ADMINISTRATION):
            # Whoever does not teach teaches nothing, whatever a copied column says.
            values.pop("category", None)
        return missing
