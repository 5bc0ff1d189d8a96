"""Names of grades and classes, in the many ways in which schools write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from qingdan.workbooks.model import Unread
from qingdan.workbooks.text import PLACEHOLDERS, chinese_number, plain_text, shown, squeeze

_GRADE_NUMERALS = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_NUMERAL = r"\d{1,2}|十[一二]?|[一二三四五六七八九]"
_CLASS_NUMBER = r"\d{1,2}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九]|[A-Za-z]"
_NUMBERED = re.compile(
    rf"(?:(?P<name>\D+?年级|[初高预]\S?|预初|预备)|(?P<grade>{_NUMERAL})(?P<word>年级|年)?)[-.]?"
    rf"(?:\((?P<bracketed>{_CLASS_NUMBER})\)班?|(?P<bare>{_CLASS_NUMBER})班)"
)
_DASHED = re.compile(r"(?P<grade>\d{1,2}|[一二三四五六七八九])[-.](?P<number>\d{1,2})班?")
_CODE = re.compile(r"(?P<grade>[1-9]|1[0-2])(?P<number>0[1-9]|[1-3]\d)班?")
_CLASS_ALONE = re.compile(rf"\(?(?P<number>{_CLASS_NUMBER})\)?班?")
_SEVERAL = re.compile(r"班[、,，;和及与至到~-]|\)[、,，和及与至到~-]\(|[、,，]\(?\d+\)?班|\d[、,，~-]\d+\)?班")
_BRACKETS = str.maketrans("[]【】〔〕<>〈〉", "()()()()()")
_HINT = "请写成 三（2）班 的样子"


class Classes:
    """Reads grade and class names by a layer's names of grades."""

    def __init__(self, grade_names: Mapping[str, int]) -> None:
        self._grades = {squeeze(name).lower(): grade for name, grade in grade_names.items()}
        self._names = sorted(self._grades, key=len, reverse=True)

    def _grade_named(self, text: str) -> int | None:
        text = text.lower()
        if text in self._grades:
            return self._grades[text]
        bare = text.removesuffix("年级").removesuffix("年").removeprefix("小学").removeprefix("第")
        numeral = int(bare) if bare.isdecimal() else _GRADE_NUMERALS.index(bare) if bare in _GRADE_NUMERALS else 0
        if not 1 <= numeral < len(_GRADE_NUMERALS):
            return None
        return self._grades.get(_GRADE_NUMERALS[numeral] + "年级", numeral)

    def grade(self, value: object) -> int | None:
        """A cell of a grade column (三年级, 初一, 3) as 1 to 12, None when empty; raise Unread otherwise."""
        text = squeeze(shown(value))
        if text in PLACEHOLDERS:
            return None
        found = self._grade_named(text)
        if found is None:
            found = self.split(text)[1]
        if found is None:
            raise Unread(f"看不出年级；请写成 {'、'.join(list(self._grades)[:3]) or '三年级'} 的样子")
        return found

    def grade_within(self, value: object) -> int | None:
        """The one grade that a class name or other text names, None when it names none or several."""
        text = squeeze(shown(value)).lower()
        grade = self.split(text)[1]
        if grade is not None:
            return grade
        found = {self._grades[name] for name in self._names if name in text}
        return found.pop() if len(found) == 1 else None

    def split(self, text: str) -> tuple[str | None, int | None]:
        """A squeezed class name as (number within the grade, grade), each None when the text does not say it."""
        text = text.translate(_BRACKETS).removeprefix("小学").removeprefix("初中").removeprefix("高中")
        if text.lower() in self._grades:
            return None, self._grades[text.lower()]
        if match := _CODE.fullmatch(text):
            return str(int(match["number"])), int(match["grade"])
        if match := _DASHED.fullmatch(text):
            return match["number"], self._grade_named(match["grade"])
        for name in self._names:
            if text.lower().startswith(name) and (alone := _CLASS_ALONE.fullmatch(text[len(name) :].lstrip("-."))):
                return _number(alone["number"]), self._grades[name]
        if match := _NUMBERED.fullmatch(text):
            grade = self._grade_named(match["name"] or match["grade"])
            return _number(match["bracketed"] or match["bare"]), grade
        return None, self._grade_named(text) if text.endswith("年级") else None

    def number_alone(self, text: str) -> str | None:
        """``2班``, ``（2）班`` or ``2`` as the class's number, when no grade is named."""
        match = _CLASS_ALONE.fullmatch(squeeze(text))
        return _number(match["number"]) if match else None

    def class_name(self, value: object) -> str | None:
        """A cell of a class column as 三（2）班 where it names grade and number, other names as they stand; None when empty.

        Raise Unread when it names several classes.
        """
        text = squeeze(shown(value))
        if text in PLACEHOLDERS:
            return None
        number, grade = self.split(text)
        if number is not None and grade is not None:
            return written(grade, number)
        if number is not None:
            raise Unread(f"不认识的年级；{_HINT}")
        if _SEVERAL.search(text):
            raise Unread("一格里写了几个班；请每班写一行")
        return plain_text(shown(value))


def _number(text: str) -> str:
    if text.isdecimal():
        return str(int(text))
    numeral = chinese_number(text)
    return text.upper() if numeral is None else str(numeral)


def written(grade: int, number: str) -> str:
    """The one spelling of a class: ``written(3, "2")`` is ``三（2）班``."""
    return f"{_GRADE_NUMERALS[grade]}（{number}）班" if 1 <= grade < len(_GRADE_NUMERALS) else f"{grade}（{number}）班"
