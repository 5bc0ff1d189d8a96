"""What stands above a table: ``学校：…    填报日期：…`` values, and the words that date it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from qingdan.workbooks.headers import header_cell
from qingdan.workbooks.quantities import HEADER_UNITS
from qingdan.workbooks.text import plain_text, squeeze

_PAIR = re.compile(r"([^\s:：;；，,。]{1,20})\s*[:：]\s*(.*?)(?=(?:[\s;；，,]+[^\s:：;；，,。]{1,20}\s*[:：])|[;；]|\s{2,}|$)")


def title_values(rows: Iterable[Sequence[object]], words: Collection[str]) -> dict[str, str]:
    """Label -> value of every ``label：value`` in the rows whose label is one of the header words.

    The value may also stand in the next filled cell: ``学校：`` | ``示范区第一小学``.
    """
    found: dict[str, str] = {}
    for row in rows:
        cells = [cell for cell in row if isinstance(cell, str) and cell.strip()]
        for position, cell in enumerate(cells):
            following = plain_text(cells[position + 1]) if position + 1 < len(cells) else ""
            for label, value in _pairs(cell, following):
                if value and squeeze(value) not in HEADER_UNITS and any(key in words for key in header_cell(label).keys):
                    found.setdefault(label, value)
    return found


def _pairs(cell: str, following: str) -> list[tuple[str, str]]:
    text = cell.strip()
    if text.endswith((":", "：")):
        return [(text[:-1], following)]
    if ":" not in text and "：" not in text:
        return [(text, following)] if following and not following.endswith((":", "：")) and len(text) <= 12 else []
    return [(match[1], match[2].strip(" 　")) for match in _PAIR.finditer(text)]


_UNITS = re.compile(r"单位[:为](?:人民币)?([^\d:()]{1,12})")


def units_in(texts: Iterable[str]) -> list[str]:
    """The units that titles give for a whole table: ``单位：万元``, ``（单位：人、万元）``."""
    found: list[str] = []
    for text in texts:
        for match in _UNITS.finditer(squeeze(text)):
            found.extend(word for word in re.split(r"[、,/;]", match[1]) if word in HEADER_UNITS)
    return found


def texts_of(rows: Iterable[Sequence[object]]) -> list[str]:
    """Every text of title rows, in order; a day that Excel keeps as a day is written out."""
    found: list[str] = []
    for row in rows:
        for cell in row:
            if isinstance(cell, str):
                if cell.strip():
                    found.append(cell)
            elif hasattr(cell, "isoformat"):
                found.append(str(cell)[:10])
    return found
