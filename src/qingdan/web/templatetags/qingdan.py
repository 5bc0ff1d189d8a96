"""Filters that every template may use without loading them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def lookup(mapping: Mapping[Any, Any], key: Any) -> Any:
    """A mapping's value, or nothing."""
    return mapping.get(key, "")


@register.filter
def rows_text(rows: list[int]) -> str:
    """Row numbers with runs drawn together: ``3、5–8``; no more than a line of them."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], row]
        else:
            runs.append([row, row])
    shown = "、".join(str(first) if first == last else f"{first}–{last}" for first, last in runs[:8])
    return shown + ("等" if len(runs) > 8 else "")


@register.filter
def iso_day(text: str) -> str:
    """``2021-07-24`` as ``2021年7月24日``."""
    day = datetime.date.fromisoformat(text)
    return f"{day.year}年{day.month}月{day.day}日"


@register.filter
def megabytes(size: int) -> str:
    """A file's size as people read it."""
    return f"{size / 1024 / 1024:.1f} MB" if size >= 1024 * 1024 else f"{max(1, round(size / 1024))} KB"


@register.filter
def stacked(parts: list[tuple[str, str, int]]) -> list[tuple[str, str, int, int]]:
    """Named counts with where each begins when they are laid end to end."""
    placed, start = [], 0
    for name, word, count in parts:
        placed.append((name, word, start, count))
        start += count
    return placed
