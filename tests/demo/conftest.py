"""A small district of the demonstration, loaded once for the questions that only read it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from qingdan.demo.loading import Outcome, Scale, ensure_district
from qingdan.demo.plan import SCHOOLS

#: The four schools with the story and all troubles.
SMALL = Scale(schools=4, weeks=3, classes_per_grade=2)
TINY = Scale(schools=1, weeks=2, classes_per_grade=2)
#: The school alone, for what has nothing to do with training institutions: they take most of the time.
SCHOOL = Scale(schools=1, weeks=2, classes_per_grade=2, has_institutions=False)
#: A Wednesday in term.
TODAY = datetime.date(2026, 11, 18)
TROUBLED = {plan.trouble: plan.name for plan in SCHOOLS if plan.trouble is not None}


@pytest.fixture(autouse=True)
def school_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today is TODAY, wherever the house asks."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: TODAY)


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Outcome]:
    """The small district, loaded once for a module and gone after it; use ``district`` in tests."""
    patch = pytest.MonkeyPatch()
    patch.setattr("qingdan.places.calendar.clock", lambda: TODAY)
    with django_db_blocker.unblock(), transaction.atomic():
        yield ensure_district(scale=SMALL)
        transaction.set_rollback(True)
    patch.undo()


@pytest.fixture
def district(loaded: Outcome, db: None) -> Outcome:
    """The small district; whatever a test changes is taken back after it."""
    return loaded
