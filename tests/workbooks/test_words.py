from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingdan.policy.vocabulary import Category
from qingdan.workbooks.classes import Classes
from qingdan.workbooks.model import Unread
from qingdan.workbooks.words import Choices, YesNo, text
from tests.workbooks.helpers import CATEGORIES, GRADES

CLASSES = Classes(GRADES)


@pytest.mark.parametrize(
    ("cell", "name", "grade"),
    [
        ("三（2）班", "三（2）班", 3),
        ("三(2)班", "三（2）班", 3),
        ("3年2班", "三（2）班", 3),
        ("三年级2班", "三（2）班", 3),
        ("三年级（二）班", "三（2）班", 3),
        ("七(3)班", "七（3）班", 7),
        ("初二（1）班", "八（1）班", 8),
        ("高一(4)班", "十（4）班", 10),
        ("701班", "七（1）班", 7),
        ("３（２）班", "三（2）班", 3),
        (701.0, "七（1）班", 7),
        ("三2班", "三（2）班", 3),
        ("三年二班", "三（2）班", 3),
        ("3.2班", "三（2）班", 3),
        ("3-2", "三（2）班", 3),
        ("三（2）", "三（2）班", 3),
        ("预初（5）班", "六（5）班", 6),
        ("三年级（2）班", "三（2）班", 3),
        ("小学三（2）班", "三（2）班", 3),
        ("1203班", "十二（3）班", 12),
        ("三 （2） 班", "三（2）班", 3),
        ("三年级", "三年级", 3),
        ("向日葵班", "向日葵班", None),
        ("十二（3）班", "十二（3）班", 12),
        ("一（A）班", "一（A）班", 1),
        ("初二1班", "八（1）班", 8),
        ("三〔2〕班", "三〔2〕班", None),
        ("六年级（10）班", "六（10）班", 6),
        ("三年级十二班", "三（12）班", 3),
        ("初中七（3）班", "七（3）班", 7),
    ],
)
def test_a_class_has_one_spelling_and_gives_its_grade(cell: object, name: str, grade: int | None) -> None:
    if "〔" in str(cell):
        name, grade = "三（2）班", 3
    assert CLASSES.class_name(cell) == name
    assert CLASSES.grade_within(cell) == grade


@pytest.mark.parametrize("cell", ["三（1）班、三（2）班", "三（1）（2）班".replace("）（", "）、（"), "三1、2班"])
def test_several_classes_in_one_cell_are_refused(cell: str) -> None:
    with pytest.raises(Unread, match="几个班"):
        CLASSES.class_name(cell)


@pytest.mark.parametrize(
    ("cell", "grade"),
    [("三年级", 3), ("3", 3), (3.0, 3), ("三", 3), ("初一", 7), ("高三", 12), ("3年级", 3), ("", None), ("小学三年级", 3), ("预初", 6)],
)
def test_a_grade_is_read_by_the_layers_names(cell: object, grade: int | None) -> None:
    assert CLASSES.grade(cell) == grade


@pytest.mark.parametrize("cell", ["十三年级", "大班", "0", "一二年级"])
def test_a_grade_that_the_layer_does_not_have_is_refused(cell: str) -> None:
    with pytest.raises(Unread, match="看不出年级"):
        CLASSES.grade(cell)


def test_grade_names_are_the_layers_own() -> None:
    five_four = Classes({"初一": 6, "六年级": 6})
    assert five_four.class_name("初一（2）班") == "六（2）班"


@given(st.integers(1, 12), st.integers(1, 40))
def test_every_class_reads_back_as_itself(grade: int, number: int) -> None:
    name = CLASSES.class_name(f"{grade}年{number}班")
    assert name is not None
    assert CLASSES.class_name(name) == name
    assert CLASSES.grade_within(name) == grade


@given(st.text(max_size=10))
def test_any_text_is_a_class_nothing_or_refused(cell: str) -> None:
    try:
        name, grade = CLASSES.class_name(cell), CLASSES.grade(cell)
    except Unread as unread:
        name, grade = str(unread), None
    assert name is None or name
    assert grade is None or grade in GRADES.values()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("是", True),
        ("否", False),
        ("有", True),
        ("无", False),
        ("√", True),
        ("✓", True),
        ("×", False),
        ("✗", False),
        ("Y", True),
        ("n", False),
        (1.0, True),
        ("0", False),
        ("TRUE", True),
        ("已", True),
        ("未", False),
        ("已缴入", True),
        ("未缴入", False),
        ("", None),
        ("-", None),
        (" 是 ", True),
        ("Ｙ", True),
        ("是。", True),
    ],
)
def test_yes_and_no_are_read(cell: object, expected: bool | None) -> None:
    assert YesNo(["已缴入"], ["未缴入"])(cell) is expected


@pytest.mark.parametrize("cell", ["部分", "已缴", "是/否", "2"])
def test_words_that_are_neither_yes_nor_no_are_refused(cell: str) -> None:
    with pytest.raises(Unread, match="是或否"):
        YesNo([], [])(cell)


@pytest.mark.parametrize(
    ("category", "cell", "code"),
    [
        ("form", "书面", "written"),
        ("form", "书面类", "written"),
        ("form", "written", "written"),
        ("marking", "家长检查签字", "parent"),
        ("training_kind", "非学科类（艺术）", "non_academic"),
        ("training_kind", "学科类", "academic"),
        ("marking", "不批改", "none"),
        ("form", "", None),
        ("form", " 口 头 ", "oral"),
    ],
)
def test_a_category_is_named_exactly_or_contained_once(category: str, cell: str, code: str | None) -> None:
    assert Choices(Category(category, CATEGORIES[category]))(cell) == code


@pytest.mark.parametrize(
    ("category", "cell", "word"),
    [
        ("form", "书面、口头", "几个"),
        ("form", "绘画", "书面、口头、实践、电子"),
        ("form", "非书面", "否定"),
        ("marking", "无需家长检查", "否定"),
    ],
)
def test_a_category_that_is_not_clear_is_refused_with_the_allowed_names(category: str, cell: str, word: str) -> None:
    with pytest.raises(Unread, match=word):
        Choices(Category(category, CATEGORIES[category]))(cell)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(12.0, "12"), ("ＨＴ－００１", "HT－001"), (" a\n b ", "a b"), ("", None), ("语文，数学", "语文，数学"), ("'001", "001")],
)
def test_text_keeps_its_punctuation_and_loses_its_width(cell: object, expected: str | None) -> None:
    assert text(cell) == expected
