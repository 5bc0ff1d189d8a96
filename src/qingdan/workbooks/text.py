"""Bringing what people type to one spelling, and reading numbers, Chinese ones included."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_WIDE = {code + 0xFEE0: code for code in [*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B)]}
_KEPT = {**_WIDE, **_INVISIBLE}
_DASHES = re.compile(r"[-–—―−‐‑─~～]+")

#: Cells that clerks leave instead of an empty one.
PLACEHOLDERS = frozenset({"", "-", "--", "—", "——", "–", "/", "\\", "//"})


def tidy(text: str) -> str:
    """Full-width digits, letters and signs made half-width (NFKC), invisible characters and outer blanks dropped."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).strip()


def squeeze(text: str) -> str:
    """``tidy`` without any blanks or newlines."""
    return "".join(tidy(text).split())


def plain_text(text: str) -> str:
    """Running text as it should be kept: half-width digits and letters, Chinese punctuation left alone, one line."""
    return " ".join(text.translate(_KEPT).split())


def dashed(text: str) -> str:
    """Every run of dashes and tildes as one hyphen."""
    return _DASHES.sub("-", text)


def shown(value: object) -> str:
    """A cell as its reader saw it, for messages."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


_DIGIT_GROUPS = ("零〇○", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
_DIGITS = {character: number for number, group in enumerate(_DIGIT_GROUPS) for character in group}
_POWERS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS = {"万": 10_000, "萬": 10_000, "亿": 100_000_000}

#: Characters of a Chinese numeral, for use inside a regular expression's brackets.
NUMERALS = "".join([*_DIGITS, *_POWERS, *_MYRIADS])


def _below_myriad(text: str) -> int | None:
    total, digit, last = 0, -1, 10_000
    for position, character in enumerate(text):
        if character in _DIGITS:
            if digit > 0:
                return None
            digit = _DIGITS[character]
        else:
            power = _POWERS[character]
            if power >= last or digit == 0 or (digit < 0 and not (power == 10 and position == 0)):
                return None
            total += (1 if digit < 0 else digit) * power
            digit, last = -1, power
    if digit > 0:
        # 两千八 means 2800, 一百二 means 120; with a 零 before the last digit it does not.
        colloquial = len(text) > 1 and last in (100, 1000) and text[-2] in _POWERS
        total += digit * (last // 10 if colloquial else 1)
    return total


def chinese_number(text: str) -> int | None:
    """二十五 -> 25, 两千八 -> 2800, 贰仟 -> 2000, 二〇二六 -> 2026; None when the text is no numeral."""
    if not text or any(character not in NUMERALS for character in text):
        return None
    if len(text) > 1 and all(character in _DIGITS for character in text):
        return int("".join(str(_DIGITS[character]) for character in text))
    total, section = 0, ""
    last = 10**12
    for character in text:
        if character in _MYRIADS:
            part = _below_myriad(section) if section else None
            if part is None or _MYRIADS[character] >= last:
                return None
            last = _MYRIADS[character]
            total += part * last
            section = ""
        else:
            section += character
    if not section:
        return total
    rest = _below_myriad(section)
    if rest is None:
        return None
    if total and len(section) == 1 and rest:
        return total + rest * (last // 10)
    return total + rest


_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+")


def number(text: str) -> Fraction | None:
    """``2,880.00``, ``-3``, ``.5`` or a Chinese numeral, exactly; None when the (tidied) text is nothing of the kind."""
    if _NUMBER.fullmatch(text):
        return Fraction(text.replace(",", "").rstrip(".") or "0")
    spoken = chinese_number(text)
    if spoken is None and "点" in text:
        whole, _, parts = text.partition("点")
        head, tail = chinese_number(whole), "".join(str(_DIGITS.get(character, "x")) for character in parts)
        if head is not None and tail.isdigit():
            return Fraction(f"{head}.{tail}")
    return None if spoken is None else Fraction(spoken)


def exact(value: float) -> Fraction:
    """A number cell without the dust of binary fractions (six decimals kept)."""
    return Fraction(int(value)) if value.is_integer() else Fraction(f"{value:.6f}")
