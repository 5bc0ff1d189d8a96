"""Cells that hold words: running text, yes and no, and one of a closed set of categories."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from qingdan.policy.vocabulary import Category
from qingdan.workbooks.model import Unread
from qingdan.workbooks.text import PLACEHOLDERS, plain_text, shown, squeeze

_YES = frozenset({"是", "有", "√", "✓", "✔", "☑", "v", "y", "yes", "1", "true", "t", "已", "对", "是的", "属实"})
_NO = frozenset({"否", "无", "×", "✗", "✘", "☒", "x", "n", "no", "0", "false", "f", "未", "不是", "没有", "没", "非", "错"})
_NEGATION = re.compile(r"[不非无未勿禁免没]")


def text(value: object) -> str | None:
    """A cell as one line of text, None when empty; whole numbers without a decimal point, days as 2026-11-16."""
    if isinstance(value, str):
        return plain_text(value).lstrip("'") or None
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "minutes")
    if isinstance(value, datetime.time):
        return value.isoformat("minutes")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return shown(value)


class YesNo:
    """Reads a yes/no column, with the column's own words besides the common ones."""

    def __init__(self, yes: Sequence[str], no: Sequence[str]) -> None:
        self._words = dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)
        self._words |= dict.fromkeys((squeeze(word).lower() for word in yes), True)
        self._words |= dict.fromkeys((squeeze(word).lower() for word in no), False)

    def __call__(self, value: object) -> bool | None:
        """A cell as yes or no, None when empty; raise Unread otherwise."""
        word = squeeze(shown(value)).lower().lstrip("'")
        found = self._words.get(word)
        if found is None and (word := word.rstrip("。.;,")) in self._words:
            found = self._words[word]
        if found is None and word not in PLACEHOLDERS:
            raise Unread("看不出是或否；请写“是”或“否”")
        return found


class Choices:
    """Reads a category column: an exact name first, then the one name that the text contains."""

    def __init__(self, category: Category) -> None:
        self._codes = {squeeze(name).lower(): code for name, code in category.codes_by_name.items()}
        codes = {squeeze(code).lower() for code in category.names}
        contained = {name for name in self._codes if len(name) > 1 or not name.isascii()} - codes
        pattern = "|".join(re.escape(name) for name in sorted(contained, key=lambda name: (-len(name), name)))
        self._inside = re.compile(pattern) if pattern else None
        self._allowed = "、".join(category.label(code) for code in category.names)

    def __call__(self, value: object) -> str | None:
        """A cell as the code of one choice, None when empty; raise Unread when it names none of them, or several."""
        word = squeeze(shown(value)).lower()
        if word in self._codes:
            return self._codes[word]
        if word in PLACEHOLDERS:
            return None
        matches = list(self._inside.finditer(word)) if self._inside else []
        found = {self._codes[match[0]] for match in matches}
        if len(found) != 1:
            raise Unread(f"{'不在可选的名称之内' if not found else '同时写了几个名称'}；请写其中一个：{self._allowed}")
        if any(_NEGATION.search(word[max(0, match.start() - 3) : match.start()]) for match in matches):
            raise Unread(f"带有否定的说法，看不出是哪一种；请写其中一个：{self._allowed}")
        return found.pop()
