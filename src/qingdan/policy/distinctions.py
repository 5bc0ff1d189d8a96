"""Which cases the figures of a parameter tell apart, as SQL conditions over a fact ``f``.

A parameter may be given by stage, by class size in bands, by both, differently in each layer. For one wide row per place
and period, its dimensions are cut into the pieces within which every layer's figure is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from qingdan.policy.provisions import OTHERWISE, Band
from qingdan.policy.vocabulary import Column


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def distinctions(dimension: str, column: Column, keys: set[str]) -> Iterator[tuple[str, str | int | bool | None]]:
    """The cases that a dimension's keys tell apart, each as an SQL condition and a value that stands for it, the rest last."""
    name = f"f.{dimension}"
    named = sorted(keys - {OTHERWISE})
    if column.type == "boolean":
        yield from ((f"{name} IS {key.upper()}", key == "true") for key in named)
    elif column.type in ("category", "text", "class"):
        yield from ((f"{name} = {quote(key)}", key) for key in named)
    else:
        yield from _pieces(name, [_as_band(key) for key in named])
    if OTHERWISE in keys:
        yield f"{name} IS NOT NULL", None


def _as_band(key: str) -> Band:
    return Band.parse(key) or Band(int(key), True, int(key), True)


def _pieces(name: str, bands: Sequence[Band]) -> Iterator[tuple[str, int]]:
    """The pieces between the edges of bands: within one, every whole number lies in the same bands, so its first speaks for all."""
    edges = sorted({edge for band in bands for edge in _first_numbers(band)})
    if any(band.low is None for band in bands):
        yield (f"{name} < {edges[0]}", edges[0] - 1) if edges else (f"{name} IS NOT NULL", 0)
    for low, high in zip_longest(edges, edges[1:]):
        if any(band.holds(low) for band in bands):
            yield (f"{name} >= {low}" if high is None else f"{name} >= {low} AND {name} < {high}"), low


def _first_numbers(band: Band) -> Iterator[int]:
    """The whole numbers at which something changes: the first in the band and the first after it."""
    if band.low is not None:
        yield band.low if band.low_inside else band.low + 1
    if band.high is not None:
        yield band.high + 1 if band.high_inside else band.high
