"""By when somebody has to answer or pay: working days of the institution's region, by figures that its layer of the law sets."""

from __future__ import annotations

import datetime

from qingdan.places.calendar import SchoolCalendar, current_pack

#: How long a guardian may object to a lesson, in working days after it was recorded.
SILENCE = "prepaid.silence_working_days"
#: How long an institution may take to answer a refund, in working days after the application.
ANSWER = "prepaid.refund_answer_working_days"
_FRIDAY = 4


def silence_until(layer_code: str, day: datetime.date) -> datetime.date | None:
    """The last day for an objection to what is recorded on a day; None where silence counts for nothing."""
    return _until(SILENCE, layer_code, day)


def answer_until(layer_code: str, day: datetime.date) -> datetime.date | None:
    """The last day for an institution's answer to a refund asked for on a day; None where silence counts for nothing."""
    return _until(ANSWER, layer_code, day)


def refund_due_on(layer_code: str, day: datetime.date, working_days: int) -> datetime.date:
    """The day by which a contract promises the money of a refund asked for on a day.

    Where the calendar does not know the days between, Monday to Friday count: a promise has to have a day.
    """
    found = SchoolCalendar(layer_code).after_working_days(day, working_days)
    if found is not None:
        return found
    while working_days > 0:
        day += datetime.timedelta(days=1)
        working_days -= day.weekday() <= _FRIDAY
    return day


def _until(name: str, layer_code: str, day: datetime.date) -> datetime.date | None:
    pack = current_pack()
    stated = pack.find(name, at=layer_code, on=day)
    if stated is None or stated.value is None:
        return None
    return SchoolCalendar(layer_code, pack).after_working_days(day, int(str(stated.value)))
