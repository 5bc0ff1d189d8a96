"""Word lists of the pack: what words in a text speak for, how strongly, and by which clauses.

A lexicon is an aid for people who decide; no rule reads one (what ``unfair_terms`` finds becomes a fact of the contract). Words are
found in any spelling of width and case, a blank between two Chinese characters hides nothing, and of words that begin at the same
place the longest counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import Field

from qingdan.policy.sources import Place, Problem, Schema, Source, nearest

#: What a word speaks for: academic or non-academic content, a guise that academic content hides behind, results to advertise with, a
#: term of a contract that takes rights from the family.
Meaning = Literal["academic", "non_academic", "guise", "result", "unfair"]
MEANINGS: Mapping[str, str] = {
    "academic": "学科类", "non_academic": "非学科类", "guise": "变相名目", "result": "竞赛、成绩、录取", "unfair": "不公平条款",
}  # fmt: skip
_WEIGHT_MAX = 5


class LexiconWord(Schema):
    """One word with what it speaks for."""

    word: str = Field(min_length=1)
    weight: int = Field(ge=1, le=_WEIGHT_MAX)
    means: Meaning
    cites: list[str] = Field(min_length=1)


class LexiconFile(Schema):
    """A file ``lexicons/<name>.yaml``."""

    name: str
    title: str
    about: str
    words: list[LexiconWord] = Field(min_length=1)


@dataclass(frozen=True)
class Found:
    """A word found in a text."""

    #: As the lexicon writes it.
    word: str
    weight: int
    means: str
    #: Place of its first character in the text, from 0.
    start: int
    cites: tuple[str, ...]


def _is_chinese(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff"


def folded(text: str) -> tuple[str, list[int]]:
    """A text in one spelling, and for each of its characters the place in the text given."""
    chars = [
        (one, place)
        for place, char in enumerate(text)
        for one in unicodedata.normalize("NFKC", char).casefold()
        if unicodedata.category(one) != "Cf"
    ]
    kept: list[tuple[str, int]] = []
    for index, (char, place) in enumerate(chars):
        if char.isspace():
            following = next((each for each, _ in chars[index:] if not each.isspace()), "")
            if kept and _is_chinese(kept[-1][0]) and following and _is_chinese(following):
                continue
        kept.append((char, place))
    return "".join(char for char, _ in kept), [place for _, place in kept]


def _pattern(word: str) -> str:
    """A word in Latin letters is not found inside a longer one."""
    before = r"(?<![a-z])" if word[0].isascii() and word[0].isalpha() else ""
    after = r"(?![a-z])" if word[-1].isascii() and word[-1].isalpha() else ""
    return f"{before}{re.escape(word)}{after}"


@dataclass(frozen=True)
class Lexicon:
    """A checked word list."""

    name: str
    title: str
    about: str
    words: Sequence[LexiconWord]
    source: Source

    @cached_property
    def _by_spelling(self) -> Mapping[str, LexiconWord]:
        return {folded(each.word)[0]: each for each in self.words}

    @cached_property
    def _search(self) -> re.Pattern[str]:
        return re.compile("|".join(_pattern(word) for word in sorted(self._by_spelling, key=lambda word: (-len(word), word))))

    def found_in(self, text: str) -> list[Found]:
        """Every word of the list in a text, in the order of the text; none overlaps another."""
        spelled, places = folded(text)
        return [
            Found(each.word, each.weight, each.means, places[match.start()], tuple(each.cites))
            for match in self._search.finditer(spelled)
            for each in (self._by_spelling[match.group()],)
        ]


def check_lexicon(file: LexiconFile, source: Source, clauses: Mapping[str, object]) -> Iterator[Problem]:
    """What a word list has against itself and the pack's clauses, each with its place."""
    stem = source.file.rsplit("/", 1)[-1].removesuffix(".yaml")
    if file.name != stem:
        yield Problem(source.place("name"), f"name 要与文件同名：“{stem}”")
    seen: dict[str, str] = {}
    for index, each in enumerate(file.words):
        spelled = folded(each.word)[0]
        if not spelled.strip():
            yield Problem(source.place("words", index, "word"), "词是空的")
        elif spelled in seen:
            yield Problem(source.place("words", index, "word"), f"词“{each.word}”重复出现（前面已有“{seen[spelled]}”）")
        seen.setdefault(spelled, each.word)
        for at, cite in enumerate(each.cites):
            if cite not in clauses:
                yield Problem(source.place("words", index, "cites", at), f"引用的条款“{cite}”不存在{nearest(cite, clauses)}")


def contradictions(lexicons: Mapping[str, Lexicon]) -> Iterator[tuple[Place, str]]:
    """Words that two lists take for different things; each is told at its second place."""
    known: dict[str, list[tuple[Lexicon, LexiconWord]]] = defaultdict(list)
    for lexicon in lexicons.values():
        for index, each in enumerate(lexicon.words):
            for other, before in known[folded(each.word)[0]]:
                if before.means != each.means:
                    yield (
                        lexicon.source.place("words", index, "word"),
                        f"词“{each.word}”在这里说的是{MEANINGS[each.means]}，在“{other.title}”里说的是{MEANINGS[before.means]}",
                    )
            known[folded(each.word)[0]].append((lexicon, each))
