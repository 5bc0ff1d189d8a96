"""The directory of institutions is open to everybody."""

from __future__ import annotations

from dataclasses import replace

from tests.institutions.making import make_institution
from tests.rights.table import Row, World, everyone


def prepare(world: World) -> None:
    """An institution is registered."""
    world.records["listed"] = make_institution(world.district.region)


def _one(world: World) -> tuple[int]:
    return (world.records["listed"].pk,)


OPEN = Row(everyone(200), nobody=200)
ROWS = {
    "directory:home": OPEN,
    "directory:lists": OPEN,
    "directory:institution": replace(OPEN, args=_one),
    "directory:door": replace(OPEN, args=_one),
    "directory:qr": replace(OPEN, args=_one),
}
