"""A deadline of an open application follows the calendar when a bureau fills it or says what a day is."""

from __future__ import annotations

import datetime
from contextlib import nullcontext

import pytest
from django.test import Client
from django.urls import reverse

from qingdan.institutions.actions import applications as acts
from qingdan.institutions.actions.deadlines import count_all_anew
from qingdan.institutions.enums import ApplicationState
from qingdan.institutions.models import Application
from qingdan.institutions.tasks import remind_of_deadlines
from qingdan.notices.models import Notice
from qingdan.places.models import OverriddenDay
from tests.district import MONDAY, District, make_region, signed_in
from tests.institutions.applying import lead_to, make_applicant, make_application

NEXT_MONDAY = MONDAY + datetime.timedelta(days=7)


@pytest.fixture
def bureau(district: District) -> Client:
    """The bureau's browser."""
    return signed_in(district.bureau)


@pytest.fixture
def application(district: District) -> Application:
    """Handed in on a Monday, to be looked at within five working days."""
    by = make_applicant(district.region)
    made = acts.submit(application=make_application(by), by=by)
    assert (made.step_began_on, made.due_on) == (MONDAY, NEXT_MONDAY)
    return made


def override(bureau: Client, days: str, kind: str) -> None:
    assert bureau.post(reverse("places:add_days", args=[2026]), {"days": days, "kind": kind, "note": "停电"}).status_code == 302


def due(application: Application) -> datetime.date | None:
    application.refresh_from_db()
    return application.due_on


def test_a_day_off_moves_it_and_the_undo_moves_it_back(bureau: Client, application: Application) -> None:
    override(bureau, "2026-11-18", "holiday")
    assert due(application) == NEXT_MONDAY + datetime.timedelta(days=1)
    bureau.post(reverse("places:undo"))
    assert due(application) == NEXT_MONDAY


def test_a_day_taken_back_moves_it_back(bureau: Client, application: Application) -> None:
    override(bureau, "2026-11-18", "holiday")
    bureau.post(reverse("places:remove_days", args=[2026]), {"day": [OverriddenDay.objects.get().pk]})
    assert due(application) == NEXT_MONDAY


def test_a_calendar_that_is_filled_gives_a_deadline_where_there_was_none(
    bureau: Client, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody has said yet which days of 2027 are days of rest.
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: datetime.date(2027, 3, 1))
    by = make_applicant(district.region)
    made = acts.submit(application=make_application(by), by=by)
    assert made.due_on is None
    assert bureau.post(reverse("places:fill_days", args=[2026]), {"first": "2027-01-01", "last": "2027-03-31"}).status_code == 302
    assert due(made) == datetime.date(2027, 3, 8)


def test_a_notice_that_was_announced_stays_as_it_is(bureau: Client, district: District, application: Application) -> None:
    made = lead_to(application, ApplicationState.ON_NOTICE, by=application.created_by, officer=district.bureau)
    until = made.notice_until
    override(bureau, "2026-11-18", "holiday")
    assert (due(made), made.notice_until) == (until, until)


def test_other_regions_and_decided_applications_are_left_alone(bureau: Client, district: District, application: Application) -> None:
    acts.withdraw(application=application, by=application.created_by)
    elsewhere = make_applicant(make_region("990102", "cn-shanghai"), "别处艺术中心")
    other = acts.submit(application=make_application(elsewhere), by=elsewhere)
    override(bureau, "2026-11-18", "holiday")
    assert due(application) is None
    assert due(other) == other.due_on


def test_counting_anew_twice_moves_nothing_and_keeps_no_second_reminder(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingdan.institutions.tasks.own_connection", nullcontext)
    Application.objects.filter(pk=application.pk).update(due_on=None)
    assert count_all_anew() == 1
    assert count_all_anew() == 0
    Application.objects.filter(pk=application.pk).update(due_on=None, step_began_on=MONDAY - datetime.timedelta(days=14))
    remind_of_deadlines(0)
    assert due(application) == MONDAY - datetime.timedelta(days=7)
    told = Notice.objects.count()
    remind_of_deadlines(0)
    assert Notice.objects.count() == told
