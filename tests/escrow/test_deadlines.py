"""By when somebody has to answer: the layer's figures, counted in working days of its calendar."""

from __future__ import annotations

import datetime

import pytest

from qingdan.escrow.deadlines import answer_until, refund_due_on, silence_until
from tests.district import FRIDAY, MONDAY, NEXT_MONDAY

THURSDAY = FRIDAY - datetime.timedelta(days=1)


@pytest.mark.usefixtures("district")
def test_a_layers_days_are_counted_in_its_working_days() -> None:
    assert silence_until("demo-district", MONDAY) == THURSDAY
    assert silence_until("demo-district", THURSDAY) == NEXT_MONDAY + datetime.timedelta(days=1), "the weekend does not count"
    assert answer_until("demo-district", MONDAY) == THURSDAY


@pytest.mark.usefixtures("district")
def test_where_a_layer_says_nothing_silence_counts_for_nothing() -> None:
    assert silence_until("cn-xinjiang", MONDAY) is None
    assert answer_until("cn-xinjiang", MONDAY) is None


@pytest.mark.usefixtures("district")
def test_a_promise_has_a_day_even_where_no_calendar_reaches() -> None:
    assert refund_due_on("demo-district", MONDAY, 5) == NEXT_MONDAY
    assert refund_due_on("demo-district", datetime.date(2039, 12, 30), 2) == datetime.date(2040, 1, 3), "a Friday, then Monday and Tuesday"
    assert silence_until("demo-district", datetime.date(2039, 12, 30)) is None, "nobody's money moves on a guess"
