"""Filters of the escrow pages."""

from __future__ import annotations

import datetime

from django import template

from qingdan.escrow import wording
from qingdan.escrow.models import Contract
from qingdan.escrow.standing import Standing, standing_of

register = template.Library()


@register.filter
def yuan(fen: int | None) -> str:
    """``1,200.00 元``; nothing for None."""
    return "" if fen is None else wording.yuan(fen)


@register.filter
def day_zh(day: datetime.date | None) -> str:
    """``11月16日（周一）``; nothing for None."""
    return "" if day is None else wording.day_text(day)


@register.filter
def clock(minutes: int) -> str:
    """Minutes after midnight as ``18:30``."""
    return wording.clock_text(minutes)


@register.simple_tag
def contract_standing(contract: Contract) -> Standing:
    """How one contract stands: for the page of a single contract, three queries each."""
    return standing_of(contract)
