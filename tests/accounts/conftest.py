"""A small district on a fixed day."""

from __future__ import annotations

import pytest

from tests.district import MONDAY, District, make_district


@pytest.fixture(autouse=True)
def school_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today is MONDAY, wherever the house asks."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY)


@pytest.fixture
def district(db: None) -> District:
    """A bureau and two schools."""
    return make_district()
