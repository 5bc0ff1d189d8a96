"""Amounts as banks write them (yuan with two decimals) and as we keep them (whole fen)."""

from __future__ import annotations

import re

#: ISO 20022 gives an amount 18 digits in all.
FEN_MAX = 10**15
_AMOUNT = re.compile(r"(-)?([0-9]{1,18})(?:\.([0-9]{0,10}))?", re.ASCII)


def fen_of(text: str) -> int:
    """The fen of an amount in yuan: ``12.3`` is 1230. Raise ValueError with the reason when it is none, or has parts of a fen."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"金额“{shortened(text)}”不是数字")
    sign, yuan, decimals = found[1], found[2], found[3] or ""
    if decimals[2:].strip("0"):
        raise ValueError(f"金额“{shortened(text)}”有不足一分的零头")
    fen = int(yuan) * 100 + int(decimals[:2].ljust(2, "0"))
    if fen > FEN_MAX:
        raise ValueError(f"金额“{shortened(text)}”大得不合常理")
    return -fen if sign else fen


def yuan_of(fen: int) -> str:
    """An amount in yuan with two decimals and no separators: 1230 is ``12.30``."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"


def shortened(text: str, most: int = 40) -> str:
    """A text that stands in a message to a clerk: in one line, and cut off where it is long."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else f"{plain[:most]}…"
