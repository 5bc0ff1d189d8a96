"""A book in a transaction that is taken back."""

from __future__ import annotations

import pytest

from tests.ledger.making import Course, make_course


@pytest.fixture
def course(db: None) -> Course:
    """One family, one course, nothing paid yet."""
    return make_course()
