"""Word lists: strict when loaded, found in any spelling, the longest word first."""

from __future__ import annotations

from pathlib import Path

import pytest

from qingdan.policy.lexicons import MEANINGS
from qingdan.policy.linting import lint
from qingdan.policy.pack import Pack
from qingdan.policy.sources import PackError
from tests.policy.conftest import MakePack

WORDS = """
name: words
title: 词表
about: 试验用。
words:
  - {word: 数学, weight: 3, means: academic, cites: [law.minutes]}
  - {word: 数学游戏, weight: 1, means: non_academic, cites: [law.minutes]}
  - {word: AMC, weight: 4, means: result, cites: [law.minutes]}
"""
FILE = "lexicons/words.yaml"


@pytest.fixture(scope="module")
def built_in() -> Pack:
    """The pack that comes with the product."""
    return Pack.load(Path(__file__).parents[2] / "policies")


def found(pack: Pack, text: str) -> list[tuple[str, int]]:
    return [(each.word, each.start) for each in pack.lexicon("words").found_in(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("数学游戏和数学", [("数学游戏", 0), ("数学", 5)]),
        ("学 数 学", [("数学", 2)]),
        ("数\u200b学", [("数学", 0)]),
        ("ａｍｃ 与 Amc8", [("AMC", 0), ("AMC", 6)]),
        ("amcx、damc", []),
        ("", []),
    ],
)
def test_words_are_found_in_any_spelling_the_longest_first(small_pack: MakePack, text: str, words: list[tuple[str, int]]) -> None:
    assert found(small_pack({FILE: WORDS}), text) == words


def test_a_found_word_tells_weight_meaning_and_clauses(small_pack: MakePack) -> None:
    (each,) = small_pack({FILE: WORDS}).lexicon("words").found_in("AMC")
    assert (each.weight, each.means, each.cites) == (4, "result", ("law.minutes",))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "cites: [law.minutes]}\n  - {word: 数学游戏",
            "cites: [law.minute]}\n  - {word: 数学游戏",
            "引用的条款“law.minute”不存在；是否想写“law.minutes”？",
        ),
        ("word: AMC", "word: 数 学", "词“数 学”重复出现（前面已有“数学”）"),
        ("word: AMC", "word: ＡＭＣ, weigth: 1", "不认识的键“weigth”"),
        ("weight: 3", "weight: 9", "weight"),
        ("means: result", "means: results", "只能是"),
        ("cites: [law.minutes]}\n  - {word: 数学游戏", "cites: []}\n  - {word: 数学游戏", "至少要有一项"),
        ("name: words", "name: other", "name 要与文件同名：“words”"),
    ],
)
def test_a_wrong_list_is_refused_with_its_place(small_pack: MakePack, old: str, new: str, message: str) -> None:
    with pytest.raises(PackError) as caught:
        small_pack({FILE: WORDS.replace(old, new, 1)})
    told = [str(problem) for problem in caught.value.problems]
    assert any(message in each and FILE in each for each in told), told


def test_lint_tells_a_word_that_two_lists_take_for_different_things(small_pack: MakePack) -> None:
    other = WORDS.replace("name: words", "name: more").replace("means: academic", "means: guise")
    notes = lint(small_pack({FILE: WORDS, "lexicons/more.yaml": other}))
    assert [note.label for note in notes if "词“数学”" in note.message] == ["一词两义"]


def test_the_built_in_lists_hold_the_disguises_of_the_district_and_cite_clauses(built_in: Pack) -> None:
    assert set(built_in.lexicons) == {"academic", "disguises", "results", "unfair_terms"}
    guises = {each.word for each in built_in.lexicon("disguises").words}
    assert {
        "家政服务",
        "住家教师",
        "众筹私教",
        "课后托管",
        "游学",
        "研学",
        "夏令营",
        "思维素养",
        "国学素养",
        "幼小衔接",
        "学前班",
        "思维训练",
    } <= guises
    for lexicon in built_in.lexicons.values():
        for each in lexicon.words:
            assert each.means in MEANINGS
            assert all(cite in built_in.clauses for cite in each.cites)
    assert not [note for note in lint(built_in) if note.sort == "two_minded"]


def test_an_unknown_list_is_a_key_error(built_in: Pack) -> None:
    with pytest.raises(KeyError):
        built_in.lexicon("none")
