"""A small district with one institution on a fixed day."""

from __future__ import annotations

import pytest

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.institutions.models import Institution
from tests.district import MONDAY, District, make_district, make_user
from tests.institutions.making import make_institution


@pytest.fixture(autouse=True)
def school_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today is MONDAY, wherever the house asks."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY)


@pytest.fixture
def district(db: None) -> District:
    """A bureau and two schools."""
    return make_district()


@pytest.fixture
def institution(district: District) -> Institution:
    """An arts institution of the district; it has nothing yet."""
    return make_institution(district.region, "示例艺术培训中心")


@pytest.fixture
def operator(institution: Institution) -> User:
    """Who signs in for the institution."""
    return make_user("operator", Role.INSTITUTION, institution.organisation)
