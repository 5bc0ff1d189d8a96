"""A small district with one institution that sells a course, on a fixed day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.banking.demobank.running import running
from qingdan.escrow.models import CustodyAgreement
from qingdan.institutions.models import Course, Institution
from tests.district import MONDAY, District, make_district, make_user
from tests.escrow.banking import Town
from tests.escrow.making import make_agreement
from tests.institutions.making import make_course, make_institution, make_permit, make_premises


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
    """An arts institution of the district with premises and a permit in force."""
    found = make_institution(district.region, "示例艺术培训中心")
    make_permit(found, make_premises(found), district.bureau)
    return found


@pytest.fixture
def operator(institution: Institution) -> User:
    """Who signs in for the institution."""
    return make_user("operator", Role.INSTITUTION, institution.organisation)


@pytest.fixture
def course(institution: Institution) -> Course:
    """A filed course of the institution."""
    return make_course(institution, institution.permits.first())


@pytest.fixture
def agreement(institution: Institution, district: District) -> CustodyAgreement:
    """Third-party custody since long ago."""
    return make_agreement(institution.organisation, district.bureau)


@pytest.fixture
def parent(district: District) -> User:
    """A guardian."""
    return district.first.parent


@pytest.fixture
def town(tmp_path: Path, settings: Any) -> Iterator[Town]:
    """A demo bank of its own process, on MONDAY, which the settings name."""
    data = tmp_path / "bank.sqlite"
    with running(data, day=MONDAY) as bank:
        settings.BANK_URL, settings.BANK_TOKEN = bank.address, bank.token
        made = Town(data, bank)
        yield made
        if made.running is not bank:
            made.kill()
